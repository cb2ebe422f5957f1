//! The database of the store goes away and comes back, under the composed server and over HTTP: what was
//! acknowledged is there, nothing waits for ever, and nobody has to do anything for it to go on.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use cds_store::{AuditFilter, Checked, Place, Reader};
use serde_json::{Value, json};

use crate::client::{Answer, BASE, call, ehr, get, http, post, token};
use crate::postgres::Cluster;
use crate::rules_of_test::{rule, write};
use crate::server::{Server, now, until};

const PATH: &str = "/cds-services/own-patient-view";

/// Settings with this store, in a folder with a rule.
fn settings(folder: &Path, url: &str, more: &str) -> String {
    let text = rule("visit", "1.0.0", "A visit is due");
    write(&folder.join("rules"), "visit.yaml", &text);
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\n[rules]\npaths = [\"rules\"]\n\
         [store]\nurl = \"{url}\"\n{more}\n{}",
        ehr("")
    )
}

/// A call with a token of its own: its hook instance, and the answer.
async fn called(server: &Server) -> (String, Answer) {
    let body = call();
    let sent: Value = serde_json::from_str(&body).unwrap();
    let instance = sent["hookInstance"].as_str().unwrap().to_owned();
    let answer = post(&http(), &server.url(PATH), Some(&token(PATH)), body).await;
    (instance, answer)
}

/// Feedback on a card, with a token of its own: whether it was taken.
async fn told(server: &Server, card: &str) -> u16 {
    let path = format!("{PATH}/feedback");
    let body = json!({ "feedback": [{
        "card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-30T12:00:00Z",
    }] });
    let answer = post(
        &http(),
        &server.url(&path),
        Some(&token(&path)),
        body.to_string(),
    )
    .await;
    answer.status
}

/// What clients were told is done.
#[derive(Default)]
struct Acknowledged {
    calls: BTreeSet<String>,
    feedback: BTreeSet<String>,
}

impl Acknowledged {
    /// A call, and feedback on its card; whether the call was answered.
    async fn round(&mut self, server: &Server) -> bool {
        let (instance, answer) = called(server).await;
        match answer.status {
            200 => assert_eq!(answer.summaries(), ["A visit is due"]),
            503 => {
                // As an OperationOutcome, and nothing of where the database is.
                assert_eq!(
                    answer.json()["resourceType"],
                    "OperationOutcome",
                    "{}",
                    answer.text
                );
                assert!(!answer.text.contains("postgres"), "{}", answer.text);
                return false;
            }
            other => panic!("{other}: {}", answer.text),
        }
        self.calls.insert(instance);
        let card = answer.json()["cards"][0]["uuid"]
            .as_str()
            .unwrap()
            .to_owned();
        match told(server, &card).await {
            200 => drop(self.feedback.insert(card)),
            status => assert_eq!(status, 503),
        }
        true
    }

    /// All of it is in the store, and the audit log is whole.
    async fn assert_is_in(&self, place: &Place) {
        let reader = Reader::open(place).await.unwrap();
        let entries = reader
            .entries(&AuditFilter::default(), 0, 100_000)
            .await
            .unwrap();
        let there: BTreeSet<String> = entries
            .iter()
            .filter_map(|e| e.entry.hook_instance.clone())
            .collect();
        let lost: Vec<&String> = self.calls.difference(&there).collect();
        assert!(
            lost.is_empty(),
            "calls were acknowledged and are lost: {lost:?}"
        );
        let now = cds_store::Timestamp::from_second(now() + 60).unwrap();
        let report = reader.report(&cds_store::Asked::new(now)).await.unwrap();
        let said = report.total.counts.overridden;
        assert!(
            said >= self.feedback.len() as u64,
            "{said} of {}",
            self.feedback.len()
        );
        let checked = reader.verify((None, None), None).await.unwrap();
        assert!(matches!(checked, Checked::Whole(_)), "{checked:?}");
    }
}

async fn ready(server: &Server) -> u16 {
    get(&http(), &server.url("/readyz"), None).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_killed_under_calls_loses_nothing_and_is_back_by_itself() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.database();
    let place: Place = url.parse().unwrap();
    let server = Server::start(folder.path(), &settings(folder.path(), &url, ""), false).await;
    let mut done = Acknowledged::default();
    for _ in 0..10 {
        assert!(done.round(&server).await);
    }
    assert_eq!(ready(&server).await, 200);
    for _ in 0..2 {
        cluster.kill();
        // Each is answered within bounded time, one way or the other; soon at once, with 503.
        let started = Instant::now();
        while done.round(&server).await {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "nobody notices"
            );
        }
        until("the server is not ready", || async {
            ready(&server).await == 503
        })
        .await;
        let started = Instant::now();
        assert!(!done.round(&server).await);
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(
            told(&server, "00000000-0000-4000-8000-000000000001").await,
            503
        );
        cluster.start_again();
        until("the server is ready again", || async {
            ready(&server).await == 200
        })
        .await;
        for _ in 0..10 {
            assert!(done.round(&server).await);
        }
    }
    let log = server.log.text();
    assert!(log.contains("the store cannot be written to: "), "{log}");
    assert!(log.contains("the store can be written to again"), "{log}");
    server.end().await;
    assert!(done.calls.len() >= 30 && done.feedback.len() >= 30);
    done.assert_is_in(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_away_at_the_start_is_waited_for() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.database());
    cluster.kill();
    let text = settings(folder.path(), &url, "");
    let server = Server::start(folder.path(), &text, false).await;
    let (_, answer) = called(&server).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(ready(&server).await, 503);
    cluster.start_again();
    until("the server is ready", || async {
        ready(&server).await == 200
    })
    .await;
    let mut done = Acknowledged::default();
    assert!(done.round(&server).await);
    server.end().await;
    done.assert_is_in(&url.parse().unwrap()).await;
    // A name that nobody there knows is not waited for.
    let wrong = url.replace("/test_", "/no_such_");
    let text = settings(folder.path(), &wrong, "");
    let (start, _) = crate::server::start(folder.path(), &text, false);
    let stopped = start
        .serve(|_| panic!("it listens"), std::future::pending())
        .await;
    let stopped = stopped.unwrap_err().to_string();
    assert!(
        stopped.contains("no such database (SQLSTATE 3D000)"),
        "{stopped}"
    );
}

/// Where calls need no record they are answered, each token once still, and by their deadline.
#[tokio::test(flavor = "multi_thread")]
async fn where_no_record_is_required_calls_are_answered_without_the_database() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.database());
    let text = settings(folder.path(), &url, "required = false");
    cluster.kill();
    let server = Server::start(folder.path(), &text, false).await;
    let used = token(PATH);
    let once = async || {
        post(&http(), &server.url(PATH), Some(&used), call())
            .await
            .status
    };
    assert_eq!(once().await, 200);
    assert_eq!(once().await, 401, "a token was taken twice");
    assert_eq!(ready(&server).await, 200);
    cluster.start_again();
    // By itself calls are recorded again.
    let mut done = Acknowledged::default();
    until("feedback is taken", || async {
        let (_, answer) = called(&server).await;
        let card = answer.json()["cards"][0]["uuid"]
            .as_str()
            .unwrap()
            .to_owned();
        told(&server, &card).await == 200
    })
    .await;
    assert!(done.round(&server).await);
    // It goes away: the first calls, too, are answered soon.
    cluster.kill();
    for _ in 0..5 {
        let started = Instant::now();
        let (_, answer) = called(&server).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(
            started.elapsed() < Duration::from_millis(1500),
            "{:?}",
            started.elapsed()
        );
    }
    let metrics = get(&http(), &server.url("/metrics"), None).await.text;
    let counted = metrics
        .lines()
        .find(|l| l.starts_with("tandem_not_recorded_total"));
    assert!(
        counted.is_some_and(|line| !line.ends_with(" 0")),
        "{counted:?}"
    );
    cluster.start_again();
    until("the store is up", || async {
        let metrics = get(&http(), &server.url("/metrics"), None).await.text;
        metrics.contains("\ntandem_store_up 1\n")
    })
    .await;
    server.end().await;
    done.assert_is_in(&url.parse().unwrap()).await;
}

/// The same with a file that somebody moves away and back.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_away_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let text = settings(folder.path(), "t.db", "wait = \"500ms\"");
    let server = Server::start(folder.path(), &text, false).await;
    let mut done = Acknowledged::default();
    for _ in 0..5 {
        assert!(done.round(&server).await);
    }
    let moved = |from: &str, to: &str| {
        for end in ["", "-wal", "-shm"] {
            let name = |stem: &str| folder.path().join(format!("{stem}{end}"));
            let _ = std::fs::rename(name(from), name(to));
        }
    };
    moved("t.db", "elsewhere.db");
    assert!(
        !done.round(&server).await,
        "a call was answered whose record nobody finds"
    );
    until("the server is not ready", || async {
        ready(&server).await == 503
    })
    .await;
    assert!(
        !folder.path().join("t.db").exists(),
        "another store was made in its place"
    );
    moved("elsewhere.db", "t.db");
    until("the server is ready again", || async {
        ready(&server).await == 200
    })
    .await;
    for _ in 0..5 {
        assert!(done.round(&server).await);
    }
    server.end().await;
    let place = folder.path().join("t.db").display().to_string();
    done.assert_is_in(&place.parse().unwrap()).await;
}
