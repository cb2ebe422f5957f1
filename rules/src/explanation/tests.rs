use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::hook_call::HookCall;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use serde_json::{Value, json};

use crate::{Explanation, Rule, built_in_terminology, load};

const GAP: &str = r#"id: gap
version: 1.0.0
kind: care-gap
title: HbA1c below nine
description: What it does.
rationale: Why.
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
improvement: increase
value_sets:
  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab
define:
  found: Observation("hba1c").inLast(years(1))
eligible: ageInYearsAt(at) >= 18
excluded: "false"
satisfied: found.exists(o, o.status == "final")
unknown: silent
card:
  indicator: warning
  summary: HbA1c is due
  detail: Do it.
  unknown_summary: Not checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960}
    expect: {applies: yes}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 2020-01-01}
    expect: {applies: no}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {gender: female}
    expect: {applies: unknown, reason: birthDate}
"#;

const ALERT: &str = r#"id: alert
version: 1.0.0
kind: alert
title: Ibuprofen
description: What it does.
rationale: Why.
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
hooks: [order-sign]
for_each: {order: selections("MedicationRequest")}
when: order.isDrug("ibuprofen")
unknown: silent
card:
  indicator: warning
  summary: Ibuprofen is ordered
  detail: Think.
  unknown_summary: Not checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960}
    drafts: [{resourceType: MedicationRequest, id: d, medicationCodeableConcept: {coding: [{system: "http://www.nlm.nih.gov/research/umls/rxnorm", code: "5640"}]}}]
    expect: {applies: yes}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960}
    expect: {applies: no}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960}
    drafts: [{resourceType: MedicationRequest, id: d, medicationCodeableConcept: {text: "?"}}]
    expect: {applies: unknown}
"#;

fn rule(text: &str, name: &str) -> Rule {
    let file = format!("rules/{name}.yaml");
    match load(&file, text, &built_in_terminology()) {
        Ok(rule) => rule,
        Err(found) => panic!("{found:?}"),
    }
}

fn record(resources: &[Value]) -> PatientRecord {
    let mut record = PatientRecord::new();
    for resource in resources {
        record.push(&resource.to_string()).unwrap();
    }
    record
}

fn adult() -> Value {
    json!({"resourceType": "Patient", "id": "p", "birthDate": "1960-01-01"})
}

fn lab(id: &str, date: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final", "effectiveDateTime": date,
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c"}]},
        "valueQuantity": {"value": 7.1, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}})
}

fn noon() -> EvaluationContext {
    EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap())
}

fn of_gap(record: &PatientRecord) -> Explanation {
    rule(GAP, "gap").explanation(record, &noon()).unwrap()
}

#[test]
fn a_rule_that_fired_says_why() {
    let told = of_gap(&record(&[adult()]));
    assert_eq!((told.applies, told.kind), ("yes", "care-gap"));
    assert_eq!(told.verdict, "Applies: HbA1c is due");
    assert_eq!(told.cards[0].summary, "HbA1c is due");
    let truths: Vec<_> = told.criteria.iter().map(|c| (c.name, c.truth)).collect();
    assert_eq!(
        truths,
        [
            ("eligible", Some("true")),
            ("excluded", Some("false")),
            ("satisfied", Some("false")),
        ]
    );
    assert!(told.criteria[0].asks.is_some());
}

#[test]
fn a_silent_rule_says_why_by_which_resource_and_code() {
    let told = of_gap(&record(&[
        adult(),
        lab("new", "2025-11-01"),
        lab("old", "2019-11-01"),
    ]));
    assert_eq!(told.applies, "no");
    assert!(
        told.verdict
            .starts_with("Does not apply: what it recommends is done"),
        "{}",
        told.verdict
    );
    let deciding: Vec<_> = told
        .resources
        .iter()
        .filter(|r| r.criterion == "satisfied")
        .collect();
    assert_eq!(deciding.len(), 1, "{deciding:?}");
    assert_eq!(deciding[0].resource, "Observation/new");
    assert_eq!(deciding[0].code.as_deref(), Some("Hemoglobin A1c"));
    assert_eq!(deciding[0].date.as_deref(), Some("2025-11-01"));
    assert_eq!(deciding[0].value.as_deref(), Some("7.1 %"));
    let set = &told.value_sets[0];
    assert_eq!(
        (set.resource.as_str(), set.name.as_str()),
        ("Observation/new", "hba1c")
    );
    assert_eq!(
        (set.system.as_str(), set.code.as_str()),
        ("http://loinc.org", "4548-4")
    );
    assert!(
        set.canonical
            .starts_with("https://tandem-cds.dev/ValueSet/hba1c-lab")
    );
}

#[test]
fn what_is_unknown_says_why() {
    let mut record = record(&[adult()]);
    record.set_incomplete(Name::of("Observation").unwrap());
    let told = of_gap(&record);
    assert_eq!(told.applies, "unknown");
    assert_eq!(
        told.reason.as_deref(),
        Some("no Observation data was given")
    );
    let words = "the results and measurements were not all received";
    assert_eq!(told.reason_in_words.as_deref(), Some(words));
    assert!(told.verdict.starts_with("Could not be checked: "));
    let satisfied = told
        .criteria
        .iter()
        .find(|c| c.name == "satisfied")
        .unwrap();
    assert_eq!(satisfied.truth, Some("unknown"));
}

#[test]
fn drafts_are_told_apart_from_the_record() {
    let drafts = json!({"resourceType": "MedicationRequest", "id": "d", "medicationCodeableConcept":
        {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "5640", "display": "ibuprofen"}]}});
    let call = HookCall {
        hook: "order-sign".into(),
        drafts: record(&[drafts]),
        ..HookCall::default()
    };
    let rule = rule(ALERT, "alert");
    let chart = record(&[adult()]);
    let told = rule
        .explanation(&chart, &noon().with_call(Arc::new(call)))
        .unwrap();
    assert_eq!(
        (told.applies, told.hook.as_deref()),
        ("yes", Some("order-sign"))
    );
    let draft = &told.resources[0];
    assert_eq!(
        (draft.resource.as_str(), draft.is_draft),
        ("MedicationRequest/d", true)
    );
    // Nothing is ordered.
    let call = HookCall {
        hook: "order-sign".into(),
        ..HookCall::default()
    };
    let told = rule
        .explanation(&chart, &noon().with_call(Arc::new(call)))
        .unwrap();
    assert_eq!(told.applies, "no");
    assert!(told.verdict.contains("no items"), "{}", told.verdict);
}

#[test]
fn as_json_what_is_not_there_is_left_out() {
    let told = serde_json::to_value(of_gap(&record(&[adult()]))).unwrap();
    assert!(told.get("reason").is_none() && told.get("actedOn").is_none());
    fn nothing_empty(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Array(all) => !all.is_empty() && all.iter().all(nothing_empty),
            Value::Object(all) => all.values().all(nothing_empty),
            _ => true,
        }
    }
    assert!(nothing_empty(&told), "{told:#}");
}

#[test]
fn every_built_in_rule_can_be_explained() {
    let chart = record(&[adult(), lab("new", "2025-11-01")]);
    for rule in crate::built_in().unwrap() {
        let hook = rule
            .hooks
            .first()
            .map_or("patient-view", |hook| hook.as_str());
        let call = HookCall {
            hook: hook.into(),
            ..HookCall::default()
        };
        let told = rule
            .explanation(&chart, &noon().with_call(Arc::new(call)))
            .unwrap();
        assert!(
            !told.verdict.is_empty() && !told.criteria.is_empty(),
            "{}",
            told.rule
        );
    }
}
