//! What a verdict says is so: charts in which a near answer would be an untrue one.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::*;

fn decks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/decks")
}

/// The first line for a patient with these resources.
fn verdict(deck: &str, resources: &[Value]) -> String {
    verdict_of(&decks().join(deck), &decks().join("libraries"), resources)
}

fn verdict_of(measure: &Path, libraries: &Path, resources: &[Value]) -> String {
    let dir = folder();
    let patient = json!({"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-06-15"});
    let mut lines = vec![patient.to_string()];
    lines.extend(resources.iter().map(ToString::to_string));
    let data = file(dir.path().join("all.ndjson"), lines.join("\n"));
    let lake = dir.path().join("lake");
    import(&lake, &[&data]);
    let out = tandem!(
        "measure",
        "explain",
        measure,
        libraries,
        "--lake",
        &lake,
        "--period",
        "2026-01-01..2026-12-31",
        "--subject",
        "p",
        "--format",
        "json"
    )
    .ok()
    .out;
    let all: Value = serde_json::from_str(&out).unwrap();
    let one = if all.is_array() { &all[0] } else { &all };
    let one = one.get("measures").map_or(one, |all| &all[0]);
    one["groups"][0]["verdict"]["text"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn subject() -> Value {
    json!({"reference": "Patient/p"})
}

fn visit(id: &str, start: &str, end: &str) -> Value {
    json!({"resourceType": "Encounter", "id": id, "status": "finished", "subject": subject(),
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "period": {"start": start, "end": end}})
}

fn reading(id: &str, at: &str, value: Value) -> Value {
    let mut all = json!({"resourceType": "Observation", "id": id, "status": "final", "subject": subject(),
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "effectiveDateTime": at});
    for (name, own) in value.as_object().unwrap() {
        all[name] = own.clone();
    }
    all
}

fn pressure(value: u32, unit: &str) -> Value {
    json!({"valueQuantity": {"value": value, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"}})
}

fn declined() -> Value {
    json!({"dataAbsentReason": {"coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "asked-declined"}]}})
}

fn three_visits() -> Vec<Value> {
    ["2026-03-02", "2026-06-08", "2026-09-01"]
        .iter()
        .enumerate()
        .map(|(n, day)| {
            visit(
                &format!("e{n}"),
                &format!("{day}T09:00:00Z"),
                &format!("{day}T09:30:00Z"),
            )
        })
        .collect()
}

#[test]
fn one_exception_does_not_make_all_episodes_exceptions() {
    let mut chart = three_visits();
    chart.push(reading("o", "2026-03-02T09:10:00Z", declined()));
    let found = verdict("PressureAtVisit", &chart);
    assert!(
        found.starts_with(
            "In the denominator, numerator not met (initial population 3, denominator 3, denominator exception 1): "
        ),
        "{found}"
    );
    // The one that is an exception is not among those that fail.
    assert!(!found.contains("2026-03-02"), "{found}");
    chart.push(reading("o1", "2026-06-08T09:10:00Z", declined()));
    chart.push(reading("o2", "2026-09-01T09:10:00Z", declined()));
    let found = verdict("PressureAtVisit", &chart);
    assert!(
        found.starts_with(
            "Exception (initial population 3, denominator 3, denominator exception 3)"
        ),
        "{found}"
    );
}

#[test]
fn an_exception_is_no_part_that_is_missing() {
    let mut chart = three_visits();
    chart.push(reading("o", "2026-03-02T09:10:00Z", declined()));
    chart.push(reading(
        "o1",
        "2026-06-08T09:10:00Z",
        pressure(120, "mm[Hg]"),
    ));
    let part = verdict("PressureAtVisit", &chart);
    assert!(part.starts_with("In the numerator in part ("), "{part}");
    assert!(
        part.contains("2026-09-01") && !part.contains("2026-03-02"),
        "{part}"
    );
    chart.push(reading(
        "o2",
        "2026-09-01T09:10:00Z",
        pressure(120, "mm[Hg]"),
    ));
    assert_eq!(
        verdict("PressureAtVisit", &chart),
        "In the numerator (initial population 3, denominator 3, denominator exception 1, numerator 2): \
         Encounter: AMB, 2026-09-01 and 1 more"
    );
}

fn hypertensive(more: &[Value]) -> Vec<Value> {
    let condition = json!({"resourceType": "Condition", "id": "c", "subject": subject(),
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}]},
        "onsetDateTime": "2020-05-01"});
    let mut all = vec![
        condition,
        visit("e", "2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z"),
    ];
    all.extend(more.iter().cloned());
    all
}

#[test]
fn what_is_there_at_the_time_is_nearer_than_what_was_before() {
    let mut now = reading("o", "2026-03-02", pressure(120, "mm[Hg]"));
    now["status"] = json!("preliminary");
    let before = reading("b", "2025-03-02", pressure(120, "mm[Hg]"));
    let found = verdict("SystolicControl", &hypertensive(&[now, before]));
    assert!(
        found.contains("O.status is preliminary") && !found.contains("in 2026; last"),
        "{found}"
    );
}

#[test]
fn a_negated_resource_is_told_as_such() {
    let mut off = reading("o", "2026-03-02", pressure(120, "mm[Hg]"));
    off["status"] = json!("cancelled");
    let found = verdict("SystolicControl", &hypertensive(&[off]));
    assert!(found.contains("8480-6, cancelled, 2026-03-02"), "{found}");
}

/// A patient of CMS122 with this HbA1c; `None` where the package is not here.
fn hba1c(visit_period: Value, result: Value) -> Option<String> {
    let packages = shared("conformance/ecqm")?;
    let coded = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    let profile = |name: &str| json!({"profile": [format!("http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-{name}")]});
    let mut observation = json!({"resourceType": "Observation", "id": "o", "status": "final",
        "meta": profile("observation-lab"), "subject": subject(),
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")],
        "code": coded("http://loinc.org", "17855-8"), "effectiveDateTime": "2026-01-02"});
    for (name, own) in result.as_object().unwrap() {
        observation[name] = own.clone();
    }
    let chart = [
        json!({"resourceType": "Encounter", "id": "e", "status": "finished", "subject": subject(),
            "meta": profile("encounter"),
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [coded("http://snomed.info/sct", "185460008")], "period": visit_period}),
        json!({"resourceType": "Condition", "id": "c", "subject": subject(),
            "meta": profile("condition-encounter-diagnosis"),
            "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
            "category": [coded("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis")],
            "code": coded("http://snomed.info/sct", "102781000119107"), "onsetDateTime": "2026-01-01"}),
        observation,
    ];
    let measure = packages.join("CMS122FHIRDiabetesAssessGreaterThan9Percent");
    Some(verdict_of(&measure, &packages.join("libraries"), &chart))
}

fn day() -> Value {
    json!({"start": "2026-01-01T09:00:00Z", "end": "2026-01-01T09:30:00Z"})
}

#[test]
fn what_cannot_be_compared_is_not_told_as_less() {
    let percent = json!({"valueQuantity": {"value": 9.6, "unit": "percent"}});
    let Some(found) = hba1c(day(), percent) else {
        return;
    };
    assert!(
        found.ends_with("17855-8 9.6 percent (2026-01-02), cannot be compared with > 9 %"),
        "{found}"
    );
    let less = json!({"value": 9.1, "comparator": "<", "unit": "%", "code": "%",
        "system": "http://unitsofmeasure.org"});
    let found = hba1c(day(), json!({"valueQuantity": less})).unwrap();
    assert!(
        found.contains("the value <9.1 % cannot be read") && !found.contains("is not there"),
        "{found}"
    );
}

#[test]
fn what_a_function_left_out_of_the_period_is_told() {
    let early = json!({"status": "preliminary",
        "valueQuantity": {"value": 9.6, "unit": "%", "code": "%", "system": "http://unitsofmeasure.org"}});
    if let Some(found) = hba1c(day(), early) {
        assert!(found.contains("status is preliminary"), "{found}");
    }
}

#[test]
fn a_time_is_compared_by_both_its_ends() {
    let stay = json!({"start": "2026-12-30T09:00:00Z", "end": "2027-01-02T09:00:00Z"});
    if let Some(found) = hba1c(stay, json!({})) {
        assert!(
            found.contains(" wholly in 2026; nearest 2026-12-30 – 2027-01-02 (185460008)"),
            "{found}"
        );
    }
}
