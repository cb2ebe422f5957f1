//! What is told of wrong content, as people and programs see it: `shown/*.txt` are committed, and each is
//! compared with what is rendered of the same wrong inputs. `TANDEM_SNAPSHOTS=write` writes them anew:
//! read the difference before it is committed.

#![cfg(test)]

mod codes;
mod examples;
mod logic;
mod packages;
mod rules_and_cel;
mod terminology;
mod views;

use std::fmt::Write as _;
use std::path::PathBuf;

use engine_patient::finding::Finding;

/// One wrong input and what is found in it.
struct Case {
    what: String,
    found: Vec<Finding>,
}

fn case(what: impl Into<String>, found: Vec<Finding>) -> Case {
    Case {
        what: what.into(),
        found,
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/findings/shown")
}

/// Compares with the committed text, or writes it.
fn compare(name: &str, shown: &str) {
    let path = folder().join(name);
    if std::env::var_os("TANDEM_SNAPSHOTS").is_some_and(|v| v == "write") {
        std::fs::write(&path, shown).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(shown.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or(kept.lines().count().min(shown.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
    assert!(
        kept == shown,
        "{name}:{}: kept\n  {}\nnow\n  {}\nTANDEM_SNAPSHOTS=write writes it anew",
        at + 1,
        line(&kept),
        line(shown)
    );
}

/// The text for people of all cases.
fn snapshot(name: &str, cases: &[Case]) {
    let mut shown = String::new();
    for case in cases {
        writeln!(shown, "━━ {}\n", case.what).unwrap();
        for finding in &case.found {
            writeln!(shown, "{finding}\n").unwrap();
        }
        assert!(!case.found.is_empty(), "{}: nothing is told", case.what);
    }
    compare(name, &shown);
}

/// The form for programs.
fn snapshot_json(name: &str, cases: &[Case]) {
    let all = cases.iter().flat_map(|c| &c.found);
    let all: Vec<_> = all.map(Finding::to_json).collect();
    compare(name, &format!("{:#}\n", serde_json::Value::from(all)));
}
