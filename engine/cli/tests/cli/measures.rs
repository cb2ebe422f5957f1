//! Several measures in one run: told apart, one broken, and which way each is better.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};

use crate::explain::{PERIOD, lake, package};
use crate::support::*;

fn measure(command: &str, package: &Path, lake: &Path, more: &[&str]) -> Ran {
    let mut args: Vec<&OsStr> = vec!["measure".as_ref(), command.as_ref(), package.as_ref()];
    if command != "check" {
        args.extend([OsStr::new("--lake"), lake.as_ref()]);
        args.extend(["--period", PERIOD].map(OsStr::new));
    }
    args.extend(more.iter().map(OsStr::new));
    run(&args)
}

/// The measure of the package, with other elements, as another file of it.
fn with(package: &Path, name: &str, elements: &[(&str, Value)]) {
    let text = std::fs::read_to_string(package.join("measure.json")).unwrap();
    let mut measure: Value = serde_json::from_str(&text).unwrap();
    for (element, value) in elements {
        measure[*element] = value.clone();
    }
    file(package.join(name), measure.to_string());
}

/// Per report in a folder: its file, its id, and the count of its initial population.
fn reports(folder: &Path) -> Vec<(String, String, i64)> {
    let mut all: Vec<(String, String, i64)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with("MeasureReport-"))
        .map(|name| {
            let text = std::fs::read_to_string(folder.join(&name)).unwrap();
            let report: Value = serde_json::from_str(&text).unwrap();
            let count = report["group"][0]["population"][0]["count"].as_i64();
            let id = report["id"].as_str().unwrap().to_owned();
            (name, id, count.unwrap())
        })
        .collect();
    all.sort();
    all
}

/// FHIR R4 Measure.url: a measure is identified by its canonical with the version.
#[test]
fn versions_and_publishers_are_told_apart() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let out = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    with(&package, "second.json", &[("version", json!("2.0.0"))]);
    let first = out("first");
    measure("run", &package, &lake, &["--out", &first]).ok();
    let id = |v: &str| format!("Demo-{v}-2025-01-01-2025-12-31");
    let file = |v: &str| format!("MeasureReport-Demo-{v}.json");
    assert_eq!(
        reports(Path::new(&first)),
        [
            (file("1.0.0"), id("1.0.0"), 1),
            (file("2.0.0"), id("2.0.0"), 1)
        ]
    );
    measure("run", &package, &lake, &["--measure", "Demo"])
        .fails(2, &["P091", "`Demo|1.0.0`, `Demo|2.0.0`"]);
    let one = measure("run", &package, &lake, &["--measure", "Demo|2.0.0"]).ok();
    assert!(!one.text().contains("Demo-1.0.0"), "{}", one.text());
    // Another publisher's measure of the same id and version; and one with the id of a built-in rule.
    let url = "http://example.org/other/Measure/Demo";
    with(&package, "second.json", &[("url", json!(url))]);
    let (id, url) = (
        json!("hba1c-control"),
        json!("http://example.org/Measure/h"),
    );
    with(
        &package,
        "third.json",
        &[("id", id), ("url", url), ("name", json!("H"))],
    );
    let second = out("second");
    measure("run", &package, &lake, &["--out", &second, "--built-in"]).ok();
    let counts = |like: &str| -> Vec<i64> {
        let all = reports(Path::new(&second)).into_iter();
        // Of two urls the names end in hashes: their order says nothing.
        let mut counts: Vec<i64> = all
            .filter(|(n, ..)| n.contains(like))
            .map(|(.., n)| n)
            .collect();
        counts.sort_unstable();
        counts
    };
    assert_eq!(counts("Demo-1.0.0-"), [1, 1]);
    assert_eq!(counts("hba1c-control"), [0, 1]);
    measure(
        "run",
        &package,
        &lake,
        &["--built-in", "--measure", "hba1c-control"],
    )
    .fails(2, &["say which", "http://example.org/Measure/h|1.0.0"]);
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    with(&package, "second.json", &[("title", json!("Edited"))]);
    measure("check", &package, &lake, &[]).fails(2, &[]);
    measure("run", &package, &lake, &[]).fails(2, &["P024", "twice with different content"]);
    // Without a url the id is all there is.
    for (name, title) in [("measure.json", "One"), ("second.json", "Two")] {
        let elements = [
            ("url", Value::Null),
            ("name", json!(title)),
            ("title", json!(title)),
        ];
        with(&package, name, &elements);
    }
    measure("run", &package, &lake, &[]).fails(2, &["P024"]);
}

#[test]
fn one_broken_measure_does_not_stop_the_others() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let url = ("url", json!("http://example.org/Measure/Broken"));
    let names = [("id", json!("Broken")), ("name", json!("Broken")), url];
    let text = std::fs::read_to_string(package.join("measure.json")).unwrap();
    let text = text.replace("\"Numerator\"", "\"Nowhere\"");
    file(package.join("second.json"), text);
    let broken: Value =
        serde_json::from_str(&std::fs::read_to_string(package.join("second.json")).unwrap())
            .unwrap();
    let mut broken = broken;
    for (element, value) in names {
        broken[element] = value;
    }
    file(package.join("second.json"), broken.to_string());
    let out = dir.path().join("out");
    let path = out.to_string_lossy();
    let says = ["E005", "Nowhere", "1 measure could not be run", "Broken"];
    let ran = measure("run", &package, &lake, &["--out", &path]).fails(2, &says);
    assert!(
        ran.out.contains("measures that could not be run"),
        "{}",
        ran.text()
    );
    let found = reports(&out);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].0.as_str(), found[0].2),
        ("MeasureReport-Demo.json", 1)
    );
    let strict =
        measure("run", &package, &lake, &["--strict"]).fails(2, &["cannot be run as they are"]);
    assert_eq!(strict.out, "");
    measure("run", &package, &lake, &["--measure", "Demo"]).ok();
    measure("run", &package, &lake, &["--measure", "Broken"]).fails(2, &["E005"]);
    let gaps = measure("gaps", &package, &lake, &["--format", "csv"]).fails(2, &["Broken"]);
    assert_eq!(gaps.out.lines().count(), 2, "{}", gaps.text());
}

#[test]
fn gaps_are_refused_until_it_is_settled_which_way_is_better() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let notation = |code: &str, display: &str| {
        let coding = json!({ "code": code, "display": display });
        ("improvementNotation", json!({ "coding": [coding] }))
    };
    with(
        &package,
        "measure.json",
        &[notation("decrease", "increase")],
    );
    let contradicted = "which way is better is contradicted";
    let checked = measure("check", &package, &lake, &[]).ok();
    assert!(checked.out.contains(contradicted) && checked.out.contains("lower?"));
    let ran = measure("run", &package, &lake, &[]).ok();
    assert!(
        ran.err.contains(contradicted) && ran.out.contains("lower?"),
        "{}",
        ran.text()
    );
    measure("gaps", &package, &lake, &[]).fails(2, &[contradicted, "--better"]);
    let settled = |better: &str| {
        let more = [
            "--better",
            better,
            "--status",
            "closed-gap",
            "--status",
            "could-not-be-evaluated",
            "--format",
            "csv",
        ];
        measure("gaps", &package, &lake, &more).ok().out
    };
    assert!(settled("Demo=decrease").contains("lower,option"));
    assert!(settled("http://example.org/Measure/Demo|1.0.0=increase").contains("higher,option"));
    measure("gaps", &package, &lake, &["--better", "Demo=up"]).fails(2, &["P093", "=decrease"]);
    let both = ["--better", "Demo=increase", "--better", "Demo=decrease"];
    measure("gaps", &package, &lake, &both).fails(2, &["P093", "both ways"]);
    measure("gaps", &package, &lake, &["--better", "Other=increase"]).fails(2, &["P090"]);
    // The table knows CMS122: its numerator is poor control, whatever the package says.
    let name = ("name", json!("CMS122FHIRDiabetesAssessGreaterThan9Percent"));
    let increase = notation("increase", "Increased score indicates improvement");
    with(&package, "measure.json", &[name, increase]);
    let ran = measure("run", &package, &lake, &["--format", "json"]).ok();
    assert!(
        ran.err.contains("table of known measures"),
        "{}",
        ran.text()
    );
    let reports: Value = serde_json::from_str(&ran.out).unwrap();
    let code = &reports[0]["improvementNotation"]["coding"][0]["code"];
    assert_eq!(code, "decrease");
    let gaps = measure("gaps", &package, &lake, &["--format", "csv"]).ok();
    assert!(gaps.out.contains("lower,table"), "{}", gaps.text());
}

/// Versions that differ in what no file name holds have files of their own.
#[test]
fn names_are_told_apart_as_files() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    with(&package, "measure.json", &[("version", json!("1.0.0+a"))]);
    with(&package, "second.json", &[("version", json!("1.0.0-a"))]);
    let out = dir.path().join("out").to_string_lossy().into_owned();
    measure("run", &package, &lake, &["--out", &out]).ok();
    assert_eq!(reports(Path::new(&out)).len(), 2);
}

/// `run.json` names all that decides the numbers.
#[test]
fn the_manifest_has_directions_terminology_and_value_sets() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let manifest = |more: &[&str]| -> Value {
        let out = dir.path().join("out").to_string_lossy().into_owned();
        let more = [more, &["--out", &out]].concat();
        measure("run", &package, &lake, &more).ok();
        serde_json::from_str(&std::fs::read_to_string(Path::new(&out).join("run.json")).unwrap())
            .unwrap()
    };
    let plain = manifest(&[]);
    assert_eq!(plain["better"], Value::Null);
    let better = manifest(&["--better", "Demo=decrease"]);
    assert_eq!(
        better["better"],
        json!({ "http://example.org/Measure/Demo|1.0.0": "decrease" })
    );
    let set = |code: &str| {
        let value_set = json!({"resourceType": "ValueSet", "id": "own", "url": "http://example.org/ValueSet/own",
            "version": "1", "status": "active", "expansion": {"contains": [{"system": "http://example.org/codes", "code": code}]}});
        file(dir.path().join("own/own.json"), value_set.to_string());
        let own = dir.path().join("own");
        let files = manifest(&["--terminology", own.to_str().unwrap()])["files"].clone();
        let found = files.as_object().unwrap().iter();
        let mut found = found.filter(|(name, _)| name.ends_with("own.json"));
        found.next().unwrap().1.clone()
    };
    assert_ne!(set("one"), set("two"));
    // However a built-in measure is called, its value sets are there.
    let of = |name: &str| {
        let called = ["--built-in", "--measure", "Demo", "--measure", name];
        let sets = manifest(&called)["valueSets"].clone();
        sets.as_object().map_or(0, serde_json::Map::len)
    };
    let listed = of("hba1c-control");
    assert!(listed > 0);
    let report = dir.path().join("out/MeasureReport-hba1c-control.json");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    let canonical = report["measure"].as_str().unwrap();
    let (url, version) = canonical.split_once('|').unwrap();
    for name in [&format!("hba1c-control|{version}"), url, canonical] {
        assert_eq!(of(name), listed, "{name}");
    }
}

#[test]
fn better_without_packages_is_refused() {
    let dir = folder();
    let lake = lake(dir.path());
    let lake = lake.to_str().unwrap();
    let says = ["--better Demo=decrease", "without packages"];
    for command in ["run", "gaps"] {
        let args = [
            "measure",
            command,
            "--lake",
            lake,
            "--period",
            PERIOD,
            "--better",
            "Demo=decrease",
        ];
        run(&args.map(OsStr::new)).fails(2, &says);
    }
    let serve = [
        "serve",
        "--insecure-dev",
        "--listen",
        "127.0.0.1:0",
        "--better",
        "Demo=decrease",
    ];
    run(&serve.map(OsStr::new)).fails(2, &says);
}
