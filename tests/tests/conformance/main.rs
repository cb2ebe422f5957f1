//! Decks of our own (`tests/decks`), which are always run; and suites that others wrote: official measure
//! decks, the CQL language, SQL on FHIR. Their folder is `$TANDEM_CONFORMANCE`, by default
//! `../shared/conformance` beside the repository, with a subfolder a suite; what is not there is said to be
//! skipped.
//!
//! ```sh
//! cargo test -p tests --test conformance -- --nocapture
//! ```
#![cfg(test)]

mod contained;
mod cql;
mod differential;
mod ecqm;
mod own;
mod replication;
mod report;
mod sql_on_fhir;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The results of a suite.
pub struct Score {
    name: &'static str,
    passed: usize,
    failed: usize,
    /// Passed and failed by file or deck.
    pub parts: BTreeMap<String, [usize; 2]>,
    /// Cases that are known to fail: what they are, and why.
    exceptions: Vec<(String, String)>,
    /// Failures that nobody has explained, and explained ones that pass.
    pub wrong: Vec<String>,
}

impl Score {
    pub fn new(name: &'static str) -> Self {
        Score {
            name,
            passed: 0,
            failed: 0,
            parts: BTreeMap::new(),
            exceptions: vec![],
            wrong: vec![],
        }
    }

    /// A case. One that is known to fail, and why, must fail.
    pub fn case(
        &mut self,
        part: &str,
        shown: &str,
        outcome: Result<(), String>,
        known: Option<&str>,
    ) {
        let counts = self.parts.entry(part.to_owned()).or_default();
        counts[usize::from(outcome.is_err())] += 1;
        match (outcome, known) {
            (Ok(()), None) => self.passed += 1,
            (Ok(()), Some(_)) => {
                self.passed += 1;
                self.wrong
                    .push(format!("{shown}: listed as an exception, but passes"));
            }
            (Err(what), Some(why)) => {
                self.failed += 1;
                println!("  exception: {shown}: {what} ({why})");
                self.exceptions.push((shown.to_owned(), why.to_owned()));
            }
            (Err(what), None) => {
                self.failed += 1;
                self.wrong.push(format!("{shown}: {what}"));
            }
        }
    }
}

/// The folder of a suite, where it is there.
fn folder(suite: &str) -> Option<PathBuf> {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance").to_owned();
    let root = std::env::var("TANDEM_CONFORMANCE").unwrap_or_else(|_| beside());
    let folder = PathBuf::from(root).join(suite);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("{suite}: skipped, there is no folder {}", folder.display());
    None
}

#[test]
fn all_suites() {
    let mut scores = vec![own::run()];
    scores.extend(folder("cql").map(|f| cql::run(&f)));
    scores.extend(folder("sql-on-fhir").map(|f| sql_on_fhir::run(&f)));
    scores.extend(folder("ecqm").map(|f| ecqm::run(&f)));
    scores.extend(folder("ecqm-2024").map(|f| ecqm::run_2024(&f)));
    let (mut passed, mut failed, mut wrong) = (0, 0, vec![]);
    let written =
        std::env::var_os("TANDEM_WRITE_CONFORMANCE").map(|path| (path, report::of(&scores)));
    for score in scores {
        println!(
            "{}: {} passed, {} failed",
            score.name, score.passed, score.failed
        );
        passed += score.passed;
        failed += score.failed;
        wrong.extend(
            score
                .wrong
                .into_iter()
                .map(|w| format!("{}: {w}", score.name)),
        );
    }
    println!("{passed} passed, {failed} failed");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if let Some((path, text)) = written {
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn replicated_decks() {
    if let Some(folder) = folder("ecqm") {
        replication::check(&folder);
    }
}

#[test]
fn contained_medications() {
    if let Some(folder) = folder("ecqm") {
        contained::check(&folder);
    }
}

#[test]
fn real_charts_beside_the_established_engine() {
    if let Some(folder) = folder("ecqm") {
        differential::check(&folder);
    }
}
