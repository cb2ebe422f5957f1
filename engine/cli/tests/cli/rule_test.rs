//! `tandem rule test`: what it refuses, what it shows of a case that fails, how it ends.

use serde_json::Value;

use crate::support::{file, folder};

/// A rule that is right; each test below spoils a piece of it.
const RULE: &str = r#"id: high
version: 1.0.0
kind: care-gap
title: HbA1c above 8
description: Adults with diabetes without a recent HbA1c under 8 percent.
rationale: Why.
source: {title: T, publisher: P, year: 2024, url: "https://example.org", strength: A}
improvement: increase
value_sets:
  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab
  diabetes: https://tandem-cds.dev/ValueSet/diabetes
eligible: Condition("diabetes").exists(c, active(c)) && ageInYearsAt(at) >= 18
excluded: "false"
satisfied: >
  Observation("hba1c").exists(o,
    isFinal(o) && quantityIn(o.value, "%") < 8.0)
unknown: card
card:
  indicator: info
  summary: HbA1c is high
  detail: Ask.
  unknown_summary: Not known
cases:
  - name: high
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Condition, code: icd10cm|E11.9, clinicalStatus: active}
      - {resourceType: Observation, status: final, code: loinc|4548-4, effective: 2025-08-01, value: 9.4 %}
    expect: {applies: yes}
  - name: good
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Condition, code: icd10cm|E11.9, clinicalStatus: active}
      - {resourceType: Observation, status: final, code: loinc|4548-4, effective: 2025-08-01, value: 7.1 %}
    expect: {satisfied: true, applies: no}
  - name: a child
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 2015-01-01}
    resources:
      - {resourceType: Condition, code: icd10cm|E11.9, clinicalStatus: active}
    expect: {eligible: false, applies: no}
  - name: no age
    at: 2025-12-31T12:00:00Z
    resources:
      - {resourceType: Condition, code: icd10cm|E11.9, clinicalStatus: active}
    expect: {applies: unknown}
"#;

fn spoilt(from: &str, to: &str) -> String {
    assert!(RULE.contains(from), "{from}");
    RULE.replacen(from, to, 1)
}

#[test]
fn a_good_rule_passes_and_is_summed_up() {
    let dir = folder();
    let path = file(dir.path().join("high.yaml"), RULE);
    let ran = tandem!("rule", "test", &path).ok();
    assert_eq!(
        ran.out,
        "high: 4 passed, 0 failed\n  conditions: true and false seen of 5 of 8 (81.2 %); --coverage lists them\n1 rule: 4 cases passed, 0 failed\n"
    );
    assert_eq!(ran.err, "");
}

/// In `rule test`, in a run and in the service alike, all at once, with the exit code of a mistake.
#[test]
fn what_can_never_hold_is_refused_wherever_rules_are_read() {
    let dir = folder();
    let text = spoilt("isFinal(o)", "o.status == \"finall\"").replacen("\"%\"", "\"percent\"", 1);
    let text = text.replacen(
        "Condition(\"diabetes\").exists(c, active(c))",
        "Observation(\"diabetes\").size() > 0",
        1,
    );
    let text = text.replacen("status: final,", "status: Final,", 1);
    let path = file(dir.path().join("high.yaml"), &text);
    let says = [
        "error[not-a-code]: `finall` is no code of `Observation.status`",
        "help: did you mean `final`?",
        "error[not-a-unit]: `percent` is not a unit of UCUM",
        "help: write `%`",
        "error[wrong-value-set]: `diabetes` has codes of ICD-10-CM only",
        "`Condition(\"diabetes\")`",
        "error[not-a-code]: `Final` is no code of `Observation.status`",
        "high.yaml:29:45",
        "4 errors",
    ];
    tandem!("rule", "test", &path).fails(2, &says);
    tandem!("serve", "--insecure-dev", "--rules", &path).fails(2, &says);
    let lake = dir.path().join("lake");
    tandem!(
        "measure",
        "run",
        "--rules",
        &path,
        "--lake",
        &lake,
        "--period",
        "2025-01-01..2025-12-31"
    )
    .fails(2, &says);
    let json = tandem!("rule", "test", &path, "--format", "json");
    assert_eq!(json.code, 2, "{}", json.text());
    let told: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["summary"]["errors"], 4);
    let first = &told["findings"][0];
    assert_eq!(
        (&first["code"], &first["line"], &first["column"]),
        (&"wrong-value-set".into(), &12.into(), &11.into())
    );
}

/// A rule that no case shows to be satisfied is refused, though one in use goes on with a warning; what else
/// the cases do not show is told.
#[test]
fn what_the_cases_do_not_show_is_told() {
    let dir = folder();
    let text = spoilt("value: 7.1 %", "value: 9.1 %")
        .replace("{satisfied: true, applies: no}", "{applies: yes}");
    let path = file(dir.path().join("high.yaml"), &text);
    let says = [
        "error[missing-case]",
        "`satisfied` is true in none",
        "expect: {applies: no, satisfied: true}",
    ];
    tandem!("rule", "test", &path).fails(2, &says);
    let patient = r#"{"resourceType": "Patient", "id": "p", "birthDate": "1960"}"#;
    let patient = file(dir.path().join("patient.json"), patient);
    let ran = tandem!("rule", "eval", &path, "--patient", &patient).ok();
    assert!(ran.err.contains("warning[missing-case]"), "{}", ran.err);

    let text = spoilt(
        "excluded: \"false\"",
        "excluded: ageInYearsAt(at) > 100 && patient.gender == \"other\"",
    );
    let path = file(dir.path().join("high.yaml"), &text);
    let ran = tandem!("rule", "test", &path).ok();
    assert!(
        ran.err
            .contains("warning[one-outcome]: `excluded` is true in no case"),
        "{}",
        ran.err
    );
    assert!(
        ran.out
            .ends_with("1 rule: 4 cases passed, 0 failed; 1 warning\n"),
        "{}",
        ran.out
    );
}

/// A rule that cannot be read is in the line that sums up; a folder or a name without its ending is told.
#[test]
fn what_was_refused_is_counted() {
    let dir = folder();
    let path = file(dir.path().join("high.yaml"), RULE);
    file(dir.path().join("low.yaml"), spoilt("isFinal", "isFinall"));
    let ran = tandem!("rule", "test", dir.path());
    assert_eq!(ran.code, 2, "{}", ran.text());
    let last = "1 rule: 4 cases passed, 0 failed; 1 rule refused\n";
    assert!(ran.out.ends_with(last), "{}", ran.out);
    let chart = file(dir.path().join("chart.json"), "{}");
    let eval = |rule: &std::path::Path| {
        tandem!(
            "rule",
            "eval",
            rule,
            "--patient",
            &chart,
            "--at",
            "2025-12-31"
        )
    };
    let ran = eval(dir.path());
    assert_eq!(ran.code, 2, "{}", ran.text());
    assert!(ran.err.contains("is a folder"), "{}", ran.err);
    let ran = eval(&path.with_extension(""));
    assert_eq!(ran.code, 2, "{}", ran.text());
    assert!(ran.err.contains("did you mean the file"), "{}", ran.err);
}

/// What differed, where the case and the expression stand, and the parts with their values.
#[test]
fn a_failed_case_shows_why() {
    let dir = folder();
    let text = spoilt("value: 7.1 %", "value: 8.1 %");
    let path = file(dir.path().join("high.yaml"), &text);
    let ran = tandem!("rule", "test", &path);
    assert_eq!(ran.code, 1, "{}", ran.text());
    for part in [
        "high: 3 passed, 1 failed",
        "high.yaml:31: good",
        "`satisfied` should be true, is false",
        "`applies` should be no, is yes",
        "why: satisfied (",
        "high.yaml:15)",
        "Observation/observation-2",
        "1 rule: 3 cases passed, 1 failed",
    ] {
        assert!(ran.out.contains(part), "{part}:\n{}", ran.out);
    }
    assert!(!ran.out.contains("why: eligible"), "{}", ran.out);
    let ran = tandem!("rule", "test", &path, "--format", "json");
    assert_eq!(ran.code, 1, "{}", ran.text());
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let case = &told["rules"][0]["cases"][1];
    assert_eq!(
        (&case["passed"], &case["line"]),
        (&false.into(), &31.into())
    );
    let difference = &case["differences"][0];
    assert_eq!(
        (
            &difference["field"],
            &difference["expected"],
            &difference["found"]
        ),
        (&"satisfied".into(), &"true".into(), &"false".into())
    );
    let why = &case["why"][0];
    assert_eq!(
        (&why["field"], &why["line"]),
        (&"satisfied".into(), &15.into())
    );
    assert_eq!(why["outcome"]["truth"], "false");
    assert_eq!(told["summary"]["failed"], 1);
}

#[test]
fn nothing_to_test_is_a_mistake() {
    let dir = folder();
    file(dir.path().join("notes.txt"), "no rule");
    tandem!("rule", "test", dir.path()).fails(2, &["nothing in this folder to read", ".yaml"]);
    let json = tandem!("rule", "test", dir.path(), "--format", "json");
    assert_eq!(json.code, 2, "{}", json.text());
}

/// As in a run: their rows and cards could not be told apart. The others are tested all the same.
#[test]
fn two_rules_with_one_id_are_refused() {
    let dir = folder();
    file(dir.path().join("a/high.yaml"), RULE);
    file(dir.path().join("b/high.yaml"), RULE);
    let says = [
        "error[duplicate-rule]: two rules have the id `high`",
        "a/high.yaml",
    ];
    tandem!("rule", "test", dir.path()).fails(2, &says);
    let lake = dir.path().join("lake");
    tandem!(
        "measure",
        "run",
        "--rules",
        dir.path(),
        "--lake",
        &lake,
        "--period",
        "2025-01-01..2025-12-31"
    )
    .fails(2, &says);
    let dir = folder();
    let text = spoilt("id: high", "id: hba1c-control");
    let path = file(dir.path().join("hba1c-control.yaml"), &text);
    tandem!("serve", "--insecure-dev", "--rules", &path).fails(2, &["`hba1c-control`", "built in"]);
    // By itself it may be tested.
    tandem!("rule", "test", &path).ok();
}
