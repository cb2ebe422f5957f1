//! Rules, their expressions, and SQL measures.

use engine_cel::{Checker, Ty};
use engine_patient::finding::{Code, Finding, Severity};
use engine_patient::terminology::TerminologyBuilder;

use crate::{Case, case, snapshot, snapshot_json};

/// Every kind of mistake in one file.
const WRONG: &str = r#"id: Gap
version: 1.0
kind: caregap
titel: A gap
description: [one, two]
rationale: ""
source: {title: T, publisher: P, year: soon, url: example.org, strength: A}
improvement: up
value_sets:
  diabetes: https://tandem-cds.dev/ValueSet/diabets
  unused: https://tandem-cds.dev/ValueSet/hba1c-lab
define:
  in: "true"
  recent: Observation("hba1c").newest()
eligible: ageInYearsAt(at) >= "18"
excluded: patient.birthdate == at
satisfied: |
  recent.size() > 0 &&
    Condition("diabetis").exists(c, c.onset < at)
due: at + months(3)
unknown: card
card:
  indicator: info
  summary: 'It is due: {{ recent.size()'
  detail: First line
  unknown_summary: Not checked
cases:
  - name: fires
    at: yesterday
    patient: {birthDate: 1960}
    expect: {applies: yes}
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {birthdate: 1960}
    expect: {applies: no}
"#;

fn rule(text: &str) -> Vec<Finding> {
    let set = |url: &str, expansion: &str| {
        format!(r#"{{"resourceType":"ValueSet","url":"{url}","expansion":{{{expansion}}}}}"#)
    };
    let mut builder = TerminologyBuilder::new();
    builder.add_json(
        "empty.json",
        set("http://x/empty", r#""contains":[]"#).as_bytes(),
    );
    let part = r#""total":9,"contains":[{"system":"s","code":"a"}]"#;
    builder.add_json("part.json", set("http://x/part", part).as_bytes());
    let (own, _) = builder.build();
    let mut store = rules::built_in_terminology();
    store.unite(own);
    match rules::load("rules/gap.yaml", text, &store) {
        Ok(rule) => rule.warnings,
        Err(found) => found,
    }
}

fn expression(text: &str) -> Case {
    let found = Checker::new(vec![]).compile(text, Some(&Ty::Bool));
    case(text, found.err().unwrap_or_default())
}

#[test]
fn a_rule_with_many_mistakes() {
    let sets = WRONG.replace(
        "  unused:",
        "  empty: http://x/empty\n  part: http://x/part\n  unused:",
    );
    let mut of_value_sets = rule(&sets);
    of_value_sets.retain(|f| f.severity == Severity::Warning);
    let cases = [
        case("a rule with many mistakes", rule(WRONG)),
        case("value sets without codes, or with a part", of_value_sets),
        case("not YAML", rule("id: gap\ntitle: A gap: b\n")),
        case("a key twice", rule("id: gap\nid: gap\n")),
        case(
            "control characters",
            rule("id: \"gap\"\ntitle: \"\u{1b}[2J\u{202e}\"\nsource: \u{7f}\u{200b}x\n"),
        ),
    ];
    snapshot("rule.txt", &cases);
    snapshot_json("rule.json", &cases[..1]);
}

/// Nothing is misspelt, and yet it can never hold.
const MEANINGLESS: &[(&str, &str)] = &[
    (
        "eligible: ageInYearsAt(at) >= \"18\"",
        "eligible: ageInYearsAt(at) > 75 && ageInYearsAt(at) < 18 && Condition(\"set\").size() >= 0",
    ),
    (
        "excluded: patient.birthdate == at",
        "excluded: patient.gender != \"male\" || patient.gender != \"female\"",
    ),
    (
        "  in: \"true\"",
        "  late: Observation(\"set\").during(at, at - years(1)).size() > 0",
    ),
    ("/diabets", "/diabetes"),
    (
        "patient: {birthDate: 1960}",
        "patient: {birthDate: 1960, gender: F}",
    ),
];

#[test]
fn a_rule_that_can_never_hold() {
    let text = MEANINGLESS
        .iter()
        .fold(WRONG.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
    let text = text.replace("  unused:", "  set:");
    let mut found = rule(&text);
    found.retain(|f| MEANS.contains(&f.code));
    let cases = [case("a rule that can never hold", found)];
    snapshot("never.txt", &cases);
}

/// The kinds that are told of what is well formed.
const MEANS: &[Code] = &[
    Code::NotACode,
    Code::WrongValueSet,
    Code::NeverHolds,
    Code::AlwaysHolds,
];

#[test]
fn expressions() {
    let texts = [
        "",
        "patient.gender = 'female'",
        "patient.gender == 'female' and true",
        "patent.gender == 'female'",
        "patient.birthdate < at",
        "patient.birthDate > 18",
        "Observations().size() > 0",
        "Patient(\"diabetes\").size() > 0",
        "Observation().value > 1",
        "Observation().latest().value.unit == 'kg'",
        "ageInYearsAt() > 3",
        "at > date(\"31.12.2025\")",
        "has(patient.deceasedBoolean)",
        "patient.birthDate == null",
        "Observation().exists(o,\n  o.status == 'final' &&\n  o.efective < at)",
        "1 + 1",
        "'open",
        "Observation().exists(o, o.status == 'finall' || o.status in ['Final', 'amended'])",
        "Condition().exists(c, c.clinicalStatus.coding.exists(k, k.code == 'Active'))",
        "quantityIn(Observation().latest().value, 'ml/min/1.73m2') < 60",
        "quantityIn(Observation().latest().value, 'g/L') > quantityIn(Observation().earliest().value, 'mg/dL')",
    ];
    let cases: Vec<Case> = texts.iter().map(|text| expression(text)).collect();
    snapshot("expressions.txt", &cases);
}

#[test]
fn sql_measures() {
    let load = |text: &str| {
        measures_run::sql::load("m.yaml", text)
            .err()
            .unwrap_or_default()
    };
    let cases = [
        case("a list", load("- id: m\n")),
        case(
            "fields that are wrong",
            load("id: m\ntitel: T\nimprovement: up\nsql: [1]\n"),
        ),
    ];
    snapshot("sql.txt", &cases);
}
