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
        ("terminology-fetch", vec!["engine-patient"]),
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
            "rehearse",
            vec![
                "engine-patient",
                "engine-cel",
                "engine-fhirpath",
                "engine-population",
                "rules",
            ],
        ),
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
        ("outbound", vec![]),
        ("cds-security", vec!["outbound"]),
        ("cds-store", vec![]),
        ("cds-doctor", vec![]),
        ("consent", vec!["engine-patient"]),
        (
            "cds-server",
            vec![
                "engine-patient",
                "engine-cel",
                "engine-elm",
                "sources",
                "rules",
                "measures",
                "cds-hooks",
                "cds-security",
                "cds-store",
                "consent",
                "outbound",
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
    // There are 124: a few more are no harm, a framework is.
    let packages: BTreeSet<&str> = tree.lines().map(|l| l.trim_end_matches(" (*)")).collect();
    assert!(packages.len() <= 130, "{} packages", packages.len());
}

/// With databases, TLS and all: still no lake.
#[test]
fn the_composed_server_knows_no_lake() {
    without(&tree("cds-server"), "cds-server", &HEAVY);
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

/// What the crates of one patient, rules and measures do not do; measures-run only where it is asked for a
/// file.
const PURE: &str = "#![cfg_attr(not(test),deny(clippy::disallowed_methods,clippy::disallowed_types,\
                    clippy::print_stdout,clippy::print_stderr))]";

/// The files of those crates that may do one of these things after all: each says there why.
const ALLOWED: [&str; 14] = [
    "engine/cel/src/parse/mod.rs",
    "measures/run/src/count_files.rs",
    "measures/run/src/deck.rs",
    "measures/run/src/evaluate.rs",
    "measures/run/src/gaps.rs",
    "measures/run/src/report_files.rs",
    "measures/run/src/rows/mod.rs",
    "measures/run/src/rule_files.rs",
    "measures/src/manifest.rs",
    "measures/src/package/files.rs",
    "measures/src/package/load.rs",
    "measures/src/package/near_libraries.rs",
    "measures/src/source_files.rs",
    "rules/src/built_in.rs",
];

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
    let mut found = BTreeSet::new();
    for of in [
        "engine/patient",
        "engine/cel",
        "engine/elm",
        "engine/fhirpath",
        "rules",
        "rules/rehearse",
        "measures",
        "measures/run",
    ] {
        let src = root().join(of).join("src");
        let text = std::fs::read_to_string(src.join("lib.rs")).unwrap();
        let lints: String = text.split_whitespace().collect();
        assert!(lints.contains(PURE), "{of} does not deny them");
        let mut files = vec![];
        sources(&src, &mut files);
        for file in files {
            let text: String = std::fs::read_to_string(&file).unwrap();
            let text: String = text.split_whitespace().collect();
            let lint =
                ["disallowed_", "print_std"].map(|lint| text.replace(PURE, "").contains(lint));
            if lint.contains(&true) {
                let path = file.strip_prefix(root()).unwrap().to_string_lossy();
                found.insert(path.replace('\\', "/"));
            }
        }
    }
    assert_eq!(found, BTreeSet::from(ALLOWED.map(str::to_owned)));
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
        "tests/fuzz",
    ] {
        sources(&root().join(folder), &mut files);
    }
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 1000, "{} has {lines} lines", file.display());
    }
}

/// The names and lines of a manifest's sections of dependencies, and whether they are for tests.
fn dependencies(manifest: &str) -> Vec<(String, String, bool)> {
    let mut all = vec![];
    for section in manifest.split("\n[").skip(1) {
        let mut lines = section.lines();
        let heading = lines.next().unwrap();
        if !heading.contains("dependencies") {
            continue;
        }
        // `[dependencies.foo]` would stand beside what is looked at here.
        assert!(heading.ends_with("dependencies]"), "[{heading}");
        for line in lines.filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
            let name = line.split(['.', ' ', '=']).next().unwrap().to_owned();
            all.push((name, line.to_owned(), heading.contains("dev-")));
        }
    }
    all
}

/// Versions stand once.
#[test]
fn versions_stand_in_the_workspace_only() {
    for (member, folder) in members() {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for (name, line, _) in dependencies(&text) {
            let inherited = line == format!("{name}.workspace = true")
                || line.starts_with(&format!("{name} = {{ workspace = true,"));
            assert!(inherited && !line.contains("version"), "{member}: {line}");
        }
    }
}

/// What is declared is named in the crate's sources: in those that are not tests, if it is not for them.
#[test]
fn every_dependency_is_used() {
    let (mut unused, mut used) = (vec![], BTreeSet::new());
    for (member, folder) in members() {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let mut files = vec![];
        sources(&folder, &mut files);
        let nested = members()
            .into_values()
            .filter(|f| *f != folder && f.starts_with(&folder));
        let nested: Vec<PathBuf> = nested.collect();
        files.retain(|f| !nested.iter().any(|n| f.starts_with(n)));
        let top = ["tests", "tandem-fuzz"].contains(&&*member);
        for (name, _, for_tests) in dependencies(&text) {
            let krate = name.replace('-', "_");
            let named = files.iter().any(|file| {
                let inner = file.strip_prefix(&folder).unwrap().to_string_lossy();
                let of_tests = inner.starts_with("tests")
                    || inner.contains("tests.rs")
                    || inner.contains("/tests/");
                (top || for_tests || !of_tests) && names(file, &krate)
            });
            if !named {
                unused.push(format!("{member}: {name}"));
            }
            used.insert(name);
        }
    }
    assert!(unused.is_empty(), "not used: {unused:?}");
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for (name, _, _) in dependencies(&workspace) {
        assert!(used.contains(&name), "no crate uses {name}");
    }
}

/// Whether a file has `name::` or `use name`, comments aside.
fn names(file: &Path, name: &str) -> bool {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            let inner = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            !inner
                && (after.starts_with("::") || before.ends_with("use ") && !after.starts_with('_'))
        })
    })
}
