//! An EHR, this service and the EHR's FHIR server, over real sockets: what a call without prefetch is answered.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use cds_hooks::{Config, router, rule_services};
use engine_patient::system::date_time::DateTime;
use outbound::{Allowed, Client, Limits, System};
use rules::Rule;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::FhirData;
use super::tests::server::{Reply, Seen, Server, fhir};
use crate::settings::{Machine, Settings};

fn live() -> Vec<Arc<Rule>> {
    static RULES: LazyLock<Vec<Arc<Rule>>> = LazyLock::new(|| rules::built_in().unwrap());
    RULES
        .iter()
        .filter(|rule| rule.is_live())
        .cloned()
        .collect()
}

/// The service, which may ask this FHIR server.
async fn service(fhir: &Server, deadline: Duration) -> SocketAddr {
    let origin = fhir.origin();
    let text = format!(
        "[outbound]\nplain_http = true\nmax_pages = 20\n[[fhir_server]]\nname = \"ehr\"\nurl = \"{origin}/fhir\"\nprivate_ranges = [\"127.0.0.0/8\"]\n"
    );
    let settings = Settings::read(&text, Path::new("t.toml"), &Machine).unwrap();
    let allowed = Allowed {
        plain_http: true,
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Allowed::new(&origin)
    };
    let client = Client::new(&[allowed], Limits::default(), Arc::new(System::default())).unwrap();
    let source = FhirData::of(client, &settings, Arc::new(|_| {}));
    let now = || DateTime::parse("2026-11-30T12:00:00Z").unwrap();
    let mut config = Config::new(Arc::new(now));
    config.seams.data = Some(Arc::new(source));
    config.limits.deadline = Some(deadline);
    let app = router(config, rule_services(live()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

async fn http(port: u16, head: &str, body: &Value) -> (u16, Value) {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer[9..12].parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Services of `patient-view` with their templates.
async fn templates(service: SocketAddr) -> Vec<(String, Map<String, Value>)> {
    let (_, found) = http(service.port(), "GET /cds-services", &Value::Null).await;
    let all = found["services"].as_array().unwrap().clone();
    let of = all.iter().filter(|s| s["hook"] == "patient-view");
    of.map(|s| {
        let id = s["id"].as_str().unwrap().to_owned();
        (id, s["prefetch"].as_object().unwrap().clone())
    })
    .collect()
}

fn call(fhir: &Server, prefetch: Option<Map<String, Value>>) -> Value {
    let mut call = json!({
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/7", "patientId": "p1"},
        "fhirServer": format!("{}/fhir", fhir.origin()),
        "fhirAuthorization": {"access_token": "t0k3n", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "cds", "patient": "p1"},
    });
    if let Some(prefetch) = prefetch {
        call["prefetch"] = prefetch.into();
    }
    call
}

async fn ask(service: SocketAddr, id: &str, call: &Value) -> (u16, Value) {
    http(service.port(), &format!("POST /cds-services/{id}"), call).await
}

/// A man of 66 with diabetes and hypertension, whose last A1c was long ago, and of whom no procedure is on record: one
/// that is coded in one system only would leave open what others have.
fn record() -> Vec<Value> {
    let subject = json!({"reference": "Patient/p1"});
    let concept = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    let active = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]});
    let mut all = vec![
        json!({"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1960-06-15"}),
        json!({"resourceType": "Patient", "id": "p2", "gender": "female", "birthDate": "2020-06-15"}),
        json!({"resourceType": "Medication", "id": "m1", "code": concept("http://www.nlm.nih.gov/research/umls/rxnorm", "860975")}),
        json!({"resourceType": "MedicationRequest", "id": "r1", "status": "active", "intent": "order", "subject": subject, "medicationReference": {"reference": "Medication/m1"}}),
    ];
    for (id, sct, icd) in [
        ("d1", "44054006", "E11.9"),
        ("d2", "59621000", "I10"),
        ("d3", "55822004", "E78.5"),
    ] {
        let both = json!({"coding": [{"system": "http://snomed.info/sct", "code": sct}, {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": icd}]});
        all.push(json!({"resourceType": "Condition", "id": id, "subject": subject, "clinicalStatus": active, "code": both, "onsetDateTime": "2015-01-01"}));
    }
    for (n, code) in [
        "4548-4", "13457-7", "33914-3", "8480-6", "8462-4", "4548-4", "4548-4",
    ]
    .iter()
    .enumerate()
    {
        all.push(json!({"resourceType": "Observation", "id": format!("o{n}"), "status": "final", "subject": subject, "code": concept("http://loinc.org", code), "effectiveDateTime": format!("201{n}-03-01"), "valueQuantity": {"value": 8, "system": "http://unitsofmeasure.org", "code": "%", "unit": "%"}}));
    }
    all
}

/// What an EHR sends that asks its FHIR server for each template, all at once.
async fn prefetch(fhir: &Server, templates: &Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (key, template) in templates {
        let query = template
            .as_str()
            .unwrap()
            .replace("{{context.patientId}}", "p1");
        let count = if query.contains('?') {
            "&_count=1000"
        } else {
            ""
        };
        let (status, found) = http(
            fhir.port,
            &format!("GET /fhir/{query}{count}"),
            &Value::Null,
        )
        .await;
        assert_eq!(status, 200, "{query}");
        all.insert(key.clone(), found);
    }
    all
}

#[tokio::test]
async fn item_31_and_43_a_call_without_prefetch_has_the_cards_of_one_with_all_of_it() {
    // In pages of two entries, so that pages are followed.
    let fhir = Server::start(fhir(record(), 2)).await;
    let service = service(&fhir, Duration::from_secs(30)).await;
    let (mut fired, mut fetched) = (0, 0);
    for (id, templates) in templates(service).await {
        let whole = prefetch(&fhir, &templates).await;
        let mut part = whole.clone();
        part.retain(|key, _| key.len() % 2 == 0);
        let expected = ask(service, &id, &call(&fhir, Some(whole))).await;
        let before = fhir.seen().len();
        for prefetch in [None, Some(part)] {
            let found = ask(service, &id, &call(&fhir, prefetch)).await;
            assert_eq!(found, expected, "{id}");
        }
        fetched += fhir.seen().len() - before;
        assert_eq!(expected.0, 200, "{id}: {expected:?}");
        fired += expected.1["cards"].as_array().unwrap().len();
    }
    assert!(fired >= 10, "{fired}");
    assert!(fetched > 50, "{fetched}");
}

#[tokio::test]
async fn item_33_unread_pages_of_a_prefetch_are_read() {
    let fhir = Server::start(fhir(record(), 2)).await;
    let service = service(&fhir, Duration::from_secs(30)).await;
    for (id, templates) in templates(service).await {
        let mut first = Map::new();
        for (key, template) in &templates {
            let query = template
                .as_str()
                .unwrap()
                .replace("{{context.patientId}}", "p1");
            let (_, page) = http(fhir.port, &format!("GET /fhir/{query}"), &Value::Null).await;
            first.insert(key.clone(), page);
        }
        let whole = prefetch(&fhir, &templates).await;
        let expected = ask(service, &id, &call(&fhir, Some(whole))).await;
        let found = ask(service, &id, &call(&fhir, Some(first))).await;
        assert_eq!(found, expected, "{id}");
    }
}

#[tokio::test]
async fn item_32_what_was_answered_is_not_asked_again() {
    let fhir = Server::start(fhir(record(), 2)).await;
    let service = service(&fhir, Duration::from_secs(30)).await;
    let patient = record().remove(0);
    for (id, templates) in templates(service).await {
        let answers = [
            Value::Null,
            json!({"resourceType": "Bundle", "type": "searchset", "total": 0}),
            json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}),
        ];
        let keys = templates.keys().enumerate().map(|(n, key)| {
            let answer = if key == "patient" {
                &patient
            } else {
                &answers[n % 3]
            };
            (key.clone(), answer.clone())
        });
        ask(service, &id, &call(&fhir, Some(keys.collect()))).await;
    }
    assert_eq!(fhir.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn item_42_and_44_calls_for_another_patient_or_server_are_not_fetched_for() {
    let fhir = Server::start(fhir(record(), 2)).await;
    let service = service(&fhir, Duration::from_secs(30)).await;
    let id = "colorectal-cancer-screening";
    let mut other = call(&fhir, None);
    other["fhirAuthorization"]["patient"] = "p2".into();
    assert_eq!(ask(service, id, &other).await.0, 400);
    for server in [
        "http://169.254.169.254/fhir",
        "http://127.0.0.1:1/fhir",
        "https://evil.example/fhir",
    ] {
        let mut call = call(&fhir, None);
        call["fhirServer"] = server.into();
        let (status, said) = ask(service, id, &call).await;
        assert_eq!(status, 412, "{server}: {said}");
        assert!(!said.to_string().contains("t0k3n"));
    }
    let mut over = call(&fhir, None);
    over["fhirAuthorization"]["expires_in"] = 0.into();
    let (status, said) = ask(service, id, &over).await;
    assert_eq!(status, 412);
    assert!(said.to_string().contains("no valid token"), "{said}");
    assert!(fhir.seen().is_empty());
}

/// Answers every request, or all but those for the patient, with a fault.
fn faulty(fault: Reply, all: bool) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    let works = fhir(record(), 2);
    move |seen| match !all && seen.path.contains("/Patient/") {
        true => works(seen),
        false => fault.clone(),
    }
}

fn page(next: &str) -> Reply {
    Reply::ok(
        json!({"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": next}]}),
    )
}

#[tokio::test]
async fn item_31_every_fault_is_412_or_a_card_that_says_so() {
    let others = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {"resourceType": "Procedure", "id": "x", "status": "completed", "subject": {"reference": "Patient/p2"}, "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "45378"}]}, "performedDateTime": "2026-01-01"}}]});
    let faults = [
        ("500", Reply::outcome(500, "exception")),
        ("503", Reply::raw(503, "text/html", "down")),
        ("404", Reply::outcome(404, "not-found")),
        ("403", Reply::outcome(403, "forbidden")),
        (
            "hangs",
            Reply::Late(Duration::from_secs(600), Box::new(Reply::Half)),
        ),
        ("half", Reply::Half),
        ("drips", Reply::Drip(Duration::from_millis(50))),
        ("broken off", Reply::Broken),
        (
            "truncated",
            Reply::raw(
                200,
                "application/json",
                "{\"resourceType\":\"Bundle\",\"ent",
            ),
        ),
        ("empty", Reply::raw(200, "application/json", "")),
        ("HTML", Reply::raw(200, "text/html", "<html>")),
        ("an error with 200", Reply::outcome(200, "not-supported")),
        ("huge", Reply::Huge(64 << 20)),
        ("bomb", Reply::Bomb),
        (
            "redirect",
            Reply::raw(307, "text/plain", "").with("location", "http://169.254.169.254/"),
        ),
        ("another patient", Reply::ok(others)),
        (
            "another Patient",
            Reply::ok(json!({"resourceType": "Patient", "id": "p2", "birthDate": "1960-01-01"})),
        ),
        ("elsewhere", page("http://169.254.169.254/latest")),
        ("circle", page("Procedure?patient=p1")),
    ];
    for (name, fault) in faults {
        for all in [true, false] {
            let fhir = Server::start(faulty(fault.clone(), all)).await;
            let service = service(&fhir, Duration::from_secs(2)).await;
            let start = Instant::now();
            let (status, said) =
                ask(service, "colorectal-cancer-screening", &call(&fhir, None)).await;
            assert!(start.elapsed() < Duration::from_secs(30), "{name}");
            let told =
                |card: &Value| card["extension"]["dev.tandem-cds.could-not-check"].is_object();
            let cards = said["cards"].as_array().cloned().unwrap_or_default();
            let unknown = !cards.is_empty() && cards.iter().all(told);
            assert!(
                status == 412 || (status == 200 && unknown),
                "{name}, all: {all}: {status} {said}"
            );
            for secret in ["t0k3n", "Smith", "169.254"] {
                assert!(!said.to_string().contains(secret), "{name}: {said}");
            }
        }
    }
}
