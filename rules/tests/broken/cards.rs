//! What is wrong with what a card offers.

use crate::alerts::check;

#[test]
fn urgency() {
    check(
        "indicator_from: row.urgency\n  summary",
        "⟦s⟧ummary",
        "missing-field",
        "`indicator`",
    );
    check(
        "indicator_from: row.urgency",
        "indicator: info\n  indicator_from: ⟦row.urgency⟧",
        "wrong-value",
        "keep one",
    );
    check(
        "indicator_from: row.urgency",
        "indicator_from: ⟦row.limit⟧",
        "wrong-type",
        "must be a text",
    );
    check(
        "indicator_from: row.urgency",
        "indicator_from: ⟦row.text⟧",
        "wrong-value",
        "gives `bleeding` for row 1",
    );
}

#[test]
fn sources_links_and_reasons() {
    check(
        "url: \"https://example.org/more\"",
        "url: ⟦example.org⟧",
        "wrong-value",
        "`https://`",
    );
    check(
        "{label: More,",
        "{⟦name⟧: More, label: M,",
        "unknown-field",
        "label",
    );
    check(
        "{code: known,",
        "{⟦cod⟧: known, code: x,",
        "unknown-field",
        "did you mean `code`?",
    );
    check(
        "url: \"https://example.org/{{ row.text }}\"",
        "url: \"https://example.org/{{ ⟦row.txt⟧ }}\"",
        "unknown-element",
        "did you mean `row.text`?",
    );
}

#[test]
fn suggestions() {
    let reasons = "override_reasons: [{code: known, display: Known}]";
    let end = format!("  {reasons}\n  suggestions:\n    - label: Remove");
    check(
        &format!("  selection: at-most-one\n{end}"),
        &end.replace("- label", "⟦-⟧ label"),
        "missing-field",
        "at-most-one",
    );
    check("at-most-one", "⟦one⟧", "wrong-value", "`at-most-one`");
    for subject in [
        "set: {subject: ⟦Patient/patient⟧, ",
        "set: {subject: {reference: ⟦Patient/patient⟧}, ",
    ] {
        check(
            "set: {medication: rxnorm|6809, ",
            subject,
            "wrong-value",
            "write `\"{{ reference(patient) }}\"`",
        );
    }
    check(
        "recommended: true",
        "recommended: ⟦yes⟧",
        "wrong-value",
        "`true`",
    );
    check(
        "delete: order}",
        "delete: ⟦taken⟧}",
        "wrong-type",
        "must be a resource",
    );
    check(
        "{description: Remove it, delete: order}",
        "⟦{⟧description: Remove it, delete: order, update: order}",
        "wrong-value",
        "one of `create`, `update` and `delete`",
    );
    check(
        "set: {medication: rxnorm|6809, intent: order}",
        "set: {⟦medicaton⟧: rxnorm|6809}",
        "unknown-element",
        "did you mean",
    );
    check(
        "set: {medication: rxnorm|6809, intent: order}",
        "set: {intent: ⟦ordr⟧}",
        "not-a-code",
        "did you mean `order`?",
    );
    check(
        "- description: Change it\n          update: order\n          set: {medication: rxnorm|6809, intent: order}\n",
        "- ⟦d⟧escription: Change it\n          update: order\n",
        "missing-field",
        "`update` needs `set`",
    );
}

#[test]
fn what_is_set() {
    let set = "set: {medication: rxnorm|6809, intent: order}";
    for (to, code, words) in [
        (
            "{⟦resourceType⟧: Observation}",
            "wrong-value",
            "cannot replace",
        ),
        (
            "{intent: order, ⟦id⟧: other}",
            "wrong-value",
            "cannot replace `id`",
        ),
        ("⟦{}⟧", "missing-field", "`set` is empty"),
        (
            "{medication: rxnorm|6809, ⟦medicationReference⟧: Medication/1}",
            "choice",
            "at most one",
        ),
        (
            "{dispenseRequest: {numberOfRepeatsAllowed: ⟦-1⟧}}",
            "wrong-value",
            "from 0",
        ),
    ] {
        check(set, &format!("set: {to}"), code, words);
    }
}

#[test]
fn resources() {
    check(
        "{resourceType: ServiceRequest, status: draft, intent: order, code: loinc|34714-6,",
        "⟦{⟧resourceType: MedicationRequest, statusReason: {text: Why}, intent: order, medication: rxnorm|6809,",
        "missing-field",
        "needs `status`",
    );
    check(
        "{resourceType: ServiceRequest,",
        "{resourceType: ⟦ServiceRequst⟧,",
        "unknown-resource",
        "did you mean `ServiceRequest`?",
    );
    check(
        "resourceType: ServiceRequest, status: draft,",
        "resourceType: ServiceRequest, status: ⟦drft⟧,",
        "not-a-code",
        "did you mean `draft`?",
    );
    check(
        "\"{{ reference(patient) }}\"",
        "\"{{ ⟦refrence(patient)⟧ }}\"",
        "unknown-function",
        "did you mean `reference`?",
    );
    check(
        "\"{{ reference(patient) }}\"",
        "\"{{ ⟦patient⟧ }}\"",
        "wrong-type",
        "`{{ reference(x) }}`",
    );
    check(
        "{resourceType: ServiceRequest, status: draft, intent: order, code: loinc|34714-6, subject: \"{{ reference(patient) }}\"}",
        "⟦{⟧resourceType: ServiceRequest, status: draft, intent: order, code: loinc|34714-6}",
        "missing-field",
        "needs `subject`",
    );
}
