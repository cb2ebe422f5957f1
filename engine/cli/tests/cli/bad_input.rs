//! Mistakes in what is asked, and folders that are not what they should be: each has its exit code and
//! a message that says where, what, and what to do.
//! That nothing panics and no data is repeated is checked in every run: see `support::run`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::*;

/// `--strict`: exit 1, the rejects are told, nothing is committed, and the folder can still be used.
#[test]
fn strict() {
    let dir = folder();
    let bad = file(
        dir.path().join("bad.ndjson"),
        patient("p", "") + "{\"resourceType\":\"Patient\"}\n",
    );
    let good = file(dir.path().join("good.ndjson"), patient("q", ""));
    let lake = dir.path().join("lake");
    let says = [
        "1 of 2 resources were rejected",
        "--strict",
        "nothing was imported",
        "_rejects",
    ];
    let told = tandem!("import", &bad, "--lake", &lake, "--strict").fails(1, &says);
    assert!(told.out.contains("bad.ndjson:2: no `id`"), "{}", told.out);
    assert!(newest_manifest(&lake).is_none());
    tandem!("lake", "info", &lake).fails(2, &["no lake in"]);

    let report = import_with(&lake, &[&good], &["--strict"]);
    assert_eq!(
        (&report["snapshot"], total(&report, "stored")),
        (&json!(0), 1)
    );
    let before = data_files(&lake);
    tandem!("import", &bad, "--lake", &lake, "--strict").fails(1, &says);
    assert_eq!(
        (newest_manifest(&lake).unwrap().0, data_files(&lake)),
        (0, before)
    );
    let json = tandem!(
        "import", &bad, "--lake", &lake, "--strict", "--format", "json"
    )
    .fails(1, &says);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&report["committed"], &report["total"]["rejected"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(exported(&lake), lines_of(&good));
}

/// A folder with a lake and a file of one patient.
fn lake_and_file(dir: &Path) -> (PathBuf, PathBuf) {
    let path = file(dir.join("data/one.ndjson"), patient("p", ""));
    let lake = dir.join("lake");
    import(&lake, &[&path]);
    (lake, path)
}

#[test]
fn paths_to_import() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let kinds = [".ndjson, .jsonl or .json", ".gz or .zst"];
    let missing = dir.path().join("missing.ndjson");
    tandem!("import", &missing, "--lake", &lake)
        .fails(2, &["missing.ndjson: there is no such file or folder"]);
    let unknown = file(dir.path().join("data.csv"), SECRET);
    tandem!("import", &unknown, "--lake", &lake).fails(
        2,
        &["data.csv: cannot tell what this is", kinds[0], kinds[1]],
    );
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    tandem!("import", &empty, "--lake", &lake)
        .fails(2, &["nothing to import in", "empty", kinds[0], kinds[1]]);
    file(dir.path().join("other/readme.txt"), SECRET);
    tandem!("import", &dir.path().join("other"), "--lake", &lake)
        .fails(2, &["nothing to import in", "other", kinds[0]]);
    // All mistakes at once.
    tandem!("import", &missing, &unknown, "--lake", &lake)
        .fails(2, &["missing.ndjson", "data.csv"]);
    assert!(!lake.exists(), "a lake was made of nothing");

    // Beside FHIR files others are left alone, and told.
    file(dir.path().join("other/p.ndjson"), patient("p", ""));
    let told = tandem!("import", &dir.path().join("other"), "--lake", &lake).ok();
    assert!(
        told.out.contains("Left alone") && told.out.contains("readme.txt"),
        "{}",
        told.out
    );
}

#[test]
fn bucket_numbers() {
    let dir = folder();
    let (lake, path) = lake_and_file(dir.path());
    for n in ["0", "7", "131072"] {
        let new = dir.path().join("new");
        let says = [&format!("--buckets {n}"), "a power of two, at most 65536"];
        tandem!("import", &path, "--lake", &new, "--buckets", n).fails(2, &says.map(|s| s));
        assert!(!new.exists());
    }
    tandem!("import", &path, "--lake", &lake, "--buckets=-8").fails(2, &["--buckets"]);
    tandem!("import", &path, "--lake", &lake, "--buckets", "many").fails(2, &["--buckets"]);
    let says = [
        "--buckets 16",
        "this lake has 8 buckets",
        "leave the option out",
    ];
    tandem!("import", &path, "--lake", &lake, "--buckets", "16").fails(2, &says);
    tandem!("import", &path, "--lake", &lake, "--buckets", "8").ok();
}

#[test]
fn folders_that_are_no_lakes() {
    let dir = folder();
    let (_, path) = lake_and_file(dir.path());
    let other = dir.path().join("other");
    file(other.join("thesis.doc"), SECRET);
    tandem!("import", &path, "--lake", &other).fails(
        2,
        &["is not a lake", "thesis.doc", "import into an empty one"],
    );
    tandem!("lake", "info", &other).fails(2, &["is not a lake", "thesis.doc"]);
    assert_eq!(
        files(&other).len(),
        1,
        "files were left in a folder that is no lake"
    );

    let (missing, out) = (dir.path().join("missing"), dir.path().join("out"));
    let says = ["missing is not a folder", "tandem import"];
    tandem!("lake", "info", &missing).fails(2, &says);
    tandem!("lake", "snapshots", &missing).fails(2, &says);
    tandem!("lake", "vacuum", &missing).fails(2, &says);
    tandem!("export", "--lake", &missing, "--out", &out).fails(2, &says);
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    tandem!("lake", "info", &empty).fails(2, &["there is no lake in", "tandem import"]);
    assert!(!missing.exists() && !out.exists());

    let plain = file(dir.path().join("plain"), SECRET);
    tandem!("lake", "info", &plain).fails(2, &["plain is not a folder"]);
    tandem!("export", "--lake", &plain, "--out", &out).fails(2, &["plain is not a folder"]);
    tandem!("import", &path, "--lake", &plain).fails(2, &["plain", "folder"]);
    tandem!("import", &path, "--lake", &plain.join("below")).fails(2, &["plain"]);
}

#[test]
fn damaged_lake() {
    let dir = folder();
    let (lake, path) = lake_and_file(dir.path());
    let manifest = lake.join("_lake/00000000000000000000.json");
    let whole = fs::read(&manifest).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    // Lakes of other engines have no checksum that ours could be wrong about.
    let plain = format!("{}}}", text.rsplit_once(",\"hash\":").unwrap().0);
    let of_format = |n: u32| plain.replacen("\"format\":3", &format!("\"format\":{n}"), 1);
    let (newer, older) = (of_format(99), of_format(2));
    let buckets = text.replacen("\"buckets\":8", "\"buckets\":0", 1);
    assert_ne!(text, buckets);
    // One bit of the format's number: not an older lake, but a damaged one.
    let bit = text.replacen("\"format\":3", "\"format\":2", 1);
    let cases: [(&[u8], i32, &str); 8] = [
        (bit.as_bytes(), 4, "its checksum does not match"),
        (buckets.as_bytes(), 4, "power of two"),
        (plain.as_bytes(), 4, "no checksum"),
        (&whole[..whole.len() / 2], 4, "is damaged"),
        (b"", 4, "is damaged"),
        (b"{}", 4, "is damaged"),
        (newer.as_bytes(), 2, "use a newer engine"),
        (older.as_bytes(), 2, "import the files anew"),
    ];
    for (content, code, says) in cases {
        fs::write(&manifest, content).unwrap();
        let says = ["_lake/00000000000000000000.json", says];
        tandem!("lake", "info", &lake).fails(code, &says);
        tandem!("import", &path, "--lake", &lake).fails(code, &says);
        tandem!("export", "--lake", &lake, "--out", &dir.path().join("out")).fails(code, &says);
        tandem!("lake", "vacuum", &lake).fails(code, &says);
    }
    fs::write(&manifest, &whole).unwrap();
    tandem!("lake", "info", &lake).ok();

    // A data file that is gone or cut: named, and never answered with less data.
    let data = data_files(&lake)
        .into_iter()
        .find(|f| f.starts_with("resources/"))
        .unwrap();
    let bytes = fs::read(lake.join(&data)).unwrap();
    fs::write(lake.join(&data), &bytes[..bytes.len() / 2]).unwrap();
    tandem!("export", "--lake", &lake, "--out", &dir.path().join("cut")).fails(4, &[&data]);
    fs::remove_file(lake.join(&data)).unwrap();
    tandem!("export", "--lake", &lake, "--out", &dir.path().join("gone")).fails(4, &[&data]);
}

#[test]
fn snapshots_that_are_not_there() {
    let dir = folder();
    let (lake, _) = lake_and_file(dir.path());
    let says = ["snapshot 9 does not exist", "up to 0"];
    tandem!(
        "export",
        "--lake",
        &lake,
        "--out",
        &dir.path().join("out"),
        "--snapshot",
        "9"
    )
    .fails(2, &says);
    tandem!("lake", "info", &lake, "--snapshot", "9").fails(2, &says);
    tandem!("lake", "snapshots", &lake, "--pin", "9").fails(2, &says);
    tandem!("lake", "info", &lake, "--snapshot=-1").fails(2, &["--snapshot"]);
    tandem!("lake", "vacuum", &lake, "--keep", "0").fails(2, &["--keep 0", "1 or more"]);

    import(
        &lake,
        &[&file(dir.path().join("2.ndjson"), patient("q", ""))],
    );
    sleep_ms(2);
    tandem!("lake", "vacuum", &lake, "--keep", "1").ok();
    tandem!("lake", "info", &lake, "--snapshot", "0").fails(2, &["snapshot 0 was vacuumed"]);
    assert_eq!(exported(&lake).len(), 2);
}

fn sleep_ms(n: u64) {
    std::thread::sleep(std::time::Duration::from_millis(n));
}

#[test]
fn folders_to_write_to() {
    let dir = folder();
    let (lake, path) = lake_and_file(dir.path());
    let full = path.parent().unwrap();
    let before = fs::read(&path).unwrap();
    tandem!("export", "--lake", &lake, "--out", full)
        .fails(2, &["one.ndjson already", "an empty folder"]);
    tandem!("synth", "--patients", "1", "--out", full)
        .fails(2, &["already holds `.ndjson` files", "an empty folder"]);
    assert_eq!((fs::read(&path).unwrap(), files(full).len()), (before, 1));
    tandem!("export", "--lake", &lake, "--out", &path).fails(2, &["one.ndjson"]);
    tandem!("synth", "--patients", "1", "--out", &path).fails(2, &["one.ndjson"]);
}

#[test]
fn options_of_synth() {
    let dir = folder();
    let out = dir.path().join("out");
    let synth = |option: &str, value: &str| {
        let option = format!("{option}={value}");
        tandem!("synth", "--patients", "1", "--out", &out, &option)
    };
    for value in ["2", "-0.1", "NaN", "inf"] {
        synth("--dirty", value).fails(2, &["dirty", "from 0 to 1"]);
    }
    for value in [
        "2025-13-01",
        "2025-02-30",
        "2025",
        "tomorrow",
        "2025-12-31T00:00:00Z",
    ] {
        synth("--end", value).fails(2, &[&format!("--end {value}"), "2025-12-31"]);
    }
    synth("--seed", "x").fails(2, &["--seed"]);
    assert!(!out.exists());
}

#[test]
fn command_lines() {
    let dir = folder();
    tandem!("import", "x.ndjson", "--lake", dir.path(), "--sctrict")
        .fails(2, &["--sctrict", "--strict"]);
    tandem!("import", "--lake", dir.path()).fails(2, &["<PATHS>"]);
    tandem!("import", "x.ndjson").fails(2, &["--lake"]);
    tandem!("imprt").fails(2, &["imprt", "import"]);
    tandem!(
        "import",
        "x.ndjson",
        "--lake",
        dir.path(),
        "--format",
        "xml"
    )
    .fails(2, &["--format", "text", "json"]);
    run(&[]).fails(2, &["Usage", "import", "export", "lake", "synth"]);
    tandem!("lake").fails(2, &["Usage", "info", "snapshots", "vacuum"]);
    // Every command has help with an example.
    for command in [
        &["import"][..],
        &["export"],
        &["synth"],
        &["lake", "info"],
        &["lake", "snapshots"],
        &["lake", "vacuum"],
    ] {
        let args: Vec<_> = command
            .iter()
            .chain(&["--help"])
            .map(std::ffi::OsStr::new)
            .collect();
        let help = run(&args).ok();
        let example = format!("  tandem {}", command.join(" "));
        assert!(
            help.out.contains("Example") && help.out.contains(&example),
            "{}",
            help.out
        );
    }
}

/// `tandem … | head`, or a full disk: the output cannot be written.
#[test]
fn output_that_nobody_takes() {
    let dir = folder();
    let (lake, path) = lake_and_file(dir.path());
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (lake, path, mut n) = (lake.to_str().unwrap(), path.to_str().unwrap(), 0);
    let gone = || -> Stdio {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer.into()
    };
    let full = || {
        Some(Stdio::from(
            fs::File::options().write(true).open("/dev/full").ok()?,
        ))
    };
    for output in [&|| Some(gone()), &full as &dyn Fn() -> Option<Stdio>] {
        n += 1;
        for args in [
            vec!["lake", "info", lake],
            vec!["lake", "snapshots", lake],
            vec!["lake", "vacuum", lake],
            vec!["import", path, "--lake", lake],
            vec!["import", path, "--lake", lake, "--format", "json"],
            vec!["export", "--lake", lake, "--out", &at(&format!("out{n}"))],
            vec![
                "synth",
                "--patients",
                "1",
                "--out",
                &at(&format!("synth{n}")),
            ],
        ] {
            let Some(output) = output() else {
                println!("skipped: there is no /dev/full");
                continue;
            };
            let mut command = Command::new(crate::tandem());
            let done = command
                .args(&args)
                .stdin(Stdio::null())
                .stdout(output)
                .output()
                .unwrap();
            let args: Vec<_> = args.iter().map(std::ffi::OsStr::new).collect();
            checked(&done, &args);
        }
    }
}
