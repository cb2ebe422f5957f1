//! For trials: everyone on this machine.

use crate::client::{call, get, http, post};
use crate::rules_of_test::{rule, write};
use crate::server::{Server, start, until};

#[tokio::test(flavor = "multi_thread")]
async fn everyone_may_call_and_operators_see_it() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n";
    let server = Server::start(folder.path(), settings, true).await;
    let http = http();
    let discovery = get(&http, &server.url("/cds-services"), None).await;
    assert_eq!(discovery.status, 200);
    assert_eq!(discovery.json()["services"][0]["id"], "own-patient-view");
    let answer = post(
        &http,
        &server.url("/cds-services/own-patient-view"),
        None,
        call(),
    )
    .await;
    assert_eq!(answer.summaries(), ["A visit is due"], "{}", answer.text);

    assert_eq!(get(&http, &server.url("/healthz"), None).await.status, 200);
    let ready = get(&http, &server.url("/readyz"), None).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let live = get(&http, &server.url("/admin/live"), None).await.json();
    let visit = &live["live"][0]["rules"][0];
    assert_eq!(
        (visit["id"].as_str(), visit["version"].as_str()),
        (Some("visit"), Some("1.0.0"))
    );
    assert!(!visit["hash"].as_str().unwrap().is_empty());
    let metrics = get(&http, &server.url("/metrics"), None).await;
    assert!(
        metrics.headers["content-type"]
            .to_str()
            .unwrap()
            .contains("openmetrics-text")
    );
    for line in [
        "tandem_requests_total{endpoint=\"call\",service=\"own-patient-view\",hook=\"patient-view\",status=\"200\"} 1",
        "tandem_rule_evaluations_total{rule=\"visit\",version=\"1.0.0\",outcome=\"fired\",shadow=\"no\"} 1",
        "tandem_prefetch_keys_total{client=\"\",service=\"own-patient-view\",key=\"encounter\",state=\"null\",fetched=\"\"} 1",
        "tandem_calls_under_way 0",
        "tandem_live_rules{tenant=\"\"} 1",
        "tandem_connections_refused_total 0",
    ] {
        assert!(
            metrics.text.contains(&format!("\n{line}\n")),
            "{line}\n--\n{}",
            metrics.text
        );
    }
    let log = server.log.clone();
    server.end().await;
    let log = log.text();
    assert!(
        log.contains("\"service\":\"own-patient-view\"") && !log.contains("p1"),
        "{log}"
    );
}

/// A client that goes away in the middle of its request leaves nothing that counts as under way.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_go_away_are_not_under_way() {
    use tokio::io::AsyncWriteExt as _;
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "Due"),
    );
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n";
    let server = Server::start(folder.path(), settings, true).await;
    let (http, url) = (http(), server.url("/metrics"));
    let under_way = async |wanted: &str| {
        let wanted = format!("\ntandem_calls_under_way {wanted}\n");
        until(&wanted, || async {
            get(&http, &url, None).await.text.contains(&wanted)
        })
        .await;
    };
    let mut stream = tokio::net::TcpStream::connect(server.at).await.unwrap();
    let head = "POST /cds-services/own-patient-view HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    under_way("1").await;
    drop(stream);
    under_way("0").await;
    server.end().await;
}

/// The log names hook instances by a hash, or as they came where the operator wants it.
#[tokio::test(flavor = "multi_thread")]
async fn hook_instances_in_the_log() {
    for (setting, is_whole) in [("hash", false), ("whole", true)] {
        let folder = tempfile::tempdir().unwrap();
        write(
            &folder.path().join("rules"),
            "visit.yaml",
            &rule("visit", "1.0.0", "Due"),
        );
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n[log]\nhook_instance = \"{setting}\"\n"
        );
        let server = Server::start(folder.path(), &settings, true).await;
        let http = http();
        let url = server.url("/cds-services/own-patient-view");
        let uuid = "0b9a7f52-2b1c-4d7e-9a33-6f1e2d3c4b5a";
        for instance in [uuid, "the name of a patient"] {
            let mut body: serde_json::Value = serde_json::from_str(&call()).unwrap();
            body["hookInstance"] = instance.into();
            assert_eq!(post(&http, &url, None, body.to_string()).await.status, 200);
        }
        let log = server.log.clone();
        server.end().await;
        let log = log.text();
        assert_eq!(log.contains(uuid), is_whole, "{log}");
        assert!(!log.contains("the name of a patient"), "{log}");
    }
}

/// A rule on trial is compared with the live one of its id, and nobody sees it.
#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_counted_compared_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let next = folder.path().join("next");
    write(&next, "visit.yaml", &rule("visit", "2.0.0", "Come in"));
    write(
        &next,
        "other.yaml",
        &rule("other", "1.0.0", "Something new"),
    );
    let settings =
        "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\nshadow = [\"next\"]\n";
    let server = Server::start(folder.path(), settings, true).await;
    let http = http();
    for _ in 0..3 {
        let url = server.url("/cds-services/own-patient-view");
        let answer = post(&http, &url, None, call()).await;
        assert_eq!(answer.summaries(), ["A visit is due"], "{}", answer.text);
    }
    let metrics = get(&http, &server.url("/metrics"), None).await.text;
    for line in [
        "tandem_shadow_calls_total{rule=\"visit\",version=\"2.0.0\",live_version=\"1.0.0\",change=\"other\"} 3",
        "tandem_shadow_cards_total{rule=\"visit\",version=\"2.0.0\",live_version=\"1.0.0\",change=\"added\"} 3",
        "tandem_shadow_cards_total{rule=\"visit\",version=\"2.0.0\",live_version=\"1.0.0\",change=\"removed\"} 3",
        "tandem_shadow_cards_total{rule=\"other\",version=\"1.0.0\",live_version=\"\",change=\"added\"} 3",
    ] {
        assert!(
            metrics.contains(&format!("\n{line}\n")),
            "{line}\n--\n{metrics}"
        );
    }
    server.end().await;
}

/// Operators may have a listener of their own.
#[tokio::test(flavor = "multi_thread")]
async fn operators_on_a_listener_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "Due"),
    );
    // A port that is free now.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"{free}\"\n[rules]\npaths = [\"rules\"]\n"
    );
    let server = Server::start(folder.path(), &settings, true).await;
    let http = http();
    for (path, here) in [
        ("/metrics", 404),
        ("/admin/live", 404),
        // A load balancer asks the port that it sends calls to.
        ("/readyz", 200),
        ("/healthz", 200),
    ] {
        let ours = get(&http, &server.url(path), None).await;
        assert_eq!(ours.status, here, "{path}");
        assert!(!ours.text.contains("configuration"), "{}", ours.text);
        let theirs = get(&http, &format!("http://{free}{path}"), None).await;
        assert_eq!(theirs.status, 200, "{path}");
    }
    let (second, _) = start(folder.path(), &settings, true);
    let taken = second.serve(|_| {}, std::future::pending()).await;
    let said = taken.unwrap_err().to_string();
    assert!(
        said.contains(&format!("{free} is in use")) && said.contains("`admin_listen`"),
        "{said}"
    );
    server.end().await;
    assert!(
        std::net::TcpListener::bind(free).is_ok(),
        "it listens still"
    );
}

/// All that is wrong is told at once, and a check opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_all_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(&rules, "visit.yaml", "id: visit\n");
    let settings = "[server]\npublic_url = \"https://cds.example\"\n[server.tls]\ncert = \"none.pem\"\nkey = \"none.key\"\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"mysql://x\"\n[[client]]\nname = \"ehr\"\niss = \"x\"\nkeys_file = \"none.json\"\n";
    let (starting, _) = start(folder.path(), settings, false);
    let said = starting.check().err().unwrap().to_string();
    for part in [
        "none.pem",
        "none.key",
        "visit.yaml",
        "[store] url",
        "client \"ehr\", keys_file",
    ] {
        assert!(said.contains(part), "{part}\n--\n{said}");
    }
    write(&rules, "visit.yaml", &rule("visit", "1.0.0", "Due"));
    let (starting, _) = start(
        folder.path(),
        "[rules]\npaths = [\"rules\"]\n[store]\nurl = \"t.db\"\n",
        true,
    );
    let checked = starting.check().unwrap();
    assert_eq!((checked.services, checked.rules), (1, 1));
    assert!(!folder.path().join("t.db").exists());
}

/// The log has the trace of the caller that a call is part of, and nothing that a caller made up: a line of the log is
/// one whatever stands in the call.
#[tokio::test(flavor = "multi_thread")]
async fn the_callers_trace_in_the_log_and_nothing_else_of_theirs() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "Due"),
    );
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n[log]\nhook_instance = \"whole\"\n";
    let server = Server::start(folder.path(), settings, true).await;
    let url = server.url("/cds-services/own-patient-view");
    let http = http();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let good = format!("00-{trace}-b7ad6b7169203331-01");
    for (parent, instance) in [
        (good.as_str(), "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"),
        (
            "00-made-up-by-a-caller",
            "x\n{\"server\":\"made up by a caller\"}",
        ),
    ] {
        let mut body: serde_json::Value = serde_json::from_str(&call()).unwrap();
        body["hookInstance"] = instance.into();
        let request = http.post(&url).header("traceparent", parent);
        let request = request.header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let log = server.log.clone();
    server.end().await;
    let log = log.text();
    assert_eq!(
        log.matches(&format!("\"trace_id\":\"{trace}\"")).count(),
        1,
        "{log}"
    );
    assert_eq!(log.matches("trace_id").count(), 1, "{log}");
    assert!(!log.contains("made"), "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            line["status"] == 200 || line["server"].is_string(),
            "{line}"
        );
    }
}
