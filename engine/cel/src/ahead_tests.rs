//! What is dated after a call: clocks differ by minutes, and what is there has happened.

use engine_patient::now::Ahead;

use crate::vocabulary_tests::{resource, value_in};

const SOON: &str = "2025-12-31T12:10:00Z";
const HOURS: &str = "2025-12-31T17:00:00Z";
const LATER: &str = "2026-01-02";

/// In a call, and at a moment of the past.
fn told(source: &str, ty: &str, elements: &str) -> [String; 2] {
    let all = [resource(ty, 1, elements)];
    [Ahead::CALL, Ahead::PAST].map(|ahead| value_in(ahead, source, &all))
}

#[test]
fn results_and_what_was_done() {
    const AHEAD: &str = "unknown: the date of a resource lies in the future";
    let result = |on: &str| format!(r#""status":"final","effectiveDateTime":"{on}""#);
    let done =
        |status: &str, on: &str| format!(r#""status":"{status}","performedDateTime":"{on}""#);
    for source in [
        "Observation().inLast(years(1)).exists()",
        "Observation().asOf(at).exists()",
        "Observation().during(at - years(1), at).exists()",
    ] {
        let of = |on: &str| told(source, "Observation", &result(on));
        assert_eq!(of(SOON), ["true", "false"], "{source}");
        assert_eq!(of(HOURS), [AHEAD, "false"], "{source}");
        // It is that day already in the east of the Pacific.
        assert_eq!(of("2026-01-01"), ["true", "false"], "{source}");
        assert_eq!(of(LATER), [AHEAD, "false"], "{source}");
    }
    // Another limit than now is what it says.
    let before = "Observation().asOf(at - hours(1)).exists()";
    assert_eq!(
        told(before, "Observation", &result(SOON)),
        ["false", "false"]
    );
    // What is to come has its date ahead, and is not done.
    const LAST: &str = "Procedure().inLast(years(1)).exists()";
    for status in ["preparation", "not-done"] {
        let of = |on: &str| told(LAST, "Procedure", &done(status, on));
        assert_eq!(of(SOON), ["false", "false"], "{status}");
        assert_eq!(of(LATER), ["false", "false"], "{status}");
    }
    assert_eq!(
        told(LAST, "Procedure", &done("completed", LATER)),
        [AHEAD, "false"]
    );
    // A date of itself says nothing of having happened.
    let date = format!(r#""birthDate":"{LATER}""#);
    assert_eq!(
        told("patient.birthDate.inLast(years(1))", "Patient", &date),
        ["false", "false"]
    );
}

#[test]
fn problems_medications_and_allergies() {
    let ahead = |path: &str| format!("unknown: `{path}` lies in the future");
    let active = r#""clinicalStatus":{"coding":[{"code":"active"}]}"#;
    let onset = format!(r#"{active},"onsetDateTime":"ON""#);
    let order = r#""status":"active","intent":"order","authoredOn":"ON""#.to_owned();
    let statement = r#""status":"active","effectivePeriod":{"start":"ON"}"#.to_owned();
    for (source, ty, elements, path) in [
        (
            "Condition().active().exists()",
            "Condition",
            &onset,
            "Condition.onset",
        ),
        (
            "Condition().ever().exists()",
            "Condition",
            &onset,
            "Condition.onset",
        ),
        (
            "medications().exists()",
            "MedicationRequest",
            &order,
            "MedicationRequest.authoredOn",
        ),
        (
            "medications().exists()",
            "MedicationStatement",
            &statement,
            "MedicationStatement.effective",
        ),
        (
            "allergies().exists()",
            "AllergyIntolerance",
            &onset,
            "AllergyIntolerance.onset",
        ),
    ] {
        let of = |on: &str| told(source, ty, &elements.replace("ON", on));
        assert_eq!(of(SOON), ["true", "false"], "{source} {ty}");
        assert_eq!(of(HOURS), [&*ahead(path), "false"], "{source} {ty}");
        assert_eq!(of("2026-02"), [&*ahead(path), "false"], "{source} {ty}");
        assert_eq!(of("2025-12"), ["true", "true"], "{source} {ty}");
    }
    // Over, whenever it is said to have begun.
    let over = r#""clinicalStatus":{"coding":[{"code":"resolved"}]},"onsetDateTime":"2026-02-01""#;
    assert_eq!(
        told("Condition().active().exists()", "Condition", over),
        ["false", "false"]
    );
}
