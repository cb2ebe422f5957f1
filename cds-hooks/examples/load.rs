//! Load for a card server that runs already: calls at a fixed rate beside slow clients, idle
//! connections and large bodies.
//!
//! ```text
//! cargo run --release -p cds-hooks --example load -- --rate 500 --seconds 300 --pid $(pgrep -n tandem)
//! ```
//!
//! A call is sent when it is due, however long others take, and its latency counts from that moment:
//! a server that stands still for a second makes all calls of that second late. Standing by: `--idle`
//! connections that say nothing, `--slow` that send a byte a second of a head or of a body, `--large`
//! that send bodies of `--large-bytes` one after another. With `--pid` the memory of that process is read
//! at start and end (Linux).
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
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Options {
    address: String,
    service: String,
    rate: f64,
    seconds: u64,
    resources: usize,
    idle: usize,
    slow: usize,
    large: usize,
    large_bytes: usize,
    pid: Option<u32>,
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
    let options = Options {
        address: take("--address", "127.0.0.1:8080"),
        service: take("--service", "hba1c-control"),
        rate: take("--rate", "500").parse().expect("--rate"),
        seconds: take("--seconds", "60").parse().expect("--seconds"),
        resources: take("--resources", "50").parse().expect("--resources"),
        idle: take("--idle", "200").parse().expect("--idle"),
        slow: take("--slow", "100").parse().expect("--slow"),
        large: take("--large", "2").parse().expect("--large"),
        large_bytes: take("--large-bytes", "9600000")
            .parse()
            .expect("--large-bytes"),
        pid: Some(take("--pid", ""))
            .filter(|p| !p.is_empty())
            .map(|p| p.parse().expect("--pid")),
    };
    assert!(given.is_empty(), "unknown: {:?}", given.keys());
    options
}

/// The prefetch keys and queries of the service, as discovery lists them.
async fn templates(options: &Options) -> BTreeMap<String, String> {
    let mut stream = TcpStream::connect(&options.address)
        .await
        .expect("no server");
    let ask = b"GET /cds-services HTTP/1.1\r\nhost: load\r\nconnection: close\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    let discovery: Value = serde_json::from_str(body).unwrap();
    let services = discovery["services"].as_array().unwrap();
    let service = services
        .iter()
        .find(|s| s["id"] == options.service.as_str());
    let service = service.expect("no such --service");
    let prefetch = service["prefetch"].as_object().unwrap().iter();
    prefetch
        .map(|(key, query)| (key.clone(), query.as_str().unwrap().to_owned()))
        .collect()
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

/// A whole request with so many Observations under their key.
fn request(options: &Options, templates: &BTreeMap<String, String>, resources: usize) -> Vec<u8> {
    let condition = json!({"resource": {
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
    }});
    let prefetch: serde_json::Map<String, Value> = templates
        .iter()
        .map(|(key, query)| {
            let entries = match query.split(['?', '/']).next() {
                Some("Patient") => {
                    let patient =
                        json!({"resourceType": "Patient", "id": "1", "birthDate": "1960-01-02"});
                    return (key.clone(), patient);
                }
                _ if key.ends_with("-sample") => vec![],
                Some("Observation") => (0..resources).map(observation).collect(),
                Some("Condition") => vec![condition.clone()],
                _ => vec![],
            };
            let found = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
            (key.clone(), found)
        })
        .collect();
    let body = json!({
        "hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "1"}, "prefetch": prefetch,
    });
    let body = body.to_string();
    let (service, length) = (&options.service, body.len());
    let head = format!(
        "POST /cds-services/{service} HTTP/1.1\r\nhost: load\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    (head + &body).into_bytes()
}

/// Sends a request and reads its answer; the status, or what went wrong.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<u16, String> {
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
            return status.ok_or_else(|| "no status".to_owned());
        }
    }
}

type Told = mpsc::UnboundedSender<(&'static str, Result<u16, String>, Duration)>;

/// One call on a connection of the pool, or on a new one.
async fn call(address: &str, pool: &Mutex<Vec<TcpStream>>, request: &[u8]) -> Result<u16, String> {
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
    let mut status = exchange(&mut stream, request).await;
    // Clients send again on a new connection where one that was idle is gone.
    if was_open && status.is_err() {
        stream = connect().await?;
        status = exchange(&mut stream, request).await;
    }
    if status == Ok(200) {
        pool.lock().await.push(stream);
    }
    status
}

async fn idle(address: String) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(&address).await {
            let mut piece = [0; 64];
            while matches!(stream.read(&mut piece).await, Ok(1..)) {}
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A byte a second: of a head, or of a body.
async fn slow(address: String, request: Arc<Vec<u8>>, body: bool) {
    let head = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    loop {
        if let Ok(mut stream) = TcpStream::connect(&address).await {
            let start = if body { head + 10 } else { 10 };
            let mut open = stream.write_all(&request[..start]).await.is_ok();
            for byte in &request[start..] {
                if !open {
                    break;
                }
                sleep(Duration::from_secs(1)).await;
                open = stream.write_all(&[*byte]).await.is_ok();
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn large(address: String, request: Arc<Vec<u8>>, told: Told) {
    loop {
        let start = Instant::now();
        let pool = Mutex::default();
        let done = timeout(PATIENCE, call(&address, &pool, &request)).await;
        let done = done.unwrap_or_else(|_| Err("no answer in 30 s".to_owned()));
        if told.send(("large", done, start.elapsed())).is_err() {
            return;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Sends the calls when they are due.
async fn send(options: &Options, request: Arc<Vec<u8>>, told: Told) {
    let pool: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let late = AtomicU64::new(0);
    let start = Instant::now();
    for n in 0..(options.rate * options.seconds as f64) as u64 {
        let due = start + Duration::from_secs_f64(n as f64 / options.rate);
        sleep_until(due).await;
        if due.elapsed() > Duration::from_millis(10) {
            late.fetch_add(1, Ordering::Relaxed);
        }
        let (address, pool) = (options.address.clone(), Arc::clone(&pool));
        let (request, told) = (Arc::clone(&request), told.clone());
        tokio::spawn(async move {
            let done = timeout(PATIENCE, call(&address, &pool, &request)).await;
            let done = done.unwrap_or_else(|_| Err("no answer in 30 s".to_owned()));
            let _ = told.send(("call", done, due.elapsed()));
        });
    }
    sleep(Duration::from_secs(2)).await;
    println!(
        "sent more than 10 ms late by this tool: {}",
        late.into_inner()
    );
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
    let options = options();
    let templates = templates(&options).await;
    let small = Arc::new(request(&options, &templates, options.resources));
    let length = |n| request(&options, &templates, n).len();
    let each = (length(1010) - length(10)) / 1000;
    let heavy = Arc::new(request(
        &options,
        &templates,
        options.large_bytes / each.max(1),
    ));
    println!(
        "{} calls/s of {} bytes for {} s; {} idle, {} slow, {} with bodies of {} bytes",
        options.rate,
        small.len(),
        options.seconds,
        options.idle,
        options.slow,
        options.large,
        heavy.len()
    );
    println!("memory at start: {}", memory(options.pid));
    let (told, mut answers) = mpsc::unbounded_channel();
    let mut standing = tokio::task::JoinSet::new();
    for _ in 0..options.idle {
        standing.spawn(idle(options.address.clone()));
    }
    for n in 0..options.slow {
        standing.spawn(slow(
            options.address.clone(),
            Arc::clone(&small),
            n % 2 == 0,
        ));
    }
    for _ in 0..options.large {
        standing.spawn(large(
            options.address.clone(),
            Arc::clone(&heavy),
            told.clone(),
        ));
    }
    let collecting = tokio::spawn(async move {
        let mut kinds: BTreeMap<(&str, String), Vec<Duration>> = BTreeMap::new();
        while let Some((who, what, took)) = answers.recv().await {
            let what = what.map_or_else(|e| e, |status| status.to_string());
            kinds.entry((who, what)).or_default().push(took);
        }
        kinds
    });
    send(&options, small, told).await;
    standing.shutdown().await;
    // All that hold the other end are gone when the last call is answered or given up.
    let kinds = collecting.await.unwrap();
    println!("memory at end: {}", memory(options.pid));
    for ((who, what), mut times) in kinds {
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
