//! The example of every code is run, and gives the code; `Prose` in the table marks those that are a
//! situation, told in words.

use std::sync::Arc;

use engine_cel::{Checker, Ty};
use engine_fhirpath::views::ViewDefinition;
use engine_patient::finding::{Code, ExampleOf, Finding};
use engine_patient::terminology::{TerminologyBuilder, TerminologyProvider, ValueSet};
use serde_json::{Value, json};

use crate::logic;

/// A rule without a finding: the fields of an example take the place of its own.
const RULE: &str = r#"id: example
version: 1.0.0
kind: care-gap
title: An example
description: A description.
rationale: A rationale.
source: {title: T, publisher: P, year: 2024, url: https://example.org, strength: A}
improvement: increase
eligible: ageInYearsAt(at) >= 18
excluded: "false"
satisfied: patient.gender == "female"
unknown: card
card:
  indicator: info
  summary: It is due
  detail: A detail.
  unknown_summary: It is not known whether it is due
cases:
  - name: met
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01, gender: female}
    expect: {applies: no}
  - name: due
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01, gender: male}
    expect: {applies: yes}
  - name: not known
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    expect: {applies: unknown}
"#;

/// The fields of a YAML mapping: each with the lines that belong to it.
fn fields(text: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = vec![];
    for line in text.lines() {
        match (line.starts_with(' '), fields.last_mut()) {
            (true, Some((_, lines))) => *lines += &format!("{line}\n"),
            _ => fields.push((line.split(':').next().unwrap(), format!("{line}\n"))),
        }
    }
    fields
}

fn rule(example: &str) -> Vec<Finding> {
    let new = fields(example);
    let mut text: String = fields(RULE)
        .into_iter()
        .filter(|(name, _)| !new.iter().any(|(other, _)| other == name))
        .map(|(_, lines)| lines)
        .collect();
    new.iter().for_each(|(_, lines)| text += lines);
    let id = if example.starts_with("id:") {
        "x"
    } else {
        "example"
    };
    match rules::load(&format!("{id}.yaml"), &text, &rules::built_in_terminology()) {
        Ok(rule) => rule.warnings,
        Err(found) => found,
    }
}

/// The properties of an example take the place of those of a view without a finding.
fn view(example: &str) -> Vec<Finding> {
    let mut view =
        json!({"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]}]});
    let Value::Object(new) = serde_json::from_str(example).unwrap() else {
        unreachable!("{example}")
    };
    view.as_object_mut().unwrap().extend(new);
    view.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    match ViewDefinition::from_json(&view.to_string()) {
        Ok(view) => view.warnings,
        Err(found) => found,
    }
}

fn hba1c() -> (String, Arc<ValueSet>) {
    let terminology = rules::built_in_terminology();
    let set = terminology.value_set("https://tandem-cds.dev/ValueSet/hba1c-lab");
    ("hba1c".to_owned(), set.unwrap())
}

fn run(of: ExampleOf, example: &str) -> Vec<Finding> {
    match of {
        ExampleOf::Prose => vec![],
        ExampleOf::Rule => rule(example),
        ExampleOf::SqlMeasure => measures_run::sql::load("m.yaml", example)
            .err()
            .unwrap_or_default(),
        ExampleOf::Cel => Checker::new(vec![hba1c()])
            .compile(example, Some(&Ty::Bool))
            .err()
            .unwrap_or_default(),
        ExampleOf::Terminology => {
            let mut builder = TerminologyBuilder::new();
            builder.add_json("example.json", example.as_bytes());
            builder.build().1
        }
        ExampleOf::Elm => logic::one(serde_json::from_str(example).unwrap()),
        ExampleOf::Path => {
            let column = json!([{"column": [{"name": "a", "path": example}]}]);
            view(&json!({ "select": column }).to_string())
        }
        ExampleOf::View => view(example),
    }
}

#[test]
fn every_example_gives_its_code() {
    let mut wrong = vec![];
    for code in Code::ALL {
        let entry = code.entry();
        if entry.example_of == ExampleOf::Prose {
            continue;
        }
        let found = run(entry.example_of, entry.example);
        if !found.iter().any(|f| f.code == *code) {
            let found: Vec<_> = found.iter().map(|f| f.code.as_str()).collect();
            wrong.push(format!("{code}: {} gives {found:?}", entry.example));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Otherwise an example could be taken for one of what is wrong in what surrounds it.
#[test]
fn what_surrounds_the_examples_is_right() {
    assert_eq!(rule(""), []);
    assert_eq!(view("{}"), []);
    assert_eq!(logic::one(json!({"type": "Null"})), []);
}
