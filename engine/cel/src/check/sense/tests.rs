use std::sync::Arc;

use engine_patient::finding::{Code, Finding};
use engine_patient::terminology::{Code as OfSystem, ValueSet};

use crate::Checker;

fn checker() -> Checker {
    let set = |name: &str, codes: &[(&str, &str)]| {
        let codes = codes
            .iter()
            .map(|(system, code)| OfSystem::new(system, code));
        let set = ValueSet::from_codes(&format!("urn:vs:{name}"), None, codes.collect(), "");
        (name.to_owned(), Arc::new(set))
    };
    let icd = ("http://hl7.org/fhir/sid/icd-10-cm", "E11.9");
    let snomed = ("http://snomed.info/sct", "44054006");
    let clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    Checker::new(vec![
        set("hba1c", &[("http://loinc.org", "4548-4")]),
        set("systolic", &[("http://loinc.org", "8480-6")]),
        set("glucose", &[("http://loinc.org", "2345-7")]),
        set("diabetes", &[icd]),
        set("diabetes_both", &[icd, snomed]),
        set(
            "statins",
            &[("http://www.nlm.nih.gov/research/umls/rxnorm", "617314")],
        ),
        set("flu", &[("http://hl7.org/fhir/sid/cvx", "140")]),
        set(
            "colonoscopy",
            &[("http://www.ama-assn.org/go/cpt", "45378")],
        ),
        set("own", &[("urn:own", "x")]),
        set("going_on", &[(clinical, "active")]),
        set("nothing", &[]),
        set("not_loaded", &[]),
        set(
            "labs",
            &[
                ("http://loinc.org", "4548-4"),
                ("http://loinc.org", "33914-3"),
            ],
        ),
    ])
}

fn found(sources: &[&str]) -> Vec<Finding> {
    let (last, defines) = sources.split_last().unwrap();
    let mut checker = checker();
    for (number, source) in defines.iter().enumerate() {
        let compiled = checker.compile(source, None);
        let compiled = compiled.unwrap_or_else(|p| panic!("{source}: {p:?}"));
        checker.define(&format!("d{number}"), &compiled);
    }
    match checker.compile(last, None) {
        Ok(compiled) => compiled.warnings,
        Err(found) => found,
    }
}

/// The code, what is marked, and words of the message and its help.
fn says(sources: &[&str], code: Code, marked: &str, words: &[&str]) {
    let found = found(sources);
    let last = *sources.last().unwrap();
    let [one] = found.as_slice() else {
        panic!("{last}: {found:#?}");
    };
    assert_eq!(one.code, code, "{last}: {one}");
    let (from, to) = one.chars();
    let here: String = last.chars().skip(from).take(to - from).collect();
    assert_eq!(here, marked, "{last}");
    let all = format!("{} | {}", one.message, one.help.clone().unwrap_or_default());
    for word in words {
        assert!(all.contains(word), "{last}: {word}: {all}");
    }
}

fn nothing(sources: &[&str]) {
    assert_eq!(found(sources), [], "{sources:?}");
}

#[test]
fn a_text_that_is_no_code_of_the_element() {
    let no = |source: &str, marked: &str, words: &[&str]| {
        says(&[source], Code::NotACode, marked, words);
    };
    no(
        "Observation(\"hba1c\").exists(o, o.status == \"finall\")",
        "\"finall\"",
        &[
            "`finall` is no code of `Observation.status`",
            "never holds",
            "did you mean `final`?",
        ],
    );
    no(
        "Observation().all(o, \"Final\" != o.status)",
        "\"Final\"",
        &["always holds", "did you mean `final`?"],
    );
    no(
        "Observation().exists(o, o.status in [\"final\", \"Amended\"])",
        "\"Amended\"",
        &["did you mean `amended`?"],
    );
    no(
        "Observation().latest().status == 'done'",
        "'done'",
        &["one of `registered`, "],
    );
    no(
        "Procedure().map(p, p.status).exists(s, s == 'complete')",
        "'complete'",
        &["`completed`"],
    );
    no(
        "'complete' in Procedure().map(p, p.status)",
        "'complete'",
        &["`completed`"],
    );
    no(
        "Procedure().filter(p, has(p.code))[0].status == 'done'",
        "'done'",
        &["Procedure.status"],
    );
    no(
        "patient.gender == 'F'",
        "'F'",
        &["`Patient.gender`", "one of `male`, `female`"],
    );
    no(
        "patient.name.exists(n, n.use == 'Official')",
        "'Official'",
        &["`official`"],
    );
    no(
        "patient.gender.startsWith('F')",
        "'F'",
        &["no code of `Patient.gender`"],
    );
    no(
        "Condition().exists(c, c.clinicalStatus.coding.exists(k, k.code == 'Active'))",
        "'Active'",
        &["`Condition.clinicalStatus`", "did you mean `active`?"],
    );
    no(
        "Condition().exists(c, c.clinicalStatus.coding.first().system == 'http://snomed.info/sct')",
        "'http://snomed.info/sct'",
        &["no code system", "condition-clinical"],
    );
    no(
        "AllergyIntolerance().exists(a, a.verificationStatus.coding.exists(k, k.code == 'proven'))",
        "'proven'",
        &["`confirmed`"],
    );
    says(
        &[
            "Observation(\"hba1c\").latest()",
            "d0.status",
            "d1 == 'finall'",
        ],
        Code::NotACode,
        "'finall'",
        &["`final`"],
    );
    says(
        &["'finall'", "Observation().latest().status == d0"],
        Code::NotACode,
        "d0",
        &["`final`"],
    );
    // A whole CodeableConcept and a text are also of different types.
    let both = found(&["Condition().exists(c, c.clinicalStatus == 'Active')"]);
    let codes: Vec<Code> = both.iter().map(|f| f.code).collect();
    assert_eq!(codes, [Code::WrongType, Code::NotACode], "{both:#?}");
    for right in [
        "Observation().exists(o, o.status == 'final' || o.status in ['amended', 'corrected'])",
        "orElse(patient.gender, 'none') == 'none'",
        "Condition().exists(c, c.clinicalStatus.coding.exists(k, k.code == 'active'))",
        "Condition().exists(c, c.code.coding.exists(k, k.code == 'E11'))",
        "patient.language == 'English'",
        "patient.gender.startsWith('f')",
    ] {
        nothing(&[right]);
    }
}

#[test]
fn units() {
    let unit = |source: &str, marked: &str, words: &[&str]| {
        says(&[source], Code::NotAUnit, marked, words);
    };
    let of =
        |unit: &str| format!("quantityIn(Observation(\"hba1c\").latest().value, \"{unit}\") > 1");
    for (written, right) in [
        ("ml/min/1.73m2", "write `mL/min/{1.73_m2}`"),
        ("MG/DL", "write `mg/dL`"),
        ("mmHg", "write `mm[Hg]`"),
        ("percent", "write `%`"),
        ("furlongs", "as UCUM has it"),
        ("(score)", "only where its code is this very text"),
        ("", "as UCUM has it"),
    ] {
        unit(
            &of(written),
            &format!("\"{written}\""),
            &["not a unit of UCUM", right],
        );
    }
    unit(
        "Observation().latest().valueQuantity.code == 'mmHg'",
        "'mmHg'",
        &["write `mm[Hg]`"],
    );
    nothing(&["Observation().latest().valueQuantity.code == 'of our own'"]);
    says(
        &[
            "'percent'",
            "quantityIn(Observation().latest().value, d0) > 1",
        ],
        Code::NotAUnit,
        "d0",
        &["write `%`"],
    );
    unit(&of("MG"), "\"MG\"", &["another one than `mg`"]);
    nothing(&[&of("mg/dl")]);
    nothing(&[&of("{score}")]);
    nothing(&[&of("g/(8.h){shift}")]);
    // A unit of their own may be in data, a slip of one of UCUM hardly.
    let refused = |unit: &str| found(&[&of(unit)]).iter().any(Finding::is_error);
    assert!(refused("mmHg") && refused("points") && !refused("(score)") && !refused("furlongs"));

    let other = |sources: &[&str], marked: &str, words: &[&str]| {
        says(sources, Code::OtherUnit, marked, words);
    };
    let value = "quantityIn(Observation(\"glucose\").latest().value, \"mg/dL\")";
    let two = "quantityIn(Observation(\"glucose\").latest().value, \"%\")";
    other(
        &[value, &format!("d0 > 1.0 && {two} > 3.0")],
        "\"%\"",
        &[
            "`%` measures something else than `mg/dL`",
            "`Observation(\"glucose\").value`",
        ],
    );
    let insulin = "quantityIn(Observation(\"hba1c\").latest().value, \"%\")";
    other(
        &[value, insulin, "d0 > d1"],
        "d1",
        &["which measures something else"],
    );
    let litres = "quantityIn(Observation(\"systolic\").latest().value, \"g/L\")";
    other(
        &[value, litres, "d0 - d1 > 1.0"],
        "d1",
        &["the same amount is another number"],
    );
    // Two readings: in doubt a warning.
    let first = "quantityIn(Observation(\"glucose\").first().value, \"%\")";
    for sources in [
        &[format!("{value} > 1.0 && {first} > 1.0").as_str()] as &[&str],
        &[value, &format!("d0 > 1.0 && {first} > 1.0")],
        &[
            "quantityIn(Observation(\"hba1c\").latest().value, \"/min\") > quantityIn(Observation(\"systolic\").latest().value, \"mm[Hg]\")",
        ],
    ] {
        let found = found(sources);
        let told: Vec<_> = found.iter().map(|f| (f.code, f.is_error())).collect();
        assert_eq!(told, [(Code::OtherUnit, false)], "{sources:?}: {found:#?}");
    }
    // One value in one conjunction: certain.
    for sources in [
        &[value, &format!("d0 > 1.0 && {two} > 3.0")] as &[&str],
        &[value, two, "!(d0 <= 1.0 || d1 <= 3.0)"],
        &[value, two, "d0 > 1.0 || d0 + d1 * 2.0 > 3.0"],
        // An amount of substance is no part of a hundred, though UCUM converts it.
        &[
            "Observation(\"hba1c\").exists(o, quantityIn(o.value, \"%\") > 9.0 && quantityIn(o.value, \"mmol/mol\") > 75.0)",
        ],
        &[
            "Observation(\"hba1c\").exists(o, isFinal(o) && quantityIn(o.value, \"%\") > 9.0 && quantityIn(o.value, \"mg/dL\") > 3.0)",
        ],
    ] {
        let found = found(sources);
        let told: Vec<_> = found.iter().map(|f| (f.code, f.is_error())).collect();
        assert_eq!(told, [(Code::OtherUnit, true)], "{sources:?}: {found:#?}");
    }
    // Where one of the two is enough, both may be tried.
    let moles = "quantityIn(Observation(\"glucose\").latest().value, \"mmol/L\")";
    nothing(&[&format!("orElse({value}, {moles} * 18.0) > 126.0")]);
    nothing(&[&format!("{value} > 126.0 || {moles} > 7.0")]);
    for last in [
        "orElse(d0, d1 * 18.0) > 126.0",
        "d0 > 126.0 || d1 > 7.0",
        "d0 > 126.0 ? true : d1 > 7.0",
        "isUnknown(d0) && d1 > 7.0",
        "!isUnknown(d1) && d0 > 126.0",
        // Enough that one of the two is low.
        "!(d0 > 126.0 && d1 > 7.0)",
        "!d2",
        "d2 == false",
        "(d0 > 126.0 && d1 > 7.0) == false",
    ] {
        let either = "d0 < 100.0 || d1 < 5.5";
        nothing(&[value, moles, either, last]);
    }
    let both = [value, moles, "!(d0 > 126.0 && d1 > 7.0)", "!d2 || d0 > 1.0"];
    nothing(&both);
    // One unit, spelt in two ways.
    let small = "quantityIn(Observation(\"glucose\").latest().value, \"mg/dl\")";
    nothing(&[value, small, "d0 > d1"]);
    nothing(&[
        "quantityIn(Observation(\"hba1c\").first().value, \"%\") > 1",
        "quantityIn(Observation(\"hba1c\").first().value, \"mmol/mol\") > 1",
    ]);
}

/// Rules that an author has reason to write: different tests, told apart by their codes or value sets.
#[test]
fn units_of_different_tests() {
    for sources in [
        &[
            "Observation().exists(o, inValueSet(o.code, \"hba1c\") && quantityIn(o.value, \"%\") < 9.0) && Observation().exists(o, inValueSet(o.code, \"glucose\") && quantityIn(o.value, \"mg/dL\") > 60.0)",
        ] as &[&str],
        &[
            "Observation(\"labs\").exists(o, inValueSet(o.code, \"hba1c\") && quantityIn(o.value, \"%\") < 9.0) && Observation(\"labs\").exists(o, inValueSet(o.code, \"glucose\") && quantityIn(o.value, \"mg/dL\") > 60.0)",
        ],
        &[
            "Observation(\"labs\").exists(o, o.code.coding.exists(k, k.code == '4548-4') && quantityIn(o.value, \"%\") < 9.0) && Observation(\"labs\").exists(o, o.code.coding.exists(k, k.code == '33914-3') && quantityIn(o.value, \"mL/min\") > 60.0)",
        ],
        &[
            "Observation(\"labs\").filter(o, inValueSet(o.code, \"hba1c\"))",
            "Observation(\"labs\").filter(o, inValueSet(o.code, \"glucose\"))",
            "quantityIn(d0.latest().value, \"%\") > 9.0 && quantityIn(d1.latest().value, \"mg/dL\") > 9.0",
        ],
        &[
            "Observation(\"systolic\").exists(o, o.component.exists(c, inValueSet(c.code, \"systolic\") && quantityIn(c.value, \"mm[Hg]\") > 140.0) && o.component.exists(c, inValueSet(c.code, \"hba1c\") && quantityIn(c.value, \"/min\") > 100.0))",
        ],
        &[
            "Observation(\"systolic\").exists(o, quantityIn(component(o, \"systolic\").first().value, \"mm[Hg]\") > 140.0 && quantityIn(component(o, \"hba1c\").first().value, \"/min\") > 100.0)",
        ],
        &[
            "quantityIn(Observation(\"nothing\").latest().value, \"%\") > 1.0 && quantityIn(Observation(\"not_loaded\").latest().value, \"mg/dL\") > 1.0",
        ],
        &["Observation(\"nothing\").size() > 0 && Observation(\"not_loaded\").size() == 0"],
        &[
            "Observation(\"labs\").latest()",
            "inValueSet(d0.code, \"hba1c\") && quantityIn(d0.value, \"%\") > 9.0",
            "inValueSet(d0.code, \"glucose\") && quantityIn(d0.value, \"mg/dL\") > 60.0",
            "d1 || d2",
        ],
        &[
            "Observation(\"labs\").exists(o, quantityIn(o.value, \"%\") > 9.0 || quantityIn(o.value, \"mmol/mol\") > 75.0 || quantityIn(o.value, \"mg/dL\") > 200.0)",
        ],
        &[
            "Observation(\"labs\").all(o, o.valueQuantity.code == '%' ? quantityIn(o.value, \"%\") > 9.0 : quantityIn(o.value, \"mg/dL\") > 200.0)",
        ],
        &[
            "10.0 * quantityIn(Observation(\"hba1c\").latest().value, \"kg\") + 6.25 * quantityIn(Observation(\"systolic\").latest().value, \"cm\") > 1500.0",
        ],
        &[
            "quantityIn(Observation(\"hba1c\").latest().value, \"mg/dL\") / quantityIn(Observation(\"systolic\").latest().value, \"g/dL\") > 30.0",
        ],
    ] {
        nothing(sources);
    }
}

/// Beside the code that FHIR asks for, a CodeableConcept may have others.
#[test]
fn a_code_of_our_own_beside_that_of_fhir() {
    let found = found(&[
        "Condition().exists(c, c.clinicalStatus.coding.exists(k, k.system == 'urn:own' && k.code == 'W17'))",
    ]);
    assert!(!found.iter().any(Finding::is_error), "{found:#?}");
    assert_eq!(found.len(), 2, "{found:#?}");
}

/// Items of a list are not one another.
#[test]
fn conditions_on_different_items() {
    for right in [
        "Observation().exists(o, o.status == 'final') && Observation().exists(o, o.status == 'amended')",
        "Observation(\"hba1c\").exists(o, start(o) > at - months(3)) && Observation(\"hba1c\").exists(o, start(o) < at - months(6))",
        "Observation().filter(o, o.status == 'final').size() > 3 && Observation().filter(o, o.status == 'amended').size() < 1",
        "Observation().latest().status == 'final' && Observation().earliest().status == 'amended'",
        "Observation().filter(o, isFinal(o)).latest().status == 'final' && Observation().filter(o, !isFinal(o)).latest().status == 'registered'",
        "patient.name[0].use == 'official' && patient.name[1].use == 'old'",
        "patient.name.map(n, n.use).exists(u, u == 'old') && patient.name.map(n, n.use).exists(u, u == 'official')",
        "Observation().exists(o, o.category.exists(c, c.text == 'a') && o.category.exists(c, c.text == 'b'))",
        "Encounter().exists(e, Encounter().exists(f, e.status == 'finished' && f.status == 'planned'))",
        "Condition().exists(c, c.clinicalStatus.coding.exists(k, k.code == 'active') && c.clinicalStatus.coding.exists(k, k.code == 'relapse'))",
        "start(Encounter().latest()) > at - years(1) || start(Encounter().latest()) < at - years(2)",
        "quantityIn(Observation(\"hba1c\").latest().value, '%') > 9.0 || quantityIn(Observation(\"hba1c\").latest().value, '%') < 4.0",
        "Observation(\"nothing\").latest().status == 'final' && Observation(\"not_loaded\").latest().status == 'amended'",
    ] {
        nothing(&[right]);
    }
}

#[test]
fn value_sets_of_another_kind() {
    let set = |source: &str, marked: &str, words: &[&str]| {
        says(&[source], Code::WrongValueSet, marked, words);
    };
    set(
        "Observation(\"diabetes\").size() > 0",
        "Observation(\"diabetes\")",
        &[
            "codes of ICD-10-CM only",
            "`Observation.code`",
            "`Condition(\"diabetes\")`",
        ],
    );
    set(
        "Condition(\"hba1c\").size() > 0",
        "Condition(\"hba1c\")",
        &["LOINC", "`Observation(\"hba1c\")`"],
    );
    set(
        "Procedure(\"statins\").size() > 0",
        "Procedure(\"statins\")",
        &["RxNorm", "MedicationRequest"],
    );
    set(
        "MedicationRequest(\"flu\").size() > 0 || Condition(\"flu\").size() > 0",
        "Condition(\"flu\")",
        &["CVX"],
    );
    set(
        "MedicationRequest(\"diabetes\").size() > 0",
        "MedicationRequest(\"diabetes\")",
        &["medications"],
    );
    set(
        "Condition(\"colonoscopy\").size() > 0",
        "Condition(\"colonoscopy\")",
        &["CPT", "Procedure"],
    );
    set(
        "Procedure().exists(p, inValueSet(p.code, \"diabetes\"))",
        "inValueSet(p.code, \"diabetes\")",
        &["`Procedure.code`", "diagnoses"],
    );
    set(
        "Observation().exists(o, component(o, \"diabetes\").size() > 0)",
        "component(o, \"diabetes\")",
        &["`Observation.Component.code`"],
    );
    set(
        "Condition().exists(c, inValueSet(c.clinicalStatus, \"diabetes\"))",
        "inValueSet(c.clinicalStatus, \"diabetes\")",
        &["`Condition.clinicalStatus`", "`active`"],
    );
    for right in [
        "Observation(\"diabetes_both\").size() > 0",
        "Observation(\"own\").size() > 0",
        "Observation(\"nothing\").size() > 0",
        "Observation(\"colonoscopy\").size() > 0",
        "Immunization(\"flu\").size() + AllergyIntolerance(\"statins\").size() > 0",
        "Encounter().exists(e, inValueSet(e.reasonCode, \"diabetes\"))",
        "Condition().exists(c, inValueSet(c.clinicalStatus, \"going_on\"))",
        "Observation().exists(o, inValueSet(o.value, \"diabetes\"))",
    ] {
        nothing(&[right]);
    }
}

#[test]
fn what_holds_for_nobody() {
    let never = |source: &str, marked: &str, words: &[&str]| {
        says(&[source], Code::NeverHolds, marked, words);
    };
    never(
        "'final' == 'finall'",
        "'final' == 'finall'",
        &["both sides"],
    );
    never("3 > 5", "3 > 5", &["never holds"]);
    never(
        "Encounter().size() < 0",
        "Encounter().size() < 0",
        &["a count is a whole number from 0 on"],
    );
    never(
        "Encounter().size() == -1",
        "Encounter().size() == -1",
        &["count"],
    );
    never(
        "Encounter().size() > 0 && Encounter().size() < 1",
        "Encounter().size() < 1",
        &["never holds together"],
    );
    never(
        "ageInYearsAt(at) > 75 &&\n has(patient.gender) && ageInYearsAt(at) <= 18",
        "ageInYearsAt(at) <= 18",
        &["`ageInYearsAt(at) > 75`", "no value is both"],
    );
    never(
        "patient.gender == 'male' && patient.gender == 'female'",
        "patient.gender == 'female'",
        &["no value"],
    );
    never(
        "Observation().exists(o, isFinal(o) && o.status == 'registered')",
        "o.status == 'registered'",
        &["`isFinal(o)`"],
    );
    never(
        "at < at - months(1)",
        "at < at - months(1)",
        &["never holds"],
    );
    never(
        "Observation(\"hba1c\").exists(o, start(o) > at - months(6) && start(o) < at - months(12))",
        "start(o) < at - months(12)",
        &["`start(o) > at - months(6)`"],
    );
    never(
        "Observation(\"hba1c\").during(at, at - months(12)).size() > 0",
        "Observation(\"hba1c\").during(at, at - months(12))",
        &["write the earlier date first: `during(at - months(12), at)`"],
    );
    never(
        "has(patient.gender) && false",
        "false",
        &["`false` among its terms"],
    );
    says(
        &[
            "ageInYearsAt(at)",
            "d0 >= 45",
            "d1 && !(ageInYearsAt(at) > 40)",
        ],
        Code::NeverHolds,
        "!(ageInYearsAt(at) > 40)",
        &["`d0 >= 45`"],
    );
    for right in [
        "ageInYearsAt(at) >= 45 && ageInYearsAt(at) <= 45",
        // Who is born later.
        "ageInYearsAt(at) < 0",
        "ageInYearsAt(at) >= 0 && ageInYearsAt(at) < 2",
        // Unknown stands for something else.
        "orElse(ageInYearsAt(at), -1) < 0",
        "orElse(Encounter().size(), -1) < 0",
        "orElse(patient.gender, 'not told') == 'not told'",
        "Encounter().size() > 0 && Encounter().size() < 2",
        "Observation().exists(o, start(o) > at - months(12) && start(o) <= at)",
        "Observation().exists(o, start(o) > at - months(1) && start(o) < at - days(29))",
        "Observation().exists(o, o.status == 'final' && Observation().exists(p, p.status == 'amended'))",
        "Observation().exists(o, Observation().exists(p, start(p) < start(o) && start(p) > at))",
        "Observation(\"hba1c\").during(at - months(12), at).size() > 0",
        "'final' in ['final', 'amended']",
        "patient.gender != 'male' && patient.gender != 'female'",
    ] {
        nothing(&[right]);
    }
}

#[test]
fn what_holds_for_everybody() {
    let always = |source: &str, marked: &str, words: &[&str]| {
        says(&[source], Code::AlwaysHolds, marked, words);
    };
    always(
        "Encounter().size() >= 0",
        "Encounter().size() >= 0",
        &["never negative"],
    );
    always(
        "patient.gender != 'male' || patient.gender != 'female'",
        "patient.gender != 'female'",
        &["always holds", "write `&&`"],
    );
    always(
        "ageInYearsAt(at) > 18 || ageInYearsAt(at) < 45",
        "ageInYearsAt(at) < 45",
        &["every value"],
    );
    always(
        "patient.gender == patient.gender",
        "patient.gender == patient.gender",
        &["the same"],
    );
    always(
        "has(patient.gender) || true",
        "true",
        &["`true` among its terms"],
    );
    for right in [
        "ageInYearsAt(at) >= 0",
        "orElse(Encounter().size(), -1) >= 0",
        "ageInYearsAt(at) < 18 || ageInYearsAt(at) > 75",
        "ageInYearsAt(at) < 18 || patient.gender == 'male' || ageInYearsAt(at) > 20",
        "patient.gender == 'male' || patient.gender == 'female'",
        "true",
    ] {
        nothing(&[right]);
    }
}

/// Definitions that use each other twice, and long lists of terms, are looked at in little time.
#[test]
fn hostile_expressions_take_no_time() {
    let mut checker = checker();
    checker.define("d0", &checker_of("patient.gender == 'male'"));
    for number in 1..40 {
        let source = format!("d{0} && d{0} && d{0} != d{0}", number - 1);
        let compiled = checker.compile(&source, None).unwrap();
        checker.define(&format!("d{number}"), &compiled);
    }
    let terms: Vec<String> = (0..400)
        .map(|n| format!("ageInYearsAt(at) > {n}"))
        .collect();
    assert!(checker.compile(&terms.join(" && "), None).is_ok());
    // Minus of minus, and as many texts of one value as an expression may have.
    let minus = format!(
        "{}Encounter().size(){} > 3",
        "-(".repeat(30),
        ")".repeat(30)
    );
    let texts = |operator: &str, word: &str| {
        let terms: Vec<String> = (0..600)
            .map(|n| format!("patient.id {operator} 'p{n}'"))
            .collect();
        terms.join(word)
    };
    let started = std::time::Instant::now();
    for source in [minus, texts("!=", " && "), texts("==", " || ")] {
        let compiled = checker.compile(&source, None);
        let told = compiled.map(|c| c.warnings.len()).map_err(|e| e.len());
        assert_eq!(told, Ok(0), "{}", &source[..80]);
    }
    let all = [texts("!=", " && "), "patient.id == 'p7'".to_owned()].join(" && ");
    assert_eq!(found(&[&all]).len(), 1);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

fn checker_of(source: &str) -> crate::Compiled {
    checker().compile(source, None).unwrap()
}

/// The words of clinicians are looked at as what they stand for.
#[test]
fn units_and_value_sets_of_clinical_words() {
    says(
        &["Observation(\"systolic\").latestValue(\"mmHg\") > 140"],
        Code::NotAUnit,
        "\"mmHg\"",
        &["write `mm[Hg]`"],
    );
    says(
        &["Observation().exists(o, componentValue(o, \"systolic\", \"mmHg\") > 140)"],
        Code::NotAUnit,
        "\"mmHg\"",
        &["write `mm[Hg]`"],
    );
    says(
        &[
            "Observation(\"hba1c\").latestValue(\"%\") > 9.0 && quantityIn(Observation(\"hba1c\").latest().value, \"mg/dL\") > 3.0",
        ],
        Code::OtherUnit,
        "\"mg/dL\"",
        &["something else than `%`"],
    );
    says(
        &[
            "Observation(\"hba1c\").exists(o, valueIn(o, \"%\") > 9.0 && valueIn(o, \"mg/dL\") > 3.0)",
        ],
        Code::OtherUnit,
        "\"mg/dL\"",
        &["something else than `%`"],
    );
    says(
        &["Procedure(\"diabetes\").completed().inLast(years(1)).exists()"],
        Code::WrongValueSet,
        "Procedure(\"diabetes\")",
        &["`Condition(\"diabetes\")`"],
    );
    says(
        &["Observation(\"systolic\").exists(o, componentValue(o, \"diabetes\", \"mm[Hg]\") > 140)"],
        Code::WrongValueSet,
        "componentValue(o, \"diabetes\", \"mm[Hg]\")",
        &["Observation.Component.code"],
    );
    says(
        &["Encounter().inLast(months(-6)).exists()"],
        Code::NeverHolds,
        "Encounter().inLast(months(-6))",
        &["`inLast(months(12))`"],
    );
    says(
        &["Encounter().completed().filter(e, e.status == \"done\").exists()"],
        Code::NotACode,
        "\"done\"",
        &["`Encounter.status`"],
    );
    nothing(&["Observation(\"hba1c\").completed().inLast(months(12)).latestValue(\"%\") > 9.0"]);
    nothing(&["Observation(\"hba1c\").inLast(months(12)).size() >= 2"]);
}
