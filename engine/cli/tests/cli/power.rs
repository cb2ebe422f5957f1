//! A loss of power: what a command has said to be done is on the disk, and nothing there names what is
//! not. Told by the system calls of whole commands, in their order; where they cannot be traced the
//! tests say that they were skipped.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::support::*;

/// The calls that put bytes on the disk, give names and take them, one a line, as they began.
struct Calls(Vec<String>);

impl Calls {
    fn of(trace: &Path, args: &[&OsStr]) -> Option<Calls> {
        let calls = "trace=fsync,syncfs,link,linkat,rename,renameat,renameat2,unlink,unlinkat";
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-s", "400", "-e", calls, "-o"]);
        command.arg(trace).arg(crate::tandem()).args(args);
        let done = match command.output() {
            Ok(done) => done,
            Err(e) => {
                println!("skipped: no strace: {e}");
                return None;
            }
        };
        let text = std::fs::read_to_string(trace).unwrap_or_default();
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        if text.is_empty() {
            println!("skipped: strace cannot trace here: {err}");
            return None;
        }
        assert!(done.status.success(), "{err}");
        // What another thread did in between comes later as `<... fsync resumed>`.
        let lines = text.lines().filter(|l| !l.contains("resumed>"));
        Some(Calls(lines.map(str::to_owned).collect()))
    }

    /// The first of these calls that has all of these parts.
    #[track_caller]
    fn at(&self, call: &str, parts: &[&str]) -> usize {
        let has = |l: &String| l.contains(call) && parts.iter().all(|p| l.contains(p));
        let found = self.0.iter().position(has);
        found.unwrap_or_else(|| panic!("no {call} of {parts:?} in\n{}", self.0.join("\n")))
    }

    /// The last one.
    #[track_caller]
    fn last(&self, call: &str, parts: &[&str]) -> usize {
        self.at(call, parts);
        let has = |l: &String| l.contains(call) && parts.iter().all(|p| l.contains(p));
        self.0.iter().rposition(has).unwrap()
    }
}

/// A new lake of two patients, and the trace of its making.
fn imported(dir: &Path) -> Option<(std::path::PathBuf, Calls)> {
    let lines: Vec<String> = ["a", "b"]
        .iter()
        .map(|id| format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#))
        .collect();
    let data = file(
        dir.join("Patient.ndjson"),
        lines.join("\n") + "\nno resource\n",
    );
    let lake = dir.join("above/lake");
    let args = [
        OsStr::new("import"),
        data.as_os_str(),
        OsStr::new("--lake"),
        lake.as_os_str(),
    ];
    let calls = Calls::of(&dir.join("trace"), &args)?;
    Some((lake, calls))
}

fn shown(path: &Path) -> String {
    path.canonicalize().unwrap().display().to_string()
}

#[test]
fn an_import_is_on_the_disk_before_its_commit_and_the_commit_before_it_is_told() {
    let dir = folder();
    let Some((lake, calls)) = imported(dir.path()) else {
        return;
    };
    let root = shown(&lake);
    let manifest = calls.at("link", &["/_lake/00000000000000000000.json\""]);
    let on_disk = calls.at("fsync(", &["/_lake/00000000000000000000.json#"]);
    assert!(on_disk < manifest);
    let mut data = 0;
    for name in files(&lake) {
        let text = name;
        let (folder, name) = text.rsplit_once('/').unwrap();
        let sync_of_folder = || calls.last("fsync(", &[&format!("{root}/{folder}>")]);
        if name.ends_with(".parquet") {
            let bytes = calls.at("fsync(", &[&format!("{name}#")]);
            let named = calls.at("rename", &[&format!("{name}\"")]);
            assert!(bytes < named && named < manifest, "{text}");
            let folder = calls.0.iter().enumerate().any(|(at, line)| {
                let here = format!("{root}/{folder}>");
                named < at && at < manifest && line.contains("fsync(") && line.contains(&here)
            });
            assert!(folder, "{text}: its folder");
            data += 1;
        } else if text.contains("_delta_log") {
            // Derived: after the commit, and whole wherever it is.
            let bytes = calls.at("fsync(", &[&format!("{folder}/{name}#")]);
            let named = calls.at("link", &[&format!("{folder}/{name}\"")]);
            assert!(
                manifest < bytes && bytes < named && named < sync_of_folder(),
                "{text}"
            );
        } else if text.starts_with("_rejects/") {
            // The manifest tells its name.
            assert!(calls.at("fsync(", &[&format!("{text}>")]) < manifest);
        }
    }
    assert!(data >= 3, "{data} data files");
    assert!(manifest < calls.last("fsync(", &[&format!("{root}/_lake>")]));
    // The names of the folders themselves.
    for folder in [lake.as_path(), lake.parent().unwrap(), dir.path()] {
        assert!(calls.at("fsync(", &[&format!("{}>", shown(folder))]) < manifest);
    }
}

#[test]
fn vacuum_deletes_what_no_snapshot_on_the_disk_names() {
    let dir = folder();
    let Some((lake, _)) = imported(dir.path()) else {
        return;
    };
    let more = file(
        dir.path().join("more.ndjson"),
        r#"{"resourceType":"Patient","id":"a","gender":"female"}"#,
    );
    import(&lake, &[&more]);
    let args = ["lake", "vacuum", "--keep", "1", "--min-age-hours", "0"].map(OsStr::new);
    let mut args = args.to_vec();
    args.push(lake.as_os_str());
    let calls = Calls::of(&dir.path().join("trace"), &args).unwrap();
    let dropped = calls.at("rename", &["/_lake/00000000000000000000.json\""]);
    assert!(calls.at("fsync(", &["/_lake/00000000000000000000.json#"]) < dropped);
    let folder = format!("{}/_lake>", shown(&lake));
    let folder = calls.last("fsync(", &[&folder]);
    let deleted = calls.at("unlink", &[".parquet\""]);
    assert!(dropped < folder && folder < deleted);
}

#[test]
fn results_are_on_the_disk_before_they_stand_in_their_place() {
    let dir = folder();
    let Some((lake, _)) = imported(dir.path()) else {
        return;
    };
    // The folders above it are new as well.
    let out = dir.path().join("new/results/out");
    let run = |trace: &str| {
        let args = [
            OsStr::new("measure"),
            OsStr::new("run"),
            OsStr::new("--period"),
            OsStr::new("2025-01-01..2025-12-31"),
            OsStr::new("--lake"),
            lake.as_os_str(),
            OsStr::new("--out"),
            out.as_os_str(),
        ];
        Calls::of(&dir.path().join(trace), &args).unwrap()
    };
    let of = |folder: &str| format!("{}/{folder}>", shown(dir.path()));
    let above = of("new/results");
    // The first time into nothing, then in place of an earlier run's.
    for (time, gone) in [("first", false), ("second", true)] {
        let calls = run(time);
        let placed = calls.at("rename", &[".out.tmp-", "/out\""]);
        for name in ["results.parquet", "run.json", "subjects.csv"] {
            let bytes = calls.at("fsync(", &[".out.tmp-", &format!("/{name}>")]);
            assert!(bytes < placed, "{name}");
        }
        let named = calls.last("fsync(", &[&above]);
        assert!(placed < named);
        if !gone {
            for parent in [format!("{}>", shown(dir.path())), of("new")] {
                assert!(calls.at("fsync(", &[&parent]) < placed, "{parent}");
            }
        }
        if gone {
            assert!(named < calls.last("unlink", &["results.parquet\""]));
        }
    }
}
