//! FHIR servers that misbehave: what comes out is a failure, or a part that says it is one; never "nothing".

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use outbound::fhir::{Access, Fetched, Limits, Tokens, Want, fulfil};
use outbound::{Family, Limits as ClientLimits};
use serde_json::{Value, json};

use super::fhir::{ID, access, observation, one, several};
use super::names::{Names, after, client, local, with};
use super::server::{Reply, Seen, Server, resetting};

fn search() -> String {
    format!("Observation?patient={ID}")
}

/// A page with one observation of its number, and a link to the next.
fn page(number: usize, next: &str) -> Reply {
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": observation(number, "p1")}]});
    if !next.is_empty() {
        bundle["link"] = json!([{"relation": "next", "url": next}]);
    }
    Reply::ok(bundle)
}

fn has_next(fetched: &Fetched) -> bool {
    let bundle: Value = serde_json::from_str(&fetched.json).unwrap();
    let links = bundle["link"].as_array().cloned().unwrap_or_default();
    links.iter().any(|l| l["relation"] == "next")
}

/// What stands for everything that goes wrong with the first answer.
#[tokio::test]
async fn item_31_and_32_an_answer_that_is_none_is_a_failure() {
    let json = "application/fhir+json";
    let observations = |patient: &'static str| json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": observation(1, patient)}]});
    let deep = format!(
        "{{\"resourceType\":\"Bundle\",\"entry\":{}{}}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let cases: Vec<(&str, Reply, Family)> = vec![
        ("500", Reply::outcome(500, "exception"), Family::Status(500)),
        (
            "503",
            Reply::raw(503, "text/html", "<h1>down</h1>"),
            Family::Status(503),
        ),
        ("400", Reply::outcome(400, "invalid"), Family::Status(400)),
        ("401", Reply::outcome(401, "login"), Family::Status(401)),
        ("403", Reply::outcome(403, "forbidden"), Family::Status(403)),
        ("404", Reply::outcome(404, "not-found"), Family::Status(404)),
        ("410", Reply::outcome(410, "deleted"), Family::Status(410)),
        ("429", Reply::outcome(429, "throttled"), Family::Status(429)),
        ("204", Reply::raw(204, json, ""), Family::Status(204)),
        (
            "202",
            Reply::ok(observations("p1")).with("x", "y"),
            Family::Status(202),
        ),
        (
            "html",
            Reply::raw(200, "text/html", "<html>Log in</html>"),
            Family::NotJson,
        ),
        (
            "xml",
            Reply::raw(200, "application/fhir+xml", "<Bundle/>"),
            Family::NotJson,
        ),
        (
            "html as json",
            Reply::raw(200, json, "<html>Log in</html>"),
            Family::NotJson,
        ),
        ("empty", Reply::raw(200, json, ""), Family::NotJson),
        ("blank", Reply::raw(200, json, " \n"), Family::NotJson),
        ("null", Reply::raw(200, json, "null"), Family::NotAsAsked),
        ("list", Reply::raw(200, json, "[]"), Family::NotAsAsked),
        (
            "truncated",
            Reply::raw(
                200,
                json,
                "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[{\"res",
            ),
            Family::NotJson,
        ),
        (
            "trailing",
            Reply::raw(200, json, "{\"resourceType\":\"Bundle\"} x"),
            Family::NotJson,
        ),
        (
            "not UTF-8",
            Reply::raw(200, json, vec![b'{', 0xff, b'}']),
            Family::NotJson,
        ),
        ("deep", Reply::raw(200, json, deep), Family::TooLarge),
        (
            "twice",
            Reply::raw(
                200,
                json,
                "{\"resourceType\":\"Bundle\",\"entry\":[],\"entry\":[]}",
            ),
            Family::NotAsAsked,
        ),
        (
            "outcome",
            Reply::outcome(200, "not-supported"),
            Family::NotAsAsked,
        ),
        (
            "a resource",
            Reply::ok(observation(1, "p1")),
            Family::NotAsAsked,
        ),
        (
            "a batch",
            Reply::ok(json!({"resourceType": "Bundle", "type": "batch-response", "entry": []})),
            Family::NotAsAsked,
        ),
        (
            "no list",
            Reply::ok(json!({"resourceType": "Bundle", "type": "searchset", "entry": {}})),
            Family::NotAsAsked,
        ),
        (
            "another patient",
            Reply::ok(observations("p2")),
            Family::NotAsAsked,
        ),
        (
            "redirect",
            Reply::raw(302, "text/html", "")
                .with("location", "http://169.254.169.254/latest/meta-data/"),
            Family::Status(302),
        ),
        ("gzip bomb", Reply::Bomb, Family::NotJson),
        ("huge", Reply::Huge(4 << 20), Family::TooLarge),
        ("broken off", Reply::Broken, Family::Unreachable),
    ];
    let limits = Limits {
        max_page_bytes: 1 << 20,
        ..Limits::default()
    };
    for (name, reply, family) in cases {
        let reply = match (name, reply) {
            ("202", Reply::Raw { headers, body, .. }) => Reply::Raw {
                status: 202,
                headers,
                body,
            },
            (_, reply) => reply,
        };
        let server = Server::start(move |_| reply.clone()).await;
        let failure = one(&server, &search(), &limits).await.expect_err(name);
        assert_eq!(failure.family, family, "{name}: {failure}");
        let said = failure.to_string();
        assert!(said.starts_with(&server.origin()), "{name}: {said}");
        for secret in ["p1", "p2", "patient=", "Smith", "t0k3n", "Observation"] {
            assert!(!said.contains(secret), "{name}: {said}");
        }
    }
}

#[tokio::test]
async fn item_42_a_read_of_another_resource_is_refused() {
    for (resource, template) in [
        (
            json!({"resourceType": "Patient", "id": "p2"}),
            "Patient/{{context.patientId}}",
        ),
        (
            json!({"resourceType": "Patient"}),
            "Patient/{{context.patientId}}",
        ),
        (
            json!({"resourceType": "Person", "id": "p1"}),
            "Patient/{{context.patientId}}",
        ),
        (
            json!({"resourceType": "Bundle", "type": "searchset"}),
            "Patient/{{context.patientId}}",
        ),
        (
            json!({"resourceType": "OperationOutcome", "issue": []}),
            "Patient/{{context.patientId}}",
        ),
        (observation(7, "p2"), "Observation/o7"),
    ] {
        let shown = resource.to_string();
        let server = Server::start(move |_| Reply::ok(resource.clone())).await;
        let failure = one(&server, template, &Limits::default())
            .await
            .expect_err(&shown);
        assert_eq!(failure.family, Family::NotAsAsked, "{shown}");
    }
}

#[tokio::test]
async fn item_42_entries_of_others_among_those_of_the_patient_are_counted() {
    let entries = json!([{"resource": observation(1, "p1")}, {"resource": observation(2, "p2")}]);
    let server = Server::start(move |_| {
        Reply::ok(json!({"resourceType": "Bundle", "type": "searchset", "entry": entries}))
    })
    .await;
    let found = one(&server, &search(), &Limits::default()).await.unwrap();
    assert_eq!((found.resources, found.anothers), (2, 1));
}

#[tokio::test]
async fn item_33_pages_without_end_are_told_as_incomplete() {
    let endless = |seen: &Seen| {
        let number: usize = seen.value("page").map_or(0, |p| p.parse().unwrap());
        page(number, &format!("Observation?page={}", number + 1))
    };
    let circle = |seen: &Seen| match seen.value("page").as_deref() {
        None => page(0, "Observation?page=1"),
        Some("1") => page(1, "Observation?page=2"),
        _ => page(2, "Observation?page=1"),
    };
    let itself = |seen: &Seen| page(0, &format!("{}?{}", seen.path, seen.query));
    let elsewhere = |_: &Seen| page(0, "https://evil.example/fhir?page=2");
    let metadata = |_: &Seen| page(0, "http://169.254.169.254/latest/meta-data/");
    let above = |_: &Seen| page(0, "../admin");
    let encoded = |_: &Seen| page(0, "Observation/..%2F..%2Fadmin");
    let fails = |seen: &Seen| match seen.value("page") {
        None => page(0, "Observation?page=1"),
        Some(_) => Reply::outcome(500, "exception"),
    };
    let truncated = |seen: &Seen| match seen.value("page") {
        None => page(0, "Observation?page=1"),
        Some(_) => Reply::raw(200, "application/json", "{\"resourceType\":\"Bu"),
    };
    let limits = Limits {
        max_pages: 5,
        ..Limits::default()
    };
    let check = async |server: Server, name: &str, pages: usize, family: Family| {
        let found = one(&server, &search(), &limits).await.expect(name);
        assert_eq!(found.pages, pages, "{name}");
        assert_eq!(found.resources, pages, "{name}");
        let why = found.incomplete.as_ref().expect(name);
        assert_eq!(why.family, family, "{name}: {why}");
        assert!(has_next(&found), "{name}: {}", found.json);
    };
    check(Server::start(endless).await, "endless", 5, Family::TooLarge).await;
    check(Server::start(circle).await, "circle", 3, Family::TooLarge).await;
    check(Server::start(itself).await, "itself", 1, Family::TooLarge).await;
    check(
        Server::start(elsewhere).await,
        "elsewhere",
        1,
        Family::NotAllowed,
    )
    .await;
    check(
        Server::start(encoded).await,
        "encoded",
        1,
        Family::NotAllowed,
    )
    .await;
    check(
        Server::start(metadata).await,
        "metadata",
        1,
        Family::NotAllowed,
    )
    .await;
    check(Server::start(above).await, "above", 1, Family::NotAllowed).await;
    check(Server::start(fails).await, "fails", 1, Family::Status(500)).await;
    check(
        Server::start(truncated).await,
        "truncated",
        1,
        Family::NotJson,
    )
    .await;
    // To another port of this machine: nothing comes there.
    let (port, connections) = resetting().await;
    let local =
        Server::start(move |_| page(0, &format!("http://127.0.0.1:{port}/fhir?page=2"))).await;
    check(local, "loopback", 1, Family::NotAllowed).await;
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn entries_and_bytes_of_a_call_are_bounded() {
    let endless = |seen: &Seen| {
        let number: usize = seen.value("page").map_or(0, |p| p.parse().unwrap());
        page(number, &format!("Observation?page={}", number + 1))
    };
    let server = Server::start(endless).await;
    let few = Limits {
        max_entries: 3,
        ..Limits::default()
    };
    let found = one(&server, &search(), &few).await.unwrap();
    assert_eq!((found.resources, found.incomplete.is_some()), (3, true));
    let bytes = Limits {
        max_bytes: 2000,
        ..Limits::default()
    };
    let found = one(&server, &search(), &bytes).await.unwrap();
    assert!(
        found.json.len() < 2500 && has_next(&found),
        "{}",
        found.json
    );
    assert_eq!(found.incomplete.unwrap().family, Family::TooLarge);
}

/// What is small as text may be large in memory: a page of nothing but the smallest values is refused before
/// anything is made of it.
#[tokio::test]
async fn values_and_entries_of_one_answer_are_bounded() {
    let bundle = |entries: &str| {
        format!(r#"{{"resourceType":"Bundle","type":"searchset","entry":[{entries}]}}"#)
    };
    let refused = async |body: String, limits: &Limits| {
        let reply = Reply::raw(200, "application/fhir+json", body);
        let server = Server::start(move |_| reply.clone()).await;
        one(&server, &search(), limits).await.map_err(|failure| {
            assert_eq!(failure.family, Family::TooLarge, "{failure}");
            failure.to_string()
        })
    };
    let usual = Limits::default();
    let said = refused(bundle(&vec!["1"; 1 << 20].join(",")), &usual).await;
    assert!(said.unwrap_err().contains("values"));
    let nested = format!(
        r#"{{"resource":{{"resourceType":"Basic","subject":[{}]}}}}"#,
        vec!["1"; 1 << 20].join(",")
    );
    let said = refused(bundle(&nested), &usual).await;
    assert!(said.unwrap_err().contains("values"));
    let few = Limits {
        max_entries: 10,
        ..Limits::default()
    };
    let entry = format!(r#"{{"resource":{}}}"#, observation(1, "p1"));
    let many = |count: usize| bundle(&vec![entry.as_str(); count].join(","));
    let said = refused(many(11), &few).await;
    assert!(said.unwrap_err().contains("more than 10 entries"));
    assert_eq!(refused(many(10), &few).await.unwrap().resources, 10);
    // Commas within strings and resources are none of the list.
    let note = format!(
        r#"{{"resource":{{"resourceType":"Basic","subject":{{"reference":"Patient/p1"}},"x":"{}","y":[1,2,3,4,5,6,7,8,9,0,1]}}}}"#,
        ",[{".repeat(100_000)
    );
    let found = refused(bundle(&note), &few).await.unwrap();
    assert_eq!(found.resources, 1);
    // An ordinary record is far from it.
    let found = refused(many(5000), &usual).await.unwrap();
    assert_eq!(found.resources, 5000);
}

#[tokio::test]
async fn bytes_of_all_calls_are_bounded_and_given_back() {
    let server = Server::start(|_| page(1, "")).await;
    let limits = ClientLimits {
        max_buffered: 1000,
        ..ClientLimits::default()
    };
    let client = with(&[local(&server.origin())], limits, Names::of(&[]));
    let access = access(&client, &format!("{}/fhir", server.origin()));
    let templates: Vec<String> = (0..9)
        .map(|n| format!("Basic?patient={ID}&code=x|{n}"))
        .collect();
    let all: Vec<_> = templates.iter().map(|t| ("k", Want::Template(t))).collect();
    for _ in 0..3 {
        let found = several(&client, &access, &all, &Limits::default()).await;
        let busy = found
            .iter()
            .filter(|(_, f)| f.as_ref().is_err_and(|f| f.family == Family::Busy));
        let busy = busy.count();
        assert!(busy > 0 && busy < 9, "{busy}");
    }
}

#[tokio::test]
async fn pages_that_shift_while_they_are_read_lose_nothing() {
    let shifting = |seen: &Seen| {
        let entry = |n| json!({"resource": observation(n, "p1")});
        let (entries, next) = match seen.value("page") {
            None => (
                json!([entry(1), entry(2)]),
                json!([{"relation": "next", "url": "Observation?page=2"}]),
            ),
            Some(_) => (json!([entry(2), entry(3)]), json!([])),
        };
        Reply::ok(
            json!({"resourceType": "Bundle", "type": "searchset", "total": 3, "link": next, "entry": entries}),
        )
    };
    let server = Server::start(shifting).await;
    let found = one(&server, &search(), &Limits::default()).await.unwrap();
    assert_eq!(
        (found.pages, found.resources, found.incomplete.is_none()),
        (2, 3, true)
    );
}

#[tokio::test]
async fn what_hangs_is_timed_out_and_takes_nothing_else_with_it() {
    let server = Server::start(|seen| {
        let fine = Reply::ok(json!({"resourceType": "Bundle", "type": "searchset", "total": 0}));
        match seen.path.as_str() {
            "/fhir/Condition" => Reply::Late(Duration::from_secs(60), Box::new(fine)),
            "/fhir/Procedure" => Reply::Drip(Duration::from_millis(20)),
            "/fhir/Immunization" => Reply::Half,
            "/fhir/Observation" if seen.value("page").is_none() => page(0, "Observation?page=1"),
            "/fhir/Observation" => Reply::Half,
            _ => fine,
        }
    })
    .await;
    let client = client(&[local(&server.origin())]);
    let access = access(&client, &format!("{}/fhir", server.origin()));
    let of = |ty: &str| (ty.to_owned(), format!("{ty}?patient={ID}"));
    let templates = [
        "Encounter",
        "Condition",
        "Procedure",
        "Immunization",
        "Observation",
    ]
    .map(of);
    let wants: Vec<_> = templates
        .iter()
        .map(|(k, t)| (k.clone(), Want::Template(t)))
        .collect();
    let tokens = Tokens::default().context("patientId", "p1");
    let start = Instant::now();
    let found = fulfil(
        &client,
        &access,
        &wants,
        &tokens,
        after(500),
        &Limits::default(),
    )
    .await;
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(found[0].1.is_ok());
    for (key, failed) in &found[1..4] {
        assert_eq!(
            failed.as_ref().expect_err(key).family,
            Family::TimedOut,
            "{key}"
        );
    }
    let part = found[4].1.as_ref().unwrap();
    assert!(part.resources == 1 && has_next(part));
    assert_eq!(part.incomplete.as_ref().unwrap().family, Family::TimedOut);
}

#[tokio::test]
async fn a_server_that_says_when_is_asked_again() {
    for (first, after_seconds, expected) in [
        (429, "0", Ok(2)),
        (503, "0", Ok(2)),
        (503, "3600", Err(503)),
        (500, "0", Err(500)),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", Err(429)),
    ] {
        let count = AtomicUsize::new(0);
        let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::outcome(first, "throttled").with("retry-after", after_seconds),
            _ => Reply::ok(json!({"resourceType": "Bundle", "type": "searchset", "total": 0})),
        })
        .await;
        let found = one(&server, &search(), &Limits::default()).await;
        match expected {
            Ok(requests) => {
                assert!(found.is_ok(), "{first}");
                assert_eq!(server.seen().len(), requests);
            }
            Err(status) => {
                assert_eq!(found.unwrap_err().family, Family::Status(status));
                assert_eq!(server.seen().len(), 1);
            }
        }
    }
    // Not for ever.
    let server = Server::start(|_| Reply::outcome(429, "throttled").with("retry-after", "0")).await;
    let failure = one(&server, &search(), &Limits::default())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.family, server.seen().len()),
        (Family::Status(429), 3)
    );
    assert!(failure.to_string().contains("throttled"), "{failure}");
}

#[tokio::test]
async fn a_connection_that_is_reset() {
    let (port, _) = resetting().await;
    let origin = format!("http://127.0.0.1:{port}");
    let client = client(&[local(&origin)]);
    let access = Access::new(&client, &origin, None, Some("p1")).unwrap();
    let template = search();
    let found = several(
        &client,
        &access,
        &[("k", Want::Template(&template))],
        &Limits::default(),
    )
    .await;
    assert_eq!(found[0].1.as_ref().unwrap_err().family, Family::Unreachable);
}
