//! Fields of a care gap.

use rules::{built_in_terminology, load};

use crate::{GOOD, check, diagnose};

/// What `rule new` left to be written, in a rule that would be served.
#[test]
fn texts_that_are_still_to_be_written() {
    for (from, to) in [
        (
            "rationale: Why.",
            "rationale: ⟦TODO why it is worth an interruption⟧",
        ),
        (
            "url: \"https://example.org\"",
            "url: ⟦\"https://example.org/TODO\"⟧",
        ),
        (
            "unknown_summary: Not checked",
            "unknown_summary: ⟦TODO what could not be checked⟧",
        ),
    ] {
        check(from, to, "wrong-value", "set `status: draft`");
        let draft = GOOD.replacen(from, &to.replace(['⟦', '⟧'], ""), 1);
        let draft = draft.replacen("kind: care-gap", "status: draft\nkind: care-gap", 1);
        assert!(diagnose(&draft).is_empty());
    }
}

#[test]
fn fields() {
    check(
        "title: A gap",
        "⟦titel⟧: A gap",
        "unknown-field",
        "did you mean `title`",
    );
    check("title: A gap\n", "", "missing-field", "`title`");
    check("title: A gap", "⟦t⟧itle:", "missing-field", "is empty");
    check(
        "title: A gap",
        "title: ⟦[A, b]⟧",
        "wrong-kind",
        "must be a text",
    );
    check("id: gap", "id: ⟦Gap⟧", "bad-id", "small letters");
    check("id: gap", "id: ⟦other⟧", "bad-id", "rename the file");
    check("version: 1.0.0", "version: ⟦1.0⟧", "wrong-value", "1.0.0");
    check(
        "kind: care-gap",
        "kind: ⟦caregap⟧",
        "wrong-value",
        "did you mean `care-gap`",
    );
    check(
        "improvement: increase",
        "improvement: ⟦up⟧",
        "wrong-value",
        "`decrease`",
    );
    check(
        "unknown: card",
        "unknown: ⟦Card⟧",
        "wrong-value",
        "did you mean `card`",
    );
    check(
        "indicator: info",
        "indicator: ⟦alert⟧",
        "wrong-value",
        "`critical`",
    );
    check(
        "unknown: card",
        "include_deceased: ⟦yes⟧\nunknown: card",
        "wrong-value",
        "`true`, `false`",
    );
    check("year: 2025", "year: ⟦25⟧", "wrong-value", "is not a year");
    check(
        "\"https://example.org\"",
        "⟦example.org⟧",
        "wrong-value",
        "https://",
    );
}

#[test]
fn source_without_publisher() {
    check(
        "source: {title: T, publisher: P, ",
        "source: ⟦{⟧title: T, ",
        "missing-field",
        "`publisher`",
    );
    check(
        "source: {",
        "source: ⟦text⟧\nx: {",
        "wrong-kind",
        "must be a mapping",
    );
}

#[test]
fn names_and_value_sets() {
    check(
        "/hba1c-lab",
        "/hba1c-lab\n  b: ⟦https://tandem-cds.dev/ValueSet/hba1c-lap⟧",
        "unknown-value-set-url",
        "did you mean `https://tandem-cds.dev/ValueSet/hba1c-lab`",
    );
    check("  hba1c: ", "  ⟦hba 1c⟧: ", "bad-name", "value set");
    check(
        "define:",
        "define:\n  ⟦at⟧: at",
        "bad-name",
        "word of the language",
    );
    check(
        "define:",
        "define:\n  ⟦Recent⟧: at",
        "bad-name",
        "small letter",
    );
}

#[test]
fn lengths() {
    let long = "word ".repeat(30);
    check(
        "unknown_summary: Not checked",
        &format!("unknown_summary: ⟦{}⟧", long.trim()),
        "too-long",
        "139",
    );
    check(
        "summary: 'It''s due: {{ recent.size() }}'",
        &format!("summary: ⟦'{long} {{{{ at }}}}'⟧"),
        "too-long",
        "139",
    );
}

#[test]
fn what_is_unused_is_a_warning() {
    let text = GOOD
        .replace("define:", "  diabetes: https://tandem-cds.dev/ValueSet/diabetes\ndefine:\n  diabetes: at\n  year: at - years(1)");
    let rule = load("rules/gap.yaml", &text, &built_in_terminology())
        .unwrap_or_else(|p| panic!("{}", p[0]));
    let found: Vec<_> = rule
        .warnings
        .iter()
        .map(|d| (d.line().unwrap(), d.column().unwrap(), d.message.as_str()))
        .collect();
    let expected = [
        (11, 3, "the value set `diabetes` is not used"),
        (13, 3, "the definition `diabetes` is not used"),
        (14, 3, "the definition `year` is not used"),
    ];
    assert_eq!(found, expected);
}

/// A text or a comment that reads like the name does not use it, nor does a set of the same name.
#[test]
fn a_name_in_quotes_uses_nothing() {
    let warnings = |text: &str| {
        let rule = load("rules/gap.yaml", text, &built_in_terminology())
            .unwrap_or_else(|p| panic!("{}", p[0]));
        let found = rule.warnings.iter().map(|d| d.message.clone());
        found.collect::<Vec<_>>()
    };
    let set = "  diabetes: https://tandem-cds.dev/ValueSet/diabetes\ndefine:";
    let text = GOOD.replace("define:", set);
    let spoken = "excluded: patient.language == \"diabetes\"";
    let text = text.replace("excluded: \"false\"", spoken);
    let text = text.replace("// a comment", "// Condition(\"diabetes\")");
    assert_eq!(warnings(&text), ["the value set `diabetes` is not used"]);
    let text = GOOD.replace("define:", "define:\n  hba1c: at");
    assert_eq!(warnings(&text), ["the definition `hba1c` is not used"]);
}
