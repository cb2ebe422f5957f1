//! `rules::load` of arbitrary text; where it loads, its cases are run.
#![no_main]

use std::sync::LazyLock;

use cpu_time::ProcessTime;
use engine_patient::context::EvaluationContext;
use engine_patient::diagnostic::{Diagnostic, Severity};
use engine_patient::program::PatientProgram;
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
            assert!(
                rule.warnings
                    .iter()
                    .all(|d| d.severity == Severity::Warning)
            );
            check(text, &rule.warnings);
            let outcomes = rule.run_cases();
            assert_eq!(outcomes.len(), rule.cases.len());
            agree(&rule);
            decisive(&rule);
        }
        Err(found) => {
            assert!(
                found.iter().any(|d| d.severity == Severity::Error),
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
        let decision = rule.decide(&record, &context);
        let rows = rows(rule, &record, &context);
        assert_eq!(rows, rule_rows(&decision));
        rule.explain(&record, &context);
    }
}

fn rows(rule: &Rule, record: &PatientRecord, context: &EvaluationContext) -> Vec<Truth> {
    let mut rows = vec![];
    rule.evaluate(record, context, &[true], &mut rows)
        .expect("rows");
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
    let [eligible, excluded, satisfied] =
        [&decision.eligible, &decision.excluded, &decision.satisfied].map(|o| o.truth);
    let numerator = and(&[eligible, not(excluded), satisfied]);
    vec![eligible, eligible, and(&[eligible, excluded]), numerator]
}

/// Whoever has no match of a decisive requirement may be left out: every row must be `false`.
fn decisive(rule: &Rule) {
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15"}"#)
        .expect("a patient");
    let at = DateTime::parse("2025-12-31T12:00:00Z").expect("a date");
    if !rule.decisive_requirements(0).is_empty() {
        let rows = rows(rule, &record, &EvaluationContext::at(at));
        assert!(
            rows.iter().all(|row| *row == Truth::False),
            "left out, but not false: {rows:?}"
        );
    }
}

/// Every finding stands at a place of the file.
fn check(text: &str, found: &[Diagnostic]) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for diagnostic in found {
        let line = diagnostic.line.checked_sub(1).expect("a line");
        let line = text.split('\n').nth(line).expect("a line of the file");
        let shown = line.split('\r').next().unwrap_or_default();
        // Of a very long line only the beginning is shown.
        assert!(shown.starts_with(&diagnostic.text));
        assert!(
            (1..=line.chars().count() + 1).contains(&diagnostic.column),
            "{diagnostic:?}"
        );
        assert!(diagnostic.length >= 1 && !diagnostic.message.is_empty());
        let _ = diagnostic.to_string();
    }
}
