//! Where data comes from: links, loops, pipes, and files that change.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::*;

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// What is passed over, by the ends of the paths.
fn passed<'r>(report: &'r Value, name: &str) -> &'r str {
    let all = report["passed_over"].as_array().unwrap();
    let found = all
        .iter()
        .find(|p| p["path"].as_str().unwrap().ends_with(name));
    let found = found.unwrap_or_else(|| panic!("{name}: {report:#}"));
    found["reason"].as_str().unwrap()
}

#[test]
fn links_loops_and_pipes_in_folders_are_passed_over_and_told() {
    let dir = folder();
    let data = dir.path().join("data");
    file(data.join("a.ndjson"), patient("p", ""));
    file(data.join("sub/b.ndjson"), patient("q", ""));
    let outside = file(dir.path().join("outside/c.ndjson"), patient("r", ""));
    symlink("nowhere.ndjson", data.join("dangling.ndjson")).unwrap();
    symlink("self.ndjson", data.join("self.ndjson")).unwrap();
    symlink("..", data.join("sub/up")).unwrap();
    symlink("sub", data.join("twice")).unwrap();
    symlink("a.ndjson", data.join("z-again.ndjson")).unwrap();
    symlink(outside.parent().unwrap(), data.join("good")).unwrap();
    pipe(&data.join("pipe.ndjson"));
    let _socket = UnixListener::bind(data.join("socket.ndjson")).unwrap();

    let lake = dir.path().join("lake");
    let report = import(&lake, &[&data]);
    assert_eq!(
        (total(&report, "read"), total(&report, "stored")),
        (3, 3),
        "{report:#}"
    );
    for (name, says) in [
        ("dangling.ndjson", "not there"),
        ("self.ndjson", "leads to itself"),
        ("sub/up", "the same folder as"),
        ("twice", "the same folder as"),
        ("z-again.ndjson", "the same file as"),
        ("pipe.ndjson", "a named pipe"),
        ("socket.ndjson", "a socket"),
    ] {
        assert!(passed(&report, name).contains(says), "{name}: {report:#}");
    }
    assert_eq!(report["passed_over"].as_array().unwrap().len(), 7);
    let again = import(&lake, &[&data, &data.join("a.ndjson"), &outside]);
    assert_eq!(total(&again, "unchanged"), 3);
    let told = tandem!("import", &data, "--lake", &lake).ok();
    assert!(
        told.out.contains("a link that leads to itself"),
        "{}",
        told.out
    );

    // Named, they are mistakes; all are told at once.
    let (dangling, selfish) = (data.join("dangling.ndjson"), data.join("self.ndjson"));
    tandem!("import", &data, &dangling, &selfish, "--lake", &lake).fails(
        2,
        &[
            "dangling.ndjson: a link to a file that is not there",
            "self.ndjson: a link that leads to itself",
        ],
    );
    tandem!("import", "/dev/null", "--lake", &lake).fails(2, &["a device"]);
}

/// An import that leaves out what it may not read would look whole. (Nothing to see for root.)
#[test]
fn what_may_not_be_read_ends_the_import_before_it_begins() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    let data = dir.path().join("data");
    file(data.join("good.ndjson"), patient("p", ""));
    let bad = ["a.ndjson", "b.ndjson"].map(|n| file(data.join(n), patient("q", "")));
    for path in &bad {
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    if File::open(&bad[0]).is_ok() {
        println!("skipped: everything may be read");
        return;
    }
    let lake = dir.path().join("lake");
    tandem!("import", &data, "--lake", &lake).fails(2, &["a.ndjson: ", "b.ndjson: "]);
    assert_eq!(newest_manifest(&lake), None);
}

struct Running(Child);

/// Starts an import, its errors in a pipe.
fn start(source: &Path, lake: &Path, log: &Path) -> Running {
    let import = Command::new(crate::tandem())
        .arg("import")
        .arg(source)
        .arg("--lake")
        .arg(lake)
        .args(["--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(log).unwrap())
        .spawn();
    Running(import.unwrap())
}

impl Running {
    fn end(mut self) -> (i32, String) {
        let mut out = String::new();
        let pipe = self.0.stdout.as_mut().unwrap();
        pipe.read_to_string(&mut out).unwrap();
        (self.0.wait().unwrap().code().unwrap(), out)
    }
}

/// Waits until something holds.
#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it does not come"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A pipe that is named is read, packed or not; that its writer is waited for is said.
#[test]
fn a_pipe_is_read_and_waiting_is_said() {
    let dir = folder();
    let (source, log) = (dir.path().join("pipe"), dir.path().join("log"));
    pipe(&source);
    let text = patient("p", "") + &patient("q", "");
    let packed = Command::new("gzip")
        .arg("-c")
        .arg(file(dir.path().join("plain"), &text))
        .output();
    let mut cases = vec![text.clone().into_bytes()];
    cases.extend(packed.ok().map(|done| done.stdout));
    for (n, content) in cases.into_iter().enumerate() {
        let lake = dir.path().join(format!("lake-{n}"));
        let running = start(&source, &lake, &log);
        if n == 0 {
            let waits = format!("waiting for a writer on {}", source.display());
            until(|| fs::read_to_string(&log).unwrap().contains(&waits));
        }
        let mut writer = File::options().write(true).open(&source).unwrap();
        writer.write_all(&content).unwrap();
        drop(writer);
        let (code, out) = running.end();
        assert_eq!(code, 0, "{}", fs::read_to_string(&log).unwrap());
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(total(&report, "stored"), 2);
        // What a pipe may bring is not known: buckets for a large export.
        let (_, manifest) = newest_manifest(&lake).unwrap();
        assert_eq!(manifest["buckets"], 256);
    }
}

/// The scratch goes away in the midst, as when somebody else removes it: an error, and no lake with a
/// part of the data.
#[test]
fn scratch_that_goes_away_is_an_error() {
    let dir = folder();
    let (source, log) = (dir.path().join("pipe"), dir.path().join("log"));
    pipe(&source);
    let base = file(dir.path().join("base.ndjson"), patient("before", ""));
    for with_base in [false, true] {
        let lake = dir.path().join(format!("lake-{with_base}"));
        if with_base {
            import(&lake, &[&base]);
        }
        let running = start(&source, &lake, &log);
        let mut writer = File::options().write(true).open(&source).unwrap();
        writer.write_all(patient("p", "").as_bytes()).unwrap();
        let scratch = lake.join("_tmp");
        let folder = || fs::read_dir(&scratch).ok()?.flatten().next();
        until(|| folder().is_some());
        fs::remove_dir_all(&scratch).unwrap();
        drop(writer);
        let (code, out) = running.end();
        let err = fs::read_to_string(&log).unwrap();
        assert_eq!(code, 4, "{out}{err}");
        assert!(err.contains("was removed while it ran"), "{err}");
        let newest = newest_manifest(&lake).map(|(number, _)| number);
        assert_eq!(newest, with_base.then_some(0));
    }
}
