//! CORS.

use axum::http::Method;
use cds_hooks::Config;
use serde_json::json;

use crate::fixture::{Answer, config, http, request, send};

async fn ask(origins: &[&str], method: Method, headers: &[(&str, &str)]) -> Answer {
    let allowed_origins = origins.iter().map(|o| (*o).to_owned()).collect();
    let config = Config {
        allowed_origins,
        ..config()
    };
    let body = serde_json::to_vec(&request()).unwrap();
    send(config, http(method, "/cds-services/a1c", headers, body)).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer
        .headers
        .get("access-control-allow-origin")
        .map(|v| v.to_str().unwrap())
}

#[test]
fn what_can_be_an_origin() {
    for origin in [
        "*",
        EHR,
        "https://ehr.example/",
        "http://localhost:3000",
        "capacitor://localhost",
    ] {
        assert!(cds_hooks::is_origin(origin), "{origin}");
    }
    for other in [
        "",
        "ehr.example",
        "https://ehr.example/path",
        "https://",
        "://x",
        "null",
        "https://*.example?",
    ] {
        assert!(!cds_hooks::is_origin(other), "{other}");
    }
}

const EHR: &str = "https://ehr.example";

#[tokio::test]
async fn a_preflight_is_answered_without_more() {
    let headers = [
        ("origin", EHR),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization, content-type",
        ),
    ];
    for origins in [
        &[EHR][..],
        &["https://ehr.example/", "https://b.example"],
        &["*"],
    ] {
        let answer = ask(origins, Method::OPTIONS, &headers).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
        assert_eq!(
            allowed(&answer),
            Some(if origins == ["*"] { "*" } else { EHR })
        );
        assert_eq!(
            answer.headers["access-control-allow-methods"],
            "GET, POST, OPTIONS"
        );
        assert_eq!(
            answer.headers["access-control-allow-headers"],
            "authorization, content-type"
        );
        assert!(answer.headers.contains_key("access-control-max-age"));
    }
    for origins in [
        &[][..],
        &["https://b.example"],
        &["http://ehr.example"],
        &["https://ehr.example:8443"],
    ] {
        let answer = ask(origins, Method::OPTIONS, &headers).await;
        assert_eq!((answer.status.as_u16(), allowed(&answer)), (204, None));
    }
}

#[tokio::test]
async fn every_answer_to_an_allowed_origin_can_be_read_refusals_too() {
    let json = ("content-type", "application/json");
    let answer = ask(&[EHR], Method::POST, &[("origin", EHR), json]).await;
    assert_eq!((answer.status.as_u16(), allowed(&answer)), (200, Some(EHR)));
    assert_eq!(answer.headers["vary"], "origin");
    let refused = ask(&[EHR], Method::POST, &[("origin", EHR)]).await;
    assert_eq!(
        (refused.status.as_u16(), allowed(&refused)),
        (415, Some(EHR))
    );
    let method = ask(&[EHR], Method::PUT, &[("origin", EHR), json]).await;
    assert_eq!((method.status.as_u16(), allowed(&method)), (405, Some(EHR)));
    let stranger = ask(
        &[EHR],
        Method::POST,
        &[("origin", "https://evil.example"), json],
    )
    .await;
    assert_eq!((stranger.status.as_u16(), allowed(&stranger)), (200, None));
    assert_eq!(stranger.headers["vary"], "origin");
    let server = ask(&[EHR], Method::POST, &[json]).await;
    assert_eq!(
        (server.json()["cards"] != json!([]), allowed(&server)),
        (true, None)
    );
}
