use engine_patient::record::PatientRecord;

use super::*;

fn whose(server: Option<&str>, ty: &str, members: &str) -> Whose {
    let patient = Patient {
        id: "p1".into(),
        server: server.map(|s| server_key(s).into_owned()),
    };
    let mut document = PatientRecord::new();
    let json = format!(r#"{{"resourceType":"{ty}"{members}}}"#);
    patient.whose(document.push_document(&json).unwrap(), ty, &Urls::default())
}

#[test]
fn whose_it_is() {
    use Whose::{Anothers, Nobodys, Theirs, TwoPatients, UnknownServer, Unsaid};
    let cases = [
        ("Patient", r#","id":"p1""#, Theirs),
        ("Patient", r#","id":"p2""#, Anothers),
        ("Patient", "", Unsaid),
        ("Medication", "", Nobodys),
        ("Condition", "", Unsaid),
        (
            "Condition",
            r#","subject":{"reference":"Patient/p1"}"#,
            Theirs,
        ),
        (
            "Condition",
            r#","subject":{"reference":"Patient\/p1"}"#,
            Theirs,
        ),
        (
            "Condition",
            r#","subject":{"reference":"Patient/p1/_history/3"}"#,
            Theirs,
        ),
        (
            "Condition",
            r#","subject":{"reference":"https://ehr.org/fhir/Patient/p1"}"#,
            UnknownServer,
        ),
        (
            "Condition",
            r#","subject":{"reference":"Patient/p11"}"#,
            Anothers,
        ),
        (
            "Condition",
            r#","subject":{"reference":"Patient/P1"}"#,
            Anothers,
        ),
        (
            "Condition",
            r#","subject":{"reference":"Group/p1"}"#,
            Unsaid,
        ),
        ("Condition", r##","subject":{"reference":"#p1"}"##, Unsaid),
        (
            "Condition",
            r#","subject":{"reference":"urn:uuid:p1"}"#,
            Unsaid,
        ),
        (
            "Condition",
            r#","subject":{"display":"Patient/p1"}"#,
            Unsaid,
        ),
        ("Condition", r#","subject":"Patient/p1""#, Unsaid),
        ("Condition", r#","subject":{"reference":7}"#, Unsaid),
        (
            "Condition",
            r#","patient":{"reference":"Patient/p1"}"#,
            Unsaid,
        ),
        (
            "Immunization",
            r#","patient":{"reference":"Patient/p1"}"#,
            Theirs,
        ),
        (
            "Coverage",
            r#","beneficiary":{"reference":"Patient/p2"}"#,
            Anothers,
        ),
        (
            "Account",
            r#","subject":[{"reference":"Patient/p2"},{"reference":"Patient/p1"}]"#,
            TwoPatients,
        ),
        (
            "Account",
            r#","subject":[{"reference":"Patient/p1"},{"reference":"Patient/p1/_history/2"}]"#,
            Theirs,
        ),
        (
            "Account",
            r#","subject":[{"reference":"Practitioner/p2"},{"reference":"Patient/p1"},{"reference":"Organization/o"}]"#,
            Theirs,
        ),
        (
            "Account",
            r#","subject":[{"reference":"Patient/p2"},{"reference":"Patient/p3"}]"#,
            Anothers,
        ),
        (
            "Account",
            r#","subject":[{"reference":"Patient/p1"},{"reference":"https://x.org/Patient/p1"}]"#,
            TwoPatients,
        ),
        (
            "Condition",
            r#","subject":[{"reference":"Patient/p1"},{"reference":"Patient/p2"}]"#,
            TwoPatients,
        ),
        (
            "Condition",
            r#","subject":{"reference":"ehr.org/Patient/p1"}"#,
            UnknownServer,
        ),
    ];
    for (ty, members, expected) in cases {
        assert_eq!(whose(None, ty, members), expected, "{ty} {members}");
    }
}

#[test]
fn an_id_of_another_server_is_another_patient() {
    let on = |server, reference: &str| {
        whose(
            Some(server),
            "Condition",
            &format!(r#","subject":{{"reference":"{reference}"}}"#),
        )
    };
    let here = "https://ehr.org/fhir";
    assert_eq!(on(here, "https://ehr.org/fhir/Patient/p1"), Whose::Theirs);
    assert_eq!(
        on(here, "https://ehr.org/fhir/Patient/p1/_history/1"),
        Whose::Theirs
    );
    assert_eq!(on(here, "Patient/p1"), Whose::Theirs);
    assert_eq!(
        on(here, "https://other.org/fhir/Patient/p1"),
        Whose::Anothers
    );
}

#[test]
fn one_server_may_be_written_in_several_ways() {
    let on = |server, reference: &str| {
        let subject = format!(r#","subject":{{"reference":"{reference}"}}"#);
        whose(Some(server), "Condition", &subject)
    };
    let written = [
        "https://ehr.org/fhir",
        "HTTPS://EHR.org/fhir/",
        "https://ehr.org:443/fhir",
        "https://ehr.org/%66hir",
    ];
    for server in written {
        for base in written {
            let base = base.trim_end_matches('/');
            assert_eq!(
                on(server, &format!("{base}/Patient/p1")),
                Whose::Theirs,
                "{server} {base}"
            );
        }
    }
    for other in [
        "http://ehr.org/fhir",
        "https://ehr.org/FHIR",
        "https://ehr.org:8443/fhir",
    ] {
        assert_eq!(
            on(other, "https://ehr.org/fhir/Patient/p1"),
            Whose::Anothers,
            "{other}"
        );
    }
}
