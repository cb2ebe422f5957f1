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

#[path = "measuring/mod.rs"]
mod measuring;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use measuring::{Given, Pool, Told, at_rate, collect, memory, prefetch, print, send, services};

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
    let mut given = Given::read();
    let options = Options {
        address: given.text("--address", "127.0.0.1:8080"),
        service: given.text("--service", "hba1c-control"),
        rate: given.number("--rate", "500"),
        seconds: given.number("--seconds", "60"),
        resources: given.number("--resources", "50"),
        idle: given.number("--idle", "200"),
        slow: given.number("--slow", "100"),
        large: given.number("--large", "2"),
        large_bytes: given.number("--large-bytes", "9600000"),
        pid: given.pid(),
    };
    given.end();
    options
}

/// The service, as discovery lists it.
async fn service(options: &Options) -> Value {
    let ask = b"GET /cds-services HTTP/1.1\r\nhost: load\r\n\r\n";
    let mut all = services(&options.address, ask).await.into_iter();
    let found = all.find(|s| s["id"] == options.service.as_str());
    found.expect("no such --service")
}

/// A whole request with so many Observations.
fn request(service: &Value, resources: usize) -> Vec<u8> {
    let body = json!({
        "hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "1"},
        "prefetch": prefetch(service, resources),
    });
    let body = body.to_string();
    let (id, length) = (service["id"].as_str().unwrap(), body.len());
    let head = format!(
        "POST /cds-services/{id} HTTP/1.1\r\nhost: load\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    (head + &body).into_bytes()
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
        let done = send(&address, &Pool::default(), &request).await;
        let status = done.map(|(status, _)| status);
        if told.send(("large", status, start.elapsed())).is_err() {
            return;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::main]
async fn main() {
    let options = options();
    let service = service(&options).await;
    let small = Arc::new(request(&service, options.resources));
    let length = |n| request(&service, n).len();
    let each = (length(1010) - length(10)) / 1000;
    let heavy = Arc::new(request(&service, options.large_bytes / each.max(1)));
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
    let (told, collecting) = collect();
    let mut standing = tokio::task::JoinSet::new();
    for _ in 0..options.idle {
        standing.spawn(idle(options.address.clone()));
    }
    for n in 0..options.slow {
        let (address, request) = (options.address.clone(), Arc::clone(&small));
        standing.spawn(slow(address, request, n % 2 == 0));
    }
    for _ in 0..options.large {
        let (address, request) = (options.address.clone(), Arc::clone(&heavy));
        standing.spawn(large(address, request, told.clone()));
    }
    let pool = Pool::default();
    at_rate(options.rate, options.seconds, |_, due| {
        let (address, pool) = (options.address.clone(), Arc::clone(&pool));
        let (request, told) = (Arc::clone(&small), told.clone());
        tokio::spawn(async move {
            let done = send(&address, &pool, &request).await;
            let _ = told.send(("call", done.map(|(status, _)| status), due.elapsed()));
        });
    })
    .await;
    standing.shutdown().await;
    drop(told);
    // All that hold the other end are gone when the last call is answered or given up.
    let took = collecting.await.unwrap();
    println!("memory at end: {}", memory(options.pid));
    print(took);
}
