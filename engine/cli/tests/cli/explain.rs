//! `tandem measure explain`, with a measure of our own (`measures/testdata`).

use std::path::{Path, PathBuf};

use base64::Engine;
use serde_json::{Value, json};

use crate::support::*;

pub const ELM: &str = include_str!("../../../../measures/testdata/demo.elm.json");
pub const MEASURE: &str = include_str!("../../../../measures/testdata/demo.measure.json");
pub const VALUE_SET: &str = include_str!("../../../../measures/testdata/demo.valueset.json");
pub const PERIOD: &str = "2025-01-01..2025-12-31";

pub fn package(folder: &Path) -> PathBuf {
    let library = json!({
        "resourceType": "Library", "id": "Demo", "name": "Demo", "version": "1.0.0",
        "url": "http://example.org/Library/Demo", "status": "active",
        "type": {"coding": [{"code": "logic-library"}]},
        "content": [{
            "contentType": "application/elm+json",
            "data": base64::engine::general_purpose::STANDARD.encode(ELM),
        }],
    });
    let package = folder.join("package");
    file(package.join("measure.json"), MEASURE);
    file(package.join("valueset.json"), VALUE_SET);
    file(package.join("library.json"), library.to_string());
    package
}

/// `a` has a finished visit, `b` a planned one, `c` none and is too young.
pub fn lake(folder: &Path) -> PathBuf {
    let mut lines = vec![];
    for (id, born, status) in [
        ("a", "1970-01-01", Some("finished")),
        ("b", "1970-01-01", Some("planned")),
        ("c", "2020-01-01", None),
    ] {
        lines.push(
            json!({"resourceType": "Patient", "id": id, "birthDate": born,
            "name": [{"family": SECRET}]}),
        );
        lines.extend(status.map(|status| {
            json!({"resourceType": "Encounter", "id": format!("visit-{id}"), "status": status,
                "class": {"code": "AMB"}, "subject": {"reference": format!("Patient/{id}")},
                "type": [{"coding": [{"system": "http://example.org/codes", "code": "visit"}]}],
                "period": {"start": "2025-03-01"}})
        }));
    }
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let lake = folder.join("lake");
    import(&lake, &[&file(folder.join("all.ndjson"), text.join("\n"))]);
    lake
}

#[test]
fn one_patient_as_text_json_and_html() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let why = |subject: &str, format: &str| {
        tandem!(
            "measure",
            "explain",
            &package,
            "--lake",
            &lake,
            "--period",
            PERIOD,
            "--subject",
            subject,
            "--format",
            format
        )
        .ok()
    };
    let text = why("Patient/a", "text").out;
    assert!(text.contains("initial-population: 1\n"), "{text}");
    assert!(
        text.contains("Encounter/visit-a, visit, 2025-03-01"),
        "{text}"
    );
    let text = why("b", "text").out;
    assert!(text.contains("initial-population: 0\n"), "{text}");
    assert!(text.contains("✗ false  \"Has Visit\": exists"), "{text}");
    let json: Value = serde_json::from_str(&why("Patient/a", "json").out).unwrap();
    assert_eq!(json[0]["subject"], "Patient/a");
    assert_eq!(json[0]["groups"][0]["populations"][0]["count"], 1);

    let out = dir.path().join("why.html");
    let told = tandem!(
        "measure",
        "explain",
        &package,
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--subject",
        "Patient/a",
        "--format",
        "html",
        "--out",
        &out
    )
    .ok();
    assert!(!told.text().contains("visit-a"), "{}", told.text());
    let html = std::fs::read_to_string(out).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("Encounter/visit-a"));
    assert!(!html.contains(SECRET));
}

#[test]
fn the_funnel_of_a_population() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let csv = tandem!(
        "measure", "explain", &package, "--lake", &lake, "--period", PERIOD, "--funnel",
        "--format", "csv"
    )
    .ok()
    .out;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("measure,group,population,step,clause"));
    let counts = |line: &str| {
        let cells: Vec<u64> = line
            .rsplit(',')
            .take(6)
            .map(|c| c.parse().unwrap())
            .collect();
        cells.into_iter().rev().collect::<Vec<_>>()
    };
    // Patients, holds, fails, unknown, left, lost by it alone.
    assert!(
        lines[1].contains("initial-population,1,\"\"\"Has Visit\"\"\""),
        "{csv}"
    );
    assert_eq!(counts(lines[1]), [3, 1, 2, 0, 1, 1], "{csv}");
    assert_eq!(counts(lines[2]), [3, 2, 1, 0, 1, 0], "{csv}");
    // The numerator is an `or`: its alternatives, and how many have one of them so far, and it alone.
    let of = |population: &str| {
        let own = format!("Demo,g,{population},");
        let lines = lines.iter().filter(|l| l.starts_with(&own));
        lines
            .map(|l| l.split(',').rev().take(9).collect::<Vec<_>>())
            .map(|cells| cells.into_iter().rev().collect::<Vec<_>>().join(","))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("numerator"),
        ["any of,3,3,3,3,0,0,,", "any of,3,0,3,0,3,0,,"]
    );
    assert_eq!(of("initial-population")[0], "all of,,,3,1,2,0,1,1");
    let text = tandem!(
        "measure", "explain", &package, "--lake", &lake, "--period", PERIOD, "--funnel"
    )
    .ok()
    .out;
    assert!(
        text.contains("(\"Numerator\"), any of: 3 patients"),
        "{text}"
    );
    assert!(text.contains("met so far  met by it alone"), "{text}");
    assert!(text.contains("kept in by it alone"), "{text}");
    let text = tandem!(
        "measure",
        "explain",
        &package,
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--funnel",
        "--within",
        "initial-population"
    )
    .ok()
    .out;
    assert!(text.contains("1 patient in initial-population"), "{text}");
}

#[test]
fn what_is_wrong_is_told() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let explain = |more: &[&str]| {
        let mut args = vec![
            "measure",
            "explain",
            package.to_str().unwrap(),
            "--period",
            PERIOD,
        ];
        args.extend(more);
        let args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).collect();
        run(&args)
    };
    let lake = lake.to_str().unwrap();
    explain(&["--lake", lake, "--subject", "Patient/nobody"])
        .fails(2, &["the lake has no patient `nobody`"]);
    explain(&[
        "--lake",
        lake,
        "--subject",
        "Patient/a",
        "--measure",
        "Dmeo",
    ])
    .fails(2, &["did you mean `Demo`?"]);
    explain(&["--lake", "/no/lake", "--subject", "Patient/a"]).fails(2, &["is not a folder"]);
    explain(&["--lake", lake]).fails(2, &["--subject", "--funnel"]);
    explain(&["--lake", lake, "--funnel", "--format", "html"]).fails(2, &["--format html"]);
    explain(&["--lake", lake, "--funnel", "--within", "nobody"]).fails(2, &["--within nobody"]);
}

/// Two with diabetes, one of whom has a result, and one without.
fn diabetics(folder: &Path) -> PathBuf {
    let mut lines = vec![];
    for (id, has) in [("high", Some(9.5)), ("none", None)] {
        let subject = json!({"reference": format!("Patient/{id}")});
        lines.push(
            json!({"resourceType": "Patient", "id": id, "birthDate": "1970-01-01", "name": [{"family": SECRET}]}),
        );
        lines.push(json!({"resourceType": "Condition", "id": format!("c-{id}"), "subject": subject,
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]}}));
        lines.extend(has.map(|value| {
            json!({"resourceType": "Observation", "id": format!("o-{id}"), "status": "final", "subject": subject,
                "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}, "effectiveDateTime": "2025-09-01",
                "valueQuantity": {"value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}})
        }));
    }
    lines.push(json!({"resourceType": "Patient", "id": "well", "birthDate": "1970-01-01"}));
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let lake = folder.join("lake");
    import(&lake, &[&file(folder.join("all.ndjson"), text.join("\n"))]);
    lake
}

/// A care gap is explained as a measure of a package: which criterion, by which resource, of which value.
#[test]
fn a_care_gap_is_explained_as_a_package_is() {
    let dir = folder();
    let lake = diabetics(dir.path());
    let why = |subject: &str, format: &str| {
        tandem!(
            "measure",
            "explain",
            "--measure",
            "hba1c-control",
            "--lake",
            &lake,
            "--period",
            PERIOD,
            "--subject",
            subject,
            "--format",
            format
        )
        .ok()
        .out
    };
    let json: Value = serde_json::from_str(&why("Patient/high", "json")).unwrap();
    let group = &json[0]["groups"][0];
    let of = |code: &str| {
        let all = group["populations"].as_array().unwrap();
        all.iter().find(|p| p["code"] == code).unwrap().clone()
    };
    let counts = [
        "initial-population",
        "denominator",
        "denominator-exclusion",
        "numerator",
    ];
    let counts = counts.map(|code| of(code)["count"].as_i64().unwrap());
    assert_eq!(counts, [1, 1, 0, 0], "{group:#}");
    let numerator = of("numerator");
    assert_eq!(numerator["criterion"]["outcome"], "false");
    let facts = &numerator["verdict"]["because"][0]["facts"];
    assert_eq!(
        facts[0],
        json!({"resource": "Observation/o-high", "code": facts[0]["code"], "date": "2025-09-01", "value": "9.5 %"}),
        "{numerator:#}"
    );
    let verdict = group["verdict"]["text"].as_str().unwrap();
    assert!(
        verdict.starts_with("In the denominator, numerator not met: ") && verdict.contains("9.5"),
        "{verdict}"
    );
    let text = why("high", "text");
    for said in [
        "◀",
        "Observation/o-high",
        "numerator: 0\n",
        "initial-population: 1\n",
        "E11.9",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let text = why("well", "text");
    assert!(
        text.starts_with("Out: ") && text.contains("initial-population: 0\n"),
        "{text}"
    );
    let html = why("none", "html");
    assert!(
        html.starts_with("<!DOCTYPE html>") && html.contains("Condition/c-none"),
        "{html}"
    );
    assert!(!html.contains(SECRET));
}

/// Each clause of each criterion of a care gap, over all patients.
#[test]
fn the_funnel_of_a_care_gap() {
    let dir = folder();
    let lake = diabetics(dir.path());
    let own = include_str!("../../../../rules/content/diabetes/hba1c-control.yaml");
    let own = own.replace("id: hba1c-control", "id: own-control");
    let shared = include_str!("../../../../rules/content/library.yaml");
    file(dir.path().join("rules/library.yaml"), shared);
    let rules = file(dir.path().join("rules/own-control.yaml"), own);
    let package = package(dir.path());
    let csv = tandem!(
        "measure", "explain", &package, "--rules", &rules, "--lake", &lake, "--period", PERIOD,
        "--funnel", "--format", "csv"
    )
    .ok()
    .out;
    assert!(csv.contains("\nDemo,"), "{csv}");
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let rows = table.deserialize::<std::collections::BTreeMap<String, String>>();
    let rows = rows
        .map(Result::unwrap)
        .filter(|r| r["measure"] == "own-control");
    let rows: Vec<_> = rows.collect();
    let last = |population: &str, column: &str| {
        let own = rows.iter().filter(|r| r["population"] == population);
        own.map(|r| r[column].clone()).next_back().unwrap()
    };
    assert!(rows.iter().all(|r| r["patients"] == "3"), "{csv}");
    // All clauses of eligible hold for two, of satisfied for none.
    assert_eq!(last("initial-population", "left"), "2", "{csv}");
    assert_eq!(last("numerator", "left"), "0", "{csv}");
}
