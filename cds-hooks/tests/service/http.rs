//! HTTP/1.1 as bytes: what is valid is answered, what could be read in two ways is refused.

use cds_hooks::Config;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{config, request};
use crate::server::{LONG, Server, post, rest};

fn body() -> Vec<u8> {
    serde_json::to_vec(&request()).unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// RFC 9112 §3.2.
#[tokio::test]
async fn one_valid_host_is_needed() {
    let server = Server::start(config()).await;
    let ask = |version: &str, hosts: &str| {
        format!("GET /health HTTP/{version}\r\n{hosts}connection: close\r\n\r\n").into_bytes()
    };
    for (version, hosts, expected) in [
        ("1.1", "", "400"),
        ("1.1", "host: a\r\nHost: a\r\n", "400"),
        ("1.1", "host: a\r\nHost: b\r\n", "400"),
        ("1.1", "host: \r\n", "400"),
        ("1.1", "host: a/b\r\n", "400"),
        ("1.1", "host: u@a\r\n", "400"),
        ("1.1", "host: a:b\r\n", "400"),
        ("1.1", "host : a\r\n", "400"),
        ("1.1", "host: a,b\r\n", "400"),
        ("1.1", "host: a:65536\r\n", "400"),
        ("1.1", "host: a:65535\r\n", "200"),
        ("1.1", "host: ehr.example.org:8080\r\n", "200"),
        ("1.1", "host: [::1]:8080\r\n", "200"),
        ("1.0", "", "200"),
        ("1.0", "host: a\r\n", "200"),
        ("1.0", "host: a\r\nhost: b\r\n", "400"),
        ("1.0", "host: a b\r\n", "400"),
    ] {
        let answer = server.raw(&ask(version, hosts)).await;
        assert_eq!(status(&answer), expected, "{version} {hosts:?}: {answer}");
    }
    server.end_within(LONG).await;
}

#[tokio::test]
async fn http_1_0_and_a_client_that_closes_its_side() {
    let server = Server::start(config()).await;
    let body = body();
    let head = format!(
        "POST /cds-services/a1c HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = server.raw(&[head.as_bytes(), &body].concat()).await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(answer.contains("A1c is overdue."));

    let mut stream = server.connect().await;
    stream.write_all(&post("a1c", &body)).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(rest(&mut stream).await.contains("A1c is overdue."));
    server.end_within(LONG).await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_a_row() {
    let server = Server::start(config()).await;
    let last = post("a1c", &body());
    let first = String::from_utf8(last.clone()).unwrap();
    let first = first.replace("connection: close\r\n", "").into_bytes();
    let health = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
    let all = [&first[..], &health, &first, &last].concat();
    let answer = server.raw(&all).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 4, "{answer}");
    assert_eq!(answer.matches("A1c is overdue.").count(), 3);
    server.end_within(LONG).await;
}

#[tokio::test]
async fn expect_100_continue() {
    let server = Server::start(config()).await;
    let body = body();
    let request = String::from_utf8(post("a1c", &body)).unwrap();
    let request = request.replace(
        "connection: close",
        "connection: close\r\nexpect: 100-continue",
    );
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let mut stream = server.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body).await.unwrap();
    assert!(rest(&mut stream).await.contains("A1c is overdue."));
    // Refused without the body being asked for.
    let large = head.replace(
        &format!("content-length: {}", body.len()),
        "content-length: 99999999",
    );
    let answer = server.raw(format!("{large}\r\n\r\n").as_bytes()).await;
    assert_eq!(status(&answer), "413", "{answer}");
    server.end_within(LONG).await;
}

fn chunked(chunks: &str) -> Vec<u8> {
    let head = "POST /cds-services/a1c HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    format!("{head}{chunks}").into_bytes()
}

#[tokio::test]
async fn chunks() {
    let server = Server::start(config()).await;
    let text = request().to_string();
    let (a, b) = text.split_at(100);
    let whole = format!("64\r\n{a}\r\n{:x};x=y\r\n{b}\r\n0\r\n\r\n", b.len());
    // After chunks the connection ends, whatever else the client has put after them.
    let hidden = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = server.raw(&chunked(&format!("{whole}{hidden}"))).await;
    assert!(answer.contains("A1c is overdue."), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    for broken in [
        "zz\r\nabc\r\n0\r\n\r\n",
        "5\r\nabc\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "fffffffffffffffff\r\na",
    ] {
        let answer = server.raw(&chunked(broken)).await;
        assert!(
            matches!(status(&answer), "400" | "none"),
            "{broken}: {answer}"
        );
    }
    assert!(server.health().await.ends_with(r#"{"status":"ok"}"#));
    server.end_within(LONG).await;
}

/// RFC 9112 §6.3: what could hide a request from a proxy before us.
#[tokio::test]
async fn two_ways_to_tell_the_length_are_refused() {
    let server = Server::start(config()).await;
    let text = request().to_string();
    let ask = |headers: &str, body: &str| {
        let head =
            "POST /cds-services/a1c HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
        format!("{head}{headers}\r\n\r\n{body}").into_bytes()
    };
    let whole = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let length = format!("content-length: {}", text.len());
    for headers in [
        format!("{length}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\n{length}"),
        "Transfer-Encoding: chunked\r\nCONTENT-LENGTH: 5".to_owned(),
    ] {
        let answer = server.raw(&ask(&headers, &whole)).await;
        assert_eq!(status(&answer), "400", "{headers}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
    for headers in [
        format!("{length}\r\ncontent-length: 5"),
        format!("content-length: +{}", text.len()),
        format!("content-length: {}, {}", text.len(), text.len()),
        "content-length: -1".to_owned(),
        "transfer-encoding: chunked, identity".to_owned(),
        "transfer-encoding: xchunked".to_owned(),
        "transfer-encoding: chunked, chunked".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: Chunked".to_owned(),
    ] {
        let answer = server.raw(&ask(&headers, &text)).await;
        assert_eq!(status(&answer), "400", "{headers}: {answer}");
    }
    // On a connection that had a length before it is not taken for one.
    let mut stream = server.connect().await;
    let first = ask(&length, &text);
    stream.write_all(&first).await.unwrap();
    let mut piece = [0; 4096];
    assert!(stream.read(&mut piece).await.unwrap() > 0);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    stream
        .write_all(&ask("transfer-encoding: chunked", &whole))
        .await
        .unwrap();
    let answer = rest(&mut stream).await;
    assert_eq!(status(&answer), "200", "{answer}");
    server.end_within(LONG).await;
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = Server::start(config()).await;
    let long = format!(
        "GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(1 << 20)
    );
    let answer = server.raw(long.as_bytes()).await;
    assert_eq!(status(&answer), "431", "{answer}");
    let many = format!(
        "GET /health HTTP/1.1\r\nhost: x\r\n{}\r\n",
        "x: y\r\n".repeat(1000)
    );
    assert_eq!(status(&server.raw(many.as_bytes()).await), "431");
    let garbage = server
        .raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n")
        .await;
    assert_eq!(status(&garbage), "400");
    server.end_within(LONG).await;
}

/// Sends a request and reads one answer, by its `Content-Length`: the head, and the body.
async fn one_answer(stream: &mut tokio::net::TcpStream, request: &[u8]) -> (String, String) {
    stream.write_all(request).await.unwrap();
    let (mut all, mut byte) = (vec![], [0]);
    while !all.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
        all.push(byte[0]);
    }
    let head = String::from_utf8(all).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.map_or(0, |l| l.split("\r\n").next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// A client with a pool of connections must know which of them it can use again.
#[tokio::test]
async fn an_answer_says_whether_the_connection_ends() {
    let server = Server::start(Config {
        max_body: 200_000,
        ..config()
    })
    .await;
    let ask = |start: &str, media: &str, body: usize| {
        format!(
            "{start} HTTP/1.1\r\nhost: x\r\ncontent-type: {media}\r\ncontent-length: {body}\r\n\r\n{}",
            "x".repeat(body)
        )
    };
    let (json, call) = ("application/json", "POST /cds-services/a1c");
    for (request, expected) in [
        (ask(call, "text/plain", 1000), 415),
        (ask(call, json, 300_000), 413),
        (ask("POST /cds-services/none", json, 1000), 404),
        (ask("POST /none", json, 100_000), 404),
        (ask("PUT /cds-services/a1c", json, 1000), 405),
        (ask("POST /cds-services", json, 1000), 405),
    ] {
        let mut stream = server.connect().await;
        // The head alone: the rest comes when the answer is on its way.
        let (head, body) = request.split_at(request.find("\r\n\r\n").unwrap() + 4);
        let (answer, _) = one_answer(&mut stream, head.as_bytes()).await;
        assert_eq!(status(&answer), expected.to_string(), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        let _ = stream.write_all(body.as_bytes()).await;
        assert_eq!(rest(&mut stream).await, "", "{expected}");
    }
    // Where nothing is left of the body the connection goes on.
    let mut stream = server.connect().await;
    for (request, expected) in [
        (ask(call, json, 10), 400),
        (ask("GET /cds-services/none", json, 0), 404),
        (ask("GET /cds-services/a1c", json, 0), 405),
        (ask(call, "text/plain", 0), 415),
        (ask("GET /health", json, 0), 200),
    ] {
        let (answer, _) = one_answer(&mut stream, request.as_bytes()).await;
        assert_eq!(status(&answer), expected.to_string(), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
    drop(stream);
    server.end_within(LONG).await;
}

/// What hyper refuses on its own is said in words, too.
#[tokio::test]
async fn what_is_no_http_is_told_so() {
    let server = Server::start(config()).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(70_000));
    let many = format!(
        "GET / HTTP/1.1\r\nhost: x\r\n{}\r\n",
        "x: y\r\n".repeat(1000)
    );
    for (request, expected, text) in [
        ("\x16\x03\x01 TLS\r\n\r\n", "400", "not valid HTTP/1.1"),
        (
            "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
            "400",
            "not valid HTTP/1.1",
        ),
        (&*many, "431", "the head of the request is too large"),
        (&*long, "414", "the address of the request is too long"),
    ] {
        let mut stream = server.connect().await;
        let (head, body) = one_answer(&mut stream, request.as_bytes()).await;
        assert_eq!(status(&head), expected, "{head}");
        assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
        assert!(body.contains(text), "{body}");
        // Checklist item 49, also where there is no request yet.
        crate::fixture::said(axum::http::StatusCode::BAD_REQUEST, &body);
        assert_eq!(rest(&mut stream).await, "");
    }
    // Also after an answer on the same connection.
    let mut stream = server.connect().await;
    let health = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let (head, _) = one_answer(&mut stream, health).await;
    assert_eq!(status(&head), "200");
    let (head, body) = one_answer(&mut stream, b"no HTTP\r\n\r\n").await;
    assert_eq!(status(&head), "400");
    assert!(body.contains("not valid HTTP/1.1"), "{body}");
    drop(stream);
    server.end_within(LONG).await;
}

/// What is refused before its body was read is answered all the same, though the client goes on sending.
#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = Server::start(config()).await;
    let large = Value::from("x".repeat(12_000_000)).to_string();
    for service in ["a1c", "none"] {
        let answer = server.raw(&post(service, large.as_bytes())).await;
        let expected = if service == "a1c" { "413" } else { "404" };
        assert_eq!(status(&answer), expected, "{answer}");
    }
    server.end_within(LONG).await;
}

/// RFC 9112 §6.1, §6.3.
#[tokio::test]
async fn a_length_belongs_to_one_request() {
    let server = Server::start(config()).await;
    let text = request().to_string();
    let first = String::from_utf8(post("a1c", text.as_bytes())).unwrap();
    let first = first.replace("connection: close\r\n", "");
    let chunks = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let second = String::from_utf8(chunked(&chunks)).unwrap();
    // In one piece.
    let answer = server.raw(format!("{first}{second}").as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
    let both = second.replace(
        "transfer-encoding",
        "content-length: 5\r\ntransfer-encoding",
    );
    let answer = server.raw(format!("{first}{both}").as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    // At the start of a chunk.
    let rest = format!(r#"content-length: 5",{}"#, &text[1..]);
    let chunks = format!("6\r\n{{\"x\":\"\r\n{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len());
    let answer = server.raw(&self::chunked(&chunks)).await;
    assert_eq!(status(&answer), "200", "{answer}");
    let gzip = second.replace("chunked", "gzip, chunked");
    assert_eq!(status(&server.raw(gzip.as_bytes()).await), "501");
    server.end_within(LONG).await;
}
