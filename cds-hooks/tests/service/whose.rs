//! Whose the resources of a prefetch are, and that each counts once.

use serde_json::{Value, json};

use crate::expectation::Came::{Card, NoCard, Unknown};
use crate::expectation::{A1C, check, with};
use crate::fixture::{a1c, bundle, condition, patient, post_bytes, request};

#[tokio::test]
async fn another_patients_data_never_counts() {
    let theirs = with(A1C, bundle(&[a1c("o1", "p2")]));
    check(
        "another's A1c",
        &theirs,
        Unknown("left out: 1 × a resource of another patient"),
    )
    .await;
    let both = with(
        "condition",
        bundle(&[condition("c1", "p1"), condition("c2", "p2")]),
    );
    check("one of each", &both, Unknown("of another patient")).await;
    // Under the key of another type: that there are no conditions is not certain any more.
    let mut astray = with("condition", bundle(&[]));
    astray["prefetch"][A1C] = bundle(&[condition("c2", "p2")]);
    check("astray", &astray, Unknown("of another patient")).await;
    let mut wrong = patient();
    wrong["id"] = json!("p2");
    check(
        "the patient",
        &with("patient", wrong),
        Unknown("of another patient"),
    )
    .await;
    let mut unsaid = a1c("o1", "p1");
    unsaid.as_object_mut().unwrap().remove("subject");
    check(
        "no subject",
        &with(A1C, bundle(&[unsaid])),
        Unknown("does not say whose"),
    )
    .await;
    let mut server = with(A1C, bundle(&[a1c("o1", "p1")]));
    server["fhirServer"] = json!("https://ehr.example/fhir");
    check("relative", &server, NoCard).await;
    let subject = &mut server["prefetch"][A1C]["entry"][0]["resource"]["subject"];
    *subject = json!({"reference": "https://other.example/fhir/Patient/p1"});
    check("of another server", &server, Unknown("of another patient")).await;
}

#[tokio::test]
async fn a_resource_under_two_keys_or_twice_counts_once() {
    let mut twice = request();
    let again = condition("c1", "p1");
    twice["prefetch"]["condition"] = bundle(&[condition("c1", "p1"), again.clone()]);
    check("the same", &twice, Card).await;
    let mut changed = again;
    changed["recordedDate"] = json!("2024-01-01");
    twice["prefetch"]["condition"]["entry"][1]["resource"] = changed;
    check("changed", &twice, Unknown("twice with different content")).await;
    // Pages that changed while they were read: the same but for `meta`, or two versions of it.
    let versions = |known: Value, other: Value, status: &str| {
        let (mut a, mut b) = (condition("c1", "p1"), condition("c1", "p1"));
        (a["meta"], b["meta"]) = (known, other);
        if status != "same" {
            b["verificationStatus"] = json!({"coding": [{"code": status}]});
        }
        let mut call = request();
        call["prefetch"]["condition"] = bundle(&[a, b]);
        call
    };
    let of = |version: &str, updated: &str| json!({"versionId": version, "lastUpdated": updated});
    let (old, new) = (
        of("9", "2024-01-01T00:00:00Z"),
        of("10", "2024-06-01T00:00:00Z"),
    );
    let wrong = "entered-in-error";
    let same = versions(old.clone(), new.clone(), "same");
    check("meta", &same, Card).await;
    let newer = versions(old.clone(), new.clone(), wrong);
    check("newer, and wrong", &newer, NoCard).await;
    let older = versions(new.clone(), old.clone(), wrong);
    check("older, and wrong", &older, Card).await;
    let numbers = versions(json!({"versionId": "9"}), json!({"versionId": "10"}), wrong);
    check("by number", &numbers, NoCard).await;
    for (a, b) in [
        (old.clone(), json!({"versionId": "10"})),
        (old.clone(), old.clone()),
        (json!({"versionId": "a"}), json!({"versionId": "b"})),
    ] {
        let call = versions(a, b, wrong);
        check(
            "which is newer",
            &call,
            Unknown("twice with different content"),
        )
        .await;
    }

    let mut other = patient();
    other["birthDate"] = json!("2020-01-01");
    let two = with("patient", bundle(&[patient(), other]));
    check("patient", &two, Unknown("twice with different content")).await;
}

/// Who comes along with what was found says nothing of the patient.
#[tokio::test]
async fn anothers_patient_beside_what_was_found_is_left_out() {
    let mut somebody = patient();
    somebody["id"] = json!("p2");
    for mode in ["include", "match", ""] {
        let mut found = bundle(&[a1c("o1", "p1"), somebody.clone()]);
        if !mode.is_empty() {
            found["entry"][1]["search"] = json!({ "mode": mode });
        }
        found.as_object_mut().unwrap().remove("total");
        let mut call = with(A1C, found);
        if mode == "include" {
            check(mode, &call, NoCard).await;
        }
        // The age of the patient is known whatever the other key is worth.
        call["prefetch"]["patient"]["birthDate"] = json!("2020-01-01");
        call["prefetch"][A1C]["entry"][0]["resource"]["status"] = json!(7);
        check(mode, &call, NoCard).await;
    }
    check(
        "the patient's own key",
        &with("patient", bundle(&[patient(), somebody])),
        Unknown("of another patient"),
    )
    .await;
}

/// FHIR R4 §2.36.4.1: a urn is the entry of that `fullUrl`; a URL of the Bundle's server is relative.
#[tokio::test]
async fn references_within_a_bundle_are_resolved() {
    let urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
    let about = |url: &str, subject: &str| {
        let mut observation = a1c("o1", "p1");
        observation["subject"] = json!({ "reference": subject });
        let mut bundle = bundle(&[observation, patient()]);
        bundle["entry"][0]["fullUrl"] = json!("https://ehr.example/fhir/Observation/o1");
        bundle["entry"][1]["fullUrl"] = json!(url);
        bundle["entry"][1]["search"] = json!({"mode": "include"});
        with(A1C, bundle)
    };
    check("urn", &about(urn, urn), NoCard).await;
    let own = "https://ehr.example/fhir/Patient/p1";
    check("URL", &about(own, own), NoCard).await;
    check("relative", &about(own, "Patient/p1"), NoCard).await;
    let nobody = "urn:uuid:5f3e6c1a-0b1d-4c58-9a52-6a1d2f0c9e11";
    check(
        "a urn that no entry has",
        &about(urn, nobody),
        Unknown("does not say whose"),
    )
    .await;
}

/// FHIR R4 §2.36.4.1: a relative reference is of the server of its entry.
#[tokio::test]
async fn a_relative_reference_of_another_servers_entry_is_not_the_patients() {
    let from = |server: &str| {
        let mut found = bundle(&[patient(), a1c("o1", "p1")]);
        found["link"] =
            json!([{"relation": "self", "url": "https://ehr.example/fhir/Observation"}]);
        found["entry"][0]["fullUrl"] = json!("https://ehr.example/fhir/Patient/p1");
        found["entry"][0]["search"] = json!({"mode": "include"});
        found["entry"][1]["fullUrl"] = json!(format!("{server}/Observation/o1"));
        with(A1C, found)
    };
    check("own", &from("https://ehr.example/fhir"), NoCard).await;
    let other = from("https://other.example/fhir");
    check("other", &other, Unknown("of another patient")).await;
    let mut named = other;
    named["fhirServer"] = json!("https://ehr.example/fhir");
    check("server known", &named, Unknown("of another patient")).await;
}

/// RFC 8259 §8.1.
#[tokio::test]
async fn a_byte_order_mark_before_the_body_is_passed_over() {
    let body = format!("\u{feff}{}", request());
    assert_eq!(post_bytes("a1c", body.into_bytes()).await.cards().len(), 1);
}

/// Without `fhirServer` nothing says whose server a URL names.
#[tokio::test]
async fn a_url_counts_only_where_the_server_is_known() {
    let about = |subject: &str, server: Option<&str>, full_url: Option<&str>| {
        let mut observation = a1c("o1", "p1");
        observation["subject"] = json!({ "reference": subject });
        let mut found = bundle(&[observation]);
        if let Some(url) = full_url {
            found["entry"][0]["fullUrl"] = json!(url);
        }
        let mut request = with(A1C, found);
        if let Some(server) = server {
            request["fhirServer"] = json!(server);
        }
        request
    };
    let url = "https://ehr.example/fhir/Patient/p1";
    let unknown = "names its patient by a URL (there is no `fhirServer`";
    for full_url in [None, Some("https://ehr.example/fhir/Observation/o1")] {
        check("no server", &about(url, None, full_url), Unknown(unknown)).await;
        let other = about(url, Some("https://other.example/fhir"), full_url);
        check("another server", &other, Unknown("of another patient")).await;
        for server in [
            "https://ehr.example/fhir",
            "https://ehr.example/fhir/",
            "https://ehr.example:443/fhir",
            "HTTPS://EHR.EXAMPLE/fhir",
            "https://ehr.example:/%66hir//",
        ] {
            check(server, &about(url, Some(server), full_url), NoCard).await;
        }
    }
    let versioned = format!("{url}/_history/3");
    check(
        "a version",
        &about(&versioned, None, None),
        Unknown(unknown),
    )
    .await;
    let capitals = about(
        "HTTPS://ehr.EXAMPLE:443/fhir/Patient/p1",
        Some("https://ehr.example/fhir"),
        None,
    );
    check("capitals in the reference", &capitals, NoCard).await;
}

#[tokio::test]
async fn a_resource_that_names_two_patients_is_neithers() {
    for subject in [
        json!([{"reference": "Patient/p1"}, {"reference": "Patient/p2"}]),
        json!([{"reference": "Patient/p2"}, {"reference": "Patient/p1"}]),
    ] {
        let mut observation = a1c("o1", "p1");
        observation["subject"] = subject;
        let request = with(A1C, bundle(&[observation]));
        check(
            "two",
            &request,
            Unknown("1 × a resource that names two patients"),
        )
        .await;
    }
}

/// Where the server is known, no majority of a Bundle makes another one this data's.
#[tokio::test]
async fn whole_bundles_of_another_server_are_another_patients() {
    const ANOTHER: &str = "of another patient, or of another server by its `fullUrl`";
    let of = |server: &str, link: bool| {
        let mut found = bundle(&[a1c("o1", "p1"), a1c("o2", "p1")]);
        for (n, id) in ["o1", "o2"].into_iter().enumerate() {
            found["entry"][n]["fullUrl"] = json!(format!("{server}/Observation/{id}"));
        }
        if link {
            let url = format!("{server}/Observation?patient=p1");
            found["link"] = json!([{"relation": "self", "url": url}]);
        }
        let mut request = with(A1C, found);
        request["fhirServer"] = json!("https://ehr.example/fhir");
        request
    };
    for link in [false, true] {
        check("own", &of("https://ehr.example/fhir", link), NoCard).await;
        for server in ["https://other.example/fhir", "http://internal:8080/fhir"] {
            check(server, &of(server, link), Unknown(ANOTHER)).await;
        }
    }
    let mut wrong = bundle(&[patient()]);
    wrong["entry"][0]["fullUrl"] = json!("https://other.example/fhir/Patient/p1");
    let mut wrong = with("patient", wrong);
    wrong["fhirServer"] = json!("https://ehr.example/fhir");
    check("the patient", &wrong, Unknown(ANOTHER)).await;
}

#[tokio::test]
async fn without_a_server_two_of_them_are_none() {
    let found = |server: &str| {
        let mut found = bundle(&[a1c("o1", "p1")]);
        found["entry"][0]["fullUrl"] = json!(format!("{server}/Observation/o1"));
        let mut request = with(A1C, found);
        let url = json!("https://ehr.example/fhir/Condition/c1");
        request["prefetch"]["condition"]["entry"][0]["fullUrl"] = url;
        request
    };
    check("one", &found("HTTPS://ehr.example:443/fhir/"), NoCard).await;
    let two = Unknown("the results are from several servers");
    check("two", &found("https://other.example/fhir"), two).await;
}
