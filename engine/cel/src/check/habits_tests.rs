use std::sync::Arc;

use engine_patient::terminology::ValueSet;

use super::super::Checker;

/// What is said of an expression, and what helps.
fn told(source: &str) -> String {
    let set = ValueSet::from_codes("urn:a1c", None, vec![], "test");
    let mut checker = Checker::new(vec![("a1c".into(), Arc::new(set))]);
    let found = checker.compile(source, None).expect_err(source);
    let lines = found
        .iter()
        .map(|f| format!("{} | {}", f.message, f.help.clone().unwrap_or_default()));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn values_of_several_types() {
    for (source, words) in [
        (
            "Observation().exists(o, o.value == \"negative\")",
            "name the type: `o.valueString == \"negative\"`; where it is coded: `inValueSet(o.value, ",
        ),
        (
            "patient.extension.exists(e, e.value == \"yes\")",
            "`e.valueString == \"yes\"`",
        ),
        (
            "patient.extension.exists(e, e.value == true)",
            "`e.valueBoolean == true`",
        ),
        (
            "Observation().exists(o, o.value in [\"a\", \"b\"])",
            "`o.valueString in […]`",
        ),
        (
            "Observation().exists(o, o.value >= 10)",
            "`o.valueInteger >= 10`",
        ),
        (
            "Observation().exists(o, o.value >= 10)",
            "`quantityIn(o.value, \"mg/dL\") > 9.0`",
        ),
        (
            "Observation().exists(o, o.value < 9.5)",
            "quantityIn(o.value",
        ),
        ("Observation().exists(o, o.status == final)", "`\"final\"`"),
        (
            "ageInYearsAt(at) >= \"18\"",
            "write the number without quotes: `18`",
        ),
        ("18 <= ageInYearsAt(at) <= 75", "`18 <= x && x <= 75`"),
        (
            "start(Encounter().latest()) > 2020-01-01",
            "`date(\"2020-01-01\")`",
        ),
        (
            "start(Encounter().latest()) > date(\"2020-02-30\")",
            "this day does not exist",
        ),
    ] {
        let told = told(source);
        assert!(told.contains(words), "{source}: {told}");
    }
}

#[test]
fn words_of_other_languages() {
    for (source, words) in [
        ("age() > 18", "`ageInYearsAt(at)`"),
        ("today() > date(\"2020-01-01\")", "`at` is the moment"),
        ("Encounter().count() > 1", "`.size()`"),
        ("Encounter().any()", "`.exists(x, …)`"),
        ("observation(\"a1c\").size() > 1", "`Observation()`"),
        (
            "Encounter().exists(e, e.length < 9,0)",
            "write `9.0` for `9,0`",
        ),
        (
            "Encounter().where(e, true).exists()",
            "write `.filter(x, …)`, or",
        ),
        (
            "Encounter().exists(e)",
            "takes a variable and an expression",
        ),
        ("today - 12 months", "as in `at - months(12)`"),
        ("start(Encounter().latest()) > today", "`at` is the moment"),
        ("age >= 45", "`ageInYearsAt(at)`"),
        ("age > 45 and age < 75", "`&&`"),
        ("not (ageInYearsAt(at) > 3)", "write `!` for not"),
        ("none(Encounter())", "`.isEmpty()`"),
        (
            "Encounter().none(e, e.status == \"planned\")",
            "`!list.exists(x, …)`",
        ),
        ("Encounter().last()", "`.latest()`"),
        ("ageInYearsAt(at) in 40..75", "`x >= 40 && x <= 75`"),
        ("ageInYearsAt(at) between 40 and 75", "`x >= 40 && x <= 75`"),
        (
            "status = active",
            "write `==` to compare, and a text in quotes",
        ),
        (
            "Encounter().exists(e, e.status = active)",
            "write `==` to compare",
        ),
        ("Encounter().exists(e, e.status == active)", "`\"active\"`"),
        ("gender == \"female\"", "write `patient.gender`"),
        ("patient.deceased == false", "write `!deceased(at)`"),
        ("patient.birthDate is null", "`has(x.y)`"),
        ("patient.birthDate == null", "`has(x.y)`"),
        ("count(Encounter()) > 1", "write `.size()`"),
        (
            "Encounter().any(e, e.status == \"finished\")",
            "`.exists(x, …)`",
        ),
        (
            "Encounter().within(months(12))",
            "`list.inLast(months(12))`",
        ),
        (
            "Observation(\"a1c\").inLast(12)",
            "say of what: `years(12)`, `months(12)`",
        ),
        (
            "Observation(\"a1c\").latestValue()",
            "as in `Observation(\"hba1c\").latestValue(\"%\")`",
        ),
        ("Encounter(.size() > 1", "this `(` is never closed"),
        ("status == active", "`\"status\"`"),
        (
            "Encounter().exists(e, status == \"finished\")",
            "write `e.status`",
        ),
        ("patient.age >= 18", "`ageInYearsAt(at)`"),
        ("patient.dob < at", "`patient.birthDate`"),
        (
            "Lab(\"a1c\").exists()",
            "results of tests and vital signs are `Observation`",
        ),
        (
            "Diagnosis(\"a1c\").exists()",
            "`Condition(\"value set\").active().exists()`",
        ),
        ("Xyz(\"a1c\").exists()", "diagnoses `Condition`"),
        (
            "Observation(a1c).exists()",
            "in quotes: `Observation(\"a1c\")`",
        ),
        (
            "Condition(\"I50.9\").exists()",
            "this is a code, and a value set is wanted",
        ),
        (
            "Condition(\"snomed|84114007\").exists()",
            "`.exists(x, x.code.coding.exists(k, k.code == \"84114007\"))`",
        ),
        (
            "Observation(\"tsh\").exists()",
            "name it under `value_sets` first; there are `a1c`",
        ),
        (
            "Medication(\"warfarin\").exists()",
            "`medications().exists(m, isDrug(m, \"warfarin\"))`",
        ),
        ("egfr < 30", "`ckdEpi2021(Observation(\"creatinine\"))`"),
        (
            "takes(\"warfarin\")",
            "`medications().exists(m, isDrug(m, \"warfarin\"))`",
        ),
        ("order == \"ibuprofen\"", "`for_each: {order: selections("),
        (
            "isDrug(MedicationRequest().first(), warfarin)",
            "stands in quotes: `\"warfarin\"`",
        ),
        (
            "MedicationRequest().exists(m, m == \"ibuprofen\")",
            "write `isDrug(m, \"ibuprofen\")`",
        ),
        (
            "MedicationRequest().exists(m, m.medication == \"ibuprofen\")",
            "write `isDrug(m, \"ibuprofen\")`",
        ),
        (
            "MedicationRequest().exists(m, m in \"nsaid\")",
            "write `inDrugClass(m, \"nsaid\")`",
        ),
        (
            "MedicationRequest().exists(m, m.dose > 50)",
            "`dosageInstruction.exists(d,",
        ),
        (
            "medications().contains(\"warfarin\")",
            "`medications().exists(m, isDrug(m, \"warfarin\"))`",
        ),
        (
            "\"warfarin\" in medications()",
            "`medications().exists(m, isDrug(m, \"warfarin\"))`",
        ),
        ("isDrug(\"warfarin\")", "takes 2 arguments, here is 1"),
        (
            "Encounter().inLast()",
            "takes 1 argument in its brackets, here is none",
        ),
        (
            "Encounter().inLast(\"12 months\").exists()",
            "write `months(12)`",
        ),
        ("Encounter().inLast(12).exists()", "`months(12)`"),
        (
            "Encounter().since(date(\"2025-2-30\")).exists()",
            "this day does not exist",
        ),
        (
            "Encounter().since(date(\"2025-2-3\")).exists()",
            "write `2025-02-03`",
        ),
        (
            "Encounter().exists(e, start(e) > \"2025-02-01\")",
            "write a date as `date(\"2025-02-01\")`",
        ),
        (
            "ageInYearsAt(at) >= 18 years",
            "an age is a number without a unit",
        ),
        (
            "Observation().exists(o, o.value > \"4.5 mIU/L\")",
            "`quantityIn(o.value, \"m[iU]/L\") > 4.5`",
        ),
        ("ageInYearsAt(at) <> 18", "write `!=`"),
        (
            "ageInYearsAt(at) >= 5.5 mmol/L",
            "a number has no unit here",
        ),
        (
            "ageInYearsAt(at) > 18 and at > at",
            "`and` does not fit here",
        ),
        (
            "if at > at then true else false",
            "the word `if` is not used in rules",
        ),
        ("ageInYearsAt(at) >", "it ends before it is complete"),
        ("Observation(“a1c”).size() > 1", "straight quotes"),
        ("has(patient.gender) # why", "`//`"),
        ("9% > 8", "quantityIn"),
    ] {
        let told = told(source);
        assert!(told.contains(words), "{source}: {told}");
    }
}

/// One slip trips the parser several times: it is told once, and the whole word is marked.
#[test]
fn a_slip_of_the_grammar_is_told_once() {
    for (source, marked) in [
        ("ageInYearsAt(at) > 18 & at == at", "&"),
        ("patient.gender = \"female\"", "="),
        ("Observation(“a1c”).size() > 1", "“"),
        ("ageInYearsAt(at) > 18 and at == at", "and"),
        ("if at > at then true else false", "if"),
    ] {
        let found = Checker::new(vec![])
            .compile(source, None)
            .expect_err(source);
        assert_eq!(found.len(), 1, "{source}: {found:#?}");
        let (from, to) = found[0].chars();
        let text: String = source.chars().skip(from).take(to - from).collect();
        assert_eq!(text, marked, "{source}");
        let telling = ["input", "token", "EOF", "viable"];
        assert!(
            !telling.iter().any(|w| found[0].message.contains(w)),
            "{}",
            found[0].message
        );
    }
}
