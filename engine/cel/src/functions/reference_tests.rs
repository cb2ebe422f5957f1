use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::terminology::{Code, ValueSet};

use super::super::all;
use super::page;
use crate::explain::show;
use crate::{Checker, Evaluation};

/// The patient of the page.
const PATIENT: &str = include_str!("reference_patient.ndjson");

/// The value sets that examples name: one code each, which is their name.
fn value_sets() -> Vec<(String, Arc<ValueSet>)> {
    let names = [
        "hba1c",
        "bp",
        "systolic",
        "diastolic",
        "diabetes",
        "visit",
        "colonoscopy",
        "influenza",
        "creatinine",
        "weight",
        "height",
    ];
    let set = |name: &str| {
        let code = Code {
            system: "urn:example".into(),
            version: None,
            code: name.into(),
            display: None,
        };
        ValueSet::from_codes(&format!("urn:vs:{name}"), None, vec![code], "test")
    };
    names
        .map(|name| (name.to_owned(), Arc::new(set(name))))
        .into()
}

#[test]
fn examples_give_what_their_rows_say() {
    let mut record = PatientRecord::new();
    for line in PATIENT.lines() {
        record.push(line).unwrap();
    }
    record.seal();
    let context = EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap());
    let mut wrong = vec![];
    for info in all() {
        let mut checker = Checker::new(value_sets());
        let compiled = checker.compile(info.example, None);
        let compiled = compiled.unwrap_or_else(|p| panic!("{}: {p:?}", info.example));
        let sets: Vec<_> = checker.value_sets().cloned().collect();
        let evaluation = Evaluation::new(&record, &context, checker.requirements(), &sets, &[]);
        let given = show(&evaluation.evaluate(&compiled).unwrap());
        if given != info.gives {
            wrong.push(format!("{}: {given}, not {}", info.example, info.gives));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_is_that_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/functions.md");
    if std::env::var_os("TANDEM_SNAPSHOTS").is_some_and(|v| v == "write") {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == page(),
        "rules/functions.md is not what the table says: `tandem rule functions --format markdown > rules/functions.md`"
    );
}
