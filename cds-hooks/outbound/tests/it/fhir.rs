//! Data of a patient from a FHIR server that works.

use std::time::Duration;

use outbound::fhir::{Access, Fetched, Limits, Tokens, Want, fulfil};
use outbound::{Client, Failure, Family, Secret};
use serde_json::{Value, json};

use super::names::{after, client, local};
use super::server::{Reply, Server, fhir};

pub const ID: &str = "{{context.patientId}}";

/// What a FHIR server gives for one template.
pub async fn one(server: &Server, template: &str, limits: &Limits) -> Result<Fetched, Failure> {
    let client = client(&[local(&server.origin())]);
    let base = format!("{}/fhir", server.origin());
    let access = access(&client, &base);
    let mut all = several(
        &client,
        &access,
        &[("key", Want::Template(template))],
        limits,
    )
    .await;
    all.pop().unwrap().1
}

pub fn access(client: &Client, base: &str) -> Access {
    let token = Some((Secret::new("t0k3n"), "Bearer"));
    Access::new(client, base, token, Some("p1")).unwrap()
}

pub async fn several(
    client: &Client,
    access: &Access,
    wants: &[(&str, Want<'_>)],
    limits: &Limits,
) -> Vec<(String, Result<Fetched, Failure>)> {
    let tokens = Tokens::default()
        .context("patientId", "p1")
        .context("userId", "Practitioner/dr");
    let wants: Vec<_> = wants.iter().map(|(k, w)| ((*k).to_owned(), *w)).collect();
    fulfil(client, access, &wants, &tokens, after(20_000), limits).await
}

pub fn observation(id: usize, patient: &str) -> Value {
    let subject = json!({"reference": format!("Patient/{patient}")});
    let code = json!({"coding": [{"system": "http://loinc.org", "code": format!("{}", id % 2)}]});
    json!({"resourceType": "Observation", "id": format!("o{id}"), "status": "final", "code": code, "subject": subject})
}

fn record(observations: usize) -> Vec<Value> {
    let mut all = vec![
        json!({"resourceType": "Patient", "id": "p1"}),
        json!({"resourceType": "Patient", "id": "p2"}),
        json!({"resourceType": "Practitioner", "id": "dr"}),
        json!({"resourceType": "Medication", "id": "m1"}),
        json!({"resourceType": "MedicationRequest", "id": "r1", "subject": {"reference": "Patient/p1"}, "medicationReference": {"reference": "Medication/m1"}}),
        observation(1000, "p2"),
    ];
    all.extend((0..observations).map(|id| observation(id, "p1")));
    all
}

fn json(fetched: &Fetched) -> Value {
    serde_json::from_str(&fetched.json).unwrap()
}

fn ids(fetched: &Fetched) -> Vec<String> {
    let bundle = json(fetched);
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let id = |e: &Value| e["resource"]["id"].as_str().unwrap().to_owned();
    entries.iter().map(id).collect()
}

#[tokio::test]
async fn item_31_and_43_what_is_missing_is_fetched_at_once() {
    let server = Server::start({
        let answer = fhir(record(5), 100);
        move |seen| Reply::Late(Duration::from_millis(50), Box::new(answer(seen)))
    })
    .await;
    let client = client(&[local(&server.origin())]);
    let search = format!("Observation?patient={ID}");
    let coded = format!("Observation?patient={ID}&code=http://loinc.org|1,http://loinc.org|7");
    let read = format!("Patient/{ID}");
    let with = format!("MedicationRequest?patient={ID}&_include=MedicationRequest:medication");
    let none = format!("Condition?patient={ID}");
    let wants = [
        ("all", Want::Template(&search)),
        ("coded", Want::Template(&coded)),
        ("patient", Want::Template(&read)),
        ("again", Want::Template(&search)),
        ("with", Want::Template(&with)),
        ("user", Want::Template("{{context.userId}}")),
        ("none", Want::Template(&none)),
        (
            "encounter",
            Want::Template("Encounter/{{context.encounterId}}"),
        ),
        ("stranger", Want::Template("Patient/p2")),
    ];
    for slash in ["", "/"] {
        let base = format!("{}/fhir{slash}", server.origin());
        let access = access(&client, &base);
        let found = several(&client, &access, &wants, &Limits::default()).await;
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, wants.map(|(key, _)| key));
        let of = |n: usize| found[n].1.as_ref().unwrap();
        assert_eq!(ids(of(0)), ["o0", "o1", "o2", "o3", "o4"]);
        assert_eq!(ids(of(1)), ["o1", "o3"]);
        assert_eq!(json(of(2)), json!({"resourceType": "Patient", "id": "p1"}));
        assert_eq!(of(0).json, of(3).json);
        assert_eq!(ids(of(4)), ["r1", "m1"]);
        assert_eq!(json(of(5))["resourceType"], "Practitioner");
        assert_eq!(json(of(6))["total"], 0);
        assert_eq!(
            (of(0).pages, of(0).resources, of(0).incomplete.is_none()),
            (1, 5, true)
        );
        let failed = |n: usize| found[n].1.as_ref().unwrap_err();
        assert_eq!(failed(7).family, Family::NotAsked);
        assert_eq!(failed(7).token.as_deref(), Some("context.encounterId"));
        assert_eq!(failed(8).family, Family::NotAllowed);
        // The same search is sent once, and what may not be asked is not.
        let lines = server.lines();
        assert_eq!(
            lines.len(),
            if slash.is_empty() { 6 } else { 12 },
            "{lines:?}"
        );
        assert!(
            lines.contains(&"GET /fhir/Observation?patient=p1".to_owned()),
            "{lines:?}"
        );
    }
    assert!(server.most_at_once() > 1);
    let tokens: Vec<_> = server
        .seen()
        .iter()
        .map(|s| s.header("authorization").map(str::to_owned))
        .collect();
    assert!(tokens.iter().all(|t| t.as_deref() == Some("Bearer t0k3n")));
}

#[tokio::test]
async fn requests_at_once_are_bounded() {
    let server = Server::start({
        let answer = fhir(record(1), 100);
        move |seen| Reply::Late(Duration::from_millis(50), Box::new(answer(seen)))
    })
    .await;
    let client = client(&[local(&server.origin())]);
    let access = access(&client, &format!("{}/fhir", server.origin()));
    let templates: Vec<String> = (0..12)
        .map(|n| format!("Observation?patient={ID}&code=x|{n}"))
        .collect();
    let wants: Vec<_> = templates
        .iter()
        .map(|t| (t.as_str(), Want::Template(t)))
        .collect();
    let limits = Limits {
        max_parallel: 3,
        max_keys: 10,
        ..Limits::default()
    };
    let found = several(&client, &access, &wants, &limits).await;
    assert_eq!(server.most_at_once(), 3);
    assert!(found[..10].iter().all(|(_, f)| f.is_ok()));
    assert!(
        found[10..]
            .iter()
            .all(|(_, f)| f.as_ref().is_err_and(|f| f.family == Family::Busy))
    );
}

#[tokio::test]
async fn item_33_pages_are_followed_to_the_end() {
    let server = Server::start(fhir(record(25), 10)).await;
    let found = one(
        &server,
        &format!("Observation?patient={ID}"),
        &Limits::default(),
    )
    .await
    .unwrap();
    assert_eq!((found.pages, found.resources), (3, 25));
    assert_eq!(ids(&found).len(), 25);
    let bundle = json(&found);
    assert_eq!(bundle["total"], 25);
    let relations: Vec<_> = bundle["link"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| &l["relation"])
        .collect();
    assert_eq!(relations, ["self"]);
    assert!(found.incomplete.is_none());
}

#[tokio::test]
async fn item_33_the_rest_of_a_bundle_is_read_from_its_next_link() {
    let server = Server::start(fhir(record(25), 10)).await;
    let client = client(&[local(&server.origin())]);
    let access = access(&client, &format!("{}/fhir", server.origin()));
    let absolute = format!("{}/fhir/Observation?patient=p1&_page=10", server.origin());
    for next in [absolute.as_str(), "Observation?patient=p1&_page=10"] {
        let found = several(
            &client,
            &access,
            &[("rest", Want::Next(next))],
            &Limits::default(),
        )
        .await;
        let found = found[0].1.as_ref().unwrap();
        assert_eq!((found.pages, found.resources), (2, 15), "{next}");
        // It says how many there are with the first page.
        assert_eq!(json(found)["total"], Value::Null);
    }
    let before = server.seen().len();
    for next in [
        "https://evil.example/fhir/Observation?page=2".to_owned(),
        "http://169.254.169.254/latest".to_owned(),
        format!(
            "http://127.0.0.1:{}/fhir/Observation?page=2",
            server.port + 1
        ),
        format!(
            "http://u:p@127.0.0.1:{}/fhir/Observation?page=2",
            server.port
        ),
        format!("{}/admin", server.origin()),
        format!("{}/fhir/../admin", server.origin()),
        format!("{}/fhir-other", server.origin()),
        "../admin".to_owned(),
        "/admin".to_owned(),
        "%2e%2e/admin".to_owned(),
        "//evil.example/fhir".to_owned(),
        "\\\\evil.example/fhir".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let found = several(
            &client,
            &access,
            &[("rest", Want::Next(&next))],
            &Limits::default(),
        )
        .await;
        let failure = found[0].1.as_ref().expect_err(&next);
        assert_eq!(failure.family, Family::NotAllowed, "{next}");
    }
    assert_eq!(server.seen().len(), before);
}

#[tokio::test]
async fn a_search_whose_url_is_long_is_posted() {
    let server = Server::start(fhir(record(25), 10)).await;
    let codes: Vec<String> = (0..200).map(|n| format!("http://loinc.org|{n}")).collect();
    let template = format!("Observation?patient={ID}&code={}", codes.join(","));
    let found = one(&server, &template, &Limits::default()).await.unwrap();
    assert_eq!(ids(&found).len(), 25);
    let seen = server.seen();
    assert_eq!(
        (seen[0].method.as_str(), seen[0].path.as_str()),
        ("POST", "/fhir/Observation/_search")
    );
    assert_eq!(seen[0].query, "");
    assert_eq!(
        seen[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(seen[0].values("code")[0].split(',').count(), 200);
    // The next pages are where the server says.
    assert_eq!((seen[1].method.as_str(), seen.len()), ("GET", 3));
}

#[tokio::test]
async fn item_44_base_urls() {
    let server = Server::start(fhir(record(1), 10)).await;
    let client = client(&[local(&server.origin())]);
    let origin = server.origin();
    for base in [
        format!("{origin}/fhir?x=1"),
        format!("{origin}/fhir#x"),
        format!("{origin}/fhir/../admin"),
        format!("{origin}/fhir/%2E%2e/admin"),
        format!("{origin}/fhir/./x"),
        format!("{origin}/fhir/..%2Fadmin"),
        format!("{origin}/fhir/x%5c%2e%2e"),
        format!("{origin}\\fhir"),
        "https://evil.example/fhir".to_owned(),
        "http://169.254.169.254/".to_owned(),
        "fhir".to_owned(),
    ] {
        let refused = Access::new(&client, &base, None, None).expect_err(&base);
        assert_eq!(refused.family, Family::NotAllowed, "{base}");
    }
    // Without a path, and with a long one.
    for (base, line) in [("", "GET /Basic/1"), ("/a/b/c", "GET /a/b/c/Basic/1")] {
        let access = access(&client, &format!("{origin}{base}"));
        let found = several(
            &client,
            &access,
            &[("k", Want::Template("Basic/1"))],
            &Limits::default(),
        )
        .await;
        assert!(found[0].1.is_err());
        assert_eq!(server.lines().last().unwrap(), line);
    }
}

#[tokio::test]
async fn both_media_types_of_json_are_taken() {
    for kind in [
        "application/fhir+json",
        "application/fhir+json; charset=UTF-8",
        "Application/JSON",
        "application/json+fhir",
        "text/json",
    ] {
        let server = Server::start(move |_| {
            Reply::raw(
                200,
                kind,
                "\u{feff}{\"resourceType\":\"Patient\",\"id\":\"p1\"}",
            )
        })
        .await;
        assert!(
            one(&server, &format!("Patient/{ID}"), &Limits::default())
                .await
                .is_ok(),
            "{kind}"
        );
    }
}
