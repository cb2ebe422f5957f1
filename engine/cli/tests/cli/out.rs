//! Folders of results are whole, whatever happens to the run: `--out` holds the old state or the new one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::explain::{lake, package};
use crate::support::*;

const PERIODS: [&str; 2] = ["2025-01-01..2025-12-31", "2024-01-01..2024-12-31"];

fn arguments<'a>(
    package: &'a Path,
    lake: &'a Path,
    out: &'a Path,
    period: &'a str,
) -> Vec<&'a OsStr> {
    let words: [&'a OsStr; 9] = [
        "measure".as_ref(),
        "run".as_ref(),
        package.as_os_str(),
        "--lake".as_ref(),
        lake.as_os_str(),
        "--period".as_ref(),
        period.as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ];
    words.to_vec()
}

/// The files of a folder with what is in them.
fn state(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = files(folder).into_iter();
    let read = |name: String| {
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        (name, bytes)
    };
    files.map(read).collect()
}

/// Every file but the list stands in it, with its length.
#[track_caller]
fn is_whole(folder: &Path) {
    let list: Value =
        serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    let listed = list["outputs"].as_object().unwrap();
    let mut found = files(folder);
    assert!(found.remove("run.json"));
    assert_eq!(
        listed.keys().cloned().collect::<Vec<_>>(),
        found.iter().cloned().collect::<Vec<_>>()
    );
    for (name, output) in listed {
        let length = std::fs::metadata(folder.join(name)).unwrap().len();
        assert_eq!(output["bytes"], length, "{name}");
        assert_eq!(output["hash"].as_str().unwrap().len(), 32);
    }
}

#[test]
fn another_run_replaces_the_folder_as_a_whole() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let out = dir.path().join("out");
    let first = |more: &[&str]| {
        let mut args = arguments(&package, &lake, &out, PERIODS[0]);
        args.extend(more.iter().map(OsStr::new));
        run(&args)
    };
    first(&["--report", "subject-list", "--by", "organization"]).ok();
    is_whole(&out);
    let before = files(&out);
    assert!(
        before.contains("by-organization.csv")
            && before.contains("MeasureReport-Demo-subject-list.json")
    );
    first(&["--report", "individual", "--format", "json"]).ok();
    is_whole(&out);
    let after = files(&out);
    assert!(
        !after.contains("by-organization.csv")
            && after.contains("MeasureReport-Demo-individual.ndjson")
    );
    // The hash that reports name is of what decides the numbers, not of the list of files.
    let one = state(&out);
    first(&["--report", "individual"]).ok();
    assert!(state(&out) == one, "the same run, other bytes");
    // What is not ours is refused before anything is computed, and stays.
    file(out.join("notes.txt"), "mine");
    first(&[]).fails(2, &["--out", "notes.txt", "give another folder"]);
    std::fs::remove_file(out.join("notes.txt")).unwrap();
    assert!(state(&out) == one);
    // Rows that were changed since are not asked.
    let rows = out.join("results.parquet");
    let mut bytes = std::fs::read(&rows).unwrap();
    bytes.push(0);
    std::fs::write(&rows, bytes).unwrap();
    let query = "SELECT count(*) FROM results";
    tandem!("sql", query, "--lake", &lake, "--results", &out)
        .fails(2, &["is not what its run wrote"]);
    first(&[]).fails(2, &["results.parquet was changed since"]);
}

#[test]
fn other_commands_write_whole_folders_too() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let out = dir.path().join("gaps");
    let gaps = |period: &str| {
        tandem!(
            "measure", "gaps", &package, "--lake", &lake, "--period", period, "--format", "deqm",
            "--out", &out
        )
    };
    gaps(PERIODS[0]).ok();
    is_whole(&out);
    assert!(files(&out).iter().any(|f| f.starts_with("gaps-")));
    gaps(PERIODS[1]).ok();
    is_whole(&out);
    file(out.join("mine"), "x");
    gaps(PERIODS[0]).fails(2, &["mine"]);
    std::fs::remove_file(out.join("mine")).unwrap();
    // Nor does a command replace what another wrote, in either direction.
    let before = state(&out);
    run(&arguments(&package, &lake, &out, PERIODS[0])).fails(
        2,
        &[
            "holds the results of `tandem measure gaps`",
            "`tandem measure run` replaces only its own",
            "another folder",
        ],
    );
    assert!(state(&out) == before);
    tandem!("sql", "SELECT 1", "--lake", &lake, "--results", &out)
        .fails(2, &["a folder of `tandem measure gaps`"]);
    let ran = dir.path().join("ran");
    run(&arguments(&package, &lake, &ran, PERIODS[0])).ok();
    let before = state(&ran);
    tandem!(
        "measure", "gaps", &package, "--lake", &lake, "--period", PERIODS[0], "--out", &ran
    )
    .fails(2, &["holds the results of `tandem measure run`"]);
    assert!(state(&ran) == before);
    let exported = dir.path().join("exported");
    tandem!("export", "--lake", &lake, "--out", &exported).ok();
    tandem!("export", "--lake", &lake, "--out", &exported)
        .fails(2, &["already", "an empty folder"]);
    let page = dir.path().join("why.html");
    let explain = tandem!(
        "measure",
        "explain",
        &package,
        "--subject",
        "Patient/a",
        "--lake",
        &lake,
        "--period",
        PERIODS[0],
        "--format",
        "html",
        "--out",
        &page
    );
    explain.ok();
    assert!(
        std::fs::read_to_string(&page)
            .unwrap()
            .ends_with("</html>\n")
    );
    let left: Vec<String> = files(dir.path())
        .into_iter()
        .filter(|f| f.contains("tmp-"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

/// Runs that are killed, each at another moment, leave the old state or the new one.
/// `TANDEM_KILLS`: how many, if not 20.
#[test]
fn a_killed_run_changes_all_or_nothing() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let expected: Vec<_> = PERIODS
        .iter()
        .map(|period| {
            let out = dir.path().join(format!("expected-{}", &period[..4]));
            let started = Instant::now();
            run(&arguments(&package, &lake, &out, period)).ok();
            (state(&out), started.elapsed())
        })
        .collect();
    let longest = expected.iter().map(|(_, took)| *took).max().unwrap();
    let out = dir.path().join("out");
    run(&arguments(&package, &lake, &out, PERIODS[0])).ok();
    let kills: u32 = std::env::var("TANDEM_KILLS").map_or(20, |n| n.parse().unwrap());
    for n in 0..kills {
        let mut child = Command::new(crate::tandem())
            .args(arguments(
                &package,
                &lake,
                &out,
                PERIODS[(n as usize + 1) % 2],
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(longest * n / kills + Duration::from_micros(n.into()));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = state(&out);
        assert!(
            expected.iter().any(|(state, _)| *state == found),
            "kill {n}: neither state"
        );
    }
    // What they left is swept by a run that ends.
    run(&arguments(&package, &lake, &out, PERIODS[1])).ok();
    assert!(state(&out) == expected[1].0);
    assert!(!files(dir.path()).iter().any(|f| f.contains("tmp-")));
}

/// Files that cannot grow further, at 30 levels: the old state stays, and the failure is told.
#[test]
fn a_full_disk_changes_nothing() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let out = dir.path().join("out");
    run(&arguments(&package, &lake, &out, PERIODS[0])).ok();
    let old = state(&out);
    let reference = dir.path().join("reference");
    run(&arguments(&package, &lake, &reference, PERIODS[1])).ok();
    let new = state(&reference);
    let mut done = 0;
    for level in 0..30_u32 {
        // In blocks of 512 bytes; a write beyond is an error instead of a signal.
        let limited = format!("trap '' XFSZ; ulimit -f {level}; exec \"$0\" \"$@\"");
        let ran = Command::new("sh")
            .args(["-c", &limited])
            .arg(crate::tandem())
            .args(arguments(&package, &lake, &out, PERIODS[1]))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let found = state(&out);
        match ran.status.success() {
            true => {
                assert!(found == new, "level {level}");
                done += 1;
                run(&arguments(&package, &lake, &out, PERIODS[0])).ok();
            }
            false => {
                assert!(found == old, "level {level}");
                let told = String::from_utf8_lossy(&ran.stderr).into_owned();
                assert!(
                    told.contains("cannot be written") && ran.status.code() == Some(4),
                    "level {level}: {told}"
                );
            }
        }
    }
    assert!(done > 0 && done < 30, "{done} of 30 levels were enough");
}

/// Two runs at once into one folder: one state or the other, never a mix.
#[test]
fn two_runs_into_one_folder() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let expected = PERIODS.map(|period| {
        let out = dir.path().join(format!("expected-{}", &period[..4]));
        run(&arguments(&package, &lake, &out, period)).ok();
        state(&out)
    });
    let out: PathBuf = dir.path().join("out");
    for round in 0..5 {
        std::thread::scope(|scope| {
            for period in PERIODS {
                let (package, lake, out) = (&package, &lake, &out);
                scope.spawn(move || {
                    let ran = run(&arguments(package, lake, out, period));
                    assert!(ran.code == 0 || ran.code == 2, "{}", ran.text());
                });
            }
        });
        let found = state(&out);
        assert!(expected.contains(&found), "round {round}: a mix");
    }
    assert!(!files(dir.path()).iter().any(|f| f.contains("tmp-")));
}

/// Vacuum removes what it does not know: results have no place in a lake.
#[test]
fn no_results_within_a_lake() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let one = file(dir.path().join("1.ndjson"), patient("p", ""));
    import(&lake, &[&one]);
    let before = files(&lake);
    let period = "2025-01-01..2025-12-31";
    for place in ["resources/rep", "_lake/pins", "new"] {
        let out = lake.join(place);
        let says = ["within the lake", "outside of it"];
        tandem!(
            "measure", "run", "--lake", &lake, "--period", period, "--out", &out
        )
        .fails(2, &says);
        tandem!("export", "--lake", &lake, "--out", &out).fails(2, &says);
        tandem!("synth", "--patients", "1", "--out", &out).fails(2, &says);
    }
    assert_eq!(files(&lake), before);
}
