//! Cases: how they are written, what they must show, and why they fail.

use rules::{built_in_terminology, load};

use crate::{GOOD, check, diagnose};

#[test]
fn cases() {
    check(
        "birthDate: 1960",
        "⟦birthdate⟧: 1960",
        "unknown-element",
        "did you mean `birthDate`",
    );
    check(
        "loinc|4548-4",
        "⟦LOINC|4548-4⟧",
        "wrong-value",
        "write `loinc|4548-4`",
    );
    check(
        "birthDate: 1960",
        "birthDate: ⟦1960-2-30⟧",
        "wrong-value",
        "this day does not exist",
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

/// A definition of the library is shown by the cases of the rule that uses it, or by none.
#[test]
fn what_the_library_defines_is_seen_both_ways() {
    let library = "define:\n  very_old: ageInYearsAt(at) > 120\n  grown: ageInYearsAt(at) >= 18\n";
    let library = rules::Library::load("library.yaml", library).unwrap();
    let terminology = rules::built_in_terminology();
    let surroundings = rules::Surroundings {
        terminology: &terminology,
        drugs: rules::built_in_drugs(),
        library: Some(&library),
        tables: &|_| None,
    };
    let told = |from: &str, to: &str| {
        let text = crate::GOOD.replace(from, to);
        assert_ne!(text, crate::GOOD);
        let rule = rules::load_with("rules/gap.yaml", &text, &surroundings).unwrap();
        // It is counted, and changed to its opposite.
        let written = rules::Written::read("rules/gap.yaml", &text).unwrap();
        let seen = rule.conditions_seen(&written).unwrap();
        let name = to.split([' ', '|']).nth(1).unwrap();
        let shared: Vec<_> = seen.iter().filter(|c| c.text == name).collect();
        assert_eq!(shared.len(), 1, "{name}");
        assert_eq!(shared[0].is_shown(), name == "grown");
        let opposite = format!("{name} → !({name})");
        let changes: Vec<String> = rule
            .mutants(&written)
            .into_iter()
            .map(|m| m.change)
            .collect();
        assert!(changes.contains(&opposite), "{changes:?}");
        let told: Vec<String> = rule.coverage().iter().map(ToString::to_string).collect();
        told.join("\n")
    };
    let excluded = told("excluded: \"false\"", "excluded: very_old");
    assert!(
        excluded.contains("`excluded` is true in no case"),
        "{excluded}"
    );
    let part = told(
        "excluded: \"false\"",
        "excluded: very_old || ageInYearsAt(at) < 18",
    );
    assert!(part.contains("`very_old` is true in no case"), "{part}");
    let eligible = told("eligible: ageInYearsAt(at) >= 18", "eligible: grown");
    assert!(!eligible.contains("`eligible`"), "{eligible}");
}
