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
            "a duration, such as `years(10)`",
        ),
        (
            "Observation(\"a1c\").latestValue()",
            "as in `Observation(\"hba1c\").latestValue(\"%\")`",
        ),
        ("Encounter(.size() > 1", "`)`"),
        ("Observation(“a1c”).size() > 1", "straight quotes"),
        ("has(patient.gender) # why", "`//`"),
        ("9% > 8", "quantityIn"),
    ] {
        let told = told(source);
        assert!(told.contains(words), "{source}: {told}");
    }
}
