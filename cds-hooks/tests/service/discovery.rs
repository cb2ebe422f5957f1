//! `GET /cds-services`.

use std::sync::Arc;

use axum::http::Method;
use cds_hooks::router;
use tower::ServiceExt;

use crate::fixture::{Gap, config, get, http, send};
use crate::{conformance, fixture};

#[tokio::test]
async fn lists_the_services_with_templates_from_their_requirements() {
    let answer = get("/cds-services").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    conformance::discovery(&answer.json());
    let service = &answer.json()["services"][0];
    assert_eq!(service["id"], "a1c");
    assert_eq!(service["hook"], "patient-view");
    assert_eq!(service["title"], "A1c overdue");
    assert_eq!(
        service["prefetch"]["patient"],
        "Patient/{{context.patientId}}"
    );
    // Forty codes are not spelled out.
    assert_eq!(
        service["prefetch"]["condition"],
        "Condition?patient={{context.patientId}}"
    );
    assert_eq!(
        service["prefetch"]["observation-hba1c-lab"],
        "Observation?patient={{context.patientId}}&code=http://loinc.org|17856-6,http://loinc.org|4548-4"
    );
    // The order of the requirements, not of the alphabet.
    let at = |key: &str| answer.text.find(&format!("\"{key}\":")).unwrap();
    assert!(at("patient") < at("condition") && at("condition") < at("observation-hba1c-lab"));
    assert_eq!(get("/cds-services").await.text, answer.text);
}

#[tokio::test]
async fn without_services_the_list_is_empty() {
    let request = http(Method::GET, "/cds-services", &[], vec![]);
    let response = router(config(), vec![]).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = axum::body::to_bytes(response.into_body(), 1000)
        .await
        .unwrap();
    assert_eq!(&body[..], br#"{"services":[]}"#);
}

#[tokio::test]
async fn health_and_head() {
    let answer = get("/health").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    let head = send(config(), http(Method::HEAD, "/cds-services", &[], vec![])).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn a_list_that_breaks_the_specification_is_not_served() {
    let services: Vec<Arc<dyn cds_hooks::CardService>> = vec![
        Arc::new(Gap::new("a b", false)),
        Arc::new(Gap::new("c", false)),
        Arc::new(Gap::new("c", true)),
    ];
    let end = std::future::pending();
    let error = cds_hooks::serve_until(fixture::config(), services, |_| {}, end)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let text = error.to_string();
    assert!(
        text.contains("`a b`") && text.contains("two services have the id `c`"),
        "{text}"
    );
}
