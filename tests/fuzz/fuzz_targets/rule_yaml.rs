//! `rules::load` of arbitrary text; where it loads, its cases are run.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

use std::sync::LazyLock;

use cpu_time::ProcessTime;
use engine_patient::context::EvaluationContext;
use engine_patient::finding::Finding;
use engine_patient::program::{PatientProgram, RowOptions};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::terminology::TerminologyStore;
use libfuzzer_sys::fuzz_target;
use rules::{Decision, Rule};

static TERMINOLOGY: LazyLock<TerminologyStore> = LazyLock::new(rules::built_in_terminology);

fuzz_target!(|text: &str| {
    let terminology = &*TERMINOLOGY;
    // The id must be the name of the file.
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap_or("gap");
    let file = format!("rules/{}.yaml", id.trim());
    let start = ProcessTime::now();
    match rules::load(&file, text, terminology) {
        Ok(rule) => {
            assert!(rule.warnings.iter().all(|d| !d.is_error()));
            check(text, &rule.warnings);
            let outcomes = rule.run_cases();
            assert_eq!(outcomes.len(), rule.cases.len());
            agree(&rule);
            check_necessary_requirements(&rule);
        }
        Err(found) => {
            assert!(
                found.iter().any(Finding::is_error),
                "refused without a reason"
            );
            check(text, &found);
        }
    }
    let took = start.elapsed();
    assert!(took.as_secs() < 1, "took {took:?} of processor time");
});

/// The rows of a measure say what the card says.
fn agree(rule: &Rule) {
    for case in &rule.cases {
        let mut record = PatientRecord::new();
        for json in &case.resources {
            record
                .push(json)
                .expect("what `load` makes of a case is a resource");
        }
        case.unavailable
            .iter()
            .for_each(|ty| record.set_unavailable(*ty));
        let context = EvaluationContext::at(case.at);
        let decision = rule.decide(&record, &context).expect("no fault of ours");
        let rows = rows(rule, &record, &context);
        match rule.is_measure() {
            true => assert_eq!(rows, rule_rows(&decision)),
            false => assert_eq!(
                rows.last().copied(),
                decision.criterion("when").map(|o| o.truth)
            ),
        }
        rule.explain(&record, &context).expect("no fault of ours");
    }
}

fn rows(rule: &Rule, record: &PatientRecord, context: &EvaluationContext) -> Vec<Truth> {
    let rows = PatientProgram::rows(rule, record, context).expect("rows");
    rows.into_iter().map(|row| row.outcome).collect()
}

fn rule_rows(decision: &Decision) -> Vec<Truth> {
    let not = |truth| match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    };
    let and = |terms: &[Truth]| match terms {
        terms if terms.contains(&Truth::False) => Truth::False,
        terms if terms.contains(&Truth::Unknown) => Truth::Unknown,
        _ => Truth::True,
    };
    let of = |name| decision.criterion(name).map_or(Truth::Unknown, |o| o.truth);
    let [eligible, excluded, satisfied] = ["eligible", "excluded", "satisfied"].map(of);
    let numerator = and(&[eligible, not(excluded), satisfied]);
    vec![eligible, eligible, and(&[eligible, excluded]), numerator]
}

/// Whoever has no match of a necessary requirement may be left out: every row must be `false`.
fn check_necessary_requirements(rule: &Rule) {
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15"}"#)
        .expect("a patient");
    let at = DateTime::parse("2025-12-31T12:00:00Z").expect("a date");
    if !rule
        .necessary_requirements(0, RowOptions::default())
        .is_empty()
    {
        let rows = rows(rule, &record, &EvaluationContext::at(at));
        assert!(
            rows.iter().all(|row| *row == Truth::False),
            "left out, but not false: {rows:?}"
        );
    }
}

/// Every finding stands at a place of the file.
fn check(text: &str, found: &[Finding]) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for finding in found {
        let span = finding.place.span.as_ref().expect("a place");
        let line = span.line.checked_sub(1).expect("a line");
        let line = text.split('\n').nth(line).expect("a line of the file");
        let shown = line.split('\r').next().unwrap_or_default();
        // Of a very long line only the beginning is shown.
        assert!(shown.starts_with(span.text.as_deref().expect("its text")));
        let column = span.column.expect("a column");
        assert!(
            (1..=line.chars().count() + 1).contains(&column),
            "{finding:?}"
        );
        assert!(span.length >= 1 && !finding.message.is_empty());
        let _ = finding.to_string();
    }
}
