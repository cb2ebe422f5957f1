//! Load for a server that runs already, as it is operated: tokens, feedback, several services.
//!
//! ```text
//! cargo run --release -p cds-server --example load_with_tokens -- --rate 500 --seconds 300 --pid $(pgrep -n tandem) \
//!     --token-key ehr.pem --algorithm ES384 --kid k1 --iss https://ehr.example.org \
//!     --audience https://cds.example.org --feedback 0.1
//! ```
//!
//! Each call is to the next service of `--service a,b` (default: all of discovery), with what its templates
//! ask for: `--resources` Observations in all, a Condition, the Patient; orders where the hook has orders. It
//! is sent when it is due, however long others take, and its latency counts from that moment: a server
//! that stands still for a second makes all calls of that second late. Each has a hook instance of its own,
//! and with `--token-key` a token of its own. `--feedback` is the share of cards of which feedback is sent.
//! With `--pid` the memory of that process is read at start and end (Linux). Plain HTTP only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool for trials ends where it cannot go on"
)]

#[path = "../../examples/measuring/mod.rs"]
mod measuring;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::time::Instant;

use measuring::{Given, Pool, Told, at_rate, collect, memory, prefetch, print, send, services};

struct Options {
    address: String,
    services: Vec<String>,
    rate: f64,
    seconds: u64,
    resources: usize,
    feedback: f64,
    pid: Option<u32>,
    tokens: Option<Tokens>,
}

/// What signs tokens.
struct Tokens {
    key: EncodingKey,
    header: Header,
    iss: String,
    audience: String,
}

fn options() -> Options {
    let mut given = Given::read();
    let tokens = tokens(&mut given);
    let services = given.text("--service", "");
    let options = Options {
        address: given.text("--address", "127.0.0.1:8080"),
        services: services
            .split(',')
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect(),
        rate: given.number("--rate", "500"),
        seconds: given.number("--seconds", "60"),
        resources: given.number("--resources", "50"),
        feedback: given.number("--feedback", "0"),
        pid: given.pid(),
        tokens,
    };
    given.end();
    options
}

/// What signs tokens, where there is a key.
fn tokens(given: &mut Given) -> Option<Tokens> {
    let algorithm: Algorithm = given.number("--algorithm", "ES384");
    let kid = given.text("--kid", "k1");
    let iss = given.text("--iss", "https://ehr.example.org");
    let audience = given.text("--audience", "https://cds.example.org");
    let path = given.text("--token-key", "");
    if path.is_empty() {
        return None;
    }
    let pem = std::fs::read(&path).expect("--token-key");
    let key = match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(&pem),
        _ => EncodingKey::from_rsa_pem(&pem),
    };
    let mut header = Header::new(algorithm);
    header.kid = Some(kid);
    Some(Tokens {
        key: key.expect("--token-key"),
        header,
        iss,
        audience,
    })
}

impl Tokens {
    /// A token for one call of this path.
    fn sign(&self, path: &str, n: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let claims = json!({
            "iss": self.iss, "aud": format!("{}{path}", self.audience),
            "iat": now.as_secs(), "exp": now.as_secs() + 300,
            "jti": format!("{}-{}-{n}", std::process::id(), now.as_nanos()),
        });
        encode(&self.header, &claims, &self.key).unwrap()
    }
}

fn head(options: &Options, method: &str, path: &str, length: usize, n: u64) -> String {
    let token = options.tokens.as_ref().map_or_else(String::new, |tokens| {
        format!("authorization: Bearer {}\r\n", tokens.sign(path, n))
    });
    format!(
        "{method} {path} HTTP/1.1\r\nhost: load\r\ncontent-type: application/json\r\n{token}content-length: {length}\r\n\r\n"
    )
}

/// A service of discovery, with the body of a call but for the hook instance.
struct Kind {
    path: String,
    start: String,
    end: String,
}

fn kind(service: &Value, resources: usize) -> Kind {
    let hook = service["hook"].as_str().unwrap();
    let mut context = json!({"userId": "Practitioner/1", "patientId": "1", "encounterId": "e1"});
    if matches!(hook, "order-select" | "order-sign") {
        let order = json!({"resource": {
            "resourceType": "MedicationRequest", "id": "d1", "status": "draft", "intent": "order",
            "subject": {"reference": "Patient/1"},
            "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "5640", "display": "ibuprofen"}]},
        }});
        context["draftOrders"] =
            json!({"resourceType": "Bundle", "type": "collection", "entry": [order]});
        context["selections"] = json!(["MedicationRequest/d1"]);
    }
    let body = json!({"hook": hook, "hookInstance": "@", "context": context,
        "prefetch": prefetch(service, resources)});
    let body = body.to_string();
    let (start, end) = body.split_once("\"@\"").unwrap();
    Kind {
        path: format!("/cds-services/{}", service["id"].as_str().unwrap()),
        start: format!("{start}\""),
        end: format!("\"{end}"),
    }
}

/// What discovery lists, or those of it that were asked for.
async fn kinds(options: &Options) -> Vec<Kind> {
    let ask = head(options, "GET", "/cds-services", 0, 0);
    let listed = services(&options.address, ask.as_bytes()).await;
    let wanted = |s: &&Value| {
        let id = s["id"].as_str().unwrap_or_default();
        options.services.is_empty() || options.services.iter().any(|wanted| wanted == id)
    };
    let found = listed.iter().filter(wanted);
    let found: Vec<Kind> = found.map(|s| kind(s, options.resources)).collect();
    assert!(!found.is_empty(), "no such --service");
    found
}

/// A call when it is due, and feedback about some of its cards.
async fn call(
    options: Arc<Options>,
    kind: Arc<Vec<Kind>>,
    pool: Pool,
    n: u64,
    due: Instant,
    told: Told,
) {
    let kind = &kind[usize::try_from(n).unwrap() % kind.len()];
    let instance = format!(
        "{:08x}-{:04x}-4000-8000-{n:012x}",
        std::process::id(),
        n >> 48
    );
    let body = format!("{}{instance}{}", kind.start, kind.end);
    let request = head(&options, "POST", &kind.path, body.len(), n) + &body;
    let done = send(&options.address, &pool, request.as_bytes()).await;
    let took = due.elapsed();
    let cards = match &done {
        Ok((200, body)) if options.feedback > 0.0 => {
            let answer: Value = serde_json::from_slice(body).unwrap_or_default();
            answer["cards"].as_array().cloned().unwrap_or_default()
        }
        _ => vec![],
    };
    let _ = told.send(("call", done.map(|(status, _)| status), took));
    let every = (1.0 / options.feedback.max(1e-9)) as u64;
    let entries: Vec<Value> = cards
        .iter()
        .filter(|_| n.is_multiple_of(every.max(1)))
        .map(|card| {
            json!({
                "card": card["uuid"], "outcome": "overridden",
                "overrideReason": {"reason": {"code": "load", "system": "http://example.org"}},
                "outcomeTimestamp": "2026-01-01T00:00:00Z",
            })
        })
        .collect();
    if entries.is_empty() {
        return;
    }
    let body = json!({ "feedback": entries }).to_string();
    let path = format!("{}/feedback", kind.path);
    let request = head(&options, "POST", &path, body.len(), n) + &body;
    let start = Instant::now();
    let done = send(&options.address, &pool, request.as_bytes()).await;
    let _ = told.send(("feedback", done.map(|(status, _)| status), start.elapsed()));
}

#[tokio::main]
async fn main() {
    let options = Arc::new(options());
    let kinds = Arc::new(kinds(&options).await);
    for kind in kinds.iter() {
        println!(
            "{}: {} bytes",
            kind.path,
            kind.start.len() + kind.end.len() + 36
        );
    }
    println!(
        "{} calls/s for {} s, tokens: {}",
        options.rate,
        options.seconds,
        options.tokens.is_some()
    );
    println!("memory at start: {}", memory(options.pid));
    let (told, collecting) = collect();
    let pool = Pool::default();
    at_rate(options.rate, options.seconds, |n, due| {
        let (options, kinds) = (Arc::clone(&options), Arc::clone(&kinds));
        let (pool, told) = (Arc::clone(&pool), told.clone());
        tokio::spawn(call(options, kinds, pool, n, due, told));
    })
    .await;
    drop(told);
    let took = collecting.await.unwrap();
    println!("memory at end: {}", memory(options.pid));
    print(took);
}
