//! `kill -9` in the midst of an import: the lake stays at its last snapshot, and nothing that a later
//! import brings is lost or doubled.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::*;

/// Moments for lakes that are being made, and as many for lakes that are being extended.
const KILLS: u32 = 10;
/// So many that an import takes most of a second.
const PATIENTS: u32 = if cfg!(debug_assertions) { 100 } else { 300 };

/// SplitMix64: the moments can be had again from the seed that is printed.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below this.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// The `n`-th of `of` moments: random within its share of the time, so that they spread over all
    /// of it and a little more: the last come after the commit.
    fn moment(&mut self, n: u32, of: u32, whole: Duration) -> Duration {
        let within = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        whole.mul_f64(1.1 * (f64::from(n) + within) / f64::from(of))
    }
}

/// A seed nobody had.
pub fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_nanos() as u64
}

/// The population in two halves, each with resources of the other's patients.
struct Halves {
    folders: [PathBuf; 2],
    /// The lines of the first, and of both.
    lines: [Vec<String>; 2],
}

fn halves(dir: &Path) -> Halves {
    let population = synth(dir, "population", PATIENTS, &[]);
    let folders = ["first", "second"].map(|half| dir.join(half));
    for name in files(&population) {
        let text = std::fs::read_to_string(population.join(&name)).unwrap();
        for (half, folder) in folders.iter().enumerate() {
            let lines: String = text
                .lines()
                .skip(half)
                .step_by(2)
                .map(|l| format!("{l}\n"))
                .collect();
            file(folder.join(&name), lines);
        }
    }
    let lines = [lines(&folders[0]), lines(&population)];
    Halves { folders, lines }
}

/// Starts an import and kills it after a while; whether it was still at work.
fn kill_import(lake: &Path, data: &Path, after: Duration) -> bool {
    let log = lake.with_extension("log");
    let output = || Stdio::from(File::create(&log).unwrap());
    let mut import = Command::new(crate::tandem());
    import.arg("import").arg(data).arg("--lake").arg(lake);
    let mut child = import
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .spawn()
        .unwrap();
    sleep(after);
    child.kill().unwrap();
    // Waited for, its process is gone, and the next import can tell.
    let status = child.wait().unwrap();
    assert!(
        status.success() || status.code().is_none(),
        "the import failed by itself: {status}"
    );
    !status.success()
}

/// No scratch of a killed import is left.
#[track_caller]
fn no_scratch(lake: &Path) {
    let scratch = lake.join("_tmp");
    let left: Vec<_> = if scratch.is_dir() {
        std::fs::read_dir(&scratch)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect()
    } else {
        vec![]
    };
    // Killed in the instant between making its lock file and writing to it, an import is told from
    // one that runs after ten minutes only.
    let left = left.iter().filter(|p| {
        let empty = p.metadata().is_ok_and(|m| m.is_file() && m.len() == 0);
        !(empty && p.extension().is_some_and(|e| e == "lock"))
    });
    assert_eq!(left.collect::<Vec<_>>(), Vec::<&PathBuf>::new());
}

/// Vacuum leaves the newest snapshot's files, and no others.
#[track_caller]
fn vacuumed(lake: &Path) {
    // A file must be older than 0 ms.
    sleep(Duration::from_millis(2));
    vacuum(lake).ok();
    assert_eq!(data_files(lake), listed_files(lake));
}

/// How long an import into this lake takes, or into none: the faster of two.
fn fastest(dir: &Path, base: Option<&Path>, data: &Path) -> Duration {
    let once = |n: &str| {
        let lake = dir.join(format!("timed-{}-{n}", base.is_some()));
        if let Some(base) = base {
            copy_folder(base, &lake);
        }
        let start = Instant::now();
        import(&lake, &[data]);
        start.elapsed()
    };
    once("a").min(once("b"))
}

#[test]
fn killed_imports_lose_and_double_nothing() {
    let seed = std::env::var("TANDEM_CRASH_SEED")
        .ok()
        .map(|s| s.parse().unwrap());
    let mut random = Random(seed.unwrap_or_else(self::seed));
    println!("TANDEM_CRASH_SEED={}", random.0);

    let dir = folder();
    let halves = halves(dir.path());
    let [first, second] = &halves.folders;
    let base = dir.path().join("base");
    let mut making = fastest(dir.path(), None, first);
    import(&base, &[first]);
    let mut extending = fastest(dir.path(), Some(&base), second);
    println!("making a lake takes {making:?}, extending it {extending:?}");

    let mut found = Found::default();
    let mut number = 0;
    for n in 0..KILLS {
        // A lake that was not made stays for the next kill: what kills leave behind piles up.
        if newest_manifest(&dir.path().join(format!("made-{number}"))).is_some() {
            number += 1;
        }
        let lake = dir.path().join(format!("made-{number}"));
        let after = random.moment(n, KILLS, making);
        let at_work = kill_import(&lake, first, after);
        found.killed += u32::from(at_work);
        // The machine has less to do than when imports were timed: the next ones are killed sooner.
        if !at_work {
            making = making.min(after);
        }
        match newest_manifest(&lake) {
            None => {
                let says = if lake.is_dir() {
                    "no lake in"
                } else {
                    "is not a folder"
                };
                tandem!("lake", "info", &lake).fails(2, &[says, "tandem import"]);
            }
            Some(_) => {
                found.committed += 1;
                at_snapshot(&lake, 0, &halves.lines[0]);
            }
        }
        // Every third is brought to its end, the others are killed again before that.
        if n % 3 == 2 || n + 1 == KILLS {
            finish(&lake, &[first], &halves.lines[0]);
        }
    }
    for n in 0..KILLS {
        let lake = dir.path().join(format!("extended-{}", n / 3));
        if !lake.is_dir() {
            copy_folder(&base, &lake);
        }
        let before = newest_manifest(&lake).unwrap().0;
        let after = random.moment(n, KILLS, extending);
        let at_work = kill_import(&lake, second, after);
        found.killed += u32::from(at_work);
        if !at_work {
            extending = extending.min(after);
        }
        let snapshot = newest_manifest(&lake).unwrap().0;
        found.committed += u32::from(snapshot > before);
        // All of the second half, or nothing of it.
        assert!(snapshot <= 1, "one import, many commits: {snapshot}");
        at_snapshot(&lake, snapshot, &halves.lines[snapshot as usize]);
        if n % 3 == 2 || n + 1 == KILLS {
            finish(&lake, &[second], &halves.lines[1]);
        }
    }
    println!(
        "{} of {} were at work when killed; {} had committed",
        found.killed,
        2 * KILLS,
        found.committed
    );
    assert!(
        found.killed >= KILLS,
        "most imports were done before they were killed"
    );
}

#[derive(Default)]
struct Found {
    killed: u32,
    committed: u32,
}

/// The lake opens at this snapshot, and holds these lines.
#[track_caller]
fn at_snapshot(lake: &Path, number: u64, lines: &[String]) {
    let info = tandem!("lake", "info", lake).ok();
    assert!(
        info.out.starts_with(&format!("Snapshot {number} ")),
        "{}",
        info.out
    );
    same_lines(&exported(lake), lines);
}

/// A later import completes, and nothing is lost, doubled or left behind.
#[track_caller]
fn finish(lake: &Path, data: &[&Path], lines: &[String]) {
    let report = import(lake, data);
    assert_eq!(
        total(&report, "replaced") + total(&report, "outdated") + total(&report, "rejected"),
        0,
        "{report:#}"
    );
    no_scratch(lake);
    vacuumed(lake);
    same_lines(&exported(lake), lines);
}

/// `object_store` writes `x#1` and renames it to `x`; a kill in between is rare, but it happens.
#[test]
fn half_written_files_do_no_harm() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let one = file(dir.path().join("1.ndjson"), patient("p", ""));
    let two = file(dir.path().join("2.ndjson"), patient("q", ""));
    file(
        lake.join("_lake/00000000000000000000.json#1"),
        "{\"format\":1,",
    );
    file(
        lake.join("resources/000000000000a-b00000-0000000000000000.parquet#1"),
        "PAR1",
    );
    import(&lake, &[&one]);
    file(
        lake.join("_lake/00000000000000000001.json#1"),
        "{\"format\":1,",
    );
    assert_eq!(exported(&lake), lines_of(&one));
    assert_eq!(import(&lake, &[&two])["snapshot"].as_u64(), Some(1));
    assert_eq!(exported(&lake).len(), 2);
    vacuumed(&lake);
    let pin = file(lake.join("_lake/pins/00000000000000000001#1"), "report");
    let others = [
        file(lake.join("facts/notes#1"), "no file of ours"),
        file(lake.join("facts/mine.parquet#1"), "no file of ours"),
    ];
    sleep(Duration::from_millis(2));
    vacuum(&lake).ok();
    assert!(!pin.exists(), "a pin that was half written stays for ever");
    for other in others {
        assert!(other.exists(), "{}", other.display());
        std::fs::remove_file(other).unwrap();
    }
}

/// Two imports at once: both land.
#[test]
fn two_imports_at_once() {
    let dir = folder();
    let halves = halves(dir.path());
    let lake = dir.path().join("lake");
    for part in ["creating", "extending"] {
        let codes = std::thread::scope(|scope| {
            let runs = halves.folders.each_ref().map(|data| {
                let lake = &lake;
                scope.spawn(move || tandem!("import", data, "--lake", lake))
            });
            runs.map(|run| run.join().unwrap())
        });
        for ran in &codes {
            assert_eq!(ran.code, 0, "{part}: {}", ran.text());
        }
        same_lines(&exported(&lake), &halves.lines[1]);
    }
    halves
        .folders
        .iter()
        .for_each(|data| drop(import(&lake, &[data])));
    same_lines(&exported(&lake), &halves.lines[1]);
}

/// The newest manifest is lost, its data and the Delta logs are not: nothing goes on from the one before,
/// which would make the loss final.
#[test]
fn a_lost_newest_snapshot_is_told() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let one = file(dir.path().join("1.ndjson"), patient("p", ""));
    let two = file(dir.path().join("2.ndjson"), patient("q", ""));
    import(&lake, &[&one]);
    import(&lake, &[&two]);
    let manifest = lake.join("_lake/00000000000000000001.json");
    let kept = std::fs::read(&manifest).unwrap();
    std::fs::remove_file(&manifest).unwrap();
    let before = data_files(&lake);
    let says = ["00000000000000000001.json", "Delta logs"];
    tandem!("lake", "check", &lake).fails(4, &says);
    vacuum(&lake).fails(4, &says);
    tandem!("import", &one, "--lake", &lake).fails(4, &says);
    tandem!("sql", "SELECT count(*) FROM patients", "--lake", &lake).fails(4, &says);
    assert_eq!(data_files(&lake), before);
    std::fs::write(&manifest, kept).unwrap();
    assert_eq!(exported(&lake).len(), 2);
    tandem!("lake", "check", &lake).ok();
}

/// What is done stays done though it cannot be printed, and that is said.
#[test]
fn an_import_that_cannot_be_printed_has_landed() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let one = file(dir.path().join("1.ndjson"), patient("p", ""));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(crate::tandem());
    command.arg("import").arg(&one).arg("--lake").arg(&lake);
    let done = command.stdin(Stdio::null()).stdout(full).output().unwrap();
    let ran = checked(&done, &[]);
    ran.fails(4, &["cannot be written", "has landed, as snapshot 0"]);
    assert_eq!(exported(&lake).len(), 1);
}
