//! Calls: connections, tokens, bounds.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::future::join_all;
use outbound::fhir::{Access, Fetched, Limits as FhirLimits, Tokens, Want, fulfil};
use outbound::{Client, Failure, Family, Limits, Secret};
use serde_json::json;

use super::names::{Names, after, client, local, with};
use super::server::{Reply, Seen, Server, resetting};

async fn patient(client: &Client, access: &Access) -> Result<Fetched, Failure> {
    let tokens = Tokens::default().context("patientId", "p1");
    let template = Want::Template("Patient/{{context.patientId}}");
    let wants = [("patient".to_owned(), template)];
    let limits = FhirLimits::default();
    let mut all = fulfil(client, access, &wants, &tokens, after(5000), &limits).await;
    all.pop().unwrap().1
}

fn p1(_: &Seen) -> Reply {
    Reply::ok(json!({"resourceType": "Patient", "id": "p1"}))
}

#[tokio::test]
async fn item_40_and_41_a_token_is_sent_with_its_own_request_only() {
    let server = Server::start(p1).await;
    let client = client(&[local(&server.origin())]);
    for token in [Some("first"), None, Some("second")] {
        let token = token.map(|t| (Secret::new(t), "bearer"));
        let access = Access::new(&client, &server.origin(), token, Some("p1")).unwrap();
        assert!(!format!("{access:?}").contains("first"));
        patient(&client, &access).await.unwrap();
    }
    let seen = server.seen();
    let sent: Vec<_> = seen.iter().map(|s| s.header("authorization")).collect();
    assert_eq!(sent, [Some("Bearer first"), None, Some("Bearer second")]);
    // All on one connection, which is kept.
    assert!(seen.iter().all(|s| s.peer == seen[0].peer));
    let accept = seen[0].header("accept").unwrap();
    assert!(accept.starts_with("application/fhir+json"), "{accept}");
    assert_eq!(seen[0].header("accept-encoding"), Some("identity"));
    assert_eq!(seen[0].header("referer"), None);
    assert_eq!(seen[0].header("cookie"), None);
}

#[tokio::test]
async fn item_41_tokens_that_are_none_are_not_sent() {
    let server = Server::start(p1).await;
    let client = client(&[local(&server.origin())]);
    let basic = Some((Secret::new("x"), "Basic"));
    let refused = Access::new(&client, &server.origin(), basic, None).unwrap_err();
    assert_eq!(refused.family, Family::NotAsked);
    for odd in ["a\r\nX-Evil: 1", &"Evil".repeat(20_000)] {
        let odd = Some((Secret::new(odd), "Bearer"));
        let access = Access::new(&client, &server.origin(), odd, Some("p1")).unwrap();
        let failure = patient(&client, &access).await.unwrap_err();
        assert_eq!(failure.family, Family::NotAsked);
        assert!(!failure.to_string().contains("Evil"));
    }
    assert!(server.seen().is_empty());
    assert_eq!(format!("{:?}", Secret::new("abc")), "Secret(…)");
}

#[tokio::test]
async fn calls_to_one_origin_are_bounded() {
    let late = |_: &Seen| {
        let answer = Reply::raw(200, "application/json", "{}");
        Reply::Late(Duration::from_millis(300), Box::new(answer))
    };
    let server = Server::start(late).await;
    let limits = Limits {
        max_calls: 2,
        max_waiting: 3,
        ..Limits::default()
    };
    let client = with(&[local(&server.origin())], limits, Names::of(&[]));
    let url = format!("{}/keys", server.origin());
    let call = |millis| client.get_bytes(&url, after(millis), 100);
    let count = |ends: &[Result<_, Failure>], family| {
        let ends = ends.iter().filter_map(|end| end.as_ref().err());
        ends.filter(|end| end.family == family).count()
    };
    let ends = join_all((0..8).map(|_| call(20_000))).await;
    assert_eq!(count(&ends, Family::Busy), 3);
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 5);
    assert_eq!(server.most_at_once(), 2);
    // Who gives up waiting leaves no trace.
    let ends = join_all((0..4).map(|_| call(150))).await;
    assert_eq!(count(&ends, Family::TimedOut), 4);
    let ends = join_all((0..5).map(|_| call(20_000))).await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
    assert_eq!(client.counts()[0].1.busy, 3);
}

#[tokio::test]
async fn a_body_is_bounded_whether_its_length_is_announced_or_not() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/announced" => Reply::raw(200, "application/json", vec![b' '; 2000]),
        "/exact" => Reply::raw(200, "application/json", vec![b' '; 1000]),
        "/bomb" => Reply::Bomb,
        _ => Reply::Huge(64 << 20),
    })
    .await;
    let client = client(&[local(&server.origin())]);
    let get = |path: &str| {
        let (client, url) = (client.clone(), format!("{}{path}", server.origin()));
        async move { client.get_bytes(&url, after(20_000), 1000).await }
    };
    let failed = |end: Result<_, Failure>| end.map(|_: bytes::Bytes| ()).unwrap_err().family;
    assert_eq!(get("/exact").await.unwrap().len(), 1000);
    assert_eq!(failed(get("/announced").await), Family::TooLarge);
    assert_eq!(failed(get("/chunked").await), Family::TooLarge);
    assert_eq!(failed(get("/bomb").await), Family::NotJson);
}

#[tokio::test]
async fn what_hangs_ends_at_the_deadline() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/head" => Reply::Late(Duration::from_secs(60), Box::new(Reply::Half)),
        "/drip" => Reply::Drip(Duration::from_millis(20)),
        _ => Reply::Half,
    })
    .await;
    let client = client(&[local(&server.origin())]);
    for path in ["head", "drip", "half"] {
        let start = Instant::now();
        let url = format!("{}/{path}", server.origin());
        let end = client.get_bytes(&url, after(200), 1 << 20).await;
        assert_eq!(end.unwrap_err().family, Family::TimedOut, "{path}");
        assert!(start.elapsed() < Duration::from_secs(20), "{path}");
    }
    assert_eq!(client.counts()[0].1.timed_out, 3);
}

#[tokio::test]
async fn what_is_not_there_is_unreachable() {
    let (port, connections) = resetting().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let broken = Server::start(|_| Reply::Broken).await;
    let client = client(&[
        local(&format!("http://127.0.0.1:{port}")),
        local(&format!("http://127.0.0.1:{closed}")),
        local(&broken.origin()),
    ]);
    for port in [port, closed, broken.port] {
        let url = format!("http://127.0.0.1:{port}/keys?token=abc");
        let failure = client.get_bytes(&url, after(5000), 1000).await.unwrap_err();
        assert_eq!(failure.family, Family::Unreachable, "{failure}");
        assert!(!failure.to_string().contains("abc"), "{failure}");
    }
    // A read is repeated once.
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}
