//! Many clients, slow ones, and such as ask and do not listen: nobody keeps others out.

use std::time::{Duration, Instant};

use cds_hooks::Log;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::fixture::{bundle, condition, config, request};
use crate::server::{LONG, Server, limited, post, rest};

const HALF: &[u8] = b"POST /cds-services/a1c HTTP/1.1\r\nhost: x\r\ncontent-";

fn body() -> Vec<u8> {
    serde_json::to_vec(&request()).unwrap()
}

/// A call of about so many bytes.
fn large(bytes: usize) -> Vec<u8> {
    let mut request = request();
    let one = condition("c1", "p1").to_string().len() + 20;
    let conditions: Vec<Value> = (0..bytes / one)
        .map(|n| condition(&format!("c{n}"), "p1"))
        .collect();
    request["prefetch"]["condition"] = bundle(&conditions);
    serde_json::to_vec(&request).unwrap()
}

fn health_of(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn idle_and_half_sent_requests_keep_nobody_out() {
    let server = Server::start(limited(|l| l.max_connections = 20)).await;
    let mut held: Vec<TcpStream> = vec![];
    for n in 0..100 {
        let mut stream = server.connect().await;
        // Some say nothing, some a half, some have been answered before, some stop within the body.
        let bytes = match n % 4 {
            0 => b"".to_vec(),
            1 => HALF.to_vec(),
            2 => b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            _ => post("a1c", &body())[..300].to_vec(),
        };
        stream.write_all(&bytes).await.unwrap();
        held.push(stream);
    }
    // Those that stop within a body may be on their way: for a second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..50 {
        assert!(server.call(&body()).await.contains("A1c is overdue."));
    }
    let health = health_of(&server.health().await);
    let told = |name: &str| health["connections"][name].as_u64().unwrap();
    assert!(
        told("closed_for_others") + told("refused") >= 80,
        "{health}"
    );
    // Only those who came while all others were within a body.
    assert!(told("refused") <= 25, "{health}");
    drop(held);
    server.end_within(LONG).await;
}

#[tokio::test]
async fn where_all_are_at_work_one_more_is_told_to_come_again() {
    let server = Server::start(limited(|l| l.max_connections = 2)).await;
    let mut held = vec![];
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream
            .write_all(&post("a1c", &body())[..300])
            .await
            .unwrap();
        // Until it is known that a body is on its way.
        tokio::time::sleep(Duration::from_millis(100)).await;
        held.push(stream);
    }
    let answer = server.call(&body()).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\r\nretry-after: 2\r\n"), "{answer}");
    // Those who were first are answered.
    for stream in &mut held {
        stream
            .write_all(&post("a1c", &body())[300..])
            .await
            .unwrap();
        assert!(rest(stream).await.contains("A1c is overdue."));
    }
    server.end_within(LONG).await;
}

#[tokio::test]
async fn what_does_not_come_on_is_cut_off() {
    let short = Duration::from_millis(300);
    let server = Server::start(limited(|l| {
        (l.header_timeout, l.body_timeout, l.idle_timeout) = (short, short, 2 * short);
    }))
    .await;
    // A byte at a time does not help.
    let mut trickle = server.connect().await;
    let start = Instant::now();
    let mut sent = 0;
    for byte in HALF.iter().cycle() {
        if trickle.write_all(&[*byte]).await.is_err() {
            break;
        }
        sent += 1;
        assert!(
            start.elapsed() < LONG,
            "it is still open after {sent} bytes"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    // A body is told why.
    let answer = server.raw(&post("a1c", &body())[..300]).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // Between two requests there is more time, and then an end.
    let mut idle = server.connect().await;
    for _ in 0..2 {
        idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut piece = [0; 1000];
        assert!(idle.read(&mut piece).await.unwrap() > 0);
    }
    assert_eq!(rest(&mut idle).await, "");
    server.end_within(LONG).await;
}

/// Who asks and asks and never reads an answer.
#[tokio::test]
async fn who_does_not_read_the_answers_is_cut_off() {
    let server = Server::start(limited(|l| l.body_timeout = Duration::from_millis(500))).await;
    let mut deaf = server.connect().await;
    let ask = b"GET /cds-services HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    let start = Instant::now();
    // The server stops reading when it can write no more; then it gives up.
    while tokio::time::timeout(LONG, deaf.write_all(&ask))
        .await
        .unwrap()
        .is_ok()
    {
        assert!(start.elapsed() < LONG);
    }
    assert!(server.call(&body()).await.contains("A1c is overdue."));
    drop(deaf);
    server.end_within(LONG).await;
}

/// Bodies of 300 kB where there is room for two, and one evaluated at a time.
#[tokio::test]
async fn large_bodies_take_turns() {
    let server = Server::start({
        let mut config = limited(|l| {
            (l.max_in_flight, l.max_evaluations) = (700_000, 1);
            l.max_wait = LONG;
        });
        config.max_body = 400_000;
        config
    })
    .await;
    let large = large(300_000);
    assert!(large.len() > 250_000);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (at, request) = (server.at, post("a1c", &large));
        calls.spawn(async move {
            let mut stream = TcpStream::connect(at).await.unwrap();
            stream.write_all(&request).await.unwrap();
            rest(&mut stream).await
        });
    }
    assert!(server.call(&body()).await.contains("A1c is overdue."));
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|a| a.contains("A1c is overdue.")));
    server.end_within(LONG).await;
}

/// Who announces much and sends little has to go when others wait, and those others are not told to
/// come again for ever.
#[tokio::test]
async fn slow_large_bodies_do_not_keep_the_room() {
    let server = Server::start({
        let mut config = limited(|l| {
            l.max_in_flight = 1_000_000;
            (l.body_timeout, l.max_wait) = (LONG, LONG);
        });
        config.max_body = 1_000_000;
        config
    })
    .await;
    let slow = post("a1c", &large(950_000));
    let mut held = vec![];
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(&slow[..1000]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        held.push(stream);
    }
    let start = Instant::now();
    let answer = server.call(&large(900_000)).await;
    assert!(answer.contains("A1c is overdue."), "{answer}");
    assert!(start.elapsed() < LONG / 2);
    server.end_within(LONG).await;
}

#[tokio::test]
async fn who_finds_no_room_is_told_to_come_again() {
    let server = Server::start({
        let mut config = limited(|l| {
            l.max_in_flight = 1_000_000;
            (l.body_timeout, l.max_wait) = (LONG, Duration::from_millis(200));
        });
        config.max_body = 1_000_000;
        config
    })
    .await;
    let mut first = server.connect().await;
    let whole = post("a1c", &large(900_000));
    first.write_all(&whole[..1000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = server.call(&large(900_000)).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 2\r\n") && answer.contains("try again in 2 seconds"));
    // Small ones need no room.
    assert!(server.call(&body()).await.contains("A1c is overdue."));
    first.write_all(&whole[1000..]).await.unwrap();
    assert!(rest(&mut first).await.contains("A1c is overdue."));
    server.end_within(LONG).await;
}

/// The signal to end: half requests are not waited for as long as calls under way.
#[tokio::test]
async fn the_end_does_not_wait_for_the_idle() {
    let server = Server::start(config()).await;
    let mut half = server.connect().await;
    half.write_all(HALF).await.unwrap();
    let idle = server.connect().await;
    let mut coming = server.connect().await;
    let whole = post("a1c", &body());
    coming.write_all(&whole[..300]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let rest = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        coming.write_all(&whole[300..]).await.unwrap();
        rest(&mut coming).await
    });
    let start = Instant::now();
    server.end_within(LONG).await;
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert!(rest.await.unwrap().contains("A1c is overdue."));
    drop((half, idle));
}

/// A pipe takes 64 KiB: some 500 calls.
#[tokio::test]
async fn a_log_that_nobody_reads_delays_nobody() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut config = config();
    let log = Log::to(writer);
    config.log = Some(log.clone());
    let server = Server::start(config).await;
    let mut stream = server.connect().await;
    let one = b"POST /cds-services/a1c HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let answered = async {
        for n in 0..2000 {
            if n == 1000 {
                // As after a day of calls.
                (0..1100).for_each(|_| log.line(&"x".repeat(999)));
            }
            stream.write_all(one).await.unwrap();
            let mut answer = [0; 1000];
            let n = stream.read(&mut answer).await.unwrap();
            assert!(answer[..n].starts_with(b"HTTP/1.1 400"));
        }
    };
    tokio::time::timeout(LONG, answered).await.unwrap();
    let health = health_of(&server.health().await);
    assert!(health["log"]["dropped"].as_u64() > Some(1000), "{health}");
    assert_eq!(health["log"]["write_errors"], 0);
    server.end_within(LONG).await;
    drop(reader);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_told_by_health() {
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    let mut logs = vec![Log::to(gone)];
    #[cfg(target_os = "linux")]
    logs.push(Log::to(
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap(),
    ));
    for log in logs {
        let mut config = config();
        config.log = Some(log.clone());
        let server = Server::start(config).await;
        for _ in 0..20 {
            assert!(server.call(&body()).await.contains("A1c is overdue."));
        }
        assert!(log.flush(LONG));
        let health = health_of(&server.health().await);
        let lost = json!({"dropped": 20, "write_errors": 20});
        assert_eq!((&health["status"], &health["log"]), (&json!("ok"), &lost));
        server.end_within(LONG).await;
    }
}
