//! Whatever the width, no line of what people read is longer, and nothing is lost. Outside a terminal
//! `COLUMNS` says the width.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::*;

/// Without `COLUMNS`.
const PAGE: usize = 159;

/// So wide that nothing is wrapped.
const ENDLESS: usize = 9_999;

fn decks() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/decks")
}

#[track_caller]
fn run_at(args: &[String], columns: Option<usize>) -> Ran {
    let mut command = Command::new(crate::tandem());
    command
        .args(args)
        .stdin(Stdio::null())
        .env_remove("COLUMNS");
    if let Some(columns) = columns {
        command.env("COLUMNS", columns.to_string());
    }
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    checked(&command.output().unwrap(), &args)
}

/// A lake of all decks, and what is asked of it.
fn commands(dir: &Path) -> Vec<Vec<String>> {
    let decks = decks();
    let names = [
        "EmergencyStay",
        "InfluenzaVaccinated",
        "PressureAtVisit",
        "SystolicControl",
    ];
    let data: Vec<PathBuf> = names.iter().map(|n| decks.join(n).join("data")).collect();
    let data: Vec<&Path> = data.iter().map(PathBuf::as_path).collect();
    let lake = dir.join("lake");
    import(&lake, &data);
    let lake = lake.to_str().unwrap();
    let place = |path: &str| decks.join(path).to_str().unwrap().to_owned();
    let mut packages = vec![place("libraries")];
    for name in names {
        packages.push(place(&format!("{name}/measure.json")));
        packages.push(place(&format!("{name}/valuesets.ndjson")));
    }
    let over = ["--lake", lake, "--period", "2026-01-01..2026-12-31"].map(str::to_owned);
    let all = |command: &str, more: &[&str]| -> Vec<String> {
        let words = command.split(' ').map(str::to_owned);
        let more = more.iter().map(|&word| word.to_owned());
        words.chain(packages.iter().cloned()).chain(more).collect()
    };
    let of_lake = |command: &str, more: &[&str]| [all(command, more), over.to_vec()].concat();
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let deck = place("SystolicControl");
    let data = place("SystolicControl/data");
    vec![
        of_lake("measure run", &[]),
        of_lake("measure run", &["--built-in", "--by", "organization"]),
        of_lake(
            "measure gaps",
            &["--status", "not-applicable", "--status", "open-gap"],
        ),
        of_lake("measure explain", &["--funnel"]),
        all("measure check", &[]),
        all("measure list", &[]),
        words(&["measure", "test", &deck]),
        words(&["import", &data, "--lake", lake]),
        words(&["lake", "info", lake]),
        words(&["lake", "snapshots", lake]),
        words(&[
            "sql",
            "SELECT * FROM patients ORDER BY patient_id",
            "--lake",
            lake,
        ]),
        words(&[
            "sql",
            "SELECT * FROM resources ORDER BY id LIMIT 3",
            "--lake",
            lake,
        ]),
        words(&[
            "sql",
            "SELECT * FROM encounter_flat ORDER BY 1 LIMIT 3",
            "--lake",
            lake,
        ]),
        words(&["terminology", "check"]),
        words(&["rule", "test"]),
        words(&["rule", "functions"]),
        words(&["explain"]),
        words(&["explain", "P051"]),
        words(&["--help"]),
        words(&["measure", "run", "--help"]),
    ]
}

#[test]
fn every_command_fits_and_nothing_is_lost() {
    let dir = folder();
    for args in commands(dir.path()) {
        let wide = run_at(&args, Some(ENDLESS)).ok().out;
        for columns in [Some(60), Some(80), Some(120), Some(160), None] {
            let out = run_at(&args, columns).ok().out;
            let most = columns.unwrap_or(PAGE);
            // What may be written in a command line is one line, whatever the width.
            let lines = out.lines().filter(|line| !line.starts_with("Usage: "));
            let longest = lines.max_by_key(|line| line.chars().count());
            let longest = longest.unwrap_or_default();
            assert!(
                longest.chars().count() <= most,
                "{args:?} at {columns:?}: {longest}\n{out}"
            );
            // How long it took differs.
            let timed = args.first().is_some_and(|first| first == "import");
            // The same long text is one note, however many rows have it.
            if timed || out.contains("\n[1] ") {
                continue;
            }
            let there = letters(&out);
            for (c, n) in letters(&wide) {
                let own = there.get(&c).copied().unwrap_or(0);
                assert!(
                    own >= n,
                    "{args:?} at {columns:?}: {c} {own} of {n} times\n{out}"
                );
            }
        }
    }
}

fn letters(text: &str) -> BTreeMap<char, usize> {
    let mut out = BTreeMap::new();
    for c in text.chars().filter(|c| c.is_alphanumeric()) {
        *out.entry(c).or_insert(0) += 1;
    }
    out
}

/// What is copied into a shell stays one line.
#[test]
fn command_lines_are_not_wrapped() {
    let dir = folder();
    let place = dir
        .path()
        .join("a-folder-with-a-rather-long-name-for-the-demo");
    let place = place.to_str().unwrap();
    let args = ["demo", "--no-serve", "--patients", "5", "--dir", place].map(str::to_owned);
    let out = run_at(&args, Some(60)).ok().out;
    let ask = out.lines().find(|line| line.contains(" measure gaps "));
    assert!(ask.is_some_and(|line| line.ends_with("open-gap")), "{out}");
    let table = out.lines().skip_while(|line| !line.starts_with("measure"));
    let table: Vec<&str> = table.take_while(|line| !line.is_empty()).collect();
    assert!(table.iter().all(|line| line.chars().count() <= 60), "{out}");
}

/// A query's row whose values have no room beside each other is a block, with whole values.
#[test]
fn a_row_that_is_too_wide_is_a_block() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let long = "q".repeat(300);
    let line = format!(r#"{{"resourceType":"Patient","id":"a","name":[{{"text":"{long}"}}]}}"#);
    import(&lake, &[&file(dir.path().join("a.ndjson"), line)]);
    let args = [
        "sql",
        "SELECT patient_id, raw FROM resources",
        "--lake",
        lake.to_str().unwrap(),
    ];
    let out = run_at(&args.map(str::to_owned), Some(80)).ok().out;
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("── row 1 ──"), "{out}");
    assert_eq!(lines[1], "patient_id  a");
    assert_eq!(out.matches('q').count(), 300, "{out}");
    assert_eq!(*lines.last().unwrap(), "1 row");
}
