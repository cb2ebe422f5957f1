//! Each criterion of a provision.

use consent::{Action, Request, Settings};

use crate::fixture::{
    actor, class, for_purpose, judged, judged_with, privacy, recipient, resource, ruled, treatment,
};

/// What a denial with these criteria says of the first of the resources.
fn denied(criteria: &str, request: &Request, resources: &[String]) -> &'static str {
    let consents = [ruled(
        "c",
        "OPTIN",
        &format!(r#"{{"type":"deny",{criteria}}}"#),
    )];
    judged(&consents, request, resources)
}

fn lab(members: &str) -> [String; 1] {
    [resource("Observation", "a", members)]
}

/// The first argument is the criterion, the second what stands in the resource.
fn check(cases: &[(&str, &str, &str)]) {
    for (criteria, members, expected) in cases {
        let said = denied(criteria, &treatment(), &lab(members));
        assert_eq!(said, *expected, "{criteria} {members}");
    }
}

#[test]
fn period() {
    for (period, expected) in [
        (r#"{"start":"2026-01-01"}"#, "deny"),
        (r#"{"start":"2026-11-30T12:00:00Z"}"#, "deny"),
        (r#"{"start":"2026-11-30T12:00:01Z"}"#, "permit"),
        (r#"{"end":"2026-11-30"}"#, "deny"),
        (r#"{"end":"2026-11"}"#, "deny"),
        (r#"{"end":"2026-11-29"}"#, "permit"),
        (r#"{"end":"2026-11-30T11:59:59Z"}"#, "permit"),
        ("{}", "deny"),
        (r#"{"start":"soon"}"#, "unclear"),
        (r#"{"start":"2027","end":"2026"}"#, "unclear"),
        (r#"{"start":"2026-01-01","until":"2026-02-01"}"#, "unclear"),
        (r#""2026""#, "unclear"),
    ] {
        let criteria = format!(r#""period":{period}"#);
        assert_eq!(
            denied(&criteria, &treatment(), &lab("")),
            expected,
            "{period}"
        );
    }
}

#[test]
fn purpose_with_what_is_below_it() {
    let named = |system: &str, code: &str| {
        format!(r#""purpose":[{{"system":"{system}","code":"{code}"}}]"#)
    };
    let reason = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
    for (system, code, asked, expected) in [
        (reason, "TREAT", "TREAT", "deny"),
        (reason, "TREAT", "ETREAT", "deny"),
        (reason, "ETREAT", "TREAT", "permit"),
        (reason, "HRESCH", "TREAT", "permit"),
        (reason, "HRESCH", "CLINTRCHPC", "deny"),
        ("http://hl7.org/fhir/v3/ActReason", "TREAT", "TREAT", "deny"),
        ("http://example.org/own", "TREAT", "TREAT", "unclear"),
        (reason, "EVERYTHING", "TREAT", "unclear"),
    ] {
        let said = denied(&named(system, code), &for_purpose(asked), &lab(""));
        assert_eq!(said, expected, "{system}|{code} {asked}");
    }
    // Nobody says what for.
    let unsaid = Request {
        purpose: None,
        ..treatment()
    };
    assert_eq!(
        denied(&named(reason, "HRESCH"), &unsaid, &lab("")),
        "unclear"
    );
}

#[test]
fn action() {
    let coded = |code: &str| {
        format!(
            r#""action":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentaction","code":"{code}"}}]}}]"#
        )
    };
    for (code, expected) in [
        ("access", "deny"),
        ("use", "deny"),
        ("disclose", "deny"),
        ("collect", "permit"),
        ("correct", "permit"),
        ("look", "unclear"),
    ] {
        assert_eq!(
            denied(&coded(code), &treatment(), &lab("")),
            expected,
            "{code}"
        );
    }
    let text = r#""action":[{"text":"look at it"}]"#;
    assert_eq!(denied(text, &treatment(), &lab("")), "unclear");
    let only = Request {
        actions: vec![Action::Access],
        ..treatment()
    };
    assert_eq!(denied(&coded("disclose"), &only, &lab("")), "permit");
}

#[test]
fn who_asks() {
    let of = |reference: &str| {
        let criteria = format!(r#""actor":[{}]"#, recipient(reference));
        denied(&criteria, &treatment(), &lab(""))
    };
    for (reference, expected) in [
        ("Practitioner/doc", "deny"),
        (
            "https://ehr.example.org/fhir/Practitioner/doc/_history/2",
            "deny",
        ),
        ("Practitioner/nurse", "permit"),
        // Which role the doctor has is not known here; that the doctor is no relative is.
        ("PractitionerRole/r", "unclear"),
        ("RelatedPerson/r", "permit"),
        ("Patient/1", "permit"),
        ("Organization/here", "deny"),
        ("Organization/there", "permit"),
        ("Device/tandem", "deny"),
        ("Device/other", "permit"),
        ("CareTeam/t", "unclear"),
        ("Group/g", "unclear"),
        ("urn:uuid:1", "unclear"),
    ] {
        assert_eq!(of(reference), expected, "{reference}");
    }
    // One of several.
    let both = format!(
        r#""actor":[{},{}]"#,
        recipient("Practitioner/nurse"),
        recipient("Organization/here")
    );
    assert_eq!(denied(&both, &treatment(), &lab("")), "deny");
    // Nobody in particular.
    let nobody = Request::of(consent::Purpose::TREATMENT);
    let criteria = format!(r#""actor":[{}]"#, recipient("Practitioner/doc"));
    assert_eq!(denied(&criteria, &nobody, &lab("")), "unclear");
    // A role that nobody knows.
    let strange = format!(r#""actor":[{}]"#, actor("XYZ", "Practitioner/nurse"));
    assert_eq!(denied(&strange, &treatment(), &lab("")), "unclear");
}

#[test]
fn who_asks_by_identifier() {
    let criteria = |value: &str| {
        format!(
            r#""actor":[{{"role":{{"text":"recipient"}},"reference":{{"type":"Practitioner","identifier":{{"system":"http://hl7.org/fhir/sid/us-npi","value":"{value}"}}}}}}]"#
        )
    };
    let request = Request {
        identifiers: vec![("http://hl7.org/fhir/sid/us-npi".into(), "1234567893".into())],
        ..treatment()
    };
    assert_eq!(denied(&criteria("1234567893"), &request, &lab("")), "deny");
    assert_eq!(
        denied(&criteria("9999999999"), &request, &lab("")),
        "unclear"
    );
}

#[test]
fn whom_the_data_is_from() {
    let author = |reference: &str| format!(r#""actor":[{}]"#, actor("AUT", reference));
    let (mine, others) = (author("Practitioner/a"), author("Organization/a"));
    let held = format!(r#""actor":[{}]"#, actor("CST", "Organization/here"));
    let elsewhere = format!(r#""actor":[{}]"#, actor("CST", "Organization/there"));
    check(&[
        (
            &mine,
            r#""performer":[{"reference":"Practitioner/a"}]"#,
            "deny",
        ),
        (
            &mine,
            r#""performer":[{"reference":"Practitioner/b"}]"#,
            "permit",
        ),
        // Who is in an organization is not known here; nor who wrote what does not say so.
        (
            &others,
            r#""performer":[{"reference":"Practitioner/a"}]"#,
            "unclear",
        ),
        (
            &others,
            r#""performer":[{"reference":"Organization/a"}]"#,
            "deny",
        ),
        (&mine, "", "unclear"),
        (&held, "", "deny"),
        (&elsewhere, "", "permit"),
    ]);
    // The actor of a performer.
    let procedure = resource(
        "Procedure",
        "a",
        r#""performer":[{"actor":{"reference":"Practitioner/a"}}]"#,
    );
    assert_eq!(denied(&mine, &treatment(), &[procedure]), "deny");
    // The patient is nobody's record.
    let patient = resource("Patient", "1", "");
    assert_eq!(denied(&mine, &treatment(), &[patient]), "permit");
    // The one who gets it, of what is from another: both must fit.
    let both = format!(
        r#""actor":[{},{}]"#,
        recipient("Practitioner/doc"),
        actor("AUT", "Practitioner/a")
    );
    check(&[
        (
            &both,
            r#""performer":[{"reference":"Practitioner/a"}]"#,
            "deny",
        ),
        (
            &both,
            r#""performer":[{"reference":"Practitioner/b"}]"#,
            "permit",
        ),
    ]);
}

const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

fn label(system: &str, code: &str) -> String {
    format!(r#"{{"system":"{system}","code":"{code}"}}"#)
}

fn labelled(system: &str, code: &str) -> String {
    format!(r#""meta":{{"security":[{}]}}"#, label(system, code))
}

#[test]
fn security_labels() {
    let deny = |system: &str, code: &str| format!(r#""securityLabel":[{}]"#, label(system, code));
    let psy = deny(ACT, "PSY");
    let spi = deny(ACT, "SPI");
    let restricted = deny(CONFIDENTIALITY, "R");
    check(&[
        (&psy, &labelled(ACT, "PSY"), "deny"),
        (&psy, &labelled(CONFIDENTIALITY, "PSY"), "deny"),
        (&psy, &labelled(ACT, "HIV"), "permit"),
        // Below what is denied; above it, so that it may be it; another word for it.
        (&spi, &labelled(ACT, "OPIOIDUD"), "deny"),
        (&psy, &labelled(ACT, "SPI"), "unclear"),
        (&psy, &labelled(ACT, "MH"), "unclear"),
        (
            &deny("http://example.org/own", "x"),
            &labelled("http://example.org/own", "x"),
            "deny",
        ),
        (
            &deny("http://example.org/own", "x"),
            &labelled(ACT, "x"),
            "permit",
        ),
        // Confidentiality: this and more. Without a label it is normal.
        (&restricted, &labelled(CONFIDENTIALITY, "R"), "deny"),
        (&restricted, &labelled(CONFIDENTIALITY, "V"), "deny"),
        (&restricted, &labelled(CONFIDENTIALITY, "N"), "permit"),
        (&restricted, "", "permit"),
        // Nothing of the patient has a label: perhaps nobody labels.
        (&psy, "", "unclear"),
    ]);
    // A label of another kind, or that of a Consent, does not say that the source labels.
    let tested = labelled(
        "http://terminology.hl7.org/CodeSystem/v3-ActReason",
        "HTEST",
    );
    for other in [
        resource("Condition", "b", &tested),
        resource("Patient", "1", &labelled("http://example.org/own", "x")),
        privacy("other", &labelled(CONFIDENTIALITY, "R")),
    ] {
        let all = [resource("Observation", "a", ""), other];
        assert_eq!(denied(&psy, &treatment(), &all), "unclear");
    }
    // Another has one: the source labels.
    let all = [
        resource("Observation", "a", ""),
        resource("Condition", "b", &labelled(CONFIDENTIALITY, "N")),
    ];
    assert_eq!(denied(&psy, &treatment(), &all), "permit");
    for (is_labelled, expected) in [(Some(true), "permit"), (Some(false), "unclear")] {
        let settings = Settings {
            is_labelled,
            ..Settings::default()
        };
        let consents = [ruled("c", "OPTIN", &format!(r#"{{"type":"deny",{psy}}}"#))];
        let said = judged_with(&consents, settings, &treatment(), &all);
        assert_eq!(said, expected, "{is_labelled:?}");
    }
}

/// "If the consent specifies a security label of R then it applies to all resources that are labeled R or
/// lower."
#[test]
fn a_permission_up_to_a_confidentiality() {
    let provision = format!(
        r#"{{"type":"permit","securityLabel":[{}]}}"#,
        label(CONFIDENTIALITY, "N")
    );
    let consents = [ruled("c", "OPTOUT", &provision)];
    let of = |members: &str| judged(&consents, &treatment(), &lab(members));
    assert_eq!(of(""), "permit");
    assert_eq!(of(&labelled(CONFIDENTIALITY, "L")), "permit");
    assert_eq!(of(&labelled(CONFIDENTIALITY, "N")), "permit");
    assert_eq!(of(&labelled(CONFIDENTIALITY, "R")), "deny");
}

#[test]
fn class_by_type_profile_document() {
    let of = |system: &str, code: &str| format!(r#""class":[{}]"#, label(system, code));
    let types = "http://hl7.org/fhir/resource-types";
    let uri = "urn:ietf:rfc:3986";
    let lipids = "http://hl7.org/fhir/StructureDefinition/lipidprofile";
    let own = "http://example.org/StructureDefinition/x";
    let profiled = |url: &str| format!(r#""meta":{{"profile":["{url}"]}}"#);
    check(&[
        (&of(types, "Observation"), "", "deny"),
        (&of(types, "Condition"), "", "permit"),
        (&of(types, "Resource"), "", "deny"),
        (
            &of(uri, "http://hl7.org/fhir/StructureDefinition/Observation"),
            "",
            "deny",
        ),
        (&of(uri, lipids), &profiled(lipids), "deny"),
        (
            &of(uri, lipids),
            &profiled(&format!("{lipids}|1.0")),
            "deny",
        ),
        (&of(uri, lipids), &profiled(own), "permit"),
        (&of(uri, lipids), "", "unclear"),
        (&of("urn:ietf:bcp:13", "application/pdf"), "", "permit"),
        (&of(types, "Widget"), "", "unclear"),
        (&of("http://example.org/own", "x"), "", "unclear"),
    ]);
    let document = |members: &str| [resource("DocumentReference", "a", members)];
    let pdf = of("urn:ietf:bcp:13", "application/pdf");
    for (content, expected) in [
        (
            r#""content":[{"attachment":{"contentType":"application/pdf"}}]"#,
            "deny",
        ),
        (
            r#""content":[{"attachment":{"contentType":"text/plain"}}]"#,
            "permit",
        ),
        ("", "unclear"),
    ] {
        assert_eq!(
            denied(&pdf, &treatment(), &document(content)),
            expected,
            "{content}"
        );
    }
    let summary = of("http://loinc.org", "18842-5");
    let ty = r#""type":{"coding":[{"system":"http://loinc.org","code":"18842-5"}]}"#;
    assert_eq!(denied(&summary, &treatment(), &document(ty)), "deny");
}

#[test]
fn codes_wherever_they_stand() {
    let criteria = r#""code":[{"coding":[{"system":"http://loinc.org","code":"7917-8"}]}]"#;
    let coded = |path: &str, system: &str, code: &str| {
        format!(r#""{path}":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}"#)
    };
    check(&[
        (
            criteria,
            &coded("code", "http://loinc.org", "7917-8"),
            "deny",
        ),
        (
            criteria,
            &coded("code", "http://loinc.org", "4548-4"),
            "permit",
        ),
        (
            criteria,
            &coded("code", "http://snomed.info/sct", "7917-8"),
            "permit",
        ),
        (
            criteria,
            &coded("valueCodeableConcept", "http://loinc.org", "7917-8"),
            "deny",
        ),
        (
            criteria,
            r#""component":[{"code":{"coding":[{"system":"http://loinc.org","code":"7917-8"}]}}]"#,
            "deny",
        ),
        (r#""code":[{"text":"HIV test"}]"#, "", "unclear"),
        // Both must hold.
        (
            &format!(r#"{criteria},"class":[{}]"#, class("Condition")),
            &coded("code", "http://loinc.org", "7917-8"),
            "permit",
        ),
    ]);
}

#[test]
fn the_code_of_the_medication_that_an_order_refers_to() {
    let criteria = r#""code":[{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"1"}]}]"#;
    let order = resource(
        "MedicationRequest",
        "o",
        r#""medicationReference":{"reference":"Medication/m"}"#,
    );
    let medication = |code: &str| {
        format!(
            r#"{{"resourceType":"Medication","id":"m","code":{{"coding":[{{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"{code}"}}]}}}}"#
        )
    };
    let of = |all: &[String]| denied(criteria, &treatment(), all);
    assert_eq!(of(&[order.clone(), medication("1")]), "deny");
    assert_eq!(of(&[order.clone(), medication("2")]), "permit");
    assert_eq!(of(&[order]), "unclear");
}

#[test]
fn data_of_a_time() {
    let criteria = r#""dataPeriod":{"start":"2020-01-01","end":"2020-12-31"}"#;
    check(&[
        (criteria, r#""effectiveDateTime":"2020-06-01""#, "deny"),
        (
            criteria,
            r#""effectiveDateTime":"2020-12-31T23:00:00Z""#,
            "deny",
        ),
        (criteria, r#""effectiveDateTime":"2021-01-01""#, "permit"),
        (criteria, r#""effectiveDateTime":"2020""#, "deny"),
        (
            r#""dataPeriod":{"start":"2020-03-01"}"#,
            r#""effectiveDateTime":"2020""#,
            "unclear",
        ),
        (
            criteria,
            r#""effectivePeriod":{"start":"2019-12-01","end":"2020-01-15"}"#,
            "unclear",
        ),
        (criteria, r#""effectiveDateTime":"lately""#, "unclear"),
        (criteria, "", "unclear"),
    ]);
    // The patient is of no time.
    let patient = resource("Patient", "1", r#""birthDate":"2020-05-05""#);
    assert_eq!(denied(criteria, &treatment(), &[patient]), "permit");
}

#[test]
fn data_by_reference() {
    let of = |meaning: &str, reference: &str, resources: &[String]| {
        let criteria = format!(
            r#""data":[{{"meaning":"{meaning}","reference":{{"reference":"{reference}"}}}}]"#
        );
        denied(&criteria, &treatment(), resources)
    };
    let a = || {
        resource(
            "Observation",
            "a",
            r#""derivedFrom":[{"reference":"Observation/b"}]"#,
        )
    };
    let b = || resource("Observation", "b", "");
    let c = || {
        resource(
            "Observation",
            "c",
            r#""performer":[{"reference":"Practitioner/p"}]"#,
        )
    };
    for (meaning, reference, resources, expected) in [
        ("instance", "Observation/a", vec![a()], "deny"),
        ("instance", "Observation/b", vec![a()], "permit"),
        (
            "instance",
            "https://ehr.example.org/fhir/Observation/a",
            vec![a()],
            "deny",
        ),
        ("related", "Observation/a", vec![b(), a()], "deny"),
        ("related", "Observation/a", vec![c(), a()], "permit"),
        ("related", "Observation/a", vec![c()], "unclear"),
        ("dependents", "Observation/b", vec![a()], "deny"),
        ("dependents", "Observation/b", vec![c()], "permit"),
        ("authoredby", "Practitioner/p", vec![c()], "deny"),
        ("authoredby", "Practitioner/q", vec![c()], "permit"),
        ("authoredby", "Practitioner/p", vec![b()], "unclear"),
        ("all-of-it", "Observation/x", vec![a()], "unclear"),
    ] {
        assert_eq!(
            of(meaning, reference, &resources),
            expected,
            "{meaning} {reference}"
        );
    }
}
