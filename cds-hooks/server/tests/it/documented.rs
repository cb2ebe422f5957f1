//! What OPERATING.md lists is what there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The names in the first column of the tables of a section.
fn first_column(section: &str) -> BTreeSet<String> {
    let page = read("OPERATING.md");
    let from = page.split(&format!("\n## {section}\n")).nth(1).unwrap();
    let section = from.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let names = first.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false if path.ends_with("tests.rs") => {}
            false => all.push(path),
        }
    }
}

/// A name and a sentence behind it: how each metric is made, wherever that is; and those that all programs have.
fn metrics_of(text: &str) -> Vec<&str> {
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    // What stands between quotes; a quote within a text is met nowhere here that matters.
    let parts: Vec<&str> = text.split('"').collect();
    let makes = |three: &&[&str]| {
        let between = three[1].trim().trim_end_matches("help:").trim();
        let tells = three[2].starts_with(|c: char| c.is_ascii_uppercase());
        is_name(three[0]) && between == "," && tells
    };
    let made = parts.windows(3).filter(makes).map(|three| three[0]);
    let general = parts.iter().copied();
    let general = general.filter(|name| is_name(name) && name.starts_with("process_"));
    made.chain(general).collect()
}

#[test]
fn every_metric_has_a_row_and_every_row_a_metric() {
    let mut all = vec![];
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let mut made = BTreeSet::new();
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        made.extend(metrics_of(text).into_iter().map(str::to_owned));
    }
    assert!(made.len() > 30, "{made:?}");
    let bare = |name: &String| {
        let name = name.strip_prefix("tandem_").unwrap_or(name);
        name.trim_end_matches("_total").to_owned()
    };
    // Of alerts the first column is a question, of backups a database: those begin otherwise.
    let listed: BTreeSet<String> = first_column("Metrics")
        .iter()
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .map(bare)
        .collect();
    assert_eq!(made, listed);
}

/// The members of the line of a call.
#[test]
fn every_member_of_the_log_has_a_row() {
    let source = read("../src/log/mod.rs");
    let line = source.split("struct Line<'a> {").nth(1).unwrap();
    let line = line.split("\n}").next().unwrap();
    let members = line.lines().filter_map(|line| {
        let (name, _) = line.trim().split_once(": ")?;
        name.bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'_')
            .then(|| name.to_owned())
    });
    let members: BTreeSet<String> = members.collect();
    assert!(members.len() > 15, "{members:?}");
    assert_eq!(members, first_column("The log"));
}
