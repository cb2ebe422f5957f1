//! What is wrong with alerts and families.

use engine_patient::finding::Finding;
use rules::{Library, Surroundings, built_in_drugs, built_in_terminology, load_with};

use crate::{is_told, spoilt};

/// A good family.
pub const FAMILY: &str = r#"id: pairs
version: 1.0.0
kind: family
title: Pairs
description: What does not go together.
rationale: Why.
status: draft
review: 2027-01-01
hooks: [order-select, order-sign]
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
table:
  file: pairs.csv
  columns: {a: drugs, b: drugs, limit: number, urgency: indicator}
for_each: {order: selections("MedicationRequest")}
define:
  taken: medications()
  hits: isDrug(order, row.a) && taken.exists(m, isDrug(m, row.b))
when: hits && taken.size() < row.limit
acted_on: order.status == "cancelled"
one_card_per: row.text
cooldown: {days: 30}
unknown: card
card:
  indicator_from: row.urgency
  summary: "{{ drugName(order) }}: {{ row.text }}"
  detail: "{{ row.text }}"
  unknown_summary: Pairs could not be checked
  source: {label: "{{ row.text }}", url: "https://example.org/{{ row.text }}"}
  links: [{label: More, url: "https://example.org/more"}]
  selection: at-most-one
  override_reasons: [{code: known, display: Known}]
  suggestions:
    - label: Remove
      recommended: true
      actions:
        - {description: Remove it, delete: order}
    - label: Another
      actions:
        - description: Change it
          update: order
          set: {medication: rxnorm|6809, intent: order}
    - label: A test
      actions:
        - description: Order it
          create: {resourceType: ServiceRequest, status: draft, intent: order, code: loinc|34714-6, subject: "{{ reference(patient) }}"}
cases:
  - name: both
    at: 2025-12-31T12:00:00Z
    hook: order-sign
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, subject: Patient/patient}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|1191, subject: Patient/patient}
    expect: {applies: yes, cards: 1, indicator: critical, suggestions: [Remove, Another, A test]}
  - name: nothing is taken
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    user: Practitioner/1
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|1191, subject: Patient/patient}
    selections: [MedicationRequest/draft-1]
    expect: {applies: no}
  - name: no code
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, subject: Patient/patient}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, subject: Patient/patient}
    expect: {applies: unknown}
"#;

/// Its table.
pub const PAIRS: &str = "a,b,limit,urgency,text\naspirin|ibuprofen,class:vka,5,critical,bleeding\n\"fluoxetine\",class:maoi,2.5,warning,\"fever, tremor\"\n";

pub fn found(text: &str, table: Option<&str>, library: Option<&Library>) -> Vec<Finding> {
    let terminology = built_in_terminology();
    let surroundings = Surroundings {
        terminology: &terminology,
        drugs: built_in_drugs(),
        library,
        tables: &|_| table.map(|t| t.as_bytes().to_vec()),
    };
    match load_with("rules/pairs.yaml", text, &surroundings) {
        Ok(rule) => {
            for case in rule.run_cases() {
                assert_eq!(case.failures, Vec::<String>::new(), "{}", case.name);
            }
            rule.warnings
        }
        Err(found) => found,
    }
}

/// Replaces a piece of the good family, as `check` does.
pub fn check(from: &str, to: &str, code: &str, words: &str) {
    let (text, marked) = spoilt(FAMILY, from, to);
    let found = found(&text, Some(PAIRS), None);
    is_told(&found, "rules/pairs.yaml", &text, marked, code, words);
}

#[test]
fn the_good_family_is_good() {
    let found = found(FAMILY, Some(PAIRS), None);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn names_of_items() {
    check(
        "for_each: {order:",
        "for_each: {⟦hook⟧:",
        "bad-name",
        "word of the language",
    );
    let list = "selections(\"MedicationRequest\")}\ndefine:\n";
    check(
        &format!("for_each: {{order: {list}"),
        &format!("for_each: {{⟦order⟧: {list}  order: at\n"),
        "bad-name",
        "definition, too",
    );
    // The items of a list may have the name of the item.
    let same = FAMILY
        .replace("selections(\"MedicationRequest\")", "drafted")
        .replace(
            "  taken: medications()\n",
            "  taken: medications()\n  drafted: selections(\"MedicationRequest\").filter(order, reference(order) != \"\")\n",
        );
    let told = found(&same, Some(PAIRS), None);
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn fields_by_kind() {
    let of_gap = "`eligible` is a field of a care gap, this is a family";
    check(
        "when: hits",
        "⟦eligible⟧: \"true\"\nwhen: hits",
        "unknown-field",
        of_gap,
    );
    check(
        "when: hits && taken.size() < row.limit\n",
        "",
        "missing-field",
        "a family needs the field `when`",
    );
    check(
        "hooks: [order-select, order-sign]\n",
        "",
        "missing-field",
        "`hooks`",
    );
    let alert = found(
        &FAMILY.replace("kind: family", "kind: alert"),
        Some(PAIRS),
        None,
    );
    assert_eq!(
        alert[0].message,
        "`table` is a field of a family, this is an alert"
    );
    check(
        "kind: family",
        "kind: ⟦familie⟧",
        "wrong-value",
        "did you mean `family`?",
    );
    check(
        "status: draft",
        "status: ⟦drft⟧",
        "wrong-value",
        "did you mean `draft`?",
    );
    check(
        "review: 2027-01-01",
        "review: ⟦2027⟧",
        "wrong-value",
        "as in `2027-01-01`",
    );
    check(
        "[order-select,",
        "[⟦order-selct⟧,",
        "wrong-value",
        "did you mean `order-select`?",
    );
    check(
        "[order-select, order-sign]",
        "[order-sign, ⟦order-sign⟧]",
        "wrong-value",
        "second time",
    );
    check(
        "[order-select, order-sign]",
        "⟦[]⟧",
        "missing-field",
        "`hooks` is empty",
    );
    check("{days: 30}", "{days: ⟦0⟧}", "wrong-value", "from 1 to 3650");
    check(
        "{days: 30}",
        "{⟦weeks⟧: 4, days: 3}",
        "unknown-field",
        "days",
    );
}

#[test]
fn items_and_rows() {
    check(
        "{order: selections(\"MedicationRequest\")}",
        "⟦{a: medications(), b: medications()}⟧",
        "wrong-value",
        "one name and its list",
    );
    check(
        "{order: selections",
        "{order: ⟦at⟧} #",
        "wrong-type",
        "a list",
    );
    check(
        "isDrug(order, row.a)",
        "isDrug(order, ⟦row.c⟧)",
        "unknown-element",
        "did you mean `row.a`?",
    );
    check(
        "isDrug(order, row.a)",
        "isDrug(⟦ordre⟧, row.a)",
        "unknown-name",
        "did you mean `order`?",
    );
    check(
        "one_card_per: row.text",
        "one_card_per: ⟦row.limit⟧",
        "wrong-type",
        "must be a text",
    );
    check(
        "taken.size() < row.limit",
        "⟦taken.size() < row.text⟧",
        "wrong-type",
        "have no order",
    );
    check(
        "acted_on: order.status",
        "acted_on: order.⟦staus⟧",
        "unknown-element",
        "did you mean `status`?",
    );
}

#[test]
fn cases_of_alerts() {
    check(
        "hook: order-sign",
        "hook: ⟦patient-view⟧",
        "wrong-value",
        "none of the rule's `hooks`",
    );
    check(
        "selections: [MedicationRequest/draft-1]",
        "selections: [⟦draft-1⟧]",
        "wrong-value",
        "its type and id",
    );
    check(
        "user: Practitioner/1",
        "user: ⟦me⟧",
        "wrong-value",
        "does not name a resource",
    );
    check(
        "cards: 1, indicator",
        "⟦eligible⟧: true, indicator",
        "unknown-field",
        "this is a family",
    );
    check(
        "cards: 1,",
        "cards: ⟦many⟧,",
        "wrong-value",
        "a whole number",
    );
    let decided = FAMILY
        .replace(
            ", status: draft, intent: order, subject",
            ", status: draft, intent: order, medication: rxnorm|6809, subject",
        )
        .replace("applies: unknown}", "applies: no}");
    let missing = found(&decided, Some(PAIRS), None);
    assert!(
        missing[0].message.contains("whose data is missing"),
        "{missing:?}"
    );
    let silent = FAMILY
        .replace("unknown: card", "unknown: silent")
        .replace("applies: unknown}", "applies: unknown, cards: 0}");
    assert!(found(&silent, Some(PAIRS), None).is_empty());
}
