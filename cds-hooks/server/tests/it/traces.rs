//! What leaves a trace, and what is left when the server has ended.

use serde_json::{Value, json};

use crate::client::{BASE, call, ehr, get, http, post, token, token_with};
use crate::rules_of_test::{rule, write};
use crate::server::{Server, start, until};

const PATH: &str = "/cds-services/own-patient-view";

fn settings(more: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\n[rules]\npaths = [\"rules\"]\n\
         [metrics]\nreaders = \"permitted\"\n{more}\n"
    )
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rule = rule("visit", "1.0.0", "A visit is due");
    write(&folder.path().join("rules"), "visit.yaml", &rule);
    folder
}

/// The lines of the log that are of an address beside those of the service.
fn lines(server: &Server, endpoint: &str) -> Vec<Value> {
    let text = server.log.text();
    let all = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|line| line["endpoint"] == endpoint).collect()
}

/// Who reads of a patient, and whoever tries to, stands in the log, and is counted; what operators read is
/// noted where somebody may not.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_leaves_a_line() {
    let folder = folder();
    let claim = "[client.role_claim]\nclaim = \"groups\"\nmap = { \"Readers\" = \"reader\" }\n";
    let more = format!(
        "[explain]\nenabled = true\n[[role]]\nname = \"reader\"\npermissions = [\"call\", \"explain\", \"metrics\"]\n{}",
        ehr(&format!("roles = [\"ehr\"]\n{claim}"))
    );
    let server = Server::start(folder.path(), &settings(&more), false).await;
    let http = http();
    let as_reader = |path: &str| token_with(path, &json!({ "groups": ["Readers"] }));
    let body = call();
    let instance = serde_json::from_str::<Value>(&body).unwrap()["hookInstance"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = post(&http, &server.url(PATH), Some(&token(PATH)), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let path = format!("{PATH}/explain/{instance}");
    let none = format!("{PATH}/explain/no-such-call");
    for (path, token, status) in [
        (&path, None, 401),
        (&path, Some(token(&path)), 403),
        (&none, Some(as_reader(&none)), 404),
        (&path, Some(as_reader(&path)), 200),
    ] {
        let answer = get(&http, &server.url(path), token.as_deref()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    until("all lines", || async {
        lines(&server, "explain").len() == 4
    })
    .await;
    let told = lines(&server, "explain");
    let of = |status: u16| {
        let found = told.iter().find(|line| line["status"] == status);
        found.unwrap_or_else(|| panic!("{status}: {told:?}"))
    };
    assert!(of(401)["error"].is_string() && of(401).get("service").is_none());
    assert!(
        of(403)["error"].as_str().unwrap().starts_with("role"),
        "{told:?}"
    );
    // What an address names that is not there may be anything.
    assert_eq!(of(404)["client"], "ehr");
    assert!(!server.log.text().contains("no-such-call"));
    let read = of(200);
    assert_eq!(
        (&read["client"], &read["service"]),
        (&json!("ehr"), &json!("own-patient-view"))
    );
    assert_eq!(
        read["hook_instance"],
        json!(cds_hooks::instance_name(&instance))
    );
    let metrics = get(&http, &server.url("/metrics"), Some(&as_reader("/metrics"))).await;
    assert_eq!(metrics.status, 200);
    for status in [401, 403, 404, 200] {
        let begins = format!(
            "tandem_requests_total{{endpoint=\"explain\",service=\"\",hook=\"\",status=\"{status}\"}} 1"
        );
        assert!(metrics.text.contains(&begins), "{status}: {}", metrics.text);
    }
    // A refusal is worth a line, each reading of the numbers is not.
    for path in ["/metrics", "/admin/live"] {
        let refused = get(&http, &server.url(path), Some(&token(path)))
            .await
            .status;
        let expected = if path == "/metrics" { 403 } else { 200 };
        assert_eq!(refused, expected, "{path}");
    }
    until("the line", || async {
        lines(&server, "/metrics").len() == 1
    })
    .await;
    let refused = &lines(&server, "/metrics")[0];
    assert_eq!(refused["status"], 403);
    assert!(
        refused["error"].as_str().unwrap().starts_with("role"),
        "{refused}"
    );
    server.end().await;
}

/// Who cannot be written down reads nothing, where what happens has to be; where not, they do, and that is told.
/// (Without tokens, which the store would remember: without it nobody who has one is let in.)
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_recorded_reads_nothing() {
    for (required, status) in [(true, 503), (false, 200)] {
        let folder = folder();
        let store = format!("[store]\nurl = \"t.db\"\nrequired = {required}\n");
        let more = format!("[explain]\nenabled = true\n{store}");
        let server = Server::start(folder.path(), &settings(&more), true).await;
        let (http, body) = (http(), call());
        let sent: Value = serde_json::from_str(&body).unwrap();
        let path = format!("{PATH}/explain/{}", sent["hookInstance"].as_str().unwrap());
        let answer = post(&http, &server.url(PATH), None, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let read = async || get(&http, &server.url(&path), None).await;
        let answer = read().await;
        assert!(
            answer.status == 200 && answer.text.contains("p1"),
            "{}",
            answer.text
        );
        let (here, away) = (folder.path().join("t.db"), folder.path().join("away.db"));
        std::fs::rename(&here, &away).unwrap();
        let answer = read().await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.text.contains("p1"), !required, "{}", answer.text);
        assert_eq!(answer.headers.contains_key("retry-after"), required);
        until("the line", || async {
            server
                .log
                .text()
                .contains("explanation could not be recorded")
        })
        .await;
        std::fs::rename(&away, &here).unwrap();
        server.end().await;
    }
}

/// The one file of SQLite has all of it once the server has ended, so that a copy of it is a backup; also where
/// somebody else has it open.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_file_has_all_of_it_once_the_server_has_ended() {
    let folder = folder();
    let more = format!("[store]\nurl = \"t.db\"\n{}", ehr(""));
    let server = Server::start(folder.path(), &settings(&more), false).await;
    let file = folder.path().join("t.db");
    let place = |file: &std::path::Path| file.display().to_string().parse().unwrap();
    let other =
        cds_store::Store::open(&place(&file), cds_store::Settings::default(), "other").await;
    let other = other.unwrap();
    let answer = post(&http(), &server.url(PATH), Some(&token(PATH)), call()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    server.end().await;
    let copy = folder.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    let reader = cds_store::Reader::open(&place(&copy)).await.unwrap();
    let all = reader
        .entries(&cds_store::AuditFilter::default(), 0, 100)
        .await
        .unwrap();
    assert!(
        all.iter()
            .any(|stored| stored.entry.patient.as_deref() == Some("p1"))
    );
    drop(other);
}

/// What is no address of a store is told without being quoted, since it may hold a password; a file that is none
/// of ours is the operator's mistake, and damage is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_opened() {
    use cds_server::NotLoaded;
    let folder = folder();
    let file = folder.path().join("t.db");
    let opened = async |store: &str| {
        let more = format!("[store]\nurl = \"{store}\"\n");
        let (start, _) = start(folder.path(), &settings(&more), true);
        let checked = start.check().err().map(|why| why.to_string());
        (checked, start.serve(|_| (), async {}).await.unwrap_err())
    };
    for store in [
        "tandem:hunter2@host/db",
        "tandem@host:5432/hunter2",
        "postgres:tandem:hunter2@host/db",
        "host=db user=tandem password=hunter2",
    ] {
        let (checked, served) = opened(store).await;
        for told in [checked.unwrap(), served.to_string()] {
            assert!(
                told.contains("[store] url") && told.contains("postgres://"),
                "{store}: {told}"
            );
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
    std::fs::write(
        &file,
        "This is no database, but long enough for its head to be read. ".repeat(20),
    )
    .unwrap();
    assert!(matches!(opened("t.db").await.1, NotLoaded::User(_)));
    // A page of a database of ours is gone.
    std::fs::remove_file(&file).unwrap();
    let place: cds_store::Place = file.display().to_string().parse().unwrap();
    let store = cds_store::Store::open(&place, cds_store::Settings::default(), "test")
        .await
        .unwrap();
    store.settle().await.unwrap();
    drop(store);
    let mut bytes = std::fs::read(&file).unwrap();
    let second = bytes.len().min(4096);
    bytes[second..].fill(0xff);
    bytes[100..200].fill(0xff);
    let broken = folder.path().join("broken.db");
    std::fs::write(&broken, bytes).unwrap();
    let (_, why) = opened("broken.db").await;
    assert!(matches!(why, NotLoaded::Internal(_)), "{why}");
}
