//! `--format` means the same in all commands: one document of JSON, CSV with one heading, and nothing else
//! on standard output.

use std::path::Path;

use serde_json::Value;

use crate::explain::{PERIOD, lake, package};
use crate::support::*;

/// Commands, and the formats that each has.
fn commands(dir: &Path) -> Vec<(Vec<String>, &'static [&'static str])> {
    const ALL: &[&str] = &["table", "json", "csv"];
    const NO_CSV: &[&str] = &["table", "json"];
    let (package, lake) = (package(dir), lake(dir));
    let (package, lake) = (package.to_str().unwrap(), lake.to_str().unwrap());
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/decks/SystolicControl");
    let deck = deck.to_str().unwrap();
    let data = dir.join("all.ndjson");
    let place = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let (exported, synth) = (place("exported"), place("synth"));
    let over = ["--lake", lake, "--period", PERIOD];
    let lists: Vec<(Vec<&str>, &[&str])> = vec![
        ([&["measure", "run", package][..], &over].concat(), ALL),
        ([&["measure", "gaps", package][..], &over].concat(), ALL),
        (
            [&["measure", "explain", package, "--funnel"][..], &over].concat(),
            ALL,
        ),
        (
            [
                &["measure", "explain", package, "--subject", "a"][..],
                &over,
            ]
            .concat(),
            NO_CSV,
        ),
        (vec!["measure", "check", package], ALL),
        (vec!["measure", "list", package], ALL),
        (vec!["measure", "test", deck], ALL),
        (vec!["rule", "test"], NO_CSV),
        (vec!["rule", "show", "hba1c-control"], NO_CSV),
        (vec!["import", data.to_str().unwrap(), "--lake", lake], ALL),
        (vec!["export", "--lake", lake, "--out", &exported], ALL),
        (vec!["synth", "--patients", "1", "--out", &synth], NO_CSV),
        (vec!["terminology", "check"], ALL),
        (vec!["explain"], NO_CSV),
        (vec!["explain", "P051"], NO_CSV),
        (
            vec![
                "rule",
                "eval",
                "hba1c-control",
                "--patient",
                "a",
                "--lake",
                lake,
                "--at",
                "2025-12-31",
            ],
            NO_CSV,
        ),
        (vec!["rule", "functions"], ALL),
        (vec!["lake", "check", lake], ALL),
        (vec!["lake", "info", lake], ALL),
        (vec!["lake", "snapshots", lake], ALL),
        (vec!["lake", "vacuum", lake, "--dry-run"], NO_CSV),
    ];
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
    lists
        .into_iter()
        .map(|(list, formats)| (owned(list), formats))
        .collect()
}

fn with(dir: &Path, args: &[String], format: &str) -> Ran {
    // Folders that must not be there yet.
    for name in ["exported", "synth"] {
        let _ = std::fs::remove_dir_all(dir.join(name));
    }
    let mut args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).collect();
    args.extend(["--format", format].map(std::ffi::OsStr::new));
    run(&args)
}

#[test]
fn each_format_is_of_one_kind() {
    let dir = folder();
    for (args, formats) in commands(dir.path()) {
        for format in formats {
            let out = with(dir.path(), &args, format).ok().out;
            match *format {
                "json" => {
                    let parsed: Result<Value, _> = serde_json::from_str(&out);
                    assert!(parsed.is_ok(), "{args:?}: {parsed:?}\n{out}");
                }
                "csv" => one_heading(&args, &out),
                _ => {
                    // `text` is another word for it.
                    let text = with(dir.path(), &args, "text").ok().out;
                    let timed = args.first().is_some_and(|first| first == "import");
                    assert!(timed || text == out, "{args:?}:\n{text}\n{out}");
                }
            }
        }
    }
}

/// As many cells in each record as in the heading; names in lower case with `_`, each once.
fn one_heading(args: &[String], out: &str) {
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let heading = reader.headers().unwrap().clone();
    let mut names: Vec<&str> = heading.iter().collect();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    assert!(
        names
            .iter()
            .all(|name| !name.is_empty() && name.chars().all(plain)),
        "{args:?}: {out}"
    );
    names.sort_unstable();
    assert!(
        names.array_windows::<2>().all(|[a, b]| a != b),
        "{args:?}: {out}"
    );
    for record in reader.records() {
        let record = record.unwrap_or_else(|e| panic!("{args:?}: {e}\n{out}"));
        assert_ne!(record, heading, "{args:?}: a second heading\n{out}");
    }
}

#[test]
fn what_a_command_cannot_give_is_refused_with_what_it_can() {
    let dir = folder();
    for (args, formats) in commands(dir.path()) {
        let refused = with(dir.path(), &args, "xml");
        refused.fails(2, &["xml", "table", "json"]);
        if !formats.contains(&"csv") {
            let refused = with(dir.path(), &args, "csv");
            refused.fails(2, &["csv", "json"]);
        }
    }
}
