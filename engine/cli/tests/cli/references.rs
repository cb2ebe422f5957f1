//! References within Bundles: what they name, ids that are given, and that all comes back as it came.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;

fn entry(url: &str, resource: Value) -> Value {
    let ty = resource["resourceType"].clone();
    json!({"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": ty}})
}

fn bundle(entries: &[Value]) -> String {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}).to_string()
}

/// The rows of a query.
#[track_caller]
fn sql(lake: &Path, query: &str) -> Vec<String> {
    let ran = tandem!("sql", query, "--lake", lake, "--format", "csv").ok();
    ran.out.lines().skip(1).map(str::to_owned).collect()
}

/// What one counts and the other must: `../shared/cases/urn-references`. FHIR R4 §2.36.4.1.
#[test]
fn official_measures_see_urn_references_resolved() {
    let Some(case) = shared("cases/urn-references") else {
        return;
    };
    let dir = folder();
    let lake = dir.path().join("lake");
    let report = import(&lake, &[&case.join("in")]);
    assert_eq!(report["references"]["resolved"], 5, "{report:#}");
    assert_eq!(report["references"]["unknown_urns"], 0);
    let (package, period) = (case.join("package"), "2025-01-01..2025-12-31");
    let ran = tandem!(
        "measure", "run", &package, "--lake", &lake, "--period", period, "--format", "json"
    )
    .ok();
    let reports: Value = serde_json::from_str(&ran.out).unwrap();
    for report in reports.as_array().unwrap() {
        assert_eq!(
            report["group"][0]["population"][0]["count"], 2,
            "{}",
            report["measure"]
        );
    }
    // A pretty document is compacted on its way; the values are the same.
    let mut input = vec![];
    for name in files(&case.join("in")) {
        let text = std::fs::read_to_string(case.join("in").join(name)).unwrap();
        let bundle: Value = serde_json::from_str(&text).unwrap();
        let entries = bundle["entry"].as_array().unwrap().clone();
        input.extend(entries.into_iter().map(|e| e["resource"].clone()));
    }
    assert_eq!(resources(exported(&lake)), sorted(input));
    let again = import(&lake, &[&case.join("in")]);
    assert_eq!(
        (&again["committed"], total(&again, "unchanged")),
        (&json!(false), 8)
    );
}

#[test]
fn another_servers_patient_is_not_this_ones() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let subject = |id: &str, reference: &str| {
        entry(
            &format!("https://ehr.example.org/fhir/Observation/{id}"),
            json!({"resourceType": "Observation", "id": id, "subject": {"reference": reference}}),
        )
    };
    let entries = [
        entry(
            "https://ehr.example.org/fhir/Patient/x",
            json!({"resourceType": "Patient", "id": "x"}),
        ),
        subject("own", "https://ehr.example.org/fhir/Patient/x"),
        subject("relative", "Patient/x"),
        subject("other", "https://other.example.org/fhir/Patient/x"),
    ];
    let path = file(dir.path().join("b.json"), bundle(&entries));
    let report = import(&lake, &[&path]);
    assert_eq!(report["unlinked"], json!({"Observation": 1}), "{report:#}");
    assert_eq!(
        report["references"]["elsewhere"],
        json!({"https://other.example.org/fhir": 1})
    );
    assert_eq!(
        sql(
            &lake,
            "SELECT count(*) FROM resources WHERE patient_id = 'x'"
        ),
        ["3"]
    );
    let told = tandem!("import", &path, "--lake", &dir.path().join("told")).ok();
    assert!(
        told.out
            .contains("1 https://other.example.org/fhir references are to another server"),
        "{}",
        told.out
    );
    let wanted: Vec<Value> = entries.iter().map(|e| e["resource"].clone()).collect();
    assert_eq!(resources(exported(&lake)), sorted(wanted));
}

/// What another server's entry says of its `Patient/x` is not said of ours, and is told.
#[test]
fn another_servers_entries_are_told() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let about = |server: &str, id: &str| {
        entry(
            &format!("{server}/Observation/{id}"),
            json!({"resourceType": "Observation", "id": id, "subject": {"reference": "Patient/x"}}),
        )
    };
    let patient = |server: &str| {
        entry(
            &format!("{server}/Patient/x"),
            json!({"resourceType": "Patient", "id": "x"}),
        )
    };
    let (own, other) = (
        "https://ehr.example.org/fhir",
        "https://other.example.org/fhir",
    );
    let entries = [
        patient(own),
        about(own, "a"),
        about(own, "b"),
        patient(other),
        about(other, "c"),
    ];
    let path = file(dir.path().join("b.json"), bundle(&entries));
    let report = import(&lake, &[&path]);
    assert_eq!(
        report["references"]["foreign_entries"],
        json!({other: 2}),
        "{report:#}"
    );
    assert_eq!(report["references"]["elsewhere"], json!({other: 1}));
    assert_eq!(
        (total(&report, "rejected"), &report["unlinked"]),
        (1, &json!({"Observation": 1}))
    );
    assert_eq!(
        sql(
            &lake,
            "SELECT count(*) FROM resources WHERE patient_id = 'x'"
        ),
        ["3"]
    );
    let told = tandem!("import", &path, "--lake", &dir.path().join("told")).ok();
    assert!(
        told.out.contains(&format!(
            "2 {other} resources are of another server than their Bundle"
        )),
        "{}",
        told.out
    );
}

/// One patient's Bundle: a DELETE that cannot be applied is told.
#[test]
fn deletions_that_one_patient_cannot_have_are_told() {
    let dir = folder();
    let delete = json!({"request": {"method": "DELETE", "url": "Condition?code=1"}});
    let entries = [
        entry("urn:uuid:p", json!({"resourceType": "Patient", "id": "p"})),
        delete,
    ];
    let path = file(dir.path().join("b.json"), bundle(&entries));
    let ran = tandem!(
        "rule",
        "eval",
        "hba1c-control",
        "--patient",
        &path,
        "--at",
        "2025-12-31"
    )
    .ok();
    assert!(
        ran.err.contains("1 deletions were not applied"),
        "{}",
        ran.err
    );
}

/// Lines do not say whose they are: told; with `--base` they are told apart.
#[test]
fn lines_with_urls() {
    let dir = folder();
    let text = patient("x", "")
        + "{\"resourceType\":\"Observation\",\"id\":\"a\",\"subject\":{\"reference\":\"https://a.example/r4/Patient/x\"}}\n"
        + "{\"resourceType\":\"Observation\",\"id\":\"b\",\"subject\":{\"reference\":\"https://b.example/r4/Patient/x\"}}\n";
    let path = file(dir.path().join("x.ndjson"), text);
    let lake = dir.path().join("lake");
    let report = import(&lake, &[&path]);
    assert_eq!(
        report["references"]["assumed"],
        json!({"https://a.example/r4": 1, "https://b.example/r4": 1})
    );
    assert_eq!(report["unlinked"], json!({}));
    same_lines(&exported(&lake), &lines_of(&path));

    // The same files with other servers named: what changes is replaced, in the same lake.
    let report = import_with(&lake, &[&path], &["--base", "https://a.example/r4/"]);
    assert_eq!(
        report["references"]["elsewhere"],
        json!({"https://b.example/r4": 1})
    );
    assert_eq!(report["unlinked"], json!({"Observation": 1}));
    assert_eq!(
        (total(&report, "replaced"), total(&report, "unchanged")),
        (1, 2),
        "{report:#}"
    );
    same_lines(&exported(&lake), &lines_of(&path));
    tandem!("import", &path, "--lake", &lake, "--base", "ehr")
        .fails(2, &["--base ehr", "https://"]);
}

/// A resource that is to be created has no id: none is lost, and with it nobody's patient.
#[test]
fn entries_without_an_id() {
    let uuid = |n: u32| format!("urn:uuid:00000000-0000-4000-8000-{n:012}");
    let create =
        |resource: Value| json!({"resource": resource, "request": {"method": "POST", "url": "X"}});
    let entries = [
        entry(
            &uuid(1),
            json!({"resourceType": "Patient", "birthDate": "1970-01-01"}),
        ),
        entry(
            &uuid(2),
            json!({"resourceType": "Encounter", "status": "finished", "subject": {"reference": uuid(1)}}),
        ),
        create(
            json!({"resourceType": "Observation", "status": "final", "subject": {"reference": uuid(1)}, "encounter": {"reference": uuid(2)}}),
        ),
        create(
            json!({"resourceType": "Observation", "status": "final", "subject": {"reference": uuid(1)}, "encounter": {"reference": uuid(2)}}),
        ),
    ];
    let dir = folder();
    let lake = dir.path().join("lake");
    let path = file(dir.path().join("b.ndjson"), bundle(&entries) + "\n");
    let report = import(&lake, &[&path]);
    assert_eq!(
        (total(&report, "stored"), &report["given_ids"]),
        (4, &json!(4)),
        "{report:#}"
    );
    assert_eq!(
        (&report["patients"], &report["orphans"], &report["unlinked"]),
        (&json!(1), &json!(0), &json!({}))
    );
    let wanted: Vec<Value> = entries.iter().map(|e| e["resource"].clone()).collect();
    let text = |all: Vec<Value>| -> Vec<String> {
        let mut all: Vec<String> = all.iter().map(Value::to_string).collect();
        all.sort_unstable();
        all
    };
    let came: Vec<Value> = exported(&lake)
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(text(came), text(wanted));
    let again = import(&lake, &[&path]);
    assert_eq!(
        (&again["committed"], total(&again, "unchanged")),
        (&json!(false), 4)
    );
    // As evaluated.
    let out = dir.path().join("resolved");
    tandem!("export", "--lake", &lake, "--resolved", "--out", &out).ok();
    let all = resources(lines(&out));
    let encounter = all
        .iter()
        .find(|r| r["resourceType"] == "Encounter")
        .unwrap();
    assert_eq!(encounter["id"], "00000000-0000-4000-8000-000000000002");
    assert_eq!(
        encounter["subject"]["reference"],
        "Patient/00000000-0000-4000-8000-000000000001"
    );
    assert_eq!(
        sql(
            &lake,
            "SELECT count(*) FROM observation_flat o JOIN encounter_flat e ON o.encounter_id = e.id"
        ),
        ["2"]
    );
}

/// One patient's Bundle answers as the lake does.
#[test]
fn searches_and_unknown_urns_are_counted() {
    let dir = folder();
    let entries = [
        entry("urn:uuid:p", json!({"resourceType": "Patient", "id": "p"})),
        entry(
            "urn:uuid:e",
            json!({"resourceType": "Encounter", "id": "e", "subject": {"reference": "urn:uuid:p"},
            "participant": [{"individual": {"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1"}}],
            "serviceProvider": {"reference": "urn:uuid:nobody"}}),
        ),
    ];
    let path = file(dir.path().join("b.json"), bundle(&entries));
    let report = import(&dir.path().join("lake"), &[&path]);
    assert_eq!(report["references"]["searches"], json!({"Practitioner": 1}));
    assert_eq!(
        (
            &report["references"]["unknown_urns"],
            &report["references"]["resolved"]
        ),
        (&json!(1), &json!(1))
    );
    let told = tandem!("import", &path, "--lake", &dir.path().join("told")).ok();
    assert!(
        told.out.contains("1 Practitioner references are searches"),
        "{}",
        told.out
    );
    assert!(
        told.out.contains("1 reference is a urn that no entry"),
        "{}",
        told.out
    );
    let ran = tandem!(
        "rule",
        "eval",
        "hba1c-control",
        "--patient",
        &path,
        "--at",
        "2025-12-31"
    )
    .ok();
    assert!(ran.err.contains("2 references name nothing"), "{}", ran.err);
}

/// What the lake holds is one text per resource: `restore` leads back to it for any reader.
#[test]
fn sql_shows_what_is_evaluated() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let entries = [
        entry("urn:uuid:p", json!({"resourceType": "Patient", "id": "p"})),
        entry(
            "urn:uuid:o",
            json!({"resourceType": "Observation", "id": "o", "subject": {"reference": "urn:uuid:p"}}),
        ),
    ];
    import(&lake, &[&file(dir.path().join("b.json"), bundle(&entries))]);
    assert_eq!(
        sql(
            &lake,
            "SELECT position('Patient/p' IN raw) > 0, restore IS NOT NULL FROM resources ORDER BY resource_type"
        ),
        ["true,true", "false,false"]
    );
}
