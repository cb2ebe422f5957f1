//! Care gaps: what took too much work, and the last evidence.

use engine_cel::TOO_MUCH;
use engine_patient::context::EvaluationContext;
use engine_patient::program::{EvaluationResult, PatientProgram, RowKind, RowOptions, Wanted};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use serde_json::json;

use crate::rule::Rule;
use crate::words::Indicator;
use crate::{Applicability, built_in_terminology, load};

const GAP: &str = r#"id: gap
version: 1.0.0
kind: care-gap
title: A gap
description: What it does.
rationale: Why.
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
improvement: increase
value_sets:
  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab
  colonoscopy: https://tandem-cds.dev/ValueSet/colonoscopy
  diabetes: https://tandem-cds.dev/ValueSet/diabetes
define:
  found: Observation("hba1c")
  quadratic: found.filter(o, found.size() > 0).size()
eligible: ageInYearsAt(at) >= 18
excluded: "false"
satisfied: SATISFIED
unknown: silent
card:
  indicator: warning
  summary: SUMMARY
  detail: There are {{ found.size() }}.
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

fn gap(satisfied: &str, summary: &str) -> Rule {
    let text = GAP.replace("SATISFIED", satisfied);
    let text = text.replace("SUMMARY", summary);
    load("rules/gap.yaml", &text, &built_in_terminology()).unwrap()
}

fn record(resources: &[serde_json::Value]) -> PatientRecord {
    let mut record = PatientRecord::new();
    let patient = json!({"resourceType": "Patient", "id": "p", "birthDate": "1960-01-01"});
    for resource in std::iter::once(&patient).chain(resources) {
        record.push(&resource.to_string()).unwrap();
    }
    record.seal();
    record
}

fn noon() -> EvaluationContext {
    EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap())
}

/// So many that the square of their number is too much.
fn many() -> PatientRecord {
    record(&observations(4_000))
}

fn observations(count: usize) -> Vec<serde_json::Value> {
    let one = |n: usize| {
        json!({"resourceType": "Observation", "id": n.to_string(), "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}})
    };
    (0..count).map(one).collect()
}

#[test]
fn a_card_never_says_unknown_and_nothing_else() {
    let none = r#"found.exists(o, o.status == "registered")"#;
    let both = r#"'{{ "There are " + string(quadratic) }}'"#;
    for summary in ["'{{ quadratic }}'", both, "'There are {{ quadratic }}'"] {
        let decision = gap(none, summary).decide(&many(), &noon()).unwrap();
        assert_eq!(decision.applicability, Applicability::Applies);
        let card = decision.card().unwrap();
        assert_eq!(card.summary, "Not checked", "{summary}");
        assert_eq!(card.indicator, Indicator::Warning);
        assert!(card.detail.contains(TOO_MUCH), "{}", card.detail);
    }
    // What is missing is told as well.
    let summary = r#"'{{ found.latestValue("%") }}'"#;
    let card = gap(none, summary).decide(&record(&[]), &noon()).unwrap();
    let card = card.card().unwrap();
    assert_eq!(card.summary, "Not checked");
    assert!(card.detail.contains("could not be told"), "{}", card.detail);
    // Words beside it say what it is about.
    let summary = r#"'HbA1c {{ found.latestValue("%") }}'"#;
    let card = gap(none, summary).decide(&record(&[]), &noon()).unwrap();
    assert_eq!(card.card().unwrap().summary, "HbA1c unknown");
    // What deciding took does not keep the card from telling it: both together are too much.
    let half = "found.filter(o, found.size() > 0).size() < 1";
    let some = "'{{ found.filter(o, found.size() > 0).size() }} of them'";
    let few = record(&observations(2_500));
    let decision = gap(half, some).decide(&few, &noon()).unwrap();
    assert_eq!(decision.card().map(|c| &*c.summary), Some("2500 of them"));
}

/// A limit of the program is told, also where the file says `unknown: silent`.
#[test]
fn what_took_too_much_work_could_not_be_checked() {
    let rule = gap("quadratic > 5000", "s");
    let decision = rule.decide(&many(), &noon()).unwrap();
    assert_eq!(decision.applicability, Applicability::Unknown);
    assert!(decision.has_unknown_card);
    let card = decision.card().unwrap();
    assert_eq!(card.summary, "Not checked");
    let wanted = format!("**A gap** could not be checked:\n\n- whether it is done: {TOO_MUCH}");
    assert_eq!(card.detail, wanted);
    // Missing data is silent, as the file says.
    let silent = gap(r#"found.latest().status == "final""#, "s");
    let decision = silent.decide(&record(&[]), &noon()).unwrap();
    assert_eq!(decision.applicability, Applicability::Unknown);
    assert!(decision.cards.is_empty());
}

/// The last evidence of a gap, as `resource date`.
fn last(satisfied: &str, resources: &[serde_json::Value]) -> Option<String> {
    let rule = gap(satisfied, "s");
    let context = noon();
    let mut out = EvaluationResult::default();
    let wanted = Wanted {
        context: &context,
        artifacts: &[true],
        rows: RowOptions {
            evidence: true,
            ..RowOptions::default()
        },
    };
    rule.evaluate(&record(resources), &wanted, &mut out)
        .unwrap();
    let mut rows = out.rows.iter();
    let row = rows.find(|row| row.kind == RowKind::Evidence)?;
    let engine_patient::value::Value::String(text) = &row.value else {
        panic!("{row:?}");
    };
    let told: serde_json::Value = serde_json::from_str(text).unwrap();
    let date = told["date"].as_str().unwrap_or("-");
    Some(format!("{} {date}", told["resource"].as_str().unwrap()))
}

#[test]
fn the_last_evidence_is_done() {
    let procedure = |id: &str, status: &str, date: &str| {
        let mut one = json!({"resourceType": "Procedure", "id": id, "status": status,
            "code": {"coding": [{"system": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "G0105"}]}});
        if !date.is_empty() {
            one["performedDateTime"] = date.into();
        }
        one
    };
    let done = r#"Procedure("colonoscopy").completed().exists()"#;
    let old = procedure("old", "completed", "2019-01-01");
    for status in ["preparation", "not-done", "entered-in-error", "stopped", ""] {
        let mut new = procedure("new", status, "2025-01-01");
        if status.is_empty() {
            new.as_object_mut().unwrap().remove("status");
        }
        assert_eq!(last(done, &[new.clone()]), None, "{status}");
        let both = [old.clone(), new];
        assert_eq!(last(done, &both).unwrap(), "Procedure/old 2019-01-01");
    }
    // Without a date it stands behind what has one.
    let undated = procedure("undated", "completed", "");
    let later = procedure("later", "completed", "2026-02-01");
    let only = last(done, &[undated.clone(), later]);
    assert_eq!(only.unwrap(), "Procedure/undated -");
    assert_eq!(
        last(done, &[undated, old]).unwrap(),
        "Procedure/old 2019-01-01"
    );
    // Results have words of their own for it, and problems none.
    let result = |status: &str| {
        json!({"resourceType": "Observation", "id": status, "status": status, "effectiveDateTime": "2025-01-01",
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}})
    };
    let is_told = |status: &str| last("found.exists()", &[result(status)]).is_some();
    let told = [
        "final",
        "amended",
        "corrected",
        "preliminary",
        "registered",
        "cancelled",
    ];
    assert_eq!(told.map(is_told), [true, true, true, false, false, false]);
    let problem = json!({"resourceType": "Condition", "id": "c", "onsetDateTime": "2020-01-01",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]}});
    let known = last(r#"Condition("diabetes").exists()"#, &[problem]);
    assert_eq!(known.unwrap(), "Condition/c 2020-01-01");
}
