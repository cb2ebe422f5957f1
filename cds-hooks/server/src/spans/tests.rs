use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use cds_hooks::seams::{RuleOutcome, RuleRecord};

use super::*;

/// A receiver of spans that keeps what it was sent.
async fn receiver() -> (url::Url, Arc<Mutex<Vec<Bytes>>>) {
    let kept: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let there = Arc::clone(&kept);
    let take = move |headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        there.lock().unwrap().push(body);
        ""
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://{address}/v1/traces").parse().unwrap();
    (url, kept)
}

fn seen(instance: &'static str) -> CallSeen<'static> {
    CallSeen {
        endpoint: "call",
        service: Some("alerts"),
        hook: Some("order-sign"),
        client: Some("ehr"),
        tenant: Some("north"),
        hook_instance: Some(instance),
        trace: None,
        status: 200,
        seconds: 0.01,
        cards: 1,
        shadow: 0,
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_a_span_with_what_its_rules_came_to() {
    let (endpoint, kept) = receiver().await;
    let settings = Tracing {
        endpoint: Some(endpoint),
        service_name: "tandem-of-a-test".into(),
        ..Tracing::default()
    };
    let spans = Arc::new(Spans::new(&settings).unwrap().unwrap());
    let call = CallRecord {
        service: "alerts".into(),
        patient: "patient-id-that-must-not-be-sent".into(),
        rules: vec![RuleRecord {
            rule: "rule-of-the-call".into(),
            version: "1.2.3".into(),
            hash: String::new(),
            outcome: RuleOutcome::Fired,
            is_shadow: false,
            cards: 1,
            reason: None,
            millis: 0.5,
        }],
        ..CallRecord::default()
    };
    spans.rules("00112233445566aa", &call);
    spans.ended(&seen("00112233445566aa"), SystemTime::now());
    // Sent at the end at the latest; it waits for the receiver.
    let ending = Arc::clone(&spans);
    tokio::task::spawn_blocking(move || ending.end())
        .await
        .unwrap();
    let sent: Vec<u8> = kept.lock().unwrap().concat();
    for part in [
        "cds.call order-sign",
        "tandem-of-a-test",
        "alerts",
        "north",
        "00112233445566aa",
        "rule-of-the-call",
        "1.2.3",
        "fired",
    ] {
        assert!(has(&sent, part.as_bytes()), "{part} was not sent");
    }
    assert!(!has(&sent, b"patient-id"));
    let half = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xaa];
    assert!(has(&sent, &[half, half].concat()), "another trace id");
    assert!(spans.rules.lock().unwrap().is_empty());
}

/// An EHR calls several services with one hook instance, at once: each span has what its own rules came to. With
/// `traceparent` it is a span of the caller's trace.
#[tokio::test(flavor = "multi_thread")]
async fn calls_of_one_hook_instance_are_told_apart_and_the_callers_trace_goes_on() {
    let (endpoint, kept) = receiver().await;
    let settings = Tracing {
        endpoint: Some(endpoint),
        ..Tracing::default()
    };
    let spans = Arc::new(Spans::new(&settings).unwrap().unwrap());
    let call = |service: &str| CallRecord {
        service: service.into(),
        rules: vec![RuleRecord {
            rule: format!("rule-of-{service}"),
            version: "1".into(),
            hash: String::new(),
            outcome: RuleOutcome::Silent,
            is_shadow: false,
            cards: 0,
            reason: None,
            millis: 0.5,
        }],
        ..CallRecord::default()
    };
    let instance = "00112233445566aa";
    for service in ["alerts", "measures"] {
        spans.rules(instance, &call(service));
    }
    let (trace, span) = (
        0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128,
        0xb7ad_6b71_6920_3331_u64,
    );
    for service in ["alerts", "measures"] {
        let seen = CallSeen {
            service: Some(service),
            trace: Some(cds_hooks::TraceParent {
                trace_id: trace,
                span_id: span,
                is_sampled: false,
            }),
            ..seen(instance)
        };
        spans.ended(&seen, SystemTime::now());
    }
    let ending = Arc::clone(&spans);
    tokio::task::spawn_blocking(move || ending.end())
        .await
        .unwrap();
    let sent: Vec<u8> = kept.lock().unwrap().concat();
    for service in ["alerts", "measures"] {
        assert!(
            has(&sent, format!("rule-of-{service}").as_bytes()),
            "{service}"
        );
    }
    assert!(has(&sent, &trace.to_be_bytes()) && has(&sent, &span.to_be_bytes()));
    let half = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xaa];
    assert!(!has(&sent, &[half, half].concat()), "a trace of its own");
    assert!(spans.rules.lock().unwrap().is_empty());
}

/// A receiver that is gone, or hangs, holds up no call.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_holds_up_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let settings = Tracing {
        endpoint: Some(endpoint.parse().unwrap()),
        timeout: Duration::from_millis(100),
        ..Tracing::default()
    };
    let spans = Arc::new(Spans::new(&settings).unwrap().unwrap());
    for _ in 0..5_000 {
        spans.ended(&seen("00112233445566aa"), SystemTime::now());
    }
    let ending = Arc::clone(&spans);
    let ended = tokio::task::spawn_blocking(move || ending.end());
    let most = Duration::from_secs(30);
    tokio::time::timeout(most, ended)
        .await
        .expect("it does not end")
        .unwrap();
}

#[tokio::test]
async fn without_an_endpoint_there_are_no_spans() {
    assert!(Spans::new(&Tracing::default()).unwrap().is_none());
}
