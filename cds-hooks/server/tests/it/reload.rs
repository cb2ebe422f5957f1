//! Reading again while calls go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::{call, get, http, post};
use crate::rules_of_test::{rule, write};
use crate::server::{Server, until};

const SETTINGS: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n[reload]\nevery = \"50ms\"\nsettle = \"50ms\"\n";

/// Acceptance 6: a reload under load drops no call, and each is answered by the old rules or the new ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reload_under_load_drops_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(&rules, "visit.yaml", &rule("visit", "0.0.0", "Version 0"));
    let server = Server::start(folder.path(), SETTINGS, true).await;
    let (url, stop) = (
        server.url("/cds-services/own-patient-view"),
        Arc::new(AtomicBool::new(false)),
    );
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (http, url, stop) = (http(), url.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut seen: BTreeMap<String, usize> = BTreeMap::new();
                while !stop.load(Ordering::Relaxed) {
                    let answer = post(&http, &url, None, call()).await;
                    assert_eq!(answer.status, 200, "{}", answer.text);
                    let [summary]: [String; 1] = answer.summaries().try_into().unwrap();
                    *seen.entry(summary).or_default() += 1;
                }
                seen
            })
        })
        .collect();
    let (http, live) = (http(), server.url("/admin/live"));
    for version in 1..=10 {
        write(
            &rules,
            "visit.yaml",
            &rule(
                "visit",
                &format!("{version}.0.0"),
                &format!("Version {version}"),
            ),
        );
        let wanted = format!("\"{version}.0.0\"");
        until(&wanted, || async {
            get(&http, &live, None).await.text.contains(&wanted)
        })
        .await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    stop.store(true, Ordering::Relaxed);
    let (mut calls, mut versions) = (0, BTreeMap::new());
    for caller in callers {
        for (summary, count) in caller.await.unwrap() {
            calls += count;
            *versions.entry(summary).or_insert(0) += count;
        }
    }
    println!("{calls} calls over 10 reloads: {versions:?}");
    assert_eq!(versions.len(), 11, "{versions:?}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_never_replaces_what_works_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(&rules, "visit.yaml", &rule("visit", "1.0.0", "Works"));
    let server = Server::start(folder.path(), SETTINGS, true).await;
    let (http, url) = (http(), server.url("/cds-services/own-patient-view"));
    write(
        &rules,
        "visit.yaml",
        &rule("visit", "2.0.0", "Wrong").replace("ageInYearsAt", "ageInYear"),
    );
    let ready = server.url("/readyz");
    until("the failure", || async {
        get(&http, &ready, None).await.text.contains("ageInYear")
    })
    .await;
    // It is told, and the server is ready all the same: what works goes on.
    let told = get(&http, &ready, None).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.json()["notReloaded"][0]["part"], "rules");
    assert_eq!(post(&http, &url, None, call()).await.summaries(), ["Works"]);
    let metrics = get(&http, &server.url("/metrics"), None).await.text;
    assert!(
        metrics.contains("tandem_reloads_total{part=\"rules\",outcome=\"failed\"} 1"),
        "{metrics}"
    );
    write(&rules, "visit.yaml", &rule("visit", "2.0.0", "Mended"));
    until("the mended rule", || async {
        post(&http, &url, None, call()).await.summaries() == ["Mended"]
    })
    .await;
    assert_eq!(
        get(&http, &ready, None).await.json()["notReloaded"],
        serde_json::json!([])
    );
    let log = server.log.clone();
    server.end().await;
    assert!(
        log.text().contains("what was live goes on"),
        "{}",
        log.text()
    );
}

/// SIGHUP does what a change of files does, also where files are not watched.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sighup_and_a_wish() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(&rules, "visit.yaml", &rule("visit", "1.0.0", "One"));
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n[reload]\nwatch = false\n";
    let server = Server::start(folder.path(), settings, true).await;
    let (http, url) = (http(), server.url("/cds-services/own-patient-view"));
    write(&rules, "visit.yaml", &rule("visit", "2.0.0", "Two"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(post(&http, &url, None, call()).await.summaries(), ["One"]);
    // Other servers of this process read their rules again, too, which does them no harm.
    let pid = std::process::id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-HUP", &pid])
            .status()
            .unwrap()
            .success()
    );
    until("the second rule", || async {
        post(&http, &url, None, call()).await.summaries() == ["Two"]
    })
    .await;
    write(&rules, "visit.yaml", &rule("visit", "3.0.0", "Three"));
    let reloaded = post(&http, &server.url("/admin/reload"), None, String::new()).await;
    assert_eq!(reloaded.status, 200, "{}", reloaded.text);
    assert_eq!(post(&http, &url, None, call()).await.summaries(), ["Three"]);
    server.end().await;
}

/// What is left out of a set that is read again is told as at the start, and a library in a folder above the rules
/// is part of what they are.
#[tokio::test(flavor = "multi_thread")]
async fn what_rules_share_is_read_again_too() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(&rules, "visit.yaml", &rule("visit", "1.0.0", "Same"));
    let server = Server::start(folder.path(), SETTINGS, true).await;
    let (http, live) = (http(), server.url("/admin/live"));
    let configuration = async || {
        let live = get(&http, &live, None).await.json();
        live["live"][0]["configuration"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = configuration().await;
    write(folder.path(), "library.yaml", "# of all rules\n");
    until("the set with the library", || async {
        configuration().await != first
    })
    .await;
    let second = configuration().await;
    // Nothing is another: nothing is put.
    let reloaded = post(&http, &server.url("/admin/reload"), None, String::new()).await;
    assert_eq!(reloaded.status, 200, "{}", reloaded.text);
    assert_eq!(configuration().await, second);
    server.end().await;
}

/// Who changes the settings expects that they count: it is told that they do not yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_settings_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "Due"),
    );
    let server = Server::start(folder.path(), SETTINGS, true).await;
    let file = folder.path().join("tandem.toml");
    std::fs::write(&file, format!("{SETTINGS}[log]\ncalls = false\n")).unwrap();
    let log = server.log.clone();
    until("it is told", || async {
        log.text().contains("tandem.toml has changed")
    })
    .await;
    server.end().await;
    let told = log.text().matches("has changed: what it says").count();
    assert_eq!(told, 1, "{}", log.text());
}
