use super::*;
use crate::record::PatientRecord;

const QI: &str = "http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-";
const US: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-";

fn url(short: &str) -> String {
    match short.strip_prefix("us-core-") {
        Some(rest) => format!("{US}{rest}"),
        None => format!("{QI}{short}"),
    }
}

/// A record of a resource with these tags and this rest of its content.
fn tagged(ty: &str, tags: &[&str], rest: &str) -> PatientRecord {
    let tags: Vec<String> = tags.iter().map(|t| format!("\"{}\"", url(t))).collect();
    let (tags, comma) = (tags.join(","), if rest.is_empty() { "" } else { "," });
    let json =
        format!(r#"{{"resourceType":"{ty}","id":"1","meta":{{"profile":[{tags}]}}{comma}{rest}}}"#);
    let mut record = PatientRecord::new();
    record.push(&json).unwrap();
    record
}

/// Decides about a resource with these tags and this rest of its content.
fn decide(asked: &str, ty: &str, tags: &[&str], rest: &str) -> Decision {
    let record = tagged(ty, tags, rest);
    let profile = Profile::of(&url(asked), Name::of(ty).unwrap());
    profile.decide(record.resources().next().unwrap(), ProfileMode::Decide)
}

fn category(system: &str, code: &str) -> String {
    let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
    format!(r#""category":[{{"coding":[{{"system":"{system}","code":"{code}"}}]}}]"#)
}

use Decision::{No, Undecidable, Yes};

#[test]
fn conditions_by_tag_then_by_category() {
    let encounter = category("condition-category", "encounter-diagnosis");
    let problem = category("condition-category", "problem-list-item");
    let (e, p) = (
        "condition-encounter-diagnosis",
        "condition-problems-health-concerns",
    );
    let cases: &[(&str, &[&str], &str, Decision)] = &[
        (p, &[], &problem, Yes),
        (e, &[], &problem, No),
        (e, &[], &encounter, Yes),
        (p, &[], &encounter, No),
        (p, &[], "", Undecidable(NO_CATEGORY)),
        (e, &[], "", Undecidable(NO_CATEGORY)),
        (
            e,
            &[],
            r#""category":[{"text":"x"}]"#,
            Undecidable(NO_CATEGORY),
        ),
        // The parent and misspelled names leave it open, the guide's own names decide.
        (e, &["condition"], &encounter, Yes),
        (p, &["condition-problem-health-concerns"], &problem, Yes),
        (p, &[p], &encounter, Yes),
        (e, &[p], &encounter, No),
        (e, &["us-core-condition-encounter-diagnosis"], "", Yes),
        (p, &["us-core-condition-encounter-diagnosis"], "", No),
        (p, &[e, p], "", Yes),
        ("us-core-condition-encounter-diagnosis", &[e], "", Yes),
    ];
    for (asked, tags, rest, expected) in cases {
        let got = decide(asked, "Condition", tags, rest);
        assert_eq!(got, *expected, "{asked} {tags:?} {rest}");
    }
}

#[test]
fn what_did_not_happen_never_counts_as_done() {
    let events = [
        ("Procedure", "procedure", "procedurenotdone", "not-done"),
        (
            "Communication",
            "communication",
            "communicationnotdone",
            "not-done",
        ),
        (
            "Immunization",
            "immunization",
            "immunizationnotdone",
            "not-done",
        ),
        (
            "MedicationAdministration",
            "medicationadministration",
            "medicationadministrationnotdone",
            "not-done",
        ),
        (
            "MedicationDispense",
            "medicationdispense",
            "medicationdispensedeclined",
            "declined",
        ),
        ("Task", "task", "taskrejected", "rejected"),
        (
            "Observation",
            "observation-lab",
            "observationcancelled",
            "cancelled",
        ),
        (
            "Observation",
            "us-core-bmi",
            "observationcancelled",
            "cancelled",
        ),
    ];
    for (ty, done, not, status) in events {
        let negated = format!(r#""status":"{status}""#);
        for tags in [&[][..], &[done], &["nonsense"]] {
            assert_eq!(decide(done, ty, tags, &negated), No, "{done}");
            assert_eq!(decide(not, ty, tags, &negated), Yes, "{not}");
        }
        // A tag that says "not done" is believed, also beside a positive one.
        let positive = r#""status":"completed""#;
        for tags in [&[not][..], &[done, not]] {
            assert_eq!(decide(not, ty, tags, positive), Yes);
            assert_eq!(decide(done, ty, tags, positive), No);
        }
        assert_eq!(decide(not, ty, &[], positive), No);
        assert_eq!(decide(done, ty, &[done], positive), Yes);
    }
    let old = r#""status":"completed","modifierExtension":[{"url":"http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-notDone","valueBoolean":true}]"#;
    assert_eq!(decide("communication", "Communication", &[], old), No);
    assert_eq!(
        decide("communicationnotdone", "Communication", &[], old),
        Yes
    );
    // US Core's profile covers both, and its users read the status.
    let negated = r#""status":"not-done""#;
    assert_eq!(decide("us-core-procedure", "Procedure", &[], negated), Yes);
    let not = ["procedurenotdone"];
    assert_eq!(decide("us-core-procedure", "Procedure", &not, negated), Yes);
    let base = ["us-core-procedure"];
    assert_eq!(decide("procedure", "Procedure", &base, negated), No);
    assert_eq!(decide("procedurenotdone", "Procedure", &base, negated), Yes);
}

#[test]
fn requests_not_to_be_done() {
    let extension = r#""modifierExtension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DeviceRequest.doNotPerform","valueBoolean":true}]"#;
    let element = r#""doNotPerform":true"#;
    for (ty, done, names, not) in [
        (
            "ServiceRequest",
            "servicerequest",
            &["servicenotrequested", "serviceprohibited"][..],
            element,
        ),
        (
            "MedicationRequest",
            "medicationrequest",
            &[
                "medicationnotrequested",
                "medicationprohibited",
                "mednotrequested",
            ],
            element,
        ),
        (
            "DeviceRequest",
            "devicerequest",
            &["devicenotrequested", "deviceprohibited"],
            extension,
        ),
    ] {
        for asked in names {
            assert_eq!(decide(done, ty, &[], not), No);
            assert_eq!(decide(asked, ty, &[], not), Yes);
            assert_eq!(decide(done, ty, &[], r#""doNotPerform":false"#), Yes);
            assert_eq!(decide(asked, ty, &[], ""), No);
            // With a tag the tag decides: rejected tasks name such orders (CMS108).
            assert_eq!(decide(done, ty, &[done], not), Yes);
            assert_eq!(decide(asked, ty, &[done], not), No);
            assert_eq!(decide(asked, ty, names, ""), Yes);
            assert_eq!(decide(done, ty, names, ""), No);
            assert_eq!(decide(done, ty, &[done, asked], not), No);
        }
    }
}

#[test]
fn observations_by_code_or_category() {
    let ty = "Observation";
    let bmi = r#""code":{"coding":[{"system":"http://loinc.org","code":"39156-5"}]}"#;
    assert_eq!(decide("us-core-bmi", ty, &[], bmi), Yes);
    assert_eq!(
        decide("us-core-bmi", ty, &["us-core-vital-signs"], bmi),
        Yes
    );
    assert_eq!(decide("us-core-heart-rate", ty, &[], bmi), No);
    assert_eq!(decide("us-core-bmi", ty, &[], ""), No);
    assert_eq!(decide("us-core-bmi", ty, &["us-core-bmi"], ""), Yes);
    assert_eq!(decide("us-core-vital-signs", ty, &["us-core-bmi"], ""), Yes);
    assert_eq!(decide("simple-observation", ty, &["us-core-bmi"], bmi), No);
    let lab = category("observation-category", "laboratory");
    let survey = category("observation-category", "survey");
    assert_eq!(decide("observation-lab", ty, &[], &lab), Yes);
    assert_eq!(
        decide("observation-lab", ty, &[], &survey),
        Undecidable(OTHER_CATEGORY)
    );
    assert_eq!(decide("us-core-observation-lab", ty, &[], &survey), No);
    assert_eq!(decide("us-core-vital-signs", ty, &[], &survey), No);
    assert_eq!(
        decide("observation-lab", ty, &[], ""),
        Undecidable(NO_CATEGORY)
    );
    assert_eq!(
        decide("observation-screening-assessment", ty, &[], &survey),
        Yes
    );
    let clinical = "observation-clinical-result";
    assert_eq!(decide(clinical, ty, &[], &lab), Undecidable(TAG_ONLY));
    assert_eq!(decide(clinical, ty, &["observation-lab"], &lab), No);
    assert_eq!(
        decide(clinical, ty, &["us-core-observation-lab"], &lab),
        Yes
    );
    assert_eq!(
        decide("observation-lab", ty, &["us-core-observation-lab"], ""),
        Yes
    );
}

/// QI-Core 4.1 retrieves by FHIR's own vital signs, with no code beside the profile: every observation
/// would be a heart rate if they were not known.
#[test]
fn vital_signs_of_fhir_itself() {
    let decide = |asked: &str, tag: &str, rest: &str| {
        let fhir = "http://hl7.org/fhir/StructureDefinition/";
        let json = format!(
            r#"{{"resourceType":"Observation","id":"1","meta":{{"profile":["{tag}"]}},{rest}}}"#
        );
        let mut record = PatientRecord::new();
        record.push(&json).unwrap();
        let profile = Profile::of(&format!("{fhir}{asked}"), Name::of("Observation").unwrap());
        assert!(profile.is_known());
        profile.decide(record.resources().next().unwrap(), ProfileMode::Decide)
    };
    let of = |code: &str| {
        format!(
            r#""status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}}"#
        )
    };
    let (heart_rate, bmi) = (of("8867-4"), of("39156-5"));
    let own = "http://hl7.org/fhir/StructureDefinition/heartrate";
    for (tag, rest, expected) in [
        ("x", &heart_rate, Yes),
        ("x", &bmi, No),
        (own, &heart_rate, Yes),
        (&url("us-core-heart-rate"), &heart_rate, Yes),
        (&url("us-core-vital-signs"), &heart_rate, Yes),
        (&url("us-core-bmi"), &bmi, No),
        ("http://hl7.org/fhir/StructureDefinition/bmi", &bmi, No),
        (&url("observationcancelled"), &heart_rate, No),
    ] {
        assert_eq!(decide("heartrate", tag, rest), expected, "{tag} {rest}");
    }
    let vital = category("observation-category", "vital-signs");
    assert_eq!(decide("vitalsigns", "x", &vital), Yes);
    assert_eq!(decide("vitalsigns", &url("us-core-bmi"), &bmi), Yes);
}

#[test]
fn modes_unknown_profiles_and_whole_types() {
    let condition = Name::of("Condition").unwrap();
    let mut record = PatientRecord::new();
    let tag = url("condition-encounter-diagnosis");
    let json =
        format!(r#"{{"resourceType":"Condition","meta":{{"profile":["x","{tag}|6.0.0"]}}}}"#);
    record.push(&json).unwrap();
    record.push(r#"{"resourceType":"Condition"}"#).unwrap();
    let (tagged, bare) = (
        record.resources().next().unwrap(),
        record.resources().nth(1).unwrap(),
    );
    let profile = Profile::of(&format!("{tag}|6.0.0"), condition);
    assert!(profile.is_known() && !profile.is_whole_type() && profile.url() == tag);
    assert_eq!(profile.decide(tagged, ProfileMode::Strict), Yes);
    assert_eq!(profile.decide(tagged, ProfileMode::Decide), Yes);
    assert_eq!(profile.decide(bare, ProfileMode::Strict), No);

    let base = Profile::of(
        "http://hl7.org/fhir/StructureDefinition/Condition",
        condition,
    );
    assert!(base.is_known() && base.decide(bare, ProfileMode::Strict) == Yes);
    let unknown = Profile::of("http://example.org/Condition", condition);
    assert!(!unknown.is_known());
    assert_eq!(unknown.decide(bare, ProfileMode::Decide), Yes);
    assert_eq!(unknown.decide(bare, ProfileMode::Strict), No);
    for (ty, name) in [
        ("Encounter", "encounter"),
        ("Claim", "claim"),
        ("Patient", "patient"),
    ] {
        let profile = Profile::of(&url(name), Name::of(ty).unwrap());
        assert!(profile.is_known() && profile.is_whole_type());
    }
    assert!(Undecidable(TAG_ONLY).is_taken() && !No.is_taken());
    assert_eq!(Undecidable(TAG_ONLY).undecidable(), Some(TAG_ONLY));
}

/// What is left out though its content fits, since its tag names a sibling profile, is told apart from
/// what does not fit.
#[test]
fn left_out_by_a_tag() {
    let encounter = category("condition-category", "encounter-diagnosis");
    let problem = category("condition-category", "problem-list-item");
    let imaging = category("observation-category", "imaging");
    let laboratory = category("observation-category", "laboratory");
    let (e, p) = (
        "condition-encounter-diagnosis",
        "condition-problems-health-concerns",
    );
    let clinical = "observation-clinical-result";
    let not = r#""doNotPerform":true"#;
    let cases: &[(&str, &str, &[&str], &str, bool)] = &[
        (e, "Condition", &[p], &encounter, true),
        (e, "Condition", &[p], &problem, false),
        // Without a category it would be taken as undecidable.
        (e, "Condition", &[p], "", true),
        // Taken, or left out by its content alone.
        (e, "Condition", &[], &problem, false),
        (e, "Condition", &[e], &encounter, false),
        // QI-Core's laboratory results are filed under other categories too.
        (
            "observation-lab",
            "Observation",
            &[clinical],
            &imaging,
            true,
        ),
        (
            "observation-lab",
            "Observation",
            &[clinical],
            &laboratory,
            true,
        ),
        (
            "us-core-bmi",
            "Observation",
            &["us-core-body-height"],
            &imaging,
            false,
        ),
        (
            "servicenotrequested",
            "ServiceRequest",
            &["servicerequest"],
            not,
            true,
        ),
        (
            "servicenotrequested",
            "ServiceRequest",
            &["servicerequest"],
            "",
            false,
        ),
        (
            "servicerequest",
            "ServiceRequest",
            &["servicenotrequested"],
            "",
            true,
        ),
    ];
    for (asked, ty, tags, rest, expected) in cases {
        let record = tagged(ty, tags, rest);
        let profile = Profile::of(&url(asked), Name::of(ty).unwrap());
        let resource = record.resources().next().unwrap();
        let left_out = !profile.decide(resource, ProfileMode::Decide).is_taken()
            && profile.is_left_out_by_tag(resource);
        assert_eq!(left_out, *expected, "{asked} {tags:?} {rest}");
    }
}
