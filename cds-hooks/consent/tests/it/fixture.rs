//! Consents, resources and requests in few words.

use consent::{Policy, Purpose, Request, Settings, Verdict};
use engine_patient::record::{Element, PatientRecord};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;

/// The moment of the tests.
pub const NOW: &str = "2026-11-30T12:00:00Z";

pub fn millis(text: &str) -> i64 {
    DateTime::parse(text).unwrap().earliest(&UTC)
}

/// An active privacy consent of `Patient/1` with these members.
pub fn privacy(id: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"resourceType":"Consent","id":"{id}","status":"active","patient":{{"reference":"Patient/1"}},
        "scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},
        "category":[{{"coding":[{{"system":"http://loinc.org","code":"59284-0"}}]}}],
        "dateTime":"2026-01-01"{comma}{members}}}"#
    )
}

/// The same with a base policy, `OPTIN` or `OPTOUT`, and a provision.
pub fn ruled(id: &str, policy: &str, provision: &str) -> String {
    let rule = format!(
        r#""policyRule":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"{policy}"}}]}}"#
    );
    match provision {
        "" => privacy(id, &rule),
        provision => privacy(id, &format!(r#"{rule},"provision":{provision}"#)),
    }
}

/// A Coding of v3 ActReason.
pub fn purpose(code: &str) -> String {
    format!(r#"{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"{code}"}}"#)
}

/// A Coding of a resource type.
pub fn class(ty: &str) -> String {
    format!(r#"{{"system":"http://hl7.org/fhir/resource-types","code":"{ty}"}}"#)
}

/// An actor who gets the data.
pub fn recipient(reference: &str) -> String {
    actor("PRCP", reference)
}

pub fn actor(role: &str, reference: &str) -> String {
    format!(
        r#"{{"role":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"{role}"}}]}},"reference":{{"reference":"{reference}"}}}}"#
    )
}

/// A resource of `Patient/1`.
pub fn resource(ty: &str, id: &str, members: &str) -> String {
    let subject = match ty {
        "Patient" => String::new(),
        "AllergyIntolerance" | "Immunization" => {
            r#","patient":{"reference":"Patient/1"}"#.to_owned()
        }
        _ => r#","subject":{"reference":"Patient/1"}"#.to_owned(),
    };
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"resourceType":"{ty}","id":"{id}"{subject}{comma}{members}}}"#)
}

pub fn record(resources: &[String]) -> PatientRecord {
    let mut record = PatientRecord::new();
    for json in resources {
        record
            .push(json)
            .unwrap_or_else(|e| panic!("{e}: {}", json.get(..400).unwrap_or(json)));
    }
    record
}

/// The Consents, read at [`NOW`].
pub fn policy(consents: &[String], settings: Settings) -> Policy {
    let record = record(consents);
    let all: Vec<Element<'_>> = record.resources().collect();
    Policy::of(&all, "Patient/1", millis(NOW), &UTC, settings)
}

/// Treatment by a doctor of an organization, over a program of theirs.
pub fn treatment() -> Request {
    Request {
        user: Some("Practitioner/doc".into()),
        organizations: vec!["Organization/here".into()],
        devices: vec!["Device/tandem".into()],
        custodians: vec!["Organization/here".into()],
        ..Request::of(Purpose::TREATMENT)
    }
}

/// The same for another purpose.
pub fn for_purpose(code: &str) -> Request {
    Request {
        purpose: Some(Purpose::parse(code).unwrap()),
        ..treatment()
    }
}

/// `permit`, `deny` or `unclear`, of the first of these resources.
pub fn judged(consents: &[String], request: &Request, resources: &[String]) -> &'static str {
    judged_with(consents, Settings::default(), request, resources)
}

pub fn judged_with(
    consents: &[String],
    settings: Settings,
    request: &Request,
    resources: &[String],
) -> &'static str {
    let record = record(resources);
    let first = record.resources().next().unwrap();
    match policy(consents, settings).judge(request, first) {
        Verdict::Permit => "permit",
        Verdict::Deny(_) => "deny",
        Verdict::Unclear(_) => "unclear",
    }
}

/// What is wrong with Consents, as it is told.
pub fn flaws(consents: &[String]) -> Vec<String> {
    let policy = policy(consents, Settings::default());
    policy.flaws().iter().map(ToString::to_string).collect()
}

/// A chart with labels, codes and authors.
pub fn labelled_chart() -> PatientRecord {
    let label = |code: &str| format!(r#""meta":{{"security":[{{"code":"{code}"}}]}}"#);
    let code = |code: &str| {
        format!(r#""code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}}"#)
    };
    record(&[
        resource("Patient", "1", ""),
        resource("Condition", "a", &label("PSY")),
        resource("Condition", "b", &code("1")),
        resource("Observation", "c", &format!(r#"{},"effectiveDateTime":"2019-01-01""#, code("2"))),
        resource("Observation", "d", r#""performer":[{"reference":"Practitioner/x"}],"effectiveDateTime":"2026-02-02""#),
        resource("MedicationRequest", "e", &label("R")),
        resource("MedicationRequest", "f", r#""medicationReference":{"reference":"Medication/m"},"requester":{"reference":"Organization/here"}"#),
        r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"http://loinc.org","code":"1"}]}}"#.to_owned(),
    ])
}
