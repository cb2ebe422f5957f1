//! Addresses, methods, media types, sizes, and evaluations that fail.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use axum::http::Method;
use cds_hooks::{CardService, Config, Hook, ORDER_SIGN, Outcome, router};
use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use serde_json::json;
use tower::ServiceExt;

use crate::fixture::{bundle, condition, config, get, http, logging, patient, post, request, send};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[tokio::test]
async fn addresses_and_methods() {
    for path in [
        "/",
        "//",
        "/cds-services/none",
        "/cds-services/none/",
        "/cds-services/none/feedback",
        "/cds-services/a1c/else",
        "/cds-services/%ff",
    ] {
        let answer = send(config(), http(Method::POST, path, JSON, vec![])).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text.contains("/cds-services"), "{}", answer.text);
    }
    for (method, path, allow) in [
        (Method::GET, "/cds-services/a1c", "POST"),
        (Method::DELETE, "/cds-services/a1c", "POST"),
        (Method::POST, "/cds-services", "GET,HEAD"),
        (Method::PUT, "/health", "GET,HEAD"),
    ] {
        let answer = send(config(), http(method, path, JSON, vec![])).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.headers["allow"], allow);
        assert!(answer.text.contains("method"), "{}", answer.text);
    }
    // What is not there takes no method at all.
    assert_eq!(get("/cds-services/none").await.status, 404);
    // What there is instead is said.
    let none = send(
        config(),
        http(Method::POST, "/cds-services/none", JSON, vec![]),
    )
    .await;
    assert!(
        none.text.contains("those that there are: a1c, a1c-or-say"),
        "{}",
        none.text
    );
}

/// A slash at the end, or two where a base URL and a path met, change nothing.
#[tokio::test]
async fn slashes_do_not_matter() {
    let list = get("/cds-services").await;
    for path in [
        "/cds-services/",
        "//cds-services",
        "/cds-services//",
        "/cds-services/?a=b",
    ] {
        let answer = get(path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.text),
            (200, &list.text),
            "{path}"
        );
    }
    assert_eq!(get("/health/").await.text, get("/health").await.text);
    let body = serde_json::to_vec(&request()).unwrap();
    let card = post("a1c", &request()).await;
    for path in [
        "/cds-services/a1c/",
        "//cds-services/a1c",
        "/cds-services//a1c//",
    ] {
        let answer = send(config(), http(Method::POST, path, JSON, body.clone())).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.text),
            (200, &card.text),
            "{path}"
        );
    }
    let wrong = send(
        config(),
        http(Method::DELETE, "/cds-services/a1c/", JSON, vec![]),
    )
    .await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.headers["allow"]),
        (405, &"POST".parse().unwrap())
    );
    let list = send(config(), http(Method::POST, "/cds-services/", JSON, vec![])).await;
    assert_eq!(list.status, 405);
}

#[tokio::test]
async fn media_types() {
    let body = serde_json::to_vec(&request()).unwrap();
    let call = |headers: &[(&str, &str)]| {
        send(
            config(),
            http(Method::POST, "/cds-services/a1c", headers, body.clone()),
        )
    };
    for kind in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "application/fhir+json",
    ] {
        assert_eq!(call(&[("content-type", kind)]).await.status, 200, "{kind}");
    }
    for kind in [
        "text/plain",
        "application/xml",
        "application/jsonp",
        "text/json",
        "",
        "application/json; charset=latin1",
    ] {
        assert_eq!(call(&[("content-type", kind)]).await.status, 415, "{kind}");
    }
    assert_eq!(call(&[]).await.status, 415);
    let zipped = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    assert_eq!(call(&zipped).await.status, 415);
}

#[tokio::test]
async fn the_body_limit_is_exact() {
    let body = serde_json::to_vec(&request()).unwrap();
    for (limit, status) in [(body.len(), 200), (body.len() - 1, 413), (0, 413)] {
        let config = Config {
            max_body: limit,
            ..config()
        };
        let answer = send(
            config,
            http(Method::POST, "/cds-services/a1c", JSON, body.clone()),
        )
        .await;
        assert_eq!(answer.status, status);
        let says = [&format!("larger than {limit} bytes"), "`--max-body`"];
        assert!(
            status == 200 || says.iter().all(|s| answer.text.contains(s)),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_large_body_is_answered_too() {
    let mut large = request();
    let conditions: Vec<_> = (0..2000)
        .map(|n| condition(&format!("c{n}"), "p1"))
        .collect();
    large["prefetch"]["condition"] = bundle(&conditions);
    assert!(large.to_string().len() > 300_000);
    assert_eq!(post("a1c", &large).await.cards().len(), 1);
}

/// A service that answers when it is told to.
struct Waits(Mutex<Receiver<()>>);

impl CardService for Waits {
    fn id(&self) -> &str {
        "waits"
    }

    fn hook(&self) -> &'static Hook {
        &ORDER_SIGN
    }

    fn title(&self) -> &str {
        "Waits"
    }

    fn description(&self) -> &str {
        "Waits."
    }

    fn requirements(&self) -> &[DataRequirement] {
        &[]
    }

    fn decide(&self, _: &PatientRecord, _: &EvaluationContext) -> Outcome {
        match self.0.lock().unwrap().recv_timeout(Duration::from_secs(20)) {
            Ok(()) => Outcome::Cards(vec![]),
            Err(_) => Outcome::Failed(EvaluationError::Bug("nobody came".into())),
        }
    }
}

/// A few orders can be much work: a small call of theirs does not keep the thread that receives the others.
#[tokio::test]
async fn a_small_call_of_orders_holds_up_nobody() {
    let (go, wait) = channel();
    let router = router(config(), vec![std::sync::Arc::new(Waits(Mutex::new(wait)))]);
    let call = json!({
        "hook": "order-sign", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d1", "patientId": "p1", "draftOrders": bundle(&[])},
        "prefetch": {"patient": patient()},
    });
    let body = serde_json::to_vec(&call).unwrap();
    let call = router
        .clone()
        .oneshot(http(Method::POST, "/cds-services/waits", JSON, body));
    let health = async {
        let answer = router
            .clone()
            .oneshot(http(Method::GET, "/health", &[], vec![]))
            .await
            .unwrap();
        go.send(()).unwrap();
        answer.status()
    };
    let (answer, health) = tokio::join!(call, health);
    assert_eq!(
        (answer.unwrap().status(), health),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
}

/// The same for a body answered at once and one that goes to a thread of its own.
#[tokio::test]
async fn a_panic_is_an_error_with_an_id_and_nothing_of_the_patient() {
    for others in [0, 2000] {
        let (config, lines) = logging();
        let mut fatal = request();
        let others = (0..others).map(|n| condition(&format!("c{n}"), "p1"));
        let conditions: Vec<_> = others.chain([condition("panics", "p1")]).collect();
        fatal["prefetch"]["condition"] = bundle(&conditions);
        let body = serde_json::to_vec(&fatal).unwrap();
        let answer = send(config, http(Method::POST, "/cds-services/a1c", JSON, body)).await;
        assert_eq!(answer.status, 500);
        let id = answer.text.trim().rsplit(' ').next().unwrap().to_owned();
        assert_eq!(id.len(), 16);
        assert!(
            !answer.text.contains("Doe") && !answer.text.contains("condition"),
            "{}",
            answer.text
        );
        let line: serde_json::Value = serde_json::from_str(&lines.all()[0]).unwrap();
        assert_eq!(
            (&line["status"], &line["error_id"]),
            (&json!(500), &json!(id))
        );
    }
}

/// A bug of ours is never "nothing to do"; the log says where it is.
#[tokio::test]
async fn a_failed_evaluation_is_an_error_with_an_id() {
    let (config, lines) = logging();
    let mut failing = request();
    failing["prefetch"]["condition"] = bundle(&[condition("fails", "p1")]);
    let body = serde_json::to_vec(&failing).unwrap();
    let answer = send(config, http(Method::POST, "/cds-services/a1c", JSON, body)).await;
    assert_eq!(answer.status, 500);
    let id = answer.text.trim().rsplit(' ').next().unwrap().to_owned();
    let line: serde_json::Value = serde_json::from_str(&lines.all()[0]).unwrap();
    assert_eq!(
        (&line["error_id"], &line["bug"]),
        (&json!(id), &json!("a bug of ours at `x`"))
    );
}

/// A value of two bytes takes some 24 in memory: what consists of them is no FHIR.
#[tokio::test]
async fn a_body_of_nothing_but_the_smallest_values_is_refused() {
    let body = |values: usize| format!(r#"{{"x":[{}0]}}"#, "0,".repeat(values)).into_bytes();
    let answer = crate::fixture::post_bytes("a1c", body(1_400_000)).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
    assert!(answer.text.contains("has more than"), "{}", answer.text);
    let empty = "{},".repeat(1_400_000).into_bytes();
    assert_eq!(crate::fixture::post_bytes("a1c", empty).await.status, 413);
    // As many as can be are taken, in whatever body.
    let answer = crate::fixture::post_bytes("a1c", body(1_200_000)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
}

/// Of what comes in many versions each is read once: a long one beside thousands that contradict it.
#[tokio::test]
async fn many_of_one_id_take_no_longer_than_they_are_long() {
    let mut long = condition("c1", "p1");
    let extension = json!({"url": "https://x.org/e"});
    long["extension"] = vec![extension; 60_000].into();
    let mut all = vec![condition("c1", "p1"); 4000];
    all.insert(0, long);
    let mut call = request();
    call["prefetch"]["condition"] = bundle(&all);
    let start = Instant::now();
    let answer = post("a1c", &call).await;
    assert_eq!(answer.status, 412);
    let said = "left out: 4000 × a resource that came twice with different content";
    assert!(answer.text.contains(said), "{}", answer.text);
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "{:?}",
        start.elapsed()
    );
}
