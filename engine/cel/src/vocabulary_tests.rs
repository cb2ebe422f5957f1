//! The words of clinicians, also where data is missing, imprecise or in another unit.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::now::Ahead;
use engine_patient::program::NoteKind;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::terminology::{Code, ValueSet};

use super::explain::show;
use super::{Checker, Evaluation};

/// The value of an expression over these elements of resources, on 31 December 2025 at noon.
fn value(source: &str, resources: &[String]) -> String {
    value_in(Ahead::PAST, source, resources)
}

/// The same, where what is dated after that moment is taken so.
pub(super) fn value_in(ahead: Ahead, source: &str, resources: &[String]) -> String {
    let code = Code {
        system: "urn:x".into(),
        version: None,
        code: "s".into(),
        display: None,
    };
    let set = ValueSet::from_codes("urn:s", None, vec![code], "test");
    let mut checker = Checker::new(vec![("s".into(), Arc::new(set))]);
    let compiled = checker.compile(source, None);
    let compiled = compiled.unwrap_or_else(|p| panic!("{source}: {p:?}"));
    let mut record = PatientRecord::new();
    for json in resources {
        record.push(json).unwrap();
    }
    record.seal();
    let context = EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap());
    let context = context.with_ahead(ahead);
    let sets: Vec<_> = checker.value_sets().cloned().collect();
    let evaluation = Evaluation::new(&record, &context, checker.requirements(), &sets, &[]);
    show(&evaluation.evaluate(&compiled).unwrap())
}

pub(super) fn resource(ty: &str, number: usize, elements: &str) -> String {
    format!(r#"{{"resourceType":"{ty}","id":"{number}",{elements}}}"#)
}

/// Each case: elements of resources of one type, the expression, its value.
fn check(ty: &str, cases: &[(&[&str], &str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(elements, source, expected)| {
            let all = elements.iter().enumerate();
            let resources: Vec<String> = all.map(|(n, e)| resource(ty, n, e)).collect();
            let given = value(source, &resources);
            (given != *expected)
                .then(|| format!("{elements:?}\n  {source}: {given}\n  not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn windows_go_by_the_day() {
    const LAST: &str = "Procedure().inLast(years(1)).exists()";
    const UNDATED: &str = "unknown: the date of a resource is missing";
    const IMPRECISE: &str = "unknown: a date is too imprecise to compare";
    check(
        "Procedure",
        &[
            (&[r#""performedDateTime":"2024-12-31""#], LAST, "false"),
            (&[r#""performedDateTime":"2025-01-01""#], LAST, "true"),
            (&[r#""performedDateTime":"2025-12-31""#], LAST, "true"),
            (&[r#""performedDateTime":"2026-01-01""#], LAST, "false"),
            (
                &[r#""performedDateTime":"2024-12-31T12:00:00Z""#],
                LAST,
                "false",
            ),
            (
                &[r#""performedDateTime":"2024-12-31T12:00:01Z""#],
                LAST,
                "true",
            ),
            (
                &[r#""performedDateTime":"2025-12-31T12:00:01Z""#],
                LAST,
                "false",
            ),
            (
                &[r#""performedPeriod":{"start":"2025-03-01"}"#],
                LAST,
                "true",
            ),
            (&[r#""performedDateTime":"2025-06""#], LAST, "true"),
            (&[r#""performedDateTime":"2025""#], LAST, "true"),
            (&[r#""performedDateTime":"2024-12""#], LAST, "false"),
            (&[r#""performedDateTime":"2024""#], LAST, "false"),
            (
                &[r#""performedDateTime":"2024""#],
                "Procedure().inLast(months(18)).exists()",
                IMPRECISE,
            ),
            (&[r#""status":"completed""#], LAST, UNDATED),
            (
                &[r#""performedDateTime":"06/04/2025""#],
                LAST,
                "unknown: `Procedure.performedDateTime` cannot be read",
            ),
            // One that is surely inside decides, one that is surely outside is none.
            (
                &[
                    r#""status":"completed""#,
                    r#""performedDateTime":"2025-06-01""#,
                ],
                LAST,
                "true",
            ),
            (
                &[
                    r#""status":"completed""#,
                    r#""performedDateTime":"2020-06-01""#,
                ],
                LAST,
                UNDATED,
            ),
            (&[], LAST, "false"),
            (
                &[r#""performedDateTime":"2024-05-01""#],
                "Procedure().since(date(\"2024-05-01\")).exists()",
                "true",
            ),
            (
                &[r#""performedDateTime":"2024-04-30""#],
                "Procedure().since(date(\"2024-05-01\")).exists()",
                "false",
            ),
            (
                &[r#""performedDateTime":"2024-05-01""#],
                "Procedure().before(date(\"2024-05-01\")).exists()",
                "false",
            ),
            (
                &[r#""performedDateTime":"2024-04-30T23:00:00Z""#],
                "Procedure().before(date(\"2024-05-01\")).exists()",
                "true",
            ),
            (
                &[r#""performedDateTime":"2025-12-31""#],
                "Procedure().asOf(at).exists()",
                "true",
            ),
            (
                &[r#""performedDateTime":"2026""#],
                "Procedure().asOf(at).isEmpty()",
                "true",
            ),
            // What holds of it, holds whether it is in the window or not.
            (
                &[r#""status":"completed""#],
                "Procedure().inLast(years(1)).all(p, p.status == \"completed\")",
                "true",
            ),
            (
                &[r#""status":"completed""#],
                "Procedure().inLast(years(1)).all(p, p.status == \"stopped\")",
                UNDATED,
            ),
            // One resource, a date.
            (
                &[r#""performedDateTime":"2025-06-01""#],
                "Procedure().latest().inLast(years(1))",
                "true",
            ),
            (
                &[],
                "date(\"2025-06-01\").inLast(years(1)) && !date(\"2024\").inLast(years(1))",
                "true",
            ),
            (
                &[],
                "Procedure().latest().inLast(years(1))",
                "unknown: there is none to take the date of",
            ),
            // Nothing is of any window.
            (
                &[],
                "Procedure().since(patient.birthDate).exists()",
                "false",
            ),
        ],
    );
}

#[test]
fn status_says_what_is_done() {
    check(
        "Procedure",
        &[
            (
                &[r#""status":"completed""#],
                "Procedure().completed().exists()",
                "true",
            ),
            (
                &[r#""status":"in-progress""#],
                "Procedure().completed().exists()",
                "false",
            ),
            (
                &[r#""status":"not-done""#],
                "Procedure().notDone().exists() && Procedure().completed().isEmpty()",
                "true",
            ),
            (
                &[r#""code":{"text":"x"}"#],
                "Procedure().completed().exists()",
                "unknown: `Procedure.status` is missing",
            ),
            (
                &[r#""code":{"text":"x"}"#, r#""status":"completed""#],
                "Procedure().completed().size() > 0",
                "true",
            ),
            (
                &[r#""code":{"text":"x"}"#, r#""status":"completed""#],
                "Procedure().completed().size() > 1",
                "unknown: `Procedure.status` is missing",
            ),
            (
                &[r#""status":7"#],
                "Procedure().all(p, completed(p))",
                "unknown: `Procedure.status` cannot be read",
            ),
        ],
    );
    check(
        "Observation",
        &[
            (
                &[r#""status":"amended""#, r#""status":"preliminary""#],
                "Observation().completed().size()",
                "1",
            ),
            (
                &[r#""status":"registered""#],
                "Observation().completed().isEmpty()",
                "true",
            ),
        ],
    );
    check(
        "ServiceRequest",
        &[
            (
                &[r#""status":"active","intent":"order""#],
                "ServiceRequest().ordered().exists()",
                "true",
            ),
            (
                &[r#""status":"active","intent":"plan""#],
                "ServiceRequest().ordered().exists()",
                "false",
            ),
            (
                &[r#""status":"completed""#],
                "ServiceRequest().ordered().exists()",
                "false",
            ),
            (
                &[r#""status":"active""#],
                "ServiceRequest().ordered().exists()",
                "unknown: `ServiceRequest.intent` is missing",
            ),
        ],
    );
}

#[test]
fn conditions_that_go_on_and_that_ever_were() {
    const ACTIVE: &str = r#""clinicalStatus":{"coding":[{"code":"active"}]}"#;
    let with = |more: &str| format!("{ACTIVE},{more}");
    let later = with(r#""onsetDateTime":"2026-01-01""#);
    let today = with(r#""onsetDateTime":"2025-12-31""#);
    let refuted = with(r#""verificationStatus":{"coding":[{"code":"refuted"}]}"#);
    let ended = with(r#""abatementDateTime":"2024""#);
    check(
        "Condition",
        &[
            (
                &[ACTIVE],
                "Condition().active().exists() && Condition().ever().exists()",
                "true",
            ),
            (
                &[&today],
                "Condition().active().exists() && Condition().ever().exists()",
                "true",
            ),
            (
                &[&later],
                "Condition().active().exists() || Condition().ever().exists()",
                "false",
            ),
            (
                &[&refuted],
                "Condition().active().exists() || Condition().ever().exists()",
                "false",
            ),
            (&[&ended], "Condition().active().exists()", "false"),
            (&[&ended], "Condition().ever().exists()", "true"),
            (
                &[r#""onsetDateTime":"2020""#],
                "Condition().active().exists()",
                "unknown: `Condition.clinicalStatus` is missing",
            ),
            (
                &[r#""onsetDateTime":"2020""#],
                "Condition().ever().exists()",
                "true",
            ),
        ],
    );
}

pub(super) fn result(date: &str, number: &str, unit: &str) -> String {
    format!(
        r#""status":"final","effectiveDateTime":"{date}","valueQuantity":{{"value":{number},"system":"http://unitsofmeasure.org","code":"{unit}"}}"#
    )
}

#[test]
fn values_of_the_latest_and_of_all() {
    let [old, new, year, undated, grams] = [
        result("2025-03-01", "9.5", "%"),
        result("2025-08-01", "8", "%"),
        result("2025", "8.5", "%"),
        r#""status":"final","valueQuantity":{"value":7.5,"system":"http://unitsofmeasure.org","code":"%"}"#.to_owned(),
        result("2025-09-01", "3", "g"),
    ];
    let empty = r#""status":"final","effectiveDateTime":"2025-10-01""#;
    let low = r#""status":"final","effectiveDateTime":"2025-10-01","valueQuantity":{"value":4,"comparator":"<","system":"http://unitsofmeasure.org","code":"%"}"#;
    const NONE: &str = "unknown: there is none to take the value of";
    const IMPRECISE: &str = "unknown: a date is too imprecise to compare";
    const MISSING: &str = "unknown: the date of a resource is missing";
    check(
        "Observation",
        &[
            (&[&old, &new], "Observation().latestValue(\"%\")", "8"),
            (&[&new, &old], "Observation().latestValue(\"%\")", "8"),
            (&[], "Observation().latestValue(\"%\") > 9.0", NONE),
            (
                &[],
                "Observation().exists() && Observation().latestValue(\"%\") > 9.0",
                "false",
            ),
            // Which of two is the latest does not matter where both say the same.
            (
                &[&old, &new, &year],
                "Observation().latestValue(\"%\") <= 9.0",
                "true",
            ),
            (
                &[&old, &new, &year],
                "Observation().latestValue(\"%\") <= 8.2",
                IMPRECISE,
            ),
            (
                &[&old, &new, &year],
                "Observation().latestValue(\"%\") == 9.5",
                "false",
            ),
            (
                &[&old, &undated],
                "Observation().latestValue(\"%\") <= 9.0",
                MISSING,
            ),
            (
                &[&new, &undated],
                "Observation().latestValue(\"%\") <= 9.0",
                "true",
            ),
            (
                &[&undated],
                "Observation().latestValue(\"%\") <= 9.0",
                "true",
            ),
            // It may be in the list, or not.
            (
                &[&undated],
                "Observation().inLast(years(1)).latestValue(\"%\") <= 9.0",
                MISSING,
            ),
            (
                &[&new, &undated],
                "Observation().inLast(years(1)).latestValue(\"%\") <= 9.0",
                "true",
            ),
            (
                &[&new, &grams],
                "Observation().latestValue(\"%\") <= 9.0",
                "unknown: the quantity is in another unit than `%`: in `g`",
            ),
            (
                &[&new, empty],
                "Observation().latestValue(\"%\") <= 9.0",
                "unknown: `Observation.value` is missing",
            ),
            (
                &[&new, empty],
                "Observation().withResult().latestValue(\"%\")",
                "8",
            ),
            (
                &[&new, low],
                "Observation().latestValue(\"%\")",
                "unknown: the value is only a bound (`comparator`)",
            ),
            (&[&old, &new], "Observation().lowest(\"%\")", "8"),
            (&[&old, &new], "Observation().highest(\"%\")", "9.5"),
            (
                &[&old, &new, &undated],
                "Observation().inLast(years(1)).lowest(\"%\") < 8.5",
                "true",
            ),
            (
                &[&old, &new, &undated],
                "Observation().inLast(years(1)).lowest(\"%\") < 8.0",
                MISSING,
            ),
            (&[&old, &new], "Observation().average(\"%\")", "8.75"),
            (&[&old, &new], "Observation().change(\"%\")", "-1.5"),
            (&[&old], "Observation().change(\"%\")", NONE),
            (
                &[&old, &new, &year],
                "Observation().change(\"%\")",
                IMPRECISE,
            ),
            (
                &[&new],
                "Observation().all(o, valueIn(o, \"%\") > 7.9)",
                "true",
            ),
        ],
    );
}

#[test]
fn one_hba1c_in_two_units() {
    for (number, unit, expected) in [
        ("9.4", "%", "9.4"),
        ("53", "mmol/mol", "7"),
        ("75", "mmol/mol", "9"),
        ("48", "mmol/mol", "6.5"),
        (
            "5",
            "mg/dL",
            "unknown: the quantity is in another unit than `%`: in `mg/dL`",
        ),
    ] {
        let json = resource("Observation", 1, &result("2025-05-01", number, unit));
        assert_eq!(
            value(
                "hba1cPercent(Observation().latest())",
                std::slice::from_ref(&json)
            ),
            expected
        );
        assert_eq!(value("Observation().hba1cPercent()", &[json]), expected);
    }
}

#[test]
fn formulas() {
    let patient = |elements: &str| resource("Patient", 9, elements);
    let woman = patient(r#""gender":"female","birthDate":"1960-06-15""#);
    let man = patient(r#""gender":"male","birthDate":"1965-06-15""#);
    let by_year = patient(r#""gender":"male","birthDate":"1965""#);
    let child = patient(r#""gender":"male","birthDate":"2010-06-15""#);
    let other = patient(r#""gender":"other","birthDate":"1965-06-15""#);
    let old = patient(r#""gender":"male""#);
    let creatinine = resource("Observation", 1, &result("2025-12-01", "1.0", "mg/dL"));
    let micromoles = resource("Observation", 1, &result("2025-12-01", "88.4", "umol/L"));
    for (patient, observation, source, expected) in [
        // The published calculator rounds these to 63, 86 and 86.
        (&woman, &creatinine, "Observation().ckdEpi2021()", "62.52"),
        (&man, &creatinine, "Observation().ckdEpi2021()", "86.16"),
        (&man, &micromoles, "Observation().ckdEpi2021()", "86.16"),
        (&man, &creatinine, "ckdEpi2021(0.8)", "101.32"),
        (
            &by_year,
            &creatinine,
            "Observation().ckdEpi2021() > 80",
            "true",
        ),
        (
            &child,
            &creatinine,
            "Observation().ckdEpi2021()",
            "unknown: the formula is for adults",
        ),
        (
            &other,
            &creatinine,
            "Observation().ckdEpi2021()",
            "unknown: `Patient.gender` is neither male nor female",
        ),
        (
            &old,
            &creatinine,
            "Observation().ckdEpi2021()",
            "unknown: `Patient.birthDate` is missing",
        ),
        (
            &man,
            &creatinine,
            "ckdEpi2021(0)",
            "unknown: a number that the formula is not made for",
        ),
        (&man, &creatinine, "creatinineClearance(1.0, 72)", "80"),
        (&woman, &creatinine, "creatinineClearance(1.0, 72)", "63.75"),
        (&man, &creatinine, "bodySurface(180, 80)", "2"),
        (&man, &creatinine, "bmi(200, 100)", "25"),
        (
            &man,
            &creatinine,
            "bmi(Observation(), 100)",
            "unknown: the quantity is in another unit than `cm`: in `mg/dL`",
        ),
    ] {
        let given = value(source, &[patient.clone(), observation.clone()]);
        assert_eq!(given, expected, "{source} {patient}");
    }
}

#[test]
fn ages_in_months_and_days() {
    for (born, source, expected) in [
        ("2025-10-31", "ageInMonthsAt(at)", "2"),
        ("2025-11-01", "ageInMonthsAt(at)", "1"),
        ("2025-12-31", "ageInDaysAt(at)", "0"),
        ("2025-12-01", "ageInDaysAt(at)", "30"),
        ("2025-10", "ageInMonthsAt(at) < 3", "true"),
        (
            "2025-10",
            "ageInMonthsAt(date(\"2025-12-15\"))",
            "unknown: `Patient.birthDate` is too imprecise",
        ),
    ] {
        let patient = resource("Patient", 1, &format!(r#""birthDate":"{born}""#));
        assert_eq!(value(source, &[patient]), expected, "{source} {born}");
    }
}

#[test]
fn components_by_their_code() {
    let part = |code: &str, number: &str| {
        format!(
            r#"{{"code":{{"coding":[{{"system":"urn:x","code":"{code}"}}]}},"valueQuantity":{{"value":{number},"system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}"#
        )
    };
    let panel = |parts: &[String]| {
        let all = format!(r#""status":"final","component":[{}]"#, parts.join(","));
        vec![resource("Observation", 1, &all)]
    };
    let source = "componentValue(Observation().first(), \"s\", \"mm[Hg]\")";
    assert_eq!(
        value(source, &panel(&[part("s", "150"), part("d", "90")])),
        "150"
    );
    let two = panel(&[part("s", "150"), part("s", "130")]);
    assert_eq!(value(&format!("{source} > 120"), &two), "true");
    assert_eq!(
        value(&format!("{source} > 140"), &two),
        "unknown: an Observation has several such components"
    );
    assert_eq!(
        value(source, &panel(&[part("d", "90")])),
        "unknown: an Observation has no such component"
    );
}

/// What is known of a value stays known, what is not known of an item is not taken for known.
#[test]
fn perhaps_is_neither_yes_nor_no() {
    const ACTIVE: &str = r#""clinicalStatus":{"coding":[{"code":"active"}]}"#;
    const NO_STATUS: &str = r#""onsetDateTime":"2020""#;
    const MISSING: &str = "unknown: `Condition.clinicalStatus` is missing";
    check(
        "Condition",
        &[
            (
                &[NO_STATUS, ACTIVE],
                "orElse(Condition().active(), []).exists()",
                "true",
            ),
            (
                &[NO_STATUS],
                "orElse(Condition().active(), []).exists()",
                MISSING,
            ),
            (&[NO_STATUS], "-Condition().active().size() <= 0", "true"),
            (&[NO_STATUS], "-Condition().active().size() >= 1", "false"),
            (&[NO_STATUS], "-Condition().active().size() < 0", MISSING),
        ],
    );
    check(
        "Patient",
        &[
            (
                &[r#""birthDate":"1960""#],
                "orElse(ageInYearsAt(at), 0) >= 18",
                "true",
            ),
            (
                &[r#""active":true"#],
                "orElse(ageInYearsAt(at), 0) >= 18",
                "false",
            ),
        ],
    );
    const NO_PERIOD: &str = "unknown: `Encounter.period` is missing";
    for (asked, expected) in [
        (".inLast(years(1)).size() > 0", NO_PERIOD),
        (".inLast(years(1)).exists()", NO_PERIOD),
        (".inLast(years(1)).all(p, start(p) > at)", NO_PERIOD),
        (".during(at - years(1), at).size() > 0", NO_PERIOD),
        (".during(at - years(1), at).exists()", NO_PERIOD),
    ] {
        let source = format!("Encounter().map(e, e.period){asked}");
        check(
            "Encounter",
            &[(&[r#""status":"finished""#], &source, expected)],
        );
    }
}

/// A status is of when it was written, the moment of evaluation may be before.
#[test]
fn a_condition_that_ended_later_went_on() {
    let ended = |status: &str, date: &str| {
        format!(
            r#""clinicalStatus":{{"coding":[{{"code":"{status}"}}]}},"onsetDateTime":"2020-01-01","abatementDateTime":"{date}""#
        )
    };
    for (status, date, expected) in [
        ("resolved", "2026-05-01", "true"),
        ("inactive", "2026", "true"),
        ("active", "2026-05-01", "true"),
        ("resolved", "2025-12-31", "false"),
        ("active", "2025-12-31", "false"),
        ("active", "2025-12", "false"),
        ("resolved", "2025-12-31T11:00:00Z", "false"),
        ("resolved", "2025-12-31T13:00:00Z", "true"),
        ("resolved", "2024", "false"),
    ] {
        let condition = ended(status, date);
        let case: (&[&str], _, _) = (&[&condition], "Condition().active().exists()", expected);
        check("Condition", &[case]);
    }
    check(
        "Condition",
        &[(
            &[r#""clinicalStatus":{"coding":[{"code":"resolved"}]},"abatementString":"long ago""#],
            "Condition().active().exists()",
            "false",
        )],
    );
}

/// Ids do not say which result came last.
#[test]
fn of_results_of_one_day_none_is_the_last() {
    const ONE_DAY: &str =
        "unknown: several results are of one day without a time: which is the last is not known";
    const ONE_MOMENT: &str =
        "unknown: several results are of one moment: which is the last is not known";
    let [high, low, before] = [
        result("2025-08-01", "10", "%"),
        result("2025-08-01", "7", "%"),
        result("2025-03-01", "20", "%"),
    ];
    let [early, late] = [
        result("2025-08-01T08:00:00Z", "10", "%"),
        result("2025-08-01T09:00:00Z", "7", "%"),
    ];
    const LATEST: &str = "Observation().latestValue(\"%\")";
    check(
        "Observation",
        &[
            (&[&high, &low, &before], LATEST, ONE_DAY),
            (
                &[&low, &high, &before],
                "Observation().latestValue(\"%\") > 9.0",
                ONE_DAY,
            ),
            (
                &[&high, &low, &before],
                "Observation().latestValue(\"%\") > 6.5 && Observation().latestValue(\"%\") <= 10",
                "true",
            ),
            (&[&high, &high], LATEST, "10"),
            (&[&high, &low], "Observation().change(\"%\")", ONE_DAY),
            (&[&high, &low], "hba1cPercent(Observation()) > 9.0", ONE_DAY),
            (&[&late, &early], LATEST, "7"),
            // Of one moment none is the last either.
            (&[&early, &early.replace("10", "9")], LATEST, ONE_MOMENT),
            (&[&early, &early], LATEST, "10"),
            // What all say that may be the last is known.
            (
                &[&high, &low, &before],
                "start(Observation().latest())",
                "2025-08-01",
            ),
            (
                &[&high, &low, &before],
                "Observation().latest().status",
                "final",
            ),
            (
                &[&high, &low, &before],
                "quantityIn(Observation().latest().value, \"%\")",
                ONE_DAY,
            ),
            (
                &[&high, &low, &before],
                "quantityIn(Observation().latest().value, \"%\") <= 10.0",
                "true",
            ),
            (
                &[&high, &low, &before],
                "valueIn(Observation().latest(), \"%\") > 9.0",
                ONE_DAY,
            ),
            (&[&high, &low], "has(Observation().latest().value)", "true"),
            (&[&high, &low], "isUnknown(Observation().latest())", "false"),
            (
                &[&high, &low],
                "daysBetween(Observation().earliest(), Observation().latest())",
                "0",
            ),
            (&[&high, &low], "Observation().latest().id", ONE_DAY),
            (
                &[&high, &low],
                "Observation().latest().component.exists(c, has(c.value))",
                "unknown: `Observation.component` is missing",
            ),
            (
                &[&before, &high, &low],
                "valueIn(Observation().earliest(), \"%\")",
                "20",
            ),
            (
                &[&late, &early],
                "valueIn(Observation().earliest(), \"%\")",
                "10",
            ),
        ],
    );
}

/// Of two reasons that of data that cannot be used is told.
#[test]
fn why_neither_of_two_is_known() {
    let grams = result("2025-08-01", "10", "g");
    let unit = "unknown: the quantity is in another unit than `%`: in `g`";
    check(
        "Observation",
        &[
            (
                &[&grams],
                "orElse(Observation().latestValue(\"%\"), Observation().inLast(days(1)).latestValue(\"g\")) > 1",
                unit,
            ),
            (
                &[&grams],
                "orElse(Observation().inLast(days(1)).latestValue(\"g\"), Observation().latestValue(\"%\")) > 1",
                unit,
            ),
        ],
    );
}

/// Charts spell units as they like, and some have them for people only.
#[test]
fn units_as_charts_have_them() {
    const SYSTEM: &str = r#""system":"http://unitsofmeasure.org","#;
    let of = |unit: &str| {
        format!(
            r#""status":"final","effectiveDateTime":"2025-10-01","valueQuantity":{{"value":5{unit}}}"#
        )
    };
    let coded = |code: &str| of(&format!(r#",{SYSTEM}"code":"{code}""#));
    let told = |unit: &str| of(&format!(r#","unit":"{unit}""#));
    let other = of(r#","system":"urn:units","code":"mg","unit":"mEq/L""#);
    const POTASSIUM: &str = "Observation().latestValue(\"meq/L\")";
    check(
        "Observation",
        &[
            (&[&coded("meq/L")], POTASSIUM, "5"),
            (&[&coded("mEq/L")], POTASSIUM, "5"),
            (&[&told("mEq/L")], POTASSIUM, "5"),
            (&[&told("ueq/L")], POTASSIUM, "0.005"),
            (&[&other], POTASSIUM, "5"),
            (
                &[&coded("K/uL")],
                "Observation().latestValue(\"10*9/L\")",
                "5",
            ),
            (
                &[&coded("mEq/L")],
                "Observation().latestValue(\"mmol/L\")",
                "unknown: the quantity is in another unit than `mmol/L`: in a unit that UCUM does not have",
            ),
            (
                &[&coded("ML")],
                "Observation().latestValue(\"mL\")",
                "unknown: the quantity is in a unit of capitals, which in UCUM is another than it usually means",
            ),
            (
                &[&of("")],
                POTASSIUM,
                "unknown: the quantity has no UCUM unit",
            ),
            (
                &[&told(" ")],
                POTASSIUM,
                "unknown: the quantity has no UCUM unit",
            ),
        ],
    );
}

/// As cards tell days: where the rule runs, here in UTC.
#[test]
fn a_moment_is_written_as_the_day_here() {
    let of = |date: &str| {
        let effective = format!(r#""effectiveDateTime":"{date}""#);
        let one = resource("Observation", 1, &effective);
        value("string(start(Observation().first()))", &[one])
    };
    assert_eq!(of("2025-03-01T23:20:00-05:00"), "2025-03-02");
    assert_eq!(of("2025-03-01T00:20:00+02:00"), "2025-02-28");
    assert_eq!(of("2025-03-01"), "2025-03-01");
    assert_eq!(of("2025-03"), "2025-03");
}

/// What was read otherwise than it is written is counted.
#[test]
fn spellings_of_units_are_counted() {
    let mut checker = Checker::new(vec![]);
    let compiled = checker
        .compile("Observation().highest(\"meq/L\") > 1", None)
        .unwrap();
    let mut record = PatientRecord::new();
    for (id, code) in [("1", "mEq/L"), ("2", "meq/L"), ("3", "MEQ/L")] {
        let json = format!(
            r#"{{"resourceType":"Observation","id":"{id}","valueQuantity":{{"value":5,"system":"http://unitsofmeasure.org","code":"{code}"}}}}"#
        );
        record.push(&json).unwrap();
    }
    record
        .push(r#"{"resourceType":"Observation","id":"4","valueQuantity":{"value":4,"unit":"meq/L{Smith}"}}"#)
        .unwrap();
    record.seal();
    let context = EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap());
    let evaluation = Evaluation::new(&record, &context, checker.requirements(), &[], &[]);
    assert_eq!(show(&evaluation.evaluate(&compiled).unwrap()), "true");
    let notes: Vec<_> = evaluation
        .notes()
        .iter()
        .map(|(k, d, n)| (k, d.to_owned(), n))
        .collect();
    // What may be any text is left out.
    assert_eq!(
        notes,
        [
            (NoteKind::UnitSpelling, "meq/L".to_owned(), 2),
            (NoteKind::UnitSpelling, "meq/L{…}".to_owned(), 1)
        ]
    );
}
