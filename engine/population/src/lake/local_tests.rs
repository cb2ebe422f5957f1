use object_store::ObjectStoreExt;

use super::*;

fn at(folder: &Path) -> LocalFolder {
    LocalFolder::open(folder).unwrap()
}

async fn create(store: &LocalFolder, path: &str, bytes: &'static [u8]) -> Result<PutResult> {
    let location = Location::from(path);
    store
        .put_opts(&location, bytes.into(), PutMode::Create.into())
        .await
}

async fn read(store: &LocalFolder, path: &str) -> Vec<u8> {
    let found = store.get(&Location::from(path)).await.unwrap();
    found.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_name_is_given_once_and_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = at(folder.path());
    create(&store, "_lake/0.json", b"one").await.unwrap();
    let again = create(&store, "_lake/0.json", b"two").await;
    assert!(
        matches!(again, Err(Error::AlreadyExists { .. })),
        "{again:?}"
    );
    assert_eq!(read(&store, "_lake/0.json").await, b"one");
    let location = Location::from("_lake/0.json");
    store.put(&location, "three".into()).await.unwrap();
    assert_eq!(read(&store, "_lake/0.json").await, b"three");
    // A file that a killed writer left does not stand in the way, and is not one of the objects.
    let beside = folder.path().join("_lake/1.json#1");
    std::fs::write(&beside, "half").unwrap();
    create(&store, "_lake/1.json", b"whole").await.unwrap();
    let listed = store.list_with_delimiter(Some(&"_lake".into())).await;
    assert_eq!(listed.unwrap().objects.len(), 2);
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("_lake"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["0.json", "1.json", "1.json#1"]);
}

/// Buckets are written at once, and the first of each makes the table's folder.
#[test]
fn many_at_once_make_one_folder() {
    const WRITERS: usize = 4;
    const ROUNDS: usize = 3000;
    // In memory, where the machine has it: the disk is not what is raced for.
    let in_memory = tempfile::tempdir_in("/dev/shm");
    let folder = in_memory.or_else(|_| tempfile::tempdir()).unwrap();
    let start = std::sync::Barrier::new(WRITERS);
    let failed = std::sync::Mutex::new(vec![]);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (start, folder, failed) = (&start, folder.path(), &failed);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let target = folder.join(format!("{round}/{writer}.parquet"));
                    start.wait();
                    // One that panics would leave the others waiting.
                    if let Err(e) = begin(&target) {
                        failed.lock().unwrap().push(e);
                    }
                }
            });
        }
    });
    assert!(failed.lock().unwrap().is_empty(), "{failed:?}");
}

#[tokio::test]
async fn what_is_no_file_is_an_error_and_no_wait() {
    let folder = tempfile::tempdir().unwrap();
    let store = at(folder.path());
    std::fs::create_dir_all(folder.path().join("facts/folder.parquet")).unwrap();
    let pipe = folder.path().join("facts/pipe.parquet");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for (path, what) in [
        ("facts/folder.parquet", FOLDER),
        ("facts/pipe.parquet", NO_FILE),
    ] {
        let location = Location::from(path);
        let range = 0..4_u64;
        let told = [
            store.get(&location).await.map(|_| ()),
            store.head(&location).await.map(|_| ()),
            store
                .get_ranges(&location, std::slice::from_ref(&range))
                .await
                .map(|_| ()),
        ];
        for told in told {
            assert_eq!(crate::lake::plain::plain(&told.unwrap_err()), what);
        }
    }
    let absent = store.head(&Location::from("facts/none.parquet")).await;
    assert!(matches!(absent, Err(Error::NotFound { .. })));
}

/// Where the machine can tell system calls: what is on the disk when a manifest gets its name.
#[test]
fn a_put_is_on_the_disk_before_its_name_and_its_folder_after() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let lake = folder.path().join("a/lake");
    let own = std::env::current_exe().unwrap();
    let calls = "trace=fsync,linkat,link,rename,renameat,renameat2";
    let strace = std::process::Command::new("strace")
        .args(["-f", "-y", "-s", "200", "-e", calls, "-o"])
        .arg(&trace)
        .arg(own)
        .args([
            "--exact",
            "lake::local::tests::puts_for_the_trace",
            "--ignored",
        ])
        .env("TANDEM_TRACED", &lake)
        .output();
    let ran = match strace {
        Ok(ran) => ran,
        Err(e) => return println!("skipped: no strace: {e}"),
    };
    let text = std::fs::read_to_string(&trace).unwrap_or_default();
    let told = String::from_utf8_lossy(&ran.stderr);
    if text.is_empty() {
        return println!("skipped: strace cannot trace here: {told}");
    }
    // What was traced and failed is a failure.
    assert!(ran.status.success(), "{told}");
    let at = |call: &str, path: &str| {
        let found = text
            .lines()
            .position(|l| l.contains(call) && l.contains(path));
        found.unwrap_or_else(|| panic!("no {call} of {path} in\n{text}"))
    };
    let root = lake.display().to_string();
    let order = [
        at("fsync(", "a.parquet#1>"),
        at("rename", "a.parquet#1"),
        at("fsync(", &format!("{root}/facts>")),
        at("fsync(", "0.json#1>"),
        at("link", "0.json#1"),
        at("fsync(", &format!("{root}/_lake>")),
    ];
    assert!(order.is_sorted(), "{order:?} in\n{text}");
    // The names of new folders: of the tables' in the lake, of the lake's above it, and so on.
    let parent = lake.parent().unwrap();
    for folder in [parent.parent().unwrap(), parent, &lake] {
        assert!(at("fsync(", &format!("{}>", folder.display())) < order[1]);
    }
}

#[test]
#[ignore = "run by the test above"]
fn puts_for_the_trace() {
    let lake = PathBuf::from(std::env::var_os("TANDEM_TRACED").unwrap());
    make_folder(&lake).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = at(&lake);
        let data = Location::from("facts/a.parquet");
        store.put(&data, "data".into()).await.unwrap();
        create(&store, "_lake/0.json", b"manifest").await.unwrap();
    });
}
