use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;

use super::*;
use crate::settings::HOOKS;

fn settings() -> Settings {
    Settings {
        period: (0, i64::MAX),
        zone: UTC.clone(),
        hooks: HOOKS.to_vec(),
        last_updated: false,
        assumed_days: 30,
    }
}

/// `2020-01-01T00:00:00.000Z {…}`: since when, and what was other then.
fn told(json: &str, settings: &Settings) -> (Vec<String>, Dating) {
    let mut record = PatientRecord::new();
    record.push(json).unwrap();
    let resource = record.resources().next().unwrap();
    let ty = resource.resource_type().unwrap();
    let mut dating = Dating::default();
    let call = DateTime::parse("2020-07-01T12:00:00Z").unwrap();
    let call = call.earliest(&UTC);
    let calls = [0, call, i64::MAX];
    let all = versions(ty.as_str(), resource, &calls, settings, &mut dating);
    let all = all.into_iter().flatten().map(|version| {
        let from = match version.from {
            i64::MIN => "always".to_owned(),
            from => UTC.moment(from).to_string(),
        };
        match version.json {
            Some(json) => format!("{from} {json}"),
            None => from,
        }
    });
    (all.collect(), dating)
}

#[test]
fn what_is_known_since_when_and_how_it_was_then() {
    let cases: &[(&str, &[&str])] = &[
        // Recorded after it began.
        (
            r#"{"resourceType":"Condition","onsetDateTime":"2010","recordedDate":"2020-03-01T10:00:00Z"}"#,
            &["2020-03-01T10:00:00.000Z"],
        ),
        // A day is over before it is known.
        (
            r#"{"resourceType":"Condition","onsetDateTime":"2020-03-01"}"#,
            &["2020-03-01T23:59:59.999Z"],
        ),
        (
            r#"{"resourceType":"Condition","onsetDateTime":"2020-01-01T00:00:00Z","abatementDateTime":"2020-02-01T00:00:00Z","clinicalStatus":{"coding":[{"code":"resolved"}]}}"#,
            &[
                r#"2020-01-01T00:00:00.000Z {"resourceType":"Condition","onsetDateTime":"2020-01-01T00:00:00Z","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}"#,
                "2020-02-01T00:00:00.000Z",
            ],
        ),
        // Recorded when it was over.
        (
            r#"{"resourceType":"Condition","recordedDate":"2020-03-01T00:00:00Z","abatementDateTime":"2020-02-01T00:00:00Z"}"#,
            &["2020-03-01T00:00:00.000Z"],
        ),
        (
            r#"{"resourceType":"Encounter","status":"finished","period":{"start":"2020-01-01T10:00:00Z","end":"2020-01-01T11:00:00Z"}}"#,
            &[
                r#"2020-01-01T10:00:00.000Z {"resourceType":"Encounter","status":"in-progress","period":{"start":"2020-01-01T10:00:00Z"}}"#,
                "2020-01-01T11:00:00.000Z",
            ],
        ),
        // A day stands for its end, of visits as of all else; and the visit goes on then.
        (
            r#"{"resourceType":"Encounter","status":"in-progress","period":{"start":"2020-01-01"}}"#,
            &["2020-01-01T23:59:59.999Z"],
        ),
        (
            r#"{"resourceType":"Encounter","status":"finished","period":{"start":"2020-01-01","end":"2020-01-01"}}"#,
            &[
                r#"2020-01-01T23:59:59.999Z {"resourceType":"Encounter","status":"in-progress","period":{"start":"2020-01-01"}}"#,
                "2020-01-01T23:59:59.999Z",
            ],
        ),
        // A month or a year may have been known from its first day on.
        (
            r#"{"resourceType":"Immunization","status":"completed","occurrenceDateTime":"2020"}"#,
            &["2020-01-01T00:00:00.000Z"],
        ),
        (
            r#"{"resourceType":"Immunization","status":"completed","occurrenceDateTime":"2020-07"}"#,
            &["2020-07-01T00:00:00.000Z"],
        ),
        // Not before it happened, though.
        (
            r#"{"resourceType":"Immunization","status":"completed","recorded":"2020","occurrenceDateTime":"2020-05-04T10:00:00Z"}"#,
            &["2020-05-04T10:00:00.000Z"],
        ),
        // Whether it is over then, a rule judges.
        (
            r#"{"resourceType":"Condition","recordedDate":"2019-01-01T00:00:00Z","abatementDateTime":"2020"}"#,
            &[
                r#"2019-01-01T00:00:00.000Z {"resourceType":"Condition","recordedDate":"2019-01-01T00:00:00Z"}"#,
                "2020-01-01T00:00:00.000Z",
            ],
        ),
        (
            r#"{"resourceType":"Patient","id":"1","deceasedDateTime":"2020-05"}"#,
            &[
                r#"always {"resourceType":"Patient","id":"1"}"#,
                "2020-05-01T00:00:00.000Z",
            ],
        ),
        // Its supply is counted from the end of the month on.
        (
            r#"{"resourceType":"ServiceRequest","status":"completed","authoredOn":"2020-01"}"#,
            &[
                r#"2020-01-01T00:00:00.000Z {"resourceType":"ServiceRequest","status":"active","authoredOn":"2020-01"}"#,
                "2020-03-01T23:59:59.999Z",
            ],
        ),
        // Told when it is issued, or over.
        (
            r#"{"resourceType":"Observation","status":"final","effectiveDateTime":"2020-01-01T10:00:00Z","issued":"2020-01-02T10:00:00Z"}"#,
            &["2020-01-02T10:00:00.000Z"],
        ),
        (
            r#"{"resourceType":"Procedure","status":"completed","performedPeriod":{"start":"2020-01-01T10:00:00Z","end":"2020-01-01T12:00:00Z"}}"#,
            &["2020-01-01T12:00:00.000Z"],
        ),
        (
            r#"{"resourceType":"MedicationRequest","status":"active","authoredOn":"2020-01-01T10:00:00Z"}"#,
            &["2020-01-01T10:00:00.000Z"],
        ),
        (
            r#"{"resourceType":"MedicationRequest","status":"completed","authoredOn":"2020-01-01T10:00:00Z","dispenseRequest":{"numberOfRepeatsAllowed":1,"expectedSupplyDuration":{"value":10,"unit":"days"}}}"#,
            &[
                r#"2020-01-01T10:00:00.000Z {"resourceType":"MedicationRequest","status":"active","authoredOn":"2020-01-01T10:00:00Z","dispenseRequest":{"numberOfRepeatsAllowed":1,"expectedSupplyDuration":{"value":10,"unit":"days"}}}"#,
                "2020-01-21T10:00:00.000Z",
            ],
        ),
        (
            r#"{"resourceType":"MedicationRequest","status":"stopped","statusReason":{"text":"x"},"authoredOn":"2020-01-01T10:00:00Z"}"#,
            &[
                r#"2020-01-01T10:00:00.000Z {"resourceType":"MedicationRequest","status":"active","authoredOn":"2020-01-01T10:00:00Z"}"#,
                "2020-01-31T10:00:00.000Z",
            ],
        ),
        (
            r#"{"resourceType":"Patient","id":"1","deceasedDateTime":"2020-05-01"}"#,
            &[
                r#"always {"resourceType":"Patient","id":"1"}"#,
                "2020-05-01T23:59:59.999Z",
            ],
        ),
        (
            r#"{"resourceType":"Patient","id":"1","deceasedBoolean":true}"#,
            &[r#"always {"resourceType":"Patient","id":"1"}"#],
        ),
        (r#"{"resourceType":"Medication","id":"1"}"#, &["always"]),
        (
            r#"{"resourceType":"Procedure","status":"completed","x\"é":"a\"b"}"#,
            &["always"],
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(told(json, &settings()).0, *expected, "{json}");
    }
}

#[test]
fn how_it_was_dated_is_counted() {
    let count = |json: &str| told(json, &settings()).1;
    let recorded = count(r#"{"resourceType":"Observation","issued":"2020-01-02T10:00:00Z"}"#);
    assert_eq!((recorded.recorded, recorded.clinical), (1, 0));
    let clinical = count(r#"{"resourceType":"Observation","effectiveDateTime":"2020"}"#);
    assert_eq!((clinical.recorded, clinical.clinical), (0, 1));
    // With a call at noon of 1 July 2020.
    for (date, imprecise, day_of_call) in [
        ("2020", 1, 0),
        ("2020-07", 1, 0),
        ("2020-06", 0, 0),
        ("2020-07-01", 0, 1),
        ("2020-07-02", 0, 0),
        ("2020-07-01T13:00:00Z", 0, 0),
    ] {
        let dating = count(&format!(
            r#"{{"resourceType":"Observation","effectiveDateTime":"{date}"}}"#
        ));
        let found = (dating.imprecise, dating.day_of_call);
        assert_eq!(found, (imprecise, day_of_call), "{date}");
    }
    let abated = count(
        r#"{"resourceType":"Condition","recordedDate":"2019-01-01T00:00:00Z","abatementDateTime":"2020"}"#,
    );
    assert_eq!((abated.imprecise, abated.taken_back), (1, 1));
    let undated = count(r#"{"resourceType":"Observation","issued":"yesterday"}"#);
    assert_eq!(undated.undated, 1);
    let resolved = count(
        r#"{"resourceType":"Condition","recordedDate":"2020","clinicalStatus":{"coding":[{"code":"resolved"}]}}"#,
    );
    assert_eq!((resolved.not_undone, resolved.taken_back), (1, 0));
    for later in [
        r#"{"resourceType":"MedicationRequest","status":"on-hold","authoredOn":"2020"}"#,
        r#"{"resourceType":"MedicationStatement","status":"not-taken","effectiveDateTime":"2020"}"#,
        r#"{"resourceType":"Procedure","status":"stopped","performedDateTime":"2020"}"#,
        r#"{"resourceType":"Observation","status":"corrected","issued":"2020-01-02T10:00:00Z"}"#,
        r#"{"resourceType":"Condition","recordedDate":"2020","abatementDateTime":"2021","verificationStatus":{"coding":[{"code":"refuted"}]}}"#,
        r#"{"resourceType":"AllergyIntolerance","recordedDate":"2020","verificationStatus":{"coding":[{"code":"refuted"}]}}"#,
    ] {
        let dating = count(later);
        assert_eq!((dating.not_undone, dating.taken_back), (1, 0), "{later}");
    }
    let assumed = count(
        r#"{"resourceType":"ServiceRequest","status":"completed","authoredOn":"2020-01-01T00:00:00Z"}"#,
    );
    assert_eq!((assumed.assumed_end, assumed.taken_back), (1, 1));
    let dead = count(r#"{"resourceType":"Patient","deceasedBoolean":true}"#);
    assert_eq!((dead.revived, dead.recorded + dead.undated), (1, 0));
    // A drug is of no time.
    assert_eq!(count(r#"{"resourceType":"Medication"}"#), Dating::default());
}

#[test]
fn when_the_server_took_it_counts_where_that_is_asked_for() {
    let json = r#"{"resourceType":"Observation","meta":{"lastUpdated":"2021-01-01T00:00:00Z"},"effectiveDateTime":"2020-01-01T00:00:00Z"}"#;
    let mut settings = settings();
    assert_eq!(told(json, &settings).0, ["2020-01-01T00:00:00.000Z"]);
    settings.last_updated = true;
    assert_eq!(told(json, &settings).0, ["2021-01-01T00:00:00.000Z"]);
}

#[test]
fn what_is_rewritten_keeps_the_rest_as_it_came() {
    let json = r#"{ "resourceType":"MedicationRequest", "status":"active", "_status":{"id":"s"}, "un\"known":"a\"\u00e9", "n":[1.50,{"x":null}] }"#;
    let mut record = PatientRecord::new();
    record.push(json).unwrap();
    let order = record.resources().next().unwrap();
    let expected = r#"{"resourceType":"MedicationRequest","status":"draft","un\"known":"a\"\u00e9","n":[1.50,{"x":null}]}"#;
    assert_eq!(draft(order), expected);
}

#[test]
fn a_date_has_passed_at_its_end() {
    for (text, expected) in [
        ("2020", "2020-12-31T23:59:59.999Z"),
        ("2020-02", "2020-02-29T23:59:59.999Z"),
        ("2020-02-03T04:05:06Z", "2020-02-03T04:05:06.000Z"),
    ] {
        let at = DateTime::parse(text).unwrap();
        assert_eq!(
            UTC.moment(instant(at, &UTC)).to_string(),
            expected,
            "{text}"
        );
    }
}
