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

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

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
    let mut given: HashMap<String, String> = HashMap::new();
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args
            .next()
            .unwrap_or_else(|| panic!("{name} needs a value"));
        given.insert(name, value);
    }
    let mut take = |name: &str, usual: &str| given.remove(name).unwrap_or_else(|| usual.to_owned());
    let algorithm: Algorithm = take("--algorithm", "ES384").parse().expect("--algorithm");
    let (kid, iss) = (
        take("--kid", "k1"),
        take("--iss", "https://ehr.example.org"),
    );
    let audience = take("--audience", "https://cds.example.org");
    let tokens = Some(take("--token-key", ""))
        .filter(|path| !path.is_empty())
        .map(|path| {
            let pem = std::fs::read(&path).expect("--token-key");
            let key = match algorithm {
                Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(&pem),
                _ => EncodingKey::from_rsa_pem(&pem),
            };
            let mut header = Header::new(algorithm);
            header.kid = Some(kid);
            Tokens {
                key: key.expect("--token-key"),
                header,
                iss,
                audience,
            }
        });
    let services = take("--service", "");
    let options = Options {
        address: take("--address", "127.0.0.1:8080"),
        services: services
            .split(',')
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect(),
        rate: take("--rate", "500").parse().expect("--rate"),
        seconds: take("--seconds", "60").parse().expect("--seconds"),
        resources: take("--resources", "50").parse().expect("--resources"),
        feedback: take("--feedback", "0").parse().expect("--feedback"),
        pid: Some(take("--pid", ""))
            .filter(|p| !p.is_empty())
            .map(|p| p.parse().expect("--pid")),
        tokens,
    };
    assert!(given.is_empty(), "unknown: {:?}", given.keys());
    options
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

fn observation(n: usize) -> Value {
    json!({"resource": {
        "resourceType": "Observation", "id": format!("o{n}"), "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c"}]},
        "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2024-05-06T07:08:09Z",
        "valueQuantity": {"value": 7.5, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
        "note": [{"text": "x".repeat(300)}],
    }})
}

fn kind(service: &Value, resources: usize) -> Kind {
    let condition = json!({"resource": {
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/1"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
    }});
    let mut left = resources;
    let templates = service["prefetch"].as_object().into_iter().flatten();
    let prefetch: serde_json::Map<String, Value> = templates
        .map(|(key, query)| {
            let entries = match query.as_str().unwrap().split(['?', '/']).next() {
                Some("Patient") => {
                    let patient =
                        json!({"resourceType": "Patient", "id": "1", "birthDate": "1960-01-02"});
                    return (key.clone(), patient);
                }
                _ if key.ends_with("-sample") => vec![],
                Some("Observation") => (0..std::mem::take(&mut left)).map(observation).collect(),
                Some("Condition") => vec![condition.clone()],
                _ => vec![],
            };
            let found = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
            (key.clone(), found)
        })
        .collect();
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
    let body = json!({"hook": hook, "hookInstance": "@", "context": context, "prefetch": prefetch});
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
    let mut stream = TcpStream::connect(&options.address)
        .await
        .expect("no server");
    let ask = head(options, "GET", "/cds-services", 0, 0);
    let (status, body) = exchange(&mut stream, ask.as_bytes())
        .await
        .expect("no discovery");
    assert_eq!(status, 200, "discovery: {}", String::from_utf8_lossy(&body));
    let discovery: Value = serde_json::from_slice(&body).unwrap();
    let wanted = |s: &&Value| {
        let id = s["id"].as_str().unwrap_or_default();
        options.services.is_empty() || options.services.iter().any(|wanted| wanted == id)
    };
    let found: Vec<Kind> = discovery["services"]
        .as_array()
        .unwrap()
        .iter()
        .filter(wanted)
        .map(|service| kind(service, options.resources))
        .collect();
    assert!(!found.is_empty(), "no such --service");
    found
}

/// Sends a request and reads its answer; status and body, or what went wrong.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let said = |what: &str, e: &std::io::Error| format!("{what}: {}", e.kind());
    stream
        .write_all(request)
        .await
        .map_err(|e| said("sending", &e))?;
    let (mut answer, mut piece) = (vec![], [0; 16 * 1024]);
    loop {
        let n = stream
            .read(&mut piece)
            .await
            .map_err(|e| said("reading", &e))?;
        if n == 0 {
            return Err("closed without an answer".to_owned());
        }
        answer.extend_from_slice(&piece[..n]);
        let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        let length: usize = length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
        if answer.len() >= end + 4 + length {
            let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
            let status = status.ok_or_else(|| "no status".to_owned())?;
            return Ok((status, answer.split_off(end + 4)));
        }
    }
}

type Pool = Arc<Mutex<Vec<TcpStream>>>;

/// One request on a connection of the pool, or on a new one.
async fn send(address: &str, pool: &Pool, request: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let pooled = pool.lock().await.pop();
    let was_open = pooled.is_some();
    let connect = || async {
        let stream = TcpStream::connect(address).await;
        stream.map_err(|e| format!("connecting: {}", e.kind()))
    };
    let mut stream = match pooled {
        Some(stream) => stream,
        None => connect().await?,
    };
    let mut done = exchange(&mut stream, request).await;
    // Clients send again on a new connection where one that was idle is gone.
    if was_open && done.is_err() {
        stream = connect().await?;
        done = exchange(&mut stream, request).await;
    }
    if done.is_ok() {
        pool.lock().await.push(stream);
    }
    done
}

type Told = mpsc::UnboundedSender<(&'static str, Result<u16, String>, Duration)>;

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
    let done = timeout(PATIENCE, send(&options.address, &pool, request.as_bytes())).await;
    let done = done.unwrap_or_else(|_| Err("no answer in 30 s".to_owned()));
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

/// Kilobytes in memory now, and at most so far.
fn memory(pid: Option<u32>) -> String {
    let text = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let text = text.unwrap_or_default();
    let lines = text
        .lines()
        .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"));
    let lines = lines.map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join(", ")
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
    let (told, mut answers) = mpsc::unbounded_channel();
    let collecting = tokio::spawn(async move {
        let mut all: BTreeMap<(&str, String), Vec<Duration>> = BTreeMap::new();
        while let Some((who, what, took)) = answers.recv().await {
            let what: Result<u16, String> = what;
            let what = what.map_or_else(|e| e, |status| status.to_string());
            all.entry((who, what)).or_default().push(took);
        }
        all
    });
    let (pool, late) = (Pool::default(), AtomicU64::new(0));
    let start = Instant::now();
    for n in 0..(options.rate * options.seconds as f64) as u64 {
        let due = start + Duration::from_secs_f64(n as f64 / options.rate);
        sleep_until(due).await;
        if due.elapsed() > Duration::from_millis(10) {
            late.fetch_add(1, Ordering::Relaxed);
        }
        let (options, kinds) = (Arc::clone(&options), Arc::clone(&kinds));
        let (pool, told) = (Arc::clone(&pool), told.clone());
        tokio::spawn(call(options, kinds, pool, n, due, told));
    }
    sleep(Duration::from_secs(2)).await;
    drop(told);
    println!(
        "sent more than 10 ms late by this tool: {}",
        late.into_inner()
    );
    let all = collecting.await.unwrap();
    println!("memory at end: {}", memory(options.pid));
    for ((who, what), mut times) in all {
        times.sort();
        let last = (times.len() - 1) as f64;
        let at = |share: f64| times[(last * share) as usize].as_secs_f64() * 1e3;
        println!(
            "{who} {what}: {} times, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
            times.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        );
    }
}
