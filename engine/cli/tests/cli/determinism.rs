//! The same resources give the same lake, whatever the files and their order.

use std::fs;
use std::path::Path;

use crate::support::*;

#[test]
fn two_lakes_of_the_same_files() {
    let dir = folder();
    let population = synth(dir.path(), "population", 30, &["--dirty", "0.1"]);
    let lakes = [dir.path().join("a"), dir.path().join("b")];
    let reports = lakes
        .each_ref()
        .map(|lake| import_with(lake, &[&population], &["--buckets", "8"]));
    let without_paths = reports.map(|mut report| {
        report["rejects_file"].take();
        report
    });
    assert_eq!(without_paths[0], without_paths[1]);
    same_lines(&exported(&lakes[0]), &exported(&lakes[1]));
    assert_eq!(tables(&lakes[0]), tables(&lakes[1]));
}

#[test]
fn number_of_buckets_changes_nothing_in_the_data() {
    let dir = folder();
    let population = synth(dir.path(), "population", 30, &["--dirty", "0.1"]);
    let exports = ["1", "2", "64"].map(|buckets| {
        let lake = dir.path().join(buckets);
        import_with(&lake, &[&population], &["--buckets", buckets]);
        exported(&lake)
    });
    same_lines(&exports[1], &exports[0]);
    same_lines(&exports[2], &exports[0]);
}

/// A copy of a population whose files are read in the opposite order, each cut in three.
fn shuffled(population: &Path, to: &Path) {
    for (n, name) in files(population).iter().rev().enumerate() {
        let text = fs::read_to_string(population.join(name)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (part, lines) in lines.chunks(lines.len().div_ceil(3)).enumerate() {
            file(
                to.join(format!("{n:02}-{}/{part}.ndjson", 9 - part)),
                lines.join("\n"),
            );
        }
    }
}

#[test]
fn another_order_of_files() {
    let dir = folder();
    let (population, other) = (
        synth(dir.path(), "population", 30, &[]),
        dir.path().join("other"),
    );
    shuffled(&population, &other);
    let (a, b, c) = (
        dir.path().join("a"),
        dir.path().join("b"),
        dir.path().join("c"),
    );
    import(&a, &[&population]);
    import(&b, &[&other]);
    same_lines(&exported(&b), &exported(&a));
    assert_eq!(tables(&b), tables(&a));

    // File by file, the last first: many small commits give the same.
    for name in files(&population).iter().rev() {
        import(&c, &[&population.join(name)]);
    }
    same_lines(&exported(&c), &exported(&a));
    let rows = |lake: &Path| -> Vec<String> {
        let tables = tables(lake).into_iter();
        // Table and rows: what a file weighs may differ.
        let words = tables.map(|line| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        words
            .map(|w| format!("{} {}", w[0], w.get(2).map_or("", String::as_str)))
            .collect()
    };
    assert_eq!(rows(&c), rows(&a));
}

#[test]
fn synth_gives_the_same_bytes() {
    let dir = folder();
    let (a, b) = (
        synth(dir.path(), "a", 40, &["--dirty", "0.1"]),
        synth(dir.path(), "b", 40, &["--dirty", "0.1"]),
    );
    let other = synth(dir.path(), "c", 40, &["--dirty", "0.1", "--seed", "43"]);
    assert_eq!(files(&a), files(&b));
    for name in files(&a) {
        assert!(
            fs::read(a.join(&name)).unwrap() == fs::read(b.join(&name)).unwrap(),
            "{name}"
        );
    }
    assert!(lines(&a) != lines(&other));
}
