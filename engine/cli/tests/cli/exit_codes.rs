//! Exit codes, command by command: each code that input can bring about.

use std::path::Path;

use serde_json::json;

use crate::explain::{PERIOD, lake, package};
use crate::support::*;

fn deck(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/decks")
        .join(name)
}

#[test]
fn import_export_and_the_lake() {
    let dir = folder();
    let lake = lake(dir.path());
    let broken = file(dir.path().join("broken.ndjson"), "{\"resourceType\":\n");
    // Rejected lines are counted; under --strict they are a no.
    let other = dir.path().join("other");
    tandem!("import", &broken, "--lake", &other).ok();
    tandem!("import", &broken, "--lake", &other, "--strict").fails(1, &["strict"]);
    tandem!("import", &dir.path().join("nowhere"), "--lake", &other).fails(2, &["no such file"]);
    let empty = dir.path().join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    tandem!("import", &empty, "--lake", &other).fails(2, &["nothing to import"]);

    tandem!("lake", "info", &lake).ok();
    tandem!("lake", "check", &lake).ok();
    for command in ["info", "check", "snapshots", "vacuum"] {
        tandem!("lake", command, &empty).fails(2, &[]);
    }
    tandem!("sql", "SELECT 1 WHERE false", "--lake", &lake).ok();
    tandem!("sql", "SELECT nothing", "--lake", &lake).fails(2, &["nothing"]);
    tandem!("export", "--lake", &lake, "--out", &dir.path().join("out")).ok();
    tandem!("export", "--lake", &lake, "--out", &dir.path().join("out")).fails(2, &["out"]);
    // A file of the lake is gone: that is nobody's mistake.
    let table = std::fs::read_dir(lake.join("resources")).unwrap();
    let files = table.map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        std::fs::remove_file(file).unwrap();
    }
    tandem!("lake", "check", &lake).fails(1, &[]);
    tandem!("sql", "SELECT raw FROM resources", "--lake", &lake).fails(4, &[]);
}

/// An archive is told plainly, named itself or in a folder.
#[test]
fn archives() {
    let dir = folder();
    let zip = file(dir.path().join("in/export.zip"), b"PK\x03\x04rest");
    for path in [zip, dir.path().join("in")] {
        let ran = tandem!("import", &path, "--lake", &dir.path().join("lake"));
        ran.fails(
            2,
            &["export.zip: this is an archive: unpack it, and give the folder"],
        );
    }
}

#[test]
fn measures() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let over = |command: &str, package: &Path, more: &[&str]| {
        let mut args = vec!["measure", command, package.to_str().unwrap()];
        args.extend(["--lake", lake.to_str().unwrap(), "--period", PERIOD]);
        args.extend(more);
        run(&args.iter().map(std::ffi::OsStr::new).collect::<Vec<_>>())
    };
    over("run", &package, &[]).ok();
    over("gaps", &package, &[]).ok();
    over("explain", &package, &["--subject", "a"]).ok();
    tandem!("measure", "check", &package).ok();
    tandem!("measure", "list", &package).ok();
    let none = dir.path().join("none");
    std::fs::create_dir_all(&none).unwrap();
    for command in ["run", "gaps"] {
        over(command, &none, &[]).fails(2, &["there is no Measure"]);
    }
    over("explain", &none, &["--funnel"]).fails(2, &["there is no Measure"]);
    tandem!("measure", "check", &none).fails(2, &[]);
    tandem!("measure", "list", &none).fails(2, &["there is no Measure"]);
    tandem!("measure", "list", &dir.path().join("nowhere")).fails(2, &["does not exist"]);
    over("run", &package, &["--rules", none.to_str().unwrap()])
        .fails(2, &["nothing in this folder"]);
    over("run", &package, &["--terminology", none.to_str().unwrap()])
        .fails(2, &["nothing in this folder"]);

    // What is not supported, in one of two measures: the other is run, and the code tells.
    let measure = std::fs::read_to_string(package.join("measure.json")).unwrap();
    let mut other: serde_json::Value = serde_json::from_str(&measure).unwrap();
    other["id"] = json!("other");
    other["url"] = json!("http://example.org/Measure/other");
    other["name"] = json!("Other");
    other["scoring"]["coding"][0]["code"] = json!("composite");
    for group in other["group"].as_array_mut().unwrap() {
        group.as_object_mut().unwrap().remove("scoring");
    }
    file(package.join("other.json"), other.to_string());
    let ran = over("run", &package, &[]);
    assert!(ran.out.contains("measure"), "{}", ran.text());
    ran.fails(3, &["not supported"]);
    tandem!("measure", "check", &package).fails(3, &[]);
}

#[test]
fn decks() {
    let dir = folder();
    let libraries = deck("libraries");
    let own = deck("SystolicControl");
    tandem!("measure", "test", &own, "--libraries", &libraries).ok();
    // Another result is expected: the case fails, unless it is known.
    let copy = dir.path().join("SystolicControl");
    copy_folder(&own, &copy);
    let expected = std::fs::read_to_string(copy.join("expected.json")).unwrap();
    let changed = expected.replacen("\"initial-population\": 1", "\"initial-population\": 0", 1);
    assert_ne!(changed, expected);
    file(copy.join("expected.json"), changed);
    let ran = tandem!("measure", "test", &copy, "--libraries", &libraries);
    assert!(ran.out.contains("1 failed"), "{}", ran.text());
    ran.fails(1, &["1 of ", "cases failed"]);
    let none = dir.path().join("none");
    std::fs::create_dir_all(&none).unwrap();
    tandem!("measure", "test", &none).fails(2, &["there is no such folder"]);
}

#[test]
fn rules_value_sets_and_the_rest() {
    let dir = folder();
    let none = dir.path().join("none");
    std::fs::create_dir_all(&none).unwrap();
    tandem!("rule", "test").ok();
    tandem!("rule", "functions").ok();
    tandem!("rule", "test", &none).fails(2, &["none"]);
    let rule = include_str!("../../../../rules/content/diabetes/hba1c-control.yaml");
    let failing = rule.replacen("applies: yes", "applies: no", 1);
    assert_ne!(failing, rule);
    let failing = file(dir.path().join("hba1c-control.yaml"), failing);
    let shared = include_str!("../../../../rules/content/library.yaml");
    file(dir.path().join("library.yaml"), shared);
    tandem!("rule", "test", &failing).fails(1, &["failed"]);
    let broken = file(dir.path().join("broken.yaml"), "id: x\n");
    tandem!("rule", "test", &broken).fails(2, &["error"]);
    tandem!("rule", "eval", "nothing-such", "--patient", "x").fails(2, &["there is no rule"]);
    tandem!("terminology", "check").ok();
    tandem!("terminology", "check", &none).fails(2, &["nothing in this folder"]);
    tandem!("explain", "P051").ok();
    tandem!("explain", "P999").fails(2, &["there is no code"]);
    let synth = dir.path().join("synth");
    tandem!("synth", "--patients", "1", "--out", &synth).ok();
    tandem!("synth", "--patients", "1", "--out", &synth).fails(2, &[]);
    tandem!("serve", "--insecure-dev", "--rules", &none).fails(2, &["nothing in this folder"]);
    tandem!("nonsense").fails(2, &["nonsense"]);
}
