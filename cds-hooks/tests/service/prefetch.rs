//! What prefetch can look like, and what each of it means.

use serde_json::{Value, json};

use crate::expectation::Came::{Card, NoCard, Unknown};
use crate::expectation::{A1C, check, with, without};
use crate::fixture::{a1c, bundle, post, request};

#[tokio::test]
async fn the_four_states_of_a_key() {
    check("as sent", &request(), Card).await;
    check(
        "null is: asked, and there is nothing",
        &with(A1C, Value::Null),
        Card,
    )
    .await;
    check(
        "so is an empty Bundle",
        &with("condition", bundle(&[])),
        NoCard,
    )
    .await;
    check("and null", &with("condition", Value::Null), NoCard).await;
    check(
        "absent is not tried",
        &without(A1C),
        Unknown("`observation-hba1c-lab` was not sent"),
    )
    .await;
    check(
        "also of the conditions",
        &without("condition"),
        Unknown("`condition` was not sent"),
    )
    .await;
    check(
        "there is always a patient",
        &with("patient", Value::Null),
        Unknown("without a patient"),
    )
    .await;
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]});
    check(
        "an error",
        &with(A1C, outcome.clone()),
        Unknown("`observation-hba1c-lab` failed"),
    )
    .await;
    check(
        "for the patient",
        &with("patient", outcome),
        Unknown("`patient` failed"),
    )
    .await;
    let mut none = request();
    none.as_object_mut().unwrap().remove("prefetch");
    check(
        "no prefetch at all",
        &none,
        Unknown("`patient` was not sent"),
    )
    .await;
}

#[tokio::test]
async fn what_is_missing_counts_only_where_it_could_decide() {
    // A child: neither conditions nor observations matter.
    let mut child = without("condition");
    child["prefetch"]["patient"]["birthDate"] = json!("2020-01-01");
    check("a child", &child, NoCard).await;
    let mut healthy = without(A1C);
    healthy["prefetch"]["condition"] = bundle(&[]);
    check("no diabetes", &healthy, NoCard).await;
}

#[tokio::test]
async fn unknown_with_all_data_is_silence_or_a_card() {
    let mut request = request();
    request["prefetch"]["patient"]
        .as_object_mut()
        .unwrap()
        .remove("birthDate");
    assert_eq!(post("a1c", &request).await.text, r#"{"cards":[]}"#);
    let card = post("a1c-or-say", &request).await.cards()[0].clone();
    let detail = card["detail"].as_str().unwrap();
    assert!(detail.starts_with("Could not be checked: Patient.birthDate is not available.\n"));
}

#[tokio::test]
async fn outcomes_among_results() {
    let entry = |severity: &str, code: &str| {
        let issue = json!([{"severity": severity, "code": code}]);
        let outcome = json!({"resourceType": "OperationOutcome", "issue": issue});
        let mut bundle = bundle(&[]);
        bundle["entry"] = json!([{"resource": outcome, "search": {"mode": "outcome"}}]);
        bundle
    };
    check(
        "a remark",
        &with(A1C, entry("information", "informational")),
        Card,
    )
    .await;
    check(
        "a warning",
        &with(A1C, entry("warning", "not-supported")),
        Card,
    )
    .await;
    for (severity, code) in [
        ("error", "processing"),
        ("fatal", "exception"),
        ("information", "suppressed"),
        ("warning", "incomplete"),
    ] {
        check(
            code,
            &with(A1C, entry(severity, code)),
            Unknown("failed or was incomplete"),
        )
        .await;
    }
    let mut bare = bundle(&[]);
    bare["entry"] = json!([{"resource": {"resourceType": "OperationOutcome"}}]);
    check(
        "without issues",
        &with(A1C, bare),
        Unknown("failed or was incomplete"),
    )
    .await;
}

#[tokio::test]
async fn the_first_page_is_not_the_whole() {
    let mut paged = bundle(&[]);
    paged["link"] = json!([{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]);
    check("next", &with(A1C, paged), Unknown("has further pages")).await;
    let mut more = bundle(&[a1c("o1", "p1")]);
    more["total"] = json!(2);
    check(
        "total",
        &with(A1C, more.clone()),
        Unknown("has further pages"),
    )
    .await;
    more["total"] = json!(1);
    check("all of them", &with(A1C, more), NoCard).await;
    let mut own = bundle(&[]);
    own["link"] = json!([{"relation": "self", "url": "x"}]);
    check("self", &with(A1C, own), Card).await;
}

#[tokio::test]
async fn broken_entries_are_left_out_and_said() {
    let broken = [
        json!({"fullUrl": "urn:uuid:1"}),
        json!("text"),
        json!({"resource": null}),
        json!({"resource": []}),
        json!({"resource": {"id": "x"}}),
        json!({"resource": {"resourceType": "Observatoin", "id": "x"}}),
        json!({"resource": {"resourceType": "Observation", "id": "x", "code": "4548-4",
            "subject": {"reference": "Patient/p1"}}}),
    ];
    for entry in broken {
        let mut bundle = bundle(&[]);
        bundle["entry"] = json!([entry]);
        check(
            &entry.to_string(),
            &with(A1C, bundle),
            Unknown("1 × a resource that is not valid FHIR R4"),
        )
        .await;
    }
    let wrong = [
        json!("text"),
        json!(7),
        json!([]),
        json!({}),
        a1c("o1", "p1"),
        json!({"resourceType": "Bundle", "type": "searchset", "entry": {}}),
        json!({"resourceType": "Bundle", "type": "transaction-response"}),
    ];
    for value in wrong {
        check(
            &value.to_string(),
            &with(A1C, value.clone()),
            Unknown("is not the FHIR data"),
        )
        .await;
    }
    // A property twice is valid JSON for most readers, but not FHIR.
    let text = serde_json::to_string(&request()).unwrap();
    let text = text.replace(r#""birthDate""#, r#""birthDate":"2020-01-01","birthDate""#);
    let answer = crate::fixture::post_bytes("a1c", text.into_bytes()).await;
    assert_eq!(answer.status, 412);
    assert!(
        answer.text.contains("`patient` is not the FHIR data"),
        "{}",
        answer.text
    );
}
