//! The architecture's invariants (`engine/README.md`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn tree(package: &str) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--locked",
            "-e",
            "normal",
            "--prefix",
            "none",
            "-p",
            package,
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

const OURS: [&str; 12] = [
    "engine-patient",
    "engine-cel",
    "engine-elm",
    "engine-fhirpath",
    "engine-population",
    "sources",
    "datasets",
    "rules",
    "measures",
    "cds-hooks",
    "tandem",
    "tests",
];

/// `a → b`: a may depend on b.
#[test]
fn the_arrows_between_the_crates() {
    let allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("engine-patient", vec![]),
        ("engine-cel", vec!["engine-patient"]),
        ("engine-elm", vec!["engine-patient"]),
        ("engine-fhirpath", vec!["engine-patient"]),
        (
            "engine-population",
            vec!["engine-patient", "engine-fhirpath"],
        ),
        ("sources", vec![]),
        (
            "datasets",
            vec![
                "engine-patient",
                "engine-fhirpath",
                "engine-population",
                "sources",
            ],
        ),
        ("rules", vec!["engine-patient", "engine-cel"]),
        (
            "measures",
            vec![
                "engine-patient",
                "engine-cel",
                "engine-elm",
                "engine-fhirpath",
                "engine-population",
                "rules",
                "sources",
            ],
        ),
        ("cds-hooks", vec!["engine-patient", "engine-cel", "rules"]),
    ]);
    for (package, allowed) in allowed {
        let found: BTreeSet<String> = tree(package)
            .lines()
            .filter_map(|l| l.split(' ').next())
            .filter(|name| OURS.contains(name) && *name != package)
            .map(str::to_owned)
            .collect();
        let extra: Vec<_> = found
            .iter()
            .filter(|f| !allowed.contains(&f.as_str()))
            .collect();
        assert!(extra.is_empty(), "{package} must not depend on {extra:?}");
    }
}

#[test]
fn the_card_server_is_small() {
    let tree = tree("cds-hooks");
    for heavy in ["datafusion", "arrow", "parquet", "object_store"] {
        let found = tree
            .lines()
            .find(|l| l.split([' ', '-']).next() == Some(heavy));
        assert_eq!(found, None, "cds-hooks pulls in {heavy}");
    }
    let packages: BTreeSet<&str> = tree.lines().map(|l| l.trim_end_matches(" (*)")).collect();
    println!("{} packages under cds-hooks", packages.len());
}

#[test]
fn one_patient_knows_neither_arrow_nor_http_nor_async() {
    for package in [
        "engine-patient",
        "engine-cel",
        "engine-elm",
        "engine-fhirpath",
    ] {
        let tree = tree(package);
        for other in [
            "tokio",
            "axum",
            "hyper",
            "arrow",
            "datafusion",
            "parquet",
            "reqwest",
            "object_store",
        ] {
            assert!(
                !tree.lines().any(|l| l.starts_with(&format!("{other} "))),
                "{package} pulls in {other}"
            );
        }
    }
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
    {
        if entry.is_dir() {
            sources(&entry, out);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            out.push(entry);
        }
    }
}

/// Time, time zone, terminology and data are arguments.
#[test]
fn one_patient_reads_no_clock_no_environment_and_no_file() {
    let mut files = vec![];
    for of in ["patient", "cel", "elm", "fhirpath"] {
        sources(&root().join("engine").join(of).join("src"), &mut files);
    }
    sources(&root().join("rules/src"), &mut files);
    assert!(files.len() > 50);
    let banned = [
        "SystemTime",
        "Instant::now",
        "std::env",
        "env::var",
        "std::fs",
        "File::open",
        "std::net",
        "Utc::now",
        "Local::now",
        "println!",
        "async fn",
    ];
    for file in files {
        let name = file.display().to_string();
        // Tests may read the conformance suites.
        if name.contains("test") || name.contains("conformance") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
            let found = banned.iter().find(|b| line.contains(*b));
            assert!(found.is_none(), "{name}: {line}");
        }
    }
}

/// A file is one idea.
#[test]
fn no_file_is_long() {
    let mut files = vec![];
    for folder in [
        "engine",
        "rules",
        "measures",
        "cds-hooks",
        "datasets",
        "tests/tests",
        "tests/src",
    ] {
        sources(&root().join(folder), &mut files);
    }
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 1000, "{} has {lines} lines", file.display());
    }
}

/// Versions stand once.
#[test]
fn versions_stand_in_the_workspace_only() {
    for member in [
        "engine/patient",
        "engine/cel",
        "engine/elm",
        "engine/fhirpath",
        "engine/population",
        "engine/cli",
        "rules",
        "measures",
        "cds-hooks",
        "datasets",
        "datasets/sources",
        "tests",
    ] {
        let text = std::fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or("");
        for line in dependencies
            .lines()
            .filter(|l| l.contains('=') && !l.trim_start().starts_with('#'))
        {
            let ours = line.contains("workspace")
                || line.starts_with("name")
                || line.starts_with("path")
                || line.starts_with("harness");
            assert!(ours, "{member}: {line}");
        }
    }
}
