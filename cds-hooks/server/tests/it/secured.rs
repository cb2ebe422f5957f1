//! Who may call, and who may not.

use serde_json::json;

use crate::client::{BASE, EVIL, ISS, call, ehr, get, http, post, token, token_with};
use crate::rules_of_test::{rule, write};
use crate::server::{Server, kept_in, now};

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

/// Who may read why a call was answered as it was need not be one who may call; and the audit log says who read.
#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_explanations_and_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let claim = "[client.role_claim]\nclaim = \"groups\"\nmap = { \"Audit\" = \"auditor\", \"EHR\" = \"ehr\" }\n";
    let more = format!(
        "[explain]\nenabled = true\n[store]\nurl = \"t.db\"\n{}",
        ehr(&format!("roles = []\n{claim}"))
    );
    let server = server(folder.path(), &more).await;
    let http = http();
    let of = |path: &str, group: &str| {
        let claims = json!({ "groups": [group], "sub": format!("Practitioner/{group}") });
        token_with(path, &claims)
    };
    let body = call();
    let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
    let answer = post(&http, &server.url(PATH), Some(&of(PATH, "EHR")), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let instance = sent["hookInstance"].as_str().unwrap();
    let path = format!("{PATH}/explain/{instance}");
    let url = server.url(&path);
    let told = get(&http, &url, Some(&of(&path, "Audit"))).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(told.json()["hookInstance"], instance);
    // Who may call may not read, and who may read may not call.
    assert_eq!(get(&http, &url, Some(&of(&path, "EHR"))).await.status, 403);
    let as_auditor = post(&http, &server.url(PATH), Some(&of(PATH, "Audit")), call()).await;
    assert_eq!(as_auditor.status, 403, "{}", as_auditor.text);
    let operator = token_with("/metrics", &json!({ "groups": ["Audit"] }));
    assert_eq!(
        get(&http, &server.url("/metrics"), Some(&operator))
            .await
            .status,
        403
    );
    server.end().await;
    let (_, entries) = kept_in(folder.path()).await;
    let of = |kind| {
        let mut all = entries.iter().map(|stored| &stored.entry);
        all.find(|entry| entry.kind == kind).expect("no such entry")
    };
    let read = of(cds_store::AuditKind::Explain);
    assert_eq!(read.patient.as_deref(), Some("p1"));
    assert_eq!(read.subject.as_deref(), Some("Practitioner/Audit"));
    assert_eq!(read.hook_instance.as_deref(), Some(instance));
    assert_eq!(read.roles, ["auditor"]);
    // By which rules calls are answered from now on stands there, too.
    let live = of(cds_store::AuditKind::Reload);
    assert_eq!(live.rule_set, of(cds_store::AuditKind::Call).rule_set);
    assert!(live.rule_set.is_some());
}

/// That the keys of one client cannot be had keeps the others from nothing: the server is ready, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_set_that_cannot_be_had_is_told_and_the_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let other = "[[client]]\nname = \"gone\"\niss = \"https://gone.example\"\njku = [\"http://127.0.0.1:9/keys\"]\n[outbound]\nplain_http = true\nkey_set_private_ranges = [\"127.0.0.0/8\"]\n";
    let operator = "roles = [\"ehr\", \"operator\"]";
    let both = server(folder.path(), &format!("{}{other}", ehr(operator))).await;
    let http = http();
    let ready = async |server: &Server| {
        let url = server.url("/readyz");
        get(&http, &url, Some(&token("/readyz"))).await
    };
    crate::server::until("the failure", || async {
        ready(&both).await.json()["impaired"][0]["why"]
            .as_str()
            .is_some_and(|why| why.contains("127.0.0.1:9"))
    })
    .await;
    assert_eq!(ready(&both).await.status, 200);
    assert_eq!(
        post(&http, &both.url(PATH), Some(&token(PATH)), call())
            .await
            .status,
        200
    );
    let text = get(&http, &both.url("/metrics"), Some(&token("/metrics")))
        .await
        .text;
    assert!(
        text.contains(
            "tandem_key_set_fetches_total{url=\"http://127.0.0.1:9/keys\",outcome=\"failed\"} 1"
        ),
        "{text}"
    );
    both.end().await;
    // Where nobody could come in, nothing is ready.
    let folder = tempfile::tempdir().unwrap();
    let alone = server(folder.path(), other).await;
    assert_eq!(get(&http, &alone.url("/readyz"), None).await.status, 503);
    alone.end().await;
}
