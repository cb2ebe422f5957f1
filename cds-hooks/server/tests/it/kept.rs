//! With a store: records, feedback, tokens that are used once.

use serde_json::json;

use crate::client::{BASE, call, ehr, get, http, post, token};
use crate::rules_of_test::{rule, write};
use crate::server::Server;

const PATH: &str = "/cds-services/own-patient-view";

fn settings() -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"t.db\"\n{}",
        ehr("")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_feedback_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let server = Server::start(folder.path(), &settings(), false).await;
    let http = http();
    let used = token(PATH);
    let answer = post(&http, &server.url(PATH), Some(&used), call())
        .await
        .json();
    let card = answer["cards"][0]["uuid"].as_str().unwrap().to_owned();
    let feedback = json!({ "feedback": [{
        "card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-30T12:00:00Z",
        "overrideReason": { "reason": { "code": "not-now", "system": "http://example.org" } },
    }] });
    let path = format!("{PATH}/feedback");
    for _ in 0..2 {
        let taken = post(
            &http,
            &server.url(&path),
            Some(&token(&path)),
            feedback.to_string(),
        )
        .await;
        assert_eq!(taken.status, 200, "{}", taken.text);
    }
    let metrics = get(&http, &server.url("/metrics"), None).await.text;
    for line in [
        "tandem_store_up 1",
        "tandem_feedback_total{client=\"ehr\",outcome=\"overridden\"} 2",
        "tandem_feedback_entries_total{taken=\"new\"} 1",
        "tandem_feedback_entries_total{taken=\"repeated\"} 1",
    ] {
        assert!(
            metrics.contains(&format!("\n{line}\n")),
            "{line}\n--\n{metrics}"
        );
    }
    assert_eq!(get(&http, &server.url("/readyz"), None).await.status, 200);
    assert!(
        folder.path().join("t.db").exists(),
        "not in the folder of the settings"
    );
    server.end().await;
    // A token that was used is used for the next server, too: the store remembers it.
    let server = Server::start(folder.path(), &settings(), false).await;
    assert_eq!(
        post(&http, &server.url(PATH), Some(&used), call())
            .await
            .status,
        401
    );
    assert_eq!(
        post(&http, &server.url(PATH), Some(&token(PATH)), call())
            .await
            .status,
        200
    );
    server.end().await;
}
