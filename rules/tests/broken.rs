//! Rule files with mistakes: each gives its diagnostic at its place.
#![cfg(test)]

use rules::{built_in_terminology, load};

/// A good rule; each case below spoils a piece of it.
const GOOD: &str = r#"id: gap
version: 1.0.0
kind: care-gap
title: A gap
description: What it does, é.
rationale: Why.
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
improvement: increase
value_sets:
  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab
define:
  recent: >
    Observation("hba1c")
      .filter(o, isFinal(o))
eligible: ageInYearsAt(at) >= 18
excluded: "false"
satisfied: |
  // a comment
  recent.size() > 0 &&
    recent.exists(o, has(o.value))
due: at + months(3)
unknown: card
card:
  indicator: info
  summary: 'It''s due: {{ recent.size() }}'
  detail: |
    First line é
    Since {{ start(recent.latest()) }}
  unknown_summary: Not checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960}
    expect: {applies: yes}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 2020-01-01}
    expect: {applies: no}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {gender: female}
    resources:
      - resourceType: Observation
        status: registered
        code: loinc|4548-4
        effective: 2025-12-01
        value: 7.1 %
    expect: {applies: unknown, reason: birthDate}
"#;

fn diagnose(text: &str) -> Vec<engine_patient::finding::Finding> {
    load("rules/gap.yaml", text, &built_in_terminology())
        .err()
        .unwrap_or_default()
}

/// Replaces a piece of the good file. `⟦` and `⟧` around a part of the new piece say what must be
/// marked; without them the problem stands at 1:1.
fn check(from: &str, to: &str, code: &str, words: &str) {
    assert!(GOOD.contains(from), "{from}");
    let marked = GOOD.replacen(from, to, 1);
    let text = marked.replace(['⟦', '⟧'], "");
    let (line, column, length) = match marked.find('⟦') {
        None => (1, 1, 1),
        Some(at) => {
            let before = &marked[..at];
            let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
            let inside = &marked[at + '⟦'.len_utf8()..marked.find('⟧').unwrap()];
            (
                before.matches('\n').count() + 1,
                column,
                inside.chars().count(),
            )
        }
    };
    let found = diagnose(&text);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    let Some(first) = found.iter().find(|d| d.code.as_str() == code) else {
        panic!("{to}: no `{code}` in {}", shown.join("\n"));
    };
    let span = first.place.span.as_ref().unwrap();
    assert_eq!(
        (span.line, span.column),
        (line, Some(column)),
        "{to}: {first}"
    );
    assert_eq!(span.length, length, "{to}: {first}");
    assert_eq!(span.text.as_deref(), text.lines().nth(line - 1), "{to}");
    assert_eq!(&*first.place.file, "rules/gap.yaml");
    let all = format!(
        "{} {}",
        first.message,
        first.help.clone().unwrap_or_default()
    );
    assert!(all.contains(words), "{to}: {first}");
}

#[test]
fn the_good_one_is_good() {
    let rule = load("rules/gap.yaml", GOOD, &built_in_terminology());
    let rule = rule.unwrap_or_else(|p| {
        panic!(
            "{}",
            p.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    assert!(rule.warnings.is_empty(), "{:?}", rule.warnings);
    for case in rule.run_cases() {
        assert_eq!(case.failures, Vec::<String>::new(), "{}", case.name);
    }
    // Windows line ends and a byte order mark change nothing.
    let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    let rule = load("rules/gap.yaml", &windows, &built_in_terminology())
        .unwrap_or_else(|p| panic!("{}", p[0]));
    assert_eq!(rule.cases.len(), 3);
}

#[test]
fn yaml() {
    check(
        "title: A gap",
        "title: A ⟦:⟧ gap: b",
        "yaml-syntax",
        "in quotes",
    );
}

#[test]
fn yaml_that_is_refused() {
    check(
        "title: A gap",
        "title: A gap\n⟦title⟧: B",
        "duplicate-key",
        "second time",
    );
    check(
        "title: A gap",
        "title: ⟦&x A⟧",
        "yaml-unsupported",
        "anchors",
    );
    check("title: A gap", "title: ⟦*⟧x", "yaml-syntax", "");
    check("title: A gap", "title: ⟦!x A⟧", "yaml-unsupported", "tags");
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
        "eligible: {⟦{ ⟧x }}",
        "yaml-unsupported",
        "in quotes",
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
fn cases() {
    check(
        "birthDate: 1960",
        "⟦birthdate⟧: 1960",
        "unknown-element",
        "did you mean `birthDate`",
    );
    check(
        "birthDate: 1960",
        "birthDate: ⟦15.6.1960⟧",
        "wrong-value",
        "write `1960-06-15`",
    );
    for (effective, words) in [
        ("01.06.2020", "write `2020-06-01`"),
        ("2020-13-01", "there is no month 13"),
    ] {
        check(
            "effective: 2025-12-01",
            &format!("effective: ⟦{effective}⟧"),
            "wrong-value",
            words,
        );
    }
    for (value, words) in [
        ("30mg/g", "write `30 mg/g`"),
        ("\"3,5 mg/g\"", "write `3.5 mg/g`"),
    ] {
        check(
            "value: 7.1 %",
            &format!("value: ⟦{value}⟧"),
            "wrong-value",
            words,
        );
    }
    check(
        "code: loinc|4548-4",
        "code: ⟦loink|4548-4⟧",
        "wrong-value",
        "`loinc`",
    );
    check(
        "code: loinc|4548-4",
        "code: ⟦4548-4⟧",
        "wrong-value",
        "loinc|4548-4",
    );
    check("value: 7.1 %", "⟦value⟧: high", "choice", "valueQuantity");
    check(
        "value: 7.1 %",
        "valueQuantity: ⟦high⟧",
        "wrong-value",
        "UCUM",
    );
    check(
        "resourceType: Observation",
        "resourceType: ⟦Observatoin⟧",
        "unknown-resource",
        "did you mean `Observation`",
    );
    check(
        "at: 2025-12-31T12:00:00Z",
        "at: ⟦2025-12-31⟧",
        "wrong-value",
        "exact moment",
    );
    check("applies: yes", "applies: ⟦true⟧", "wrong-value", "`yes`");
    check(
        "expect: {applies: yes}",
        "expect: ⟦{⟧eligible: true}",
        "missing-field",
        "applies",
    );
    check(
        "      - resourceType: Observation\n",
        "      - ⟦id: x⟧\n",
        "missing-field",
        "resourceType",
    );
    check(
        "name: does not fire",
        "⟦name: fires⟧",
        "duplicate-case",
        "its own name",
    );
    check(
        "    patient: {gender",
        "    unavailable: [⟦Observations⟧]\n    patient: {gender",
        "unknown-resource",
        "did you mean `Observation`",
    );
    check(
        "status: registered",
        "status: ⟦[final]⟧",
        "wrong-kind",
        "at most one",
    );
}

#[test]
fn three_cases_are_demanded() {
    let text = GOOD.replace("applies: unknown, reason: birthDate", "applies: no");
    let found = diagnose(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].code.as_str(), found[0].line(), found[0].column()),
        ("missing-case", Some(31), Some(3))
    );
    assert!(found[0].message.contains("data is missing"));
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("kind: care-gap", "kind: gap")
        .replace("year: 2025", "year: soon")
        .replace("isFinal(o)", "isFinl(o)")
        .replace("\"false\"", "foo && bar")
        .replace("indicator: info", "indicator: red")
        .replace("birthDate: 1960", "birthDate: x")
        .replace("title: A gap\n", "");
    let found = diagnose(&text);
    let codes: Vec<_> = found.iter().map(|d| d.code.as_str()).collect();
    let expected = [
        "missing-field",
        "wrong-value",
        "wrong-value",
        "unknown-function",
        "unknown-name",
        "unknown-name",
        "wrong-value",
        "wrong-value",
    ];
    assert_eq!(codes, expected, "{found:?}");
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

#[test]
fn files_out_of_bounds() {
    let first = |text: &str| diagnose(text).first().map(|d| d.code.as_str());
    assert_eq!(first(""), Some("yaml-unsupported"));
    assert_eq!(first("# nothing\n"), Some("yaml-unsupported"));
    assert_eq!(first("text"), Some("wrong-kind"));
    assert_eq!(first(&"a".repeat(2 << 20)), Some("too-large"));
    assert_eq!(
        first(&format!("{}{}", "[".repeat(50), "]".repeat(50))),
        Some("too-deep")
    );
    assert!(first(&"[".repeat(5000)).is_some());
    assert!(first(&"- ".repeat(5000)).is_some());
    assert_eq!(first("a: 1\n---\nb: 1\n"), Some("yaml-unsupported"));
    assert_eq!(first("{[a]: 1}"), Some("yaml-unsupported"));
    assert_eq!(first("\u{0}"), Some("yaml-syntax"));
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

#[test]
fn codes_and_units_of_cases() {
    check(
        "status: registered",
        "status: ⟦finall⟧",
        "not-a-code",
        "did you mean `final`?",
    );
    check(
        "{birthDate: 1960}",
        "{birthDate: 1960, gender: ⟦F⟧}",
        "not-a-code",
        "`Patient.gender`",
    );
    check(
        "value: 7.1 %",
        "value: ⟦7.1 percent⟧",
        "not-a-unit",
        "write `%`",
    );
    check(
        "value: 7.1 %",
        "value: ⟦'9.4 ml/min/1.73m2'⟧",
        "not-a-unit",
        "`mL/min/{1.73_m2}`",
    );
    // Data may have what is no unit: a case may, too.
    let written = "valueQuantity: {value: 7.1, system: 'http://unitsofmeasure.org', code: mmHg}";
    let text = GOOD.replacen("value: 7.1 %", written, 1);
    let rule = load("rules/gap.yaml", &text, &built_in_terminology())
        .unwrap_or_else(|p| panic!("{}", p[0]));
    let told = rule
        .warnings
        .iter()
        .map(|w| (w.code.as_str(), w.help.as_deref()));
    assert!(
        told.clone()
            .any(|told| told == ("not-a-unit", Some("write `mm[Hg]`"))),
        "{:?}",
        told.collect::<Vec<_>>()
    );
    let condition = |status: &str| {
        format!(
            "resources:\n      - {{resourceType: Condition, clinicalStatus: {status}}}\n      - resourceType: Observation"
        )
    };
    let from = "resources:\n      - resourceType: Observation";
    for (written, words) in [
        ("⟦Active⟧", "did you mean `active`?"),
        (
            "⟦snomed|active⟧",
            "its system is `http://terminology.hl7.org/CodeSystem/condition-clinical`",
        ),
        ("{coding: [{code: ⟦Active⟧}]}", "did you mean `active`?"),
        ("[active, ⟦resolvd⟧]", "did you mean `resolved`?"),
        ("⟦snomed|55561003⟧", "one of `active`"),
        (
            "{coding: [{system: ⟦\"urn:x\"⟧, code: active}]}",
            "condition-clinical",
        ),
    ] {
        check(from, &condition(written), "not-a-code", words);
    }
    // One code that FHIR asks for is enough.
    for written in [
        "[active, snomed|55561003]",
        "{coding: [{system: \"http://snomed.info/sct\", code: \"55561003\"}, {code: active}]}",
        "{text: unknown}",
    ] {
        let text = GOOD.replace(from, &condition(written));
        let rule = load("rules/gap.yaml", &text, &built_in_terminology())
            .unwrap_or_else(|p| panic!("{written}: {}", p[0]));
        assert_eq!(rule.warnings.len(), 0, "{written}");
    }
    // Each element has its own code system.
    let allergy = "{resourceType: AllergyIntolerance, clinicalStatus: active, code: rxnorm|7980}";
    let text = GOOD.replace(
        from,
        &format!("resources:\n      - {allergy}\n      - resourceType: Observation"),
    );
    let rule = load("rules/gap.yaml", &text, &built_in_terminology())
        .unwrap_or_else(|p| panic!("{}", p[0]));
    let json = &rule.cases[2].resources[1];
    assert!(
        json.contains("CodeSystem/allergyintolerance-clinical"),
        "{json}"
    );
    // A unit of another system, and a text that people read.
    let other = "valueQuantity: {value: 7.1, unit: mmHg}";
    assert_eq!(diagnose(&GOOD.replace("value: 7.1 %", other)), []);
}

/// A rule whose cases show less than they should is told what is missing.
#[test]
fn what_the_cases_do_not_show() {
    let coverage = |text: &str| {
        let rule = load("rules/gap.yaml", text, &built_in_terminology());
        let rule = rule.unwrap_or_else(|p| panic!("{}", p[0]));
        let told = rule.coverage();
        let told = told.iter().map(|f| {
            let place = (f.line().unwrap(), f.column().unwrap());
            assert_eq!(&*f.place.file, "rules/gap.yaml");
            (place, f.code.as_str(), f.is_error(), f.message.clone())
        });
        told.collect::<Vec<_>>()
    };
    let found = coverage(GOOD);
    let [(place, code, error, message)] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((*place, *code, *error), ((31, 3), "missing-case", true));
    assert!(message.contains("`satisfied` is true in none"), "{message}");

    let done = "cases:\n  - name: done\n    at: 2025-12-31T12:00:00Z\n    patient: {birthDate: 1960}\n    resources: [{resourceType: Observation, status: final, code: loinc|4548-4, value: 7.1 %}]\n    expect: {satisfied: true, applies: no}\n";
    let whole = GOOD.replace("cases:\n", done);
    assert_eq!(coverage(&whole), []);

    // No child, nobody who is left out, and a definition that is never true.
    let text = whole.replace(
        "{birthDate: 2020-01-01}",
        "{deceasedBoolean: true, birthDate: 1960}",
    );
    let text = text.replace(
        "define:\n",
        "define:\n  girl: patient.gender == \"female\" && ageInYearsAt(at) < 18\n",
    );
    let text = text.replace(
        "excluded: \"false\"",
        "excluded: girl || patient.gender == \"other\"",
    );
    let messages: Vec<String> = coverage(&text)
        .into_iter()
        .map(|(.., message)| message)
        .collect();
    assert_eq!(
        messages,
        [
            "the definition `girl` is true in no case",
            "`excluded` is true in no case",
        ]
    );
    // One of two parts of an exclusion.
    let other = text.replace(
        "{birthDate: 2020-01-01}",
        "{birthDate: 1960, gender: other}",
    );
    let other = other.replace(
        "{deceasedBoolean: true, birthDate: 1960}",
        "{birthDate: 1960, gender: other}",
    );
    let other = other.replace("girl || ", "ageInYearsAt(at) > 100 || ");
    let other = other.replace(
        "  girl: patient.gender == \"female\" && ageInYearsAt(at) < 18\n",
        "",
    );
    let messages: Vec<String> = coverage(&other)
        .into_iter()
        .map(|(.., message)| message)
        .collect();
    assert_eq!(
        messages,
        [
            "`eligible` is false in no case",
            "`ageInYearsAt(at) > 100` is true in no case",
        ]
    );
}

/// A case that fails shows which criterion differed, where it stands, and its parts with their values.
#[test]
fn a_failed_case_shows_why() {
    let text = GOOD.replace("{birthDate: 2020-01-01}", "{birthDate: 1990-01-01}");
    let run = |text: &str| {
        let rule = load("rules/gap.yaml", text, &built_in_terminology());
        rule.unwrap_or_else(|p| panic!("{}", p[0]))
            .run_cases()
            .swap_remove(1)
    };
    let outcome = run(&text);
    assert_eq!(outcome.failures, ["`applies` should be no, is yes"]);
    let [difference] = outcome.differences.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (difference.expected.as_str(), difference.found.as_str()),
        ("no", "yes")
    );
    let fields: Vec<_> = outcome.why.iter().map(|w| (w.field, w.line)).collect();
    assert_eq!(
        fields,
        [("eligible", 15), ("excluded", 16), ("satisfied", 18)]
    );

    // Where the case says which criterion, that one is shown.
    let text = text.replace(
        "expect: {applies: no}",
        "expect: {eligible: false, applies: no}",
    );
    let outcome = run(&text);
    assert_eq!(outcome.failures.len(), 2, "{:?}", outcome.failures);
    let [why] = outcome.why.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!((why.field, why.line), ("eligible", 15));
    let shown = format!("{:?}", why.clause);
    assert!(
        shown.contains("ageInYearsAt(at) >= 18") && shown.contains("\"35\""),
        "{shown}"
    );
    assert!(run(GOOD).why.is_empty());
}
