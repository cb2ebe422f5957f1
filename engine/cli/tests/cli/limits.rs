//! What is refused for its size, and that what is refused, or the machine does not give, is bounded
//! and told.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::*;

/// The lines of a file, as JSON.
fn entries(path: &Value) -> Vec<Value> {
    let text = fs::read_to_string(path.as_str().unwrap()).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// Of each file the first are kept, whichever thread was faster; the rest is counted and told.
#[test]
fn rejects_are_kept_up_to_a_number_of_each_file() {
    let dir = folder();
    // Several chunks of 4 MB.
    let bad = format!("no JSON, {}\n", "x".repeat(500));
    let many = file(
        dir.path().join("many.ndjson"),
        patient("p", "") + &bad.repeat(25_000) + &patient("q", ""),
    );
    let few = file(dir.path().join("few.ndjson"), bad.repeat(3));
    for n in 0..2 {
        let lake = dir.path().join(format!("lake-{n}"));
        let report = import_with(&lake, &[&many, &few], &["--max-rejects", "50"]);
        assert_eq!(
            (total(&report, "stored"), total(&report, "rejected")),
            (2, 25_003)
        );
        assert_eq!(
            report["rejects_not_listed"],
            json!({many.to_str().unwrap(): 24_950})
        );
        let found = entries(&report["rejects_file"]);
        assert_eq!(found.len(), 3 + 50 + 1);
        for (at, entry) in found[3..53].iter().enumerate() {
            assert_eq!(
                (&entry["file"], &entry["line"]),
                (&json!(many), &json!(at + 2))
            );
        }
        assert_eq!(found[53]["not_listed"], json!(24_950));
        assert_eq!(found[53]["file"], json!(many));
    }
    let lake = dir.path().join("told");
    let ran = tandem!("import", &many, "--lake", &lake, "--max-rejects", "0").ok();
    assert!(
        ran.out.contains("25,000 rejected lines are counted"),
        "{}",
        ran.out
    );
}

#[test]
fn values_that_cannot_be_read_are_listed_up_to_a_number_of_each_file() {
    let dir = folder();
    let text: String = (0..100)
        .map(|n| patient(&format!("p{n}"), ",\"birthDate\":\"once\",\"active\":\"x\""))
        .collect();
    let path = file(dir.path().join("odd.ndjson"), text);
    let report = import_with(&dir.path().join("lake"), &[&path], &["--max-rejects", "30"]);
    let counts = &report["unreadable"]["unreadable"];
    assert_eq!(counts["Patient.birthDate"], json!(100));
    assert_eq!(
        report["unreadable_not_listed"],
        json!({path.to_str().unwrap(): 170})
    );
    let found = entries(&report["unreadable_file"]);
    assert_eq!(found.len(), 31);
    assert_eq!(found[29]["resource"], json!("Patient/p14"));
}

/// A resource or document over its limit is a reject with its place, its length and its beginning.
#[test]
fn what_is_too_large_is_refused_and_its_neighbours_are_read() {
    let dir = folder();
    let long = patient("long", &format!(",\"x\":\"{}\"", "y".repeat(3000)));
    let lines = file(
        dir.path().join("a.ndjson"),
        patient("p", "") + &long + &patient("q", ""),
    );
    let entry = |resource: &str| format!("{{\"resource\":{}}}", resource.trim_end());
    let bundle = |resources: &[&str]| {
        let entries: Vec<String> = resources.iter().map(|r| entry(r)).collect();
        format!(
            "{{\"resourceType\":\"Bundle\",\"entry\":[\n{}]}}\n",
            entries.join(",\n")
        )
    };
    let within = file(
        dir.path().join("b.json"),
        bundle(&[&patient("r", ""), &long]),
    );
    let whole = file(dir.path().join("c.json"), bundle(&[&long, &long]));
    let sizes = ["--max-resource-size", "2KB", "--max-document-size", "5KB"];
    let lake = dir.path().join("lake");
    let report = import_with(&lake, &[&lines, &within, &whole], &sizes);
    assert_eq!(
        (total(&report, "stored"), total(&report, "rejected")),
        (3, 3),
        "{report:#}"
    );
    let found = entries(&report["rejects_file"]);
    let says = [
        "--max-resource-size",
        "--max-resource-size",
        "--max-document-size",
    ];
    let lengths = [
        long.len() - 1,
        long.len() - 1,
        fs::read(&whole).unwrap().len(),
    ];
    for ((reject, says), length) in found.iter().zip(says).zip(lengths) {
        assert!(
            reject["reason"].as_str().unwrap().contains(says),
            "{reject}"
        );
        assert_eq!(reject["length"], json!(length));
        assert_eq!(reject["raw"].as_str().unwrap().len(), 200);
    }
    assert_eq!(found[0]["line"], json!(2));
    tandem!(
        "import",
        &lines,
        "--lake",
        &lake,
        "--max-resource-size",
        "x"
    )
    .fails(2, &["x"]);
}

/// However many types R4 does not have are in the data, the ledger has few rows, and all are counted.
#[test]
fn unknown_types_are_bounded() {
    let dir = folder();
    let text: String = (0..5000)
        .map(|n| format!("{{\"resourceType\":\"Type{n:05}\",\"id\":\"x\"}}\n"))
        .collect();
    let path = file(dir.path().join("types.ndjson"), text);
    let report = import(&dir.path().join("lake"), &[&path]);
    assert_eq!(total(&report, "rejected"), 5000);
    let types = report["types"].as_object().unwrap();
    assert_eq!(types.len(), 101);
    assert_eq!(types["Type00099"]["rejected"], json!(1));
    assert_eq!(types["(no resource)"]["rejected"], json!(4900));
}

/// Many buckets under a low limit of open files; and where it is too low for anything, what to do.
#[test]
#[cfg(unix)]
fn few_open_files_are_enough() {
    let dir = folder();
    let data = synth(dir.path(), "data", 60, &[]);
    let run = |limit: &str, lake: &str| {
        let lake = dir.path().join(lake);
        let script = format!("ulimit -n {limit}; exec \"$@\"");
        let done = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(crate::tandem())
            .arg("import")
            .arg(&data)
            .arg("--lake")
            .arg(&lake)
            .args(["--buckets", "4096", "--format", "json"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (checked(&done, &[]), lake)
    };
    let (ran, lake) = run("256", "lake");
    adds_up(&serde_json::from_str(&ran.ok().out).unwrap());
    same_lines(&exported(&lake), &lines(&data));
    let (ran, lake) = run("17", "too-few");
    if ran.code != 0 {
        ran.fails(4, &["too many open files", "ulimit -n"]);
        assert_eq!(newest_manifest(&lake), None);
    }
}

/// What a population takes is said, and one that the disk has no place for is not begun.
#[test]
fn a_population_too_large_for_the_disk_is_not_begun() {
    let dir = folder();
    let out = dir.path().join("out");
    let ran = tandem!("synth", "--patients", "2000000000", "--out", &out);
    ran.fails(
        2,
        &["will take about", " free: give another --out, or at most"],
    );
    assert!(!out.exists());
    let ran = tandem!("synth", "--patients", "3", "--out", &out).ok();
    assert!(
        ran.err.contains("the population will take about"),
        "{}",
        ran.err
    );
}

/// A file system of its own, taken away at the end.
#[cfg(target_os = "linux")]
struct SmallDisk<'d>(&'d std::path::Path);

#[cfg(target_os = "linux")]
impl SmallDisk<'_> {
    /// `None` where none can be made.
    fn of(folder: &std::path::Path, kilobytes: u64) -> Option<SmallDisk<'_>> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        mount
            .is_ok_and(|s| s.success())
            .then_some(SmallDisk(folder))
    }

    fn grow(&self) {
        let options = ["-o", "remount,size=200m"];
        let mount = Command::new("mount").args(options).arg(self.0).status();
        assert!(mount.unwrap().success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// Whatever the moment at which the disk is full: the import says so, the lake is as it was, and with
/// more disk the same import brings everything. Six fill levels; `TANDEM_DISK_LEVELS=30` for more.
/// Skipped where no file system can be mounted.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_the_lake_as_it_was() {
    let dir = folder();
    let first = synth(dir.path(), "first", 8, &["--seed", "1"]);
    let second = synth(dir.path(), "second", 25, &["--seed", "2"]);
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let lake = disk.join("lake");
    let measured = {
        let Some(_disk) = SmallDisk::of(&disk, 200_000) else {
            println!("skipped: no file system can be mounted");
            return;
        };
        import(&lake, &[&first]);
        data_bytes(&lake)
    };
    let (least, raw) = (measured + data_bytes(&first) * 3 / 2, data_bytes(&second));
    // What two imports give where there is place.
    let roomy = dir.path().join("roomy");
    import(&roomy, &[&first]);
    import(&roomy, &[&second]);
    let wanted = exported(&roomy);
    let levels = std::env::var("TANDEM_DISK_LEVELS").map_or(6, |n| n.parse().unwrap());
    let mut failed = 0;
    for level in 0..levels {
        let bytes = least + raw * 5 / 4 * level / levels;
        let disk = SmallDisk::of(&disk, bytes / 1024).unwrap();
        import(&lake, &[&first]);
        let before = (newest_manifest(&lake), exported(&lake));
        let ran = tandem!("import", &second, "--lake", &lake);
        if ran.code != 0 {
            failed += 1;
            ran.fails(4, &["No space left on device", "the lake is unchanged"]);
            same_lines(&exported(&lake), &before.1);
            assert_eq!(newest_manifest(&lake), before.0);
        }
        disk.grow();
        import(&lake, &[&second]);
        same_lines(&exported(&lake), &wanted);
    }
    assert!(failed >= levels / 2, "{failed} of {levels} met a full disk");
}

/// Bytes of all files below a folder.
#[cfg(target_os = "linux")]
fn data_bytes(folder: &std::path::Path) -> u64 {
    let of = |name: &String| {
        fs::metadata(folder.join(name))
            .unwrap()
            .len()
            .next_multiple_of(4096)
    };
    files(folder).iter().map(of).sum()
}
