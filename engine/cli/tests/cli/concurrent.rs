//! Imports at once, of ids that move between patients, beside vacuum, SQL and a measure: what is there
//! at the end is what the same imports one after the other make, in some order.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::crash::Random;
use crate::support::*;

/// `TANDEM_ROUNDS=200` for a long run, two seconds a round.
fn rounds() -> u32 {
    let asked = std::env::var("TANDEM_ROUNDS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(4)
}

const PATIENTS: u64 = 12;
const OBSERVATIONS: u64 = 16;

/// One importer's file: all patients, and versions of some of the same observations, each about a
/// patient of its own choice, so that it moves; some are deleted, some are about nobody.
fn input(random: &mut Random, who: usize) -> String {
    let mut lines: Vec<String> = (0..PATIENTS)
        .map(|n| patient(&format!("p{n}"), ""))
        .collect();
    for n in 0..OBSERVATIONS {
        let owner = random.below(PATIENTS + 2);
        let subject = match owner {
            o if o < PATIENTS => format!(",\"subject\":{{\"reference\":\"Patient/p{o}\"}}"),
            _ => String::new(),
        };
        // Often the same time as another importer's: then the order of the imports decides.
        let hour = random.below(3);
        let version = 1 + random.below(2);
        match random.below(8) {
            0 => {}
            1 => lines.push(format!(
                "{{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{{\"request\":{{\"method\":\"DELETE\",\"url\":\"Observation/x{n}\"}}}}]}}\n"
            )),
            _ => lines.push(format!(
                "{{\"resourceType\":\"Observation\",\"id\":\"x{n}\",\"meta\":{{\"versionId\":\"{version}\",\"lastUpdated\":\"2025-01-01T0{hour}:00:00Z\"}},\"status\":\"final\",\"code\":{{\"text\":\"of {who}\"}}{subject}}}\n"
            )),
        }
    }
    // Something of one's own, that nobody else touches.
    lines.push(format!(
        "{{\"resourceType\":\"Condition\",\"id\":\"own-{who}\",\"subject\":{{\"reference\":\"Patient/p{}\"}},\"code\":{{\"text\":\"c\"}}}}\n",
        random.below(PATIENTS)
    ));
    lines.concat()
}

fn start(args: &[&str], lake: &Path) -> Child {
    let mut command = Command::new(crate::tandem());
    command.args(args).arg("--lake").arg(lake);
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped());
    piped.stderr(Stdio::piped()).spawn().unwrap()
}

/// The orders of `n` things.
fn orders(n: usize) -> Vec<Vec<usize>> {
    match n {
        0 => vec![vec![]],
        _ => orders(n - 1)
            .into_iter()
            .flat_map(|order| {
                (0..n).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, n - 1);
                    longer
                })
            })
            .collect(),
    }
}

/// All resources of a lake as they came; each type and id once, in the tables and in the export.
#[track_caller]
fn content(lake: &Path) -> Vec<String> {
    let lines = exported(lake);
    let name = |line: &String| {
        let it: Value = serde_json::from_str(line).unwrap();
        format!("{}/{}", it["resourceType"], it["id"])
    };
    let names: BTreeSet<String> = lines.iter().map(name).collect();
    assert_eq!(names.len(), lines.len(), "a type and id twice: {lines:#?}");
    lines
}

/// What a command beside imports and vacuum may say: that it is done, or that what it was reading was
/// vacuumed and it is to be run again.
#[track_caller]
fn ended_well(ran: &Ran, what: &str) {
    let vacuumed = ran.err.contains("vacuumed")
        || ran.err.contains("cannot be read")
        || ran.err.contains("not found");
    let again = what != "vacuum" && [2, 4].contains(&ran.code) && vacuumed;
    assert!(ran.code == 0 || again, "{what}: {}", ran.text());
}

struct Round {
    redone: u64,
}

fn round(random: &mut Random, dir: &Path, importers: usize, extending: bool) -> Round {
    let lake = dir.join("lake");
    let before = file(dir.join("before.ndjson"), input(random, 9));
    if extending {
        import_with(&lake, &[&before], &["--buckets", "8"]);
    }
    let inputs: Vec<PathBuf> = (0..importers)
        .map(|who| {
            let name = dir.join(format!("{who}.ndjson"));
            file(name, input(random, who))
        })
        .collect();

    let done = AtomicBool::new(false);
    let (reports, beside) = std::thread::scope(|scope| {
        let beside = ["vacuum", "sql", "measure"].map(|what| {
            let (lake, done) = (&lake, &done);
            scope.spawn(move || {
                let mut ran = 0;
                while !done.load(Ordering::Relaxed) {
                    if lake.join("_lake/00000000000000000000.json").exists() {
                        ended_well(&look(what, lake), what);
                        ran += 1;
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                ran
            })
        });
        let children: Vec<Child> = inputs
            .iter()
            .map(|path| {
                let args = ["import", path.to_str().unwrap(), "--format", "json"];
                start(&args, &lake)
            })
            .collect();
        let reports: Vec<Value> = children
            .into_iter()
            .map(|child| {
                let ran = checked(&child.wait_with_output().unwrap(), &[]).ok();
                let report: Value = serde_json::from_str(&ran.out).unwrap();
                adds_up(&report);
                let told = ran.err.contains("merged anew");
                assert_eq!(told, report["redone"].as_u64().unwrap() > 0, "{}", ran.err);
                report
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        (reports, beside.map(|b| b.join().unwrap()))
    });
    assert!(beside.iter().all(|ran| *ran < 1000));

    let found = content(&lake);
    let mut tried = vec![];
    let serial = orders(importers).into_iter().any(|order| {
        let name: String = order.iter().map(ToString::to_string).collect();
        let other = dir.join(format!("order-{name}"));
        if extending {
            import_with(&other, &[&before], &["--buckets", "8"]);
        }
        for who in &order {
            import(&other, &[&inputs[*who]]);
        }
        let same = content(&other) == found && rows(&other) == rows(&lake);
        tried.push(name);
        same
    });
    assert!(serial, "no order of the imports gives this: {found:#?}");
    // Nothing is left of those that lost.
    vacuum(&lake).ok();
    assert_eq!(data_files(&lake), listed_files(&lake));
    let redone = reports.iter().map(|r| r["redone"].as_u64().unwrap()).sum();
    Round { redone }
}

/// Table and rows, without the size of files.
fn rows(lake: &Path) -> Vec<String> {
    let words = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {}", words[0], words.get(2).unwrap_or(&""))
    };
    tables(lake).iter().map(words).collect()
}

fn look(what: &str, lake: &Path) -> Ran {
    match what {
        "vacuum" => vacuum(lake),
        "sql" => tandem!(
            "sql",
            "SELECT resource_type, count(*) FROM resources GROUP BY 1",
            "--lake",
            lake
        ),
        _ => tandem!(
            "measure",
            "run",
            "--lake",
            lake,
            "--period",
            "2025-01-01..2025-12-31"
        ),
    }
}

#[test]
fn some_serial_order() {
    let seed = std::env::var("TANDEM_CRASH_SEED").ok();
    let mut random = Random(seed.map_or_else(crate::crash::seed, |s| s.parse().unwrap()));
    println!("TANDEM_CRASH_SEED={}", random.0);
    let started = Instant::now();
    let mut redone = 0;
    for n in 0..rounds() {
        let dir = folder();
        let importers = 2 + (n % 2) as usize;
        redone += round(&mut random, dir.path(), importers, n % 4 < 2).redone;
    }
    println!(
        "{} rounds in {:?}, {redone} merged anew",
        rounds(),
        started.elapsed()
    );
    assert!(redone > 0, "no two imports met: nothing was tried");
}

/// Two containers on one volume: to the second the process of the first is none that lives.
#[test]
fn another_containers_scratch_stays() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let one = file(dir.path().join("1.ndjson"), patient("p", ""));
    // Held as an import of another container holds it.
    let scratch = lake.join("_tmp/import-00000000000ff");
    file(scratch.join("0.spill"), "x");
    let lock = file(lake.join("_tmp/import-00000000000ff.lock"), kernel());
    let held = OpenOptions::new().write(true).open(&lock).unwrap();
    held.try_lock().unwrap();
    // It has written files that no snapshot lists yet.
    let written = lake.join("resources/00000000000ff-b00000-0000000000000000.parquet");
    file(&written, "PAR1");
    let vacuum = || vacuum(&lake).ok();
    import(&lake, &[&one]);
    assert!(
        vacuum()
            .out
            .contains("1 file of an import that is running stays")
    );
    assert!(scratch.join("0.spill").exists() && written.exists());
    // It is killed: the next import removes its scratch, vacuum its files.
    drop(held);
    import(&lake, &[&one]);
    assert!(!scratch.exists() && !lock.exists());
    vacuum();
    assert!(!written.exists());

    // As older versions made it, of a process id that lives.
    let old = lake.join("_tmp/import-1-19ad0000000");
    file(old.join("0.spill"), "x");
    import(&lake, &[&one]);
    tandem!("lake", "vacuum", &lake).ok();
    assert!(old.exists(), "it is not a day old");
    let said = vacuum().out;
    assert!(
        said.contains("import-1-19ad0000000") && !old.exists(),
        "{said}"
    );
}

fn kernel() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.unwrap_or_default().trim().to_owned()
}

/// The first import runs in a process namespace of its own, where that is allowed.
#[test]
fn a_process_namespace_of_its_own() {
    let apart = |command: &mut Command| {
        command.args(["--pid", "--fork", "--mount-proc"]);
    };
    let mut probe = Command::new("unshare");
    apart(&mut probe);
    let allowed = probe.arg("true").output().is_ok_and(|o| o.status.success());
    if !allowed {
        println!("skipped: no process namespace can be made here");
        return;
    }
    let dir = folder();
    let lake = dir.path().join("lake");
    let data = synth(dir.path(), "population", 60, &[]);
    let more = file(dir.path().join("more.ndjson"), patient("another", ""));
    let mut first = Command::new("unshare");
    apart(&mut first);
    let first = first.arg(crate::tandem()).arg("import").arg(&data);
    let first = first.arg("--lake").arg(&lake).args(["--format", "json"]);
    let first = first.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut first = first.stderr(Stdio::piped()).spawn().unwrap();
    while !lake.join("_tmp").exists() && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // As long as it runs, others come and sweep.
    let mut others = 0;
    while first.try_wait().unwrap().is_none() {
        import(&lake, &[&more]);
        others += 1;
    }
    let ran = checked(&first.wait_with_output().unwrap(), &[]).ok();
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    adds_up(&report);
    assert!(others > 0);
    let mut wanted = lines(&data);
    wanted.extend(lines_of(&more));
    wanted.sort_unstable();
    same_lines(&exported(&lake), &wanted);
}

/// The second merges with what the first created, also where that has other buckets.
#[test]
fn a_lake_that_another_creates_with_other_buckets() {
    let dir = folder();
    for n in 0..3 {
        let lake = dir.path().join(format!("lake-{n}"));
        let inputs = ["a", "b"].map(|who| {
            let lines: String = (0..200)
                .map(|i| patient(&format!("{who}{i}"), ""))
                .collect();
            file(
                dir.path().join(format!("{who}.ndjson")),
                lines + "no resource\n",
            )
        });
        let [one, two] = inputs.each_ref().map(|path| {
            let buckets = if path.ends_with("a.ndjson") {
                "16"
            } else {
                "32"
            };
            let args = ["import", path.to_str().unwrap(), "--buckets", buckets];
            start(&args, &lake)
        });
        let ran = [one, two].map(|child| checked(&child.wait_with_output().unwrap(), &[]));
        // As if one after the other: the second asks for other buckets than the lake has.
        let refused = ran.iter().filter(|r| r.code == 2).collect::<Vec<_>>();
        assert_eq!(refused.len(), 1, "{ran:?}");
        assert!(
            refused[0].err.contains("and keeps them"),
            "{}",
            refused[0].err
        );
        assert_eq!(exported(&lake).len(), 200);
        for path in &inputs {
            import(&lake, &[path]);
        }
        assert_eq!(exported(&lake).len(), 400);
    }
    // Without `--buckets` the size decides: here it is the other's that counts.
    let lake = dir.path().join("lake");
    let small = file(dir.path().join("small.ndjson"), patient("s", ""));
    let large = synth(dir.path(), "population", 60, &[]);
    let one = start(&["import", large.to_str().unwrap()], &lake);
    while !lake.join("_tmp").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    import_with(&lake, &[&small], &["--buckets", "64"]);
    let ran = checked(&one.wait_with_output().unwrap(), &[]).ok();
    let mut wanted = lines(&large);
    wanted.extend(lines_of(&small));
    wanted.sort_unstable();
    same_lines(&exported(&lake), &wanted);
    let landed_first = newest_manifest(&lake).unwrap().1["buckets"] == 64;
    assert_eq!(landed_first, ran.err.contains("merged anew"), "{}", ran.err);
}

/// The scratch is taken away in the midst of an import.
#[test]
fn scratch_that_vanishes() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let data = synth(dir.path(), "population", 60, &[]);
    let import = start(&["import", data.to_str().unwrap()], &lake);
    while !lake.join("_tmp").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(30));
    while std::fs::remove_dir_all(lake.join("_tmp")).is_err() {}
    let ran = checked(&import.wait_with_output().unwrap(), &[]);
    ran.fails(4, &["scratch", "the lake is unchanged", "Run it again"]);
    assert!(newest_manifest(&lake).is_none());
}

/// A commit that lands without its derived Delta log has landed, and says what is behind.
#[test]
fn a_delta_log_that_cannot_be_written() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let one = file(dir.path().join("1.ndjson"), patient("p", ""));
    let two = file(dir.path().join("2.ndjson"), patient("q", ""));
    import(&lake, &[&one]);
    let (log, aside) = (lake.join("facts/_delta_log"), lake.join("facts/_aside"));
    std::fs::rename(&log, &aside).unwrap();
    file(&log, "in the way");
    let ran = tandem!("import", &two, "--lake", &lake).ok();
    for part in ["snapshot 1 is committed", "facts/_delta_log", "next import"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    for name in ["LocalFileSystem", "os error", "Generic", "file://"] {
        assert!(!ran.text().contains(name), "{}", ran.text());
    }
    assert_eq!(newest_manifest(&lake).unwrap().0, 1);
    assert_eq!(exported(&lake).len(), 2);
    // Also an import that changes nothing says it, and writes what is missing when it can.
    assert!(
        tandem!("import", &two, "--lake", &lake)
            .ok()
            .err
            .contains("Delta logs")
    );
    std::fs::remove_file(&log).unwrap();
    std::fs::rename(&aside, &log).unwrap();
    assert_eq!(tandem!("import", &two, "--lake", &lake).ok().err, "");
    assert!(log.join("00000000000000000001.json").exists());
}

/// Two imports in one millisecond do not write over each other's list of rejects.
#[test]
fn each_import_has_rejects_of_its_own() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let bad: Vec<PathBuf> = (0..6)
        .map(|n| file(dir.path().join(format!("{n}.ndjson")), format!("bad {n}\n")))
        .collect();
    let children: Vec<Child> = bad
        .iter()
        .map(|path| {
            start(
                &["import", path.to_str().unwrap(), "--format", "json"],
                &lake,
            )
        })
        .collect();
    let lists: BTreeSet<String> = children
        .into_iter()
        .map(|child| {
            let ran = checked(&child.wait_with_output().unwrap(), &[]).ok();
            let report: Value = serde_json::from_str(&ran.out).unwrap();
            report["rejects_file"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(lists.len(), bad.len());
    assert!(
        lists
            .iter()
            .all(|list| lines_of(Path::new(list)).len() == 1)
    );
}
