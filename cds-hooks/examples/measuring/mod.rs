//! What the tools for load share: what a service is sent, requests on kept connections at a fixed rate, and what
//! became of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool for trials ends where it cannot go on"
)]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The command line: `--name value …`.
pub struct Given(HashMap<String, String>);

impl Given {
    pub fn read() -> Self {
        let mut given = HashMap::new();
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next();
            let value = value.unwrap_or_else(|| panic!("{name} needs a value"));
            given.insert(name, value);
        }
        Given(given)
    }

    pub fn text(&mut self, name: &str, usual: &str) -> String {
        self.0.remove(name).unwrap_or_else(|| usual.to_owned())
    }

    pub fn number<T: FromStr<Err: Debug>>(&mut self, name: &str, usual: &str) -> T {
        self.text(name, usual).parse().expect(name)
    }

    /// `--pid`, where it is there.
    pub fn pid(&mut self) -> Option<u32> {
        let pid = self.text("--pid", "");
        (!pid.is_empty()).then(|| pid.parse().expect("--pid"))
    }

    /// What nobody asked for is a slip.
    pub fn end(self) {
        assert!(self.0.is_empty(), "unknown: {:?}", self.0.keys());
    }
}

/// The services that discovery lists, asked with this request.
pub async fn services(address: &str, ask: &[u8]) -> Vec<Value> {
    let (status, body) = send(address, &Pool::default(), ask)
        .await
        .expect("no server");
    assert_eq!(status, 200, "discovery: {}", String::from_utf8_lossy(&body));
    let discovery: Value = serde_json::from_slice(&body).unwrap();
    discovery["services"].as_array().unwrap().clone()
}

/// What the templates of a service ask for: so many Observations under the first key of theirs, a Condition, the
/// Patient.
pub fn prefetch(service: &Value, resources: usize) -> Map<String, Value> {
    let mut left = resources;
    let templates = service["prefetch"].as_object().into_iter().flatten();
    templates
        .map(|(key, query)| {
            let entries = match query.as_str().unwrap().split(['?', '/']).next() {
                Some("Patient") => {
                    let patient =
                        json!({"resourceType": "Patient", "id": "1", "birthDate": "1960-01-02"});
                    return (key.clone(), patient);
                }
                _ if key.ends_with("-sample") => vec![],
                Some("Observation") => (0..std::mem::take(&mut left)).map(observation).collect(),
                Some("Condition") => vec![condition()],
                _ => vec![],
            };
            let found = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
            (key.clone(), found)
        })
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

fn condition() -> Value {
    json!({"resource": {
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/1"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
    }})
}

/// Connections that are open and not in use.
pub type Pool = Arc<Mutex<Vec<TcpStream>>>;

/// A request on a connection of the pool, or on a new one; status and body, or what went wrong.
pub async fn send(address: &str, pool: &Pool, request: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let sent = timeout(PATIENCE, sent(address, pool, request)).await;
    sent.unwrap_or_else(|_| Err("no answer in 30 s".to_owned()))
}

async fn sent(address: &str, pool: &Pool, request: &[u8]) -> Result<(u16, Vec<u8>), String> {
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

/// Takes what became of requests: of which kind, the status or what went wrong, how long it took.
pub type Told = mpsc::UnboundedSender<(&'static str, Result<u16, String>, Duration)>;

/// How long requests took, by kind and by what became of them.
type Took = BTreeMap<(&'static str, String), Vec<Duration>>;

/// Collects what is told, until nobody is left who could tell.
pub fn collect() -> (Told, JoinHandle<Took>) {
    let (told, mut answers): (Told, _) = mpsc::unbounded_channel();
    let collecting = tokio::spawn(async move {
        let mut took = Took::new();
        while let Some((who, what, time)) = answers.recv().await {
            let what = what.map_or_else(|e| e, |status| status.to_string());
            took.entry((who, what)).or_default().push(time);
        }
        took
    });
    (told, collecting)
}

/// Calls `each` with the number of a request when it is due, and says how often this tool itself was late.
pub async fn at_rate(rate: f64, seconds: u64, mut each: impl FnMut(u64, Instant)) {
    let (start, mut late) = (Instant::now(), 0_u64);
    for n in 0..(rate * seconds as f64) as u64 {
        let due = start + Duration::from_secs_f64(n as f64 / rate);
        sleep_until(due).await;
        late += u64::from(due.elapsed() > Duration::from_millis(10));
        each(n, due);
    }
    sleep(Duration::from_secs(2)).await;
    println!("sent more than 10 ms late by this tool: {late}");
}

/// Prints the times.
pub fn print(took: Took) {
    for ((who, what), mut times) in took {
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

/// Kilobytes in memory now, and at most so far.
pub fn memory(pid: Option<u32>) -> String {
    let text = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let text = text.unwrap_or_default();
    let lines = text
        .lines()
        .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"));
    let lines = lines.map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join(", ")
}
