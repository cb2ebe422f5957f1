//! Expressions: misspelt, of the wrong kind, or well formed and without meaning.

use rules::{built_in_terminology, load};

use crate::{GOOD, check};

#[test]
fn expressions_in_every_style() {
    // Plain, quoted, folded and literal blocks, templates: lines and columns of the file.
    check(
        "ageInYearsAt(at) >= 18",
        "⟦ageInYearAt(at)⟧ >= 18",
        "unknown-function",
        "did you mean `ageInYearsAt`",
    );
    check(
        "\"false\"",
        "\"\\\"e\\\" == ⟦foo⟧\" # é",
        "unknown-name",
        "`foo`",
    );
    check(
        "\"false\"",
        "'patient.gender == ''x'' && patient.⟦activ⟧'",
        "unknown-element",
        "did you mean `active`",
    );
    check(
        "\"false\"",
        "patient.active\n  && patient.active\n  && patient.⟦activ⟧",
        "unknown-element",
        "did you mean `active`",
    );
    check(
        "      .filter(o, isFinal(o))",
        "      .filter(o, o.⟦statuss⟧ == \"final\")",
        "unknown-element",
        "did you mean `status`",
    );
    check(
        "recent.exists(o, has(o.value))",
        "recent.exists(o, o.⟦statuss⟧ == \"x\")",
        "unknown-element",
        "did you mean `status`",
    );
    check(
        "Observation(\"hba1c\")",
        "Observation(⟦\"hba1x\"⟧)",
        "unknown-value-set",
        "did you mean `hba1c`",
    );
    check(
        "{{ recent.size() }}",
        "{{ ⟦recnt⟧.size() }}",
        "unknown-name",
        "did you mean `recent`",
    );
    check(
        "{{ start(recent.latest()) }}",
        "{{ ⟦strt(recent.latest())⟧ }}",
        "unknown-function",
        "did you mean `start`",
    );
    check(
        "{{ recent.size() }}",
        "{{ ⟦recent⟧ }}",
        "wrong-type",
        "a card can show",
    );
    check(
        "{{ recent.size() }}",
        "{{ ⟦recent.size() > 1⟧ }}",
        "wrong-type",
        "choose a text",
    );
    check(
        "{{ recent.size() }}",
        "⟦{{⟧ recent.size() ",
        "template",
        "never closed",
    );
    check(
        "at + months(3)",
        "⟦patient.active⟧",
        "wrong-type",
        "must be a date",
    );
    check(
        "ageInYearsAt(at) >= 18",
        "⟦ageInYearsAt(at)⟧",
        "wrong-type",
        "true or false",
    );
    check(
        "eligible: ageInYearsAt(at) >= 18",
        "eligible: ⟦{{ x }}⟧",
        "yaml-unsupported",
        "in quotes",
    );
}

/// `!has(patient.deceased)` would leave out the living of whom `deceasedBoolean: false` is recorded.
#[test]
fn presence_of_deceased_is_no_criterion() {
    check(
        "ageInYearsAt(at) >= 18",
        "ageInYearsAt(at) >= 18 && !has(patient.⟦deceased⟧)",
        "presence-is-not-death",
        "`deceased(at)`",
    );
}

/// What is well formed and can never hold, at its place, and what to write instead.
#[test]
fn what_can_never_hold() {
    let satisfied = "recent.exists(o, has(o.value))";
    check(
        satisfied,
        "recent.exists(o, o.status == ⟦\"finall\"⟧)",
        "not-a-code",
        "did you mean `final`?",
    );
    check(
        satisfied,
        "recent.exists(o, o.status in [\"final\", ⟦\"Amended\"⟧])",
        "not-a-code",
        "did you mean `amended`?",
    );
    check(
        satisfied,
        "recent.exists(o, o.status != ⟦\"done\"⟧)",
        "not-a-code",
        "always holds",
    );
    check(
        "Since {{ start(recent.latest()) }}",
        "Since {{ quantityIn(recent.latest().value, ⟦\"percent\"⟧) }}",
        "not-a-unit",
        "write `%`",
    );
    check(
        satisfied,
        "recent.exists(o, quantityIn(o.value, ⟦\"ml/min/1.73m2\"⟧) > 60)",
        "not-a-unit",
        "write `mL/min/{1.73_m2}`",
    );
    check(
        "excluded: \"false\"",
        "excluded: ⟦Condition(\"hba1c\")⟧.size() > 0",
        "wrong-value-set",
        "`Observation(\"hba1c\")`",
    );
    check(
        "ageInYearsAt(at) >= 18",
        "ageInYearsAt(at) > 75 && ⟦ageInYearsAt(at) < 18⟧",
        "never-holds",
        "write `||`",
    );
    check(
        "ageInYearsAt(at) >= 18",
        "⟦Encounter().size() < 0⟧",
        "never-holds",
        "from 0 on",
    );
    check(
        "excluded: \"false\"",
        "excluded: patient.gender != \"male\" || ⟦patient.gender != \"female\"⟧",
        "always-holds",
        "write `&&`",
    );
    check(
        "excluded: \"false\"",
        "excluded: \"⟦'final' == 'finall'⟧\"",
        "never-holds",
        "written out",
    );
    // One value in units of two kinds.
    check(
        "recent.exists(o, has(o.value))",
        "recent.exists(o, quantityIn(o.value, \"%\") > 9.0 && quantityIn(o.value, ⟦\"mg/dL\"⟧) > 9.0)",
        "other-unit",
        "`Observation(\"hba1c\").value`",
    );
}

/// What the built-in rules have under a name is told to whoever uses it.
#[test]
fn names_of_the_built_in_library() {
    check(
        "excluded: \"false\"",
        "excluded: ⟦end_of_life⟧",
        "unknown-name",
        "write under `define` of this rule, or of a library.yaml beside it, `end_of_life: '(Procedure(\"hospice\")",
    );
    // With the definitions and value sets that it names, through others.
    check(
        "excluded: \"false\"",
        "excluded: ⟦no_statin⟧",
        "unknown-name",
        "`pregnancy-due-date: https://tandem-cds.dev/ValueSet/pregnancy-due-date`",
    );
    check(
        "recent.size() > 0",
        "Condition(⟦\"diabetes\"⟧).exists() && recent.size() > 0",
        "unknown-value-set",
        "write `diabetes: https://tandem-cds.dev/ValueSet/diabetes` under `value_sets`",
    );
    check(
        "recent.size() > 0",
        "Condition(⟦\"E11.9\"⟧).exists() && recent.size() > 0",
        "unknown-value-set",
        "with this code: `diabetes: https://tandem-cds.dev/ValueSet/diabetes`",
    );
    check(
        "https://tandem-cds.dev/ValueSet/hba1c-lab",
        "⟦https://tandem-cds.dev/ValueSet/kidney-disease⟧",
        "unknown-value-set-url",
        "did you mean `https://tandem-cds.dev/ValueSet/advanced-kidney-disease`?",
    );
}

/// `{{ }}` and where it does not belong.
#[test]
fn braces() {
    check(
        "due: at + months(3)",
        "due: ⟦\"{{ at + months(3) }}\"⟧",
        "template",
        "write `at + months(3)`",
    );
    check(
        "Since {{ start(recent.latest()) }}",
        "Since ⟦{{⟧ start(recent.latest()) and {{ at }}",
        "template",
        "never closed",
    );
    let one = GOOD.replace(
        "Since {{ start(recent.latest()) }}",
        "Since { start(recent.latest()) }",
    );
    let rule = load("rules/gap.yaml", &one, &built_in_terminology()).unwrap();
    let told: Vec<String> = rule.warnings.iter().map(|w| w.message.clone()).collect();
    assert_eq!(
        told,
        ["`{ start(recent.latest()) }` is shown as it is written"]
    );
    let line = one
        .lines()
        .position(|line| line.contains("Since {"))
        .map(|at| at + 1);
    assert_eq!(rule.warnings[0].line(), line);
}
