//! A measure whose logic never ends, beside one that shares its definitions.

use std::path::{Path, PathBuf};

use base64::Engine;
use serde_json::{Value, json};

use crate::explain::{PERIOD, package};
use crate::support::*;

/// `a0`… have a finished visit.
fn lake(dir: &Path, patients: usize, buckets: &str) -> PathBuf {
    let mut lines = vec![];
    for n in 0..patients {
        lines.push(
            json!({"resourceType": "Patient", "id": format!("a{n}"), "birthDate": "1970-01-01"}),
        );
        lines.push(
            json!({"resourceType": "Encounter", "id": format!("v{n}"), "status": "finished",
            "class": {"code": "AMB"}, "subject": {"reference": format!("Patient/a{n}")},
            "type": [{"coding": [{"system": "http://example.org/codes", "code": "visit"}]}],
            "period": {"start": "2025-03-01"}}),
        );
    }
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let lake = dir.join(format!("lake-{patients}-{buckets}"));
    let data = file(dir.join("data.ndjson"), text.join("\n"));
    import_with(&lake, &[&data], &["--buckets", buckets]);
    lake
}

/// `1` to `n` within `1` to `n`, and so on: more steps than anybody has.
fn endless() -> Value {
    let literal = |n: &str| json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": n});
    let nothing = json!({"type": "Null"});
    let numbers = json!({"type": "Expand", "operand": [
        {"type": "Interval", "lowClosed": true, "highClosed": true, "low": literal("1"), "high": literal("100000")}, nothing]});
    let total = json!({"type": "Total", "scope": "$this"});
    let inner = json!({"type": "Aggregate", "scope": "$this", "source": numbers.clone(),
        "initialValue": literal("0"), "iteration": total});
    let outer = json!({"type": "Aggregate", "scope": "$this", "source": numbers,
        "initialValue": literal("0"), "iteration": inner});
    json!({"type": "Equal", "operand": [outer, literal("1")]})
}

/// The package, and a second measure `Endless` whose numerator never ends, after a part that both share.
fn with_endless(dir: &Path) -> PathBuf {
    let package = package(dir);
    let text = std::fs::read_to_string(package.join("measure.json")).unwrap();
    let mut measure: Value = serde_json::from_str(&text).unwrap();
    for (element, value) in [
        ("id", "Endless"),
        ("name", "Endless"),
        ("url", "http://example.org/Measure/Endless"),
    ] {
        measure[element] = json!(value);
    }
    measure["library"] = json!(["http://example.org/Library/Endless|1.0.0"]);
    // Before the other one in the order of files.
    file(package.join("a.json"), measure.to_string());
    let demo = |name: &str| json!({"type": "ExpressionRef", "libraryName": "Demo", "name": name});
    let define = |name: &str, expression: Value| json!({"name": name, "context": "Patient", "accessLevel": "Public", "expression": expression});
    let patient = json!({"type": "SingletonFrom", "operand": {"dataType": "{http://hl7.org/fhir}Patient", "type": "Retrieve"}});
    let both = json!({"type": "And", "operand": [demo("Numerator"), endless()]});
    let elm = json!({"library": {
    "identifier": {"id": "Endless", "version": "1.0.0"},
    "schemaIdentifier": {"id": "urn:hl7-org:elm", "version": "r1"},
    "usings": {"def": [{"localIdentifier": "System", "uri": "urn:hl7-org:elm-types:r1"},
        {"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"}]},
    "includes": {"def": [{"localIdentifier": "Demo", "path": "Demo", "version": "1.0.0"}]},
    "contexts": {"def": [{"name": "Patient"}]},
    "statements": {"def": [
        define("Patient", patient),
        define("Initial Population", demo("Initial Population")),
        define("Denominator", demo("Denominator")),
        define("Exclusions", demo("Exclusions")),
        define("Numerator", both),
    ]}}});
    let library = json!({"resourceType": "Library", "id": "Endless", "name": "Endless", "version": "1.0.0",
        "url": "http://example.org/Library/Endless", "status": "active",
        "type": {"coding": [{"code": "logic-library"}]},
        "content": [{"contentType": "application/elm+json",
            "data": base64::engine::general_purpose::STANDARD.encode(elm.to_string())}]});
    file(package.join("endless.json"), library.to_string());
    package
}

fn measured(package: &Path, lake: &Path, more: &[&str]) -> Ran {
    let mut args = ["measure", "run"].map(std::ffi::OsStr::new).to_vec();
    args.extend([package.as_os_str(), "--lake".as_ref(), lake.as_os_str()]);
    args.extend(["--period", PERIOD, "--patient-steps", "200000"].map(std::ffi::OsStr::new));
    args.extend(more.iter().map(std::ffi::OsStr::new));
    run(&args)
}

fn report(out: &Path, name: &str) -> Value {
    let path = out.join(format!("MeasureReport-{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Given up after three patients: everything about it is unknown, of everybody, and it is told wherever
/// the numbers are. The other measure has all of its numbers.
#[test]
fn a_measure_that_never_ends_is_given_up() {
    let dir = folder();
    let package = with_endless(dir.path());
    let mut outs = vec![];
    for buckets in ["8", "32"] {
        let lake = lake(dir.path(), 40, buckets);
        for round in 0..3 {
            let out = dir.path().join(format!("out-{buckets}-{round}"));
            let says = [
                "1 measure was given up",
                "http://example.org/Measure/Endless|1.0.0",
            ];
            let ran = measured(&package, &lake, &["--out", out.to_str().unwrap()]).fails(3, &says);
            assert!(
                ran.out.contains("given up: for 3 patients"),
                "{}",
                ran.text()
            );
            assert!(
                ran.out.contains("patients of a measure that was given up"),
                "{}",
                ran.text()
            );
            outs.push(out);
        }
    }
    // Whatever patients came first.
    let bytes = |out: &PathBuf, name: &str| std::fs::read(out.join(name)).unwrap();
    for name in [
        "results.parquet",
        "subjects.csv",
        "run.json",
        "MeasureReport-Endless.json",
    ] {
        for (first, other) in [(0, 1), (0, 2), (3, 4), (3, 5)] {
            assert!(
                bytes(&outs[first], name) == bytes(&outs[other], name),
                "{name} differs"
            );
        }
    }
    assert!(bytes(&outs[0], "results.parquet") == bytes(&outs[3], "results.parquet"));
    let text = report(&outs[0], "Endless").to_string();
    assert!(
        text.contains("given up: for 3 patients") && text.contains("\"valueInteger\":40"),
        "{text}"
    );
    let alone = dir.path().join("alone");
    let lake = dir.path().join("lake-40-8");
    measured(
        &package,
        &lake,
        &["--measure", "Demo", "--out", alone.to_str().unwrap()],
    )
    .ok();
    assert_eq!(
        report(&outs[0], "Demo")["group"],
        report(&alone, "Demo")["group"]
    );
    let rows = "SELECT count(*) FROM results WHERE measure = 'Endless' AND (outcome <> 'unknown' OR count IS NOT NULL)";
    let rows = tandem!(
        "sql",
        rows,
        "--lake",
        &lake,
        "--results",
        &outs[0],
        "--format",
        "csv"
    )
    .ok();
    assert_eq!(rows.out.lines().last(), Some("0"));
    // Two patients are too few to give it up: they are not evaluable, and the other measure is.
    let few = self::lake(dir.path(), 2, "8");
    let out = dir.path().join("few");
    measured(&package, &few, &["--out", out.to_str().unwrap()]).ok();
    let text = report(&out, "Endless").to_string();
    assert!(
        text.contains("the budget of steps for one patient"),
        "{text}"
    );
    assert_eq!(
        report(&out, "Demo")["group"][0]["population"][3]["count"],
        2
    );
    // With gaps and explanations it is the same.
    let gaps = tandem!(
        "measure",
        "gaps",
        &package,
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--patient-steps",
        "200000",
        "--format",
        "csv"
    );
    let gaps = gaps.fails(3, &["given up"]);
    assert_eq!(
        gaps.out.lines().filter(|l| l.starts_with("Demo,")).count(),
        40
    );
    tandem!(
        "measure",
        "explain",
        &package,
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--patient-steps",
        "200000",
        "--subject",
        "a1"
    )
    .ok();
    tandem!(
        "measure",
        "explain",
        &package,
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--patient-steps",
        "200000",
        "--funnel"
    )
    .fails(3, &["given up"]);
}

/// A limit that is not the usual one may decide numbers: `run.json` has it.
#[test]
fn limits_are_recorded() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path(), 1, "8"));
    let out = dir.path().join("out");
    measured(
        &package,
        &lake,
        &["--out", out.to_str().unwrap(), "--patient-memory", "64"],
    )
    .ok();
    let list: Value =
        serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    assert_eq!(
        list["limits"],
        json!({"patient-steps": "200000", "patient-memory": "64 MB"})
    );
    measured(&package, &lake, &["--patient-memory", "0"]).fails(2, &["--patient-memory"]);
}
