//! The architecture's invariants (`engine/README.md`).
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn tree(package: &str) -> String {
    let only = ["tree", "-e", "normal", "--prefix", "none", "-p"];
    cargo(&[&only[..], &[package]].concat())
}

/// Our crates, and the folder of each.
fn members() -> BTreeMap<String, PathBuf> {
    let text = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let member = |package: &serde_json::Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let name = package["name"].as_str().unwrap().to_owned();
        (name, manifest.parent().unwrap().to_owned())
    };
    packages.map(member).collect()
}

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
        ("measures", vec!["engine-patient", "engine-elm", "sources"]),
        (
            "measures-run",
            vec![
                "engine-patient",
                "engine-cel",
                "engine-elm",
                "engine-fhirpath",
                "engine-population",
                "rules",
                "sources",
                "measures",
            ],
        ),
        (
            "cds-hooks",
            vec![
                "engine-patient",
                "engine-cel",
                "engine-elm",
                "sources",
                "rules",
                "measures",
            ],
        ),
    ]);
    let ours = members();
    // These may depend on everything, and nothing on them.
    for package in ours.keys() {
        let top = ["tandem", "tests", "tandem-fuzz"].contains(&&**package);
        assert!(
            top || allowed.contains_key(&**package),
            "{package}: no arrows"
        );
    }
    for (package, allowed) in allowed {
        let found: BTreeSet<String> = tree(package)
            .lines()
            .filter_map(|l| l.split(' ').next())
            .filter(|name| ours.contains_key(*name) && *name != package)
            .map(str::to_owned)
            .collect();
        let extra: Vec<_> = found
            .iter()
            .filter(|f| !allowed.contains(&f.as_str()))
            .collect();
        assert!(extra.is_empty(), "{package} must not depend on {extra:?}");
    }
}

/// What reads many patients.
const HEAVY: [&str; 4] = ["datafusion", "arrow", "parquet", "object_store"];

/// No package of a tree is one of these, or a part of one.
fn without(tree: &str, package: &str, others: &[&str]) {
    for other in others {
        let found = tree
            .lines()
            .find(|l| l.split([' ', '-']).next() == Some(other));
        assert_eq!(found, None, "{package} pulls in {other}");
    }
}

/// Definitions, scores and reports are the same wherever the patients are.
#[test]
fn measures_know_no_lake() {
    let tree = tree("measures");
    without(&tree, "measures", &HEAVY);
    without(&tree, "measures", &["tokio", "axum", "hyper"]);
}

#[test]
fn the_card_server_is_small() {
    let tree = tree("cds-hooks");
    without(&tree, "cds-hooks", &HEAVY);
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

/// Time, time zone, terminology and data are arguments: clippy says so, by `clippy.toml`, where the crate
/// denies it.
#[test]
fn pure_crates_deny_clocks_environment_and_files() {
    for of in [
        "engine/patient",
        "engine/cel",
        "engine/elm",
        "engine/fhirpath",
        "rules",
        "measures",
    ] {
        let text = std::fs::read_to_string(root().join(of).join("src/lib.rs")).unwrap();
        let lints: String = text.split_whitespace().collect();
        for lint in [
            "disallowed_methods",
            "disallowed_types",
            "print_stdout",
            "print_stderr",
        ] {
            let denied = lints.contains("#![cfg_attr(not(test),deny(clippy::disallowed_methods")
                && lints.contains(&format!("clippy::{lint}"));
            assert!(denied, "{of} does not deny {lint}");
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
    for (member, folder) in members() {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let sections = text.split("\n[").filter(|s| {
            let heading = s.lines().next().unwrap_or_default();
            heading.ends_with("dependencies]")
        });
        let lines = sections.flat_map(|s| s.lines().skip(1));
        for line in lines.filter(|l| !l.is_empty() && !l.starts_with('#')) {
            assert!(line.contains("workspace"), "{member}: {line}");
        }
    }
}
