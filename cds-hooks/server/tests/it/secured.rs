//! Who may call, and who may not.

use serde_json::json;

use crate::client::{BASE, EVIL, ISS, call, ehr, get, http, post, token, token_with};
use crate::rules_of_test::{rule, write};
use crate::server::{Server, now};

const PATH: &str = "/cds-services/own-patient-view";

async fn server(folder: &std::path::Path, more: &str) -> Server {
    write(
        &folder.join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\n[rules]\npaths = [\"rules\"]\n[metrics]\nreaders = \"permitted\"\n{more}\n"
    );
    Server::start(folder, &settings, false).await
}

/// Checklist 75, 82: every call has a token, discovery too, and a refusal says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn item_75_without_a_token_there_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), &ehr("")).await;
    let http = http();
    for path in ["/cds-services", PATH, "/cds-services/none", "/metrics"] {
        let url = server.url(path);
        let answer = match path.starts_with("/cds-services/") {
            true => post(&http, &url, None, call()).await,
            false => get(&http, &url, None).await,
        };
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{path}");
        assert!(
            !answer.text.contains("own-patient-view"),
            "{path}: {}",
            answer.text
        );
    }
    let list = get(
        &http,
        &server.url("/cds-services"),
        Some(&token("/cds-services")),
    )
    .await;
    assert_eq!(list.status, 200, "{}", list.text);
    let answer = post(&http, &server.url(PATH), Some(&token(PATH)), call()).await;
    assert_eq!(answer.summaries(), ["A visit is due"]);
    // A token is for one address, once, and signed with the client's key.
    let elsewhere = token("/cds-services");
    assert_eq!(
        post(&http, &server.url(PATH), Some(&elsewhere), call())
            .await
            .status,
        401
    );
    let once = token(PATH);
    assert_eq!(
        post(&http, &server.url(PATH), Some(&once), call())
            .await
            .status,
        200
    );
    assert_eq!(
        post(&http, &server.url(PATH), Some(&once), call())
            .await
            .status,
        401
    );
    let claims = json!({
        "iss": ISS, "aud": format!("{BASE}{PATH}"), "iat": now(), "exp": now() + 60, "jti": "evil-1",
    });
    let forged = EVIL.sign(&EVIL.header(), &claims);
    assert_eq!(
        post(&http, &server.url(PATH), Some(&forged), call())
            .await
            .status,
        401
    );
    let log = server.log.clone();
    server.end().await;
    let log = log.text();
    assert!(!log.contains(&once) && !log.contains("jti-"), "{log}");
}

/// A role says what may be done; metrics tell why callers were refused.
#[tokio::test(flavor = "multi_thread")]
async fn roles_of_clients_and_of_claims() {
    let folder = tempfile::tempdir().unwrap();
    let claim = "[client.role_claim]\nclaim = \"groups\"\nmap = { \"Ops\" = \"operator\" }\n";
    let server = server(folder.path(), &ehr(&format!("roles = [\"ehr\"]\n{claim}"))).await;
    let http = http();
    let metrics = server.url("/metrics");
    let as_ehr = get(&http, &metrics, Some(&token("/metrics"))).await;
    assert_eq!(as_ehr.status, 403, "{}", as_ehr.text);
    let operator = || token_with("/metrics", &json!({ "groups": ["Ops"] }));
    let answer = get(&http, &metrics, Some(&operator())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer.text.contains(
            "tandem_callers_refused_total{endpoint=\"other\",status=\"403\",reason=\"role\"} 1"
        ),
        "{}",
        answer.text
    );
    server.end().await;
}
