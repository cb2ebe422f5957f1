//! The rules that come with Tandem, as services.

use std::sync::Arc;

use axum::http::Method;
use cds_hooks::{CardService, router, rule_services};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::conformance;
use crate::fixture::{bundle, config, http, patient, request};

fn services() -> Vec<Arc<dyn CardService>> {
    let rules = rules::built_in();
    assert!(rules.is_ok(), "the built-in rules do not load");
    rule_services(rules.unwrap_or_default())
}

async fn exchange(method: Method, path: &str, body: &Value) -> Value {
    let headers = [("content-type", "application/json")];
    let request = http(method, path, &headers, serde_json::to_vec(body).unwrap());
    let response = router(config(), services()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

async fn discovery() -> Vec<Value> {
    let document = exchange(Method::GET, "/cds-services", &Value::Null).await;
    conformance::discovery(&document);
    document["services"].as_array().unwrap().clone()
}

/// Calls every service with `value` under each key but the patient's.
async fn call_all(patient: &Value, value: &Value) -> Vec<(String, Vec<Value>)> {
    let mut out = vec![];
    for service in discovery().await {
        let keys = service["prefetch"].as_object().unwrap().keys();
        let prefetch = keys.map(|key| {
            let value = if key == "patient" { patient } else { value };
            (key.clone(), value.clone())
        });
        let mut request = request();
        request["prefetch"] = Value::Object(prefetch.collect::<Map<_, _>>());
        let id = service["id"].as_str().unwrap().to_owned();
        let answer = exchange(Method::POST, &format!("/cds-services/{id}"), &request).await;
        conformance::response(&answer);
        out.push((id, answer["cards"].as_array().unwrap().clone()));
    }
    out
}

#[tokio::test]
async fn each_rule_is_a_service_with_few_and_short_templates() {
    let services = discovery().await;
    assert_eq!(services.len(), rules::built_in().unwrap_or_default().len());
    assert!(services.len() >= 3);
    for service in services {
        let prefetch = service["prefetch"].as_object().unwrap();
        assert_eq!(
            prefetch["patient"], "Patient/{{context.patientId}}",
            "{service}"
        );
        assert!(prefetch.len() <= 8, "{service:#}");
        assert!(
            prefetch.values().all(|q| q.as_str().unwrap().len() <= 1800),
            "{service:#}"
        );
    }
}

#[tokio::test]
async fn an_adult_never_screened_gets_the_cancer_screening_card() {
    for (id, cards) in call_all(&patient(), &bundle(&[])).await {
        match id.as_str() {
            "colorectal-cancer-screening" => {
                assert_eq!(cards.len(), 1);
                assert_eq!(cards[0]["summary"], "Colorectal cancer screening is due");
                let label = cards[0]["source"]["label"].as_str().unwrap();
                assert!(
                    label.starts_with("US Preventive Services Task Force: "),
                    "{label}"
                );
            }
            _ => assert_eq!(cards, [json!(null); 0], "{id}"),
        }
    }
}

#[tokio::test]
async fn a_child_gets_no_card_even_where_everything_else_failed() {
    let mut child = patient();
    child["birthDate"] = json!("2020-01-01");
    let failed = json!({"resourceType": "OperationOutcome"});
    for (id, cards) in call_all(&child, &failed).await {
        assert_eq!(cards, [json!(null); 0], "{id}");
    }
}

#[tokio::test]
async fn what_could_not_be_checked_is_said_and_why() {
    let failed = json!({"resourceType": "OperationOutcome"});
    let all = call_all(&patient(), &failed).await;
    for (id, cards) in &all {
        assert_eq!(cards.len(), 1, "{id}");
        assert_eq!(cards[0]["indicator"], "info");
        let detail = cards[0]["detail"].as_str().unwrap();
        assert!(
            detail.contains("failed or was incomplete"),
            "{id}: {detail}"
        );
    }
}
