//! The Consents among the examples of FHIR R4 (npm package hl7.fhir.r4.examples 4.0.1, CC0), without
//! narrative and tags. Their roots have no type, which the definition of the element demands and leaves
//! open what they mean: then data is withheld, never shown.

use std::collections::BTreeMap;

use consent::{Policy, Request, Settings, Verdict};
use engine_patient::record::{Element, PatientRecord};
use engine_patient::system::zone::UTC;

use crate::fixture::{for_purpose, millis, resource, treatment};

fn examples() -> BTreeMap<String, serde_json::Value> {
    let all: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("hl7_r4_examples.json")).unwrap();
    all.into_iter()
        .map(|one| {
            let id = one["id"].as_str().unwrap().to_owned();
            (id.trim_start_matches("consent-example-").to_owned(), one)
        })
        .collect()
}

/// What an example says of the first of these resources at a moment.
fn of(example: &str, now: &str, request: &Request, resources: &[String]) -> &'static str {
    let all = examples();
    let consent = &all[example];
    let patient = consent["patient"]["reference"].as_str().unwrap();
    let mut consents = PatientRecord::new();
    consents.push(&consent.to_string()).unwrap();
    let consents: Vec<Element<'_>> = consents.resources().collect();
    let policy = Policy::of(&consents, patient, millis(now), &UTC, Settings::default());
    assert_eq!(policy.count(), 1, "{example}");
    let record = crate::fixture::record(resources);
    let first = record.resources().next().unwrap();
    match policy.judge(request, first) {
        Verdict::Permit => "permit",
        Verdict::Deny(names) => {
            let own = format!("Consent/consent-example-{example}");
            assert!(names.is_empty() || names == [own], "{names:?}");
            "deny"
        }
        Verdict::Unclear(_) => "unclear",
    }
}

fn by(organization: &str, user: &str) -> Request {
    Request {
        organizations: vec![organization.to_owned()],
        user: Some(user.to_owned()),
        ..treatment()
    }
}

fn held_by(custodian: &str, purpose: &str) -> Request {
    Request {
        custodians: vec![custodian.to_owned()],
        ..for_purpose(purpose)
    }
}

#[test]
fn all_examples_of_r4_are_read() {
    let names: Vec<String> = examples().into_keys().collect();
    assert_eq!(names.len(), 12, "{names:?}");
}

#[test]
fn opting_in_for_a_time() {
    let lab = [resource("Observation", "a", "")];
    let of = |now| of("basic", now, &for_purpose("HRESCH"), &lab);
    assert_eq!(of("2015-06-01T12:00:00Z"), "permit");
    assert_eq!(of("2016-01-01T23:59:59Z"), "permit");
    // It is over, and nothing else permits research.
    assert_eq!(of("2016-01-02T00:00:00Z"), "deny");
}

#[test]
fn an_organization_may_not_see_it() {
    let lab = [resource("Observation", "a", "")];
    let now = "2016-01-01T12:00:00Z";
    let of = |who: &str| of("notOrg", now, &by(who, "Practitioner/x"), &lab);
    assert_eq!(of("Organization/f001"), "deny");
    assert_eq!(of("https://ehr.example.org/fhir/Organization/f001"), "deny");
    assert_eq!(of("Organization/f002"), "permit");
    // Who asks is not known.
    let nobody = Request {
        organizations: vec![],
        ..treatment()
    };
    assert_eq!(self::of("notOrg", now, &nobody, &lab), "unclear");
}

#[test]
fn roots_without_a_type_withhold_what_they_name() {
    let lab = [resource("Observation", "a", "")];
    let now = "2016-01-01T12:00:00Z";
    let of = |example, request: &Request| of(example, now, request, &lab);
    let here = "Organization/other";
    assert_eq!(of("notThem", &by(here, "Practitioner/f204")), "unclear");
    assert_eq!(of("notThem", &by(here, "Practitioner/f205")), "permit");
    assert_eq!(
        of("notAuthor", &held_by("Organization/f001", "TREAT")),
        "unclear"
    );
    assert_eq!(
        of("notAuthor", &held_by("Organization/f002", "TREAT")),
        "permit"
    );
    for custodian in ["Organization/f001", "Organization/f002"] {
        for example in ["Out", "grantor", "pkb"] {
            let said = of(example, &held_by(custodian, "TREAT"));
            assert_eq!(said, "unclear", "{example} {custodian}");
        }
    }
    // Its denial has no purpose, so it takes back what is said before it.
    assert_eq!(
        of("Emergency", &held_by("Organization/f001", "ETREAT")),
        "deny"
    );
    assert_eq!(
        of("Emergency", &held_by("Organization/f001", "TREAT")),
        "unclear"
    );
}

#[test]
fn one_record_and_what_it_refers_to() {
    let now = "2016-01-01T12:00:00Z";
    let task = r#"{"resourceType":"Task","id":"example3","for":{"reference":"Patient/f001"},"focus":{"reference":"Observation/b"}}"#;
    let (a, b) = (
        resource("Observation", "a", ""),
        resource("Observation", "b", ""),
    );
    let patient = resource("Patient", "f001", "");
    let of = |all: &[String]| of("notThis", now, &treatment(), all);
    assert_eq!(of(&[a.clone(), task.into()]), "permit");
    assert_eq!(of(&[b, task.into()]), "unclear");
    assert_eq!(of(&[task.into()]), "unclear");
    assert_eq!(of(&[patient, task.into()]), "permit");
    // What the task refers to is not known.
    assert_eq!(of(&[a]), "unclear");
}

#[test]
fn a_program_may_see_prescriptions_only() {
    let (during, after) = ("2016-06-23T07:10:00Z", "2016-06-23T07:40:00Z");
    let of = |now, ty: &str| of("smartonfhir", now, &treatment(), &[resource(ty, "a", "")]);
    assert_eq!(of(during, "MedicationRequest"), "permit");
    assert_eq!(of(during, "Observation"), "unclear");
    // Half an hour later it says nothing any more, and treatment needs no consent.
    assert_eq!(of(after, "Observation"), "permit");
    assert_eq!(of(after, "MedicationRequest"), "permit");
}
