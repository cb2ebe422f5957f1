//! A port that speaks TLS: what becomes of connections around the handshake. The TLS here is a byte that
//! says what kind of client it is; `cds-server` has the real one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use cds_hooks::{ClientCertificate, Config, Secured, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{config, request};
use crate::server::{LONG, Server, limited, post, rest};

/// After the first byte of a handshake: `o` goes well, `c` does with a certificate, `f` fails, `h` hangs.
struct Byte;

impl Tls for Byte {
    fn accept(
        &self,
        mut stream: TcpStream,
    ) -> Pin<Box<dyn Future<Output = io::Result<Secured>> + Send>> {
        Box::pin(async move {
            let mut hello = [0; 2];
            stream.read_exact(&mut hello).await?;
            match hello[1] {
                b'h' => std::future::pending().await,
                b'f' => Err(io::ErrorKind::InvalidData.into()),
                kind => Ok(Secured {
                    stream: Box::new(stream),
                    client_certificate: (kind == b'c')
                        .then(|| ClientCertificate(Arc::from(b"DER".as_slice()))),
                }),
            }
        })
    }
}

fn over_tls(config: Config) -> Config {
    Config {
        tls: Some(Arc::new(Byte)),
        ..config
    }
}

fn hello(kind: u8, request: &[u8]) -> Vec<u8> {
    [&[0x16, kind], request].concat()
}

async fn health(server: &Server) -> String {
    let ask = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    server.raw(&hello(b'o', ask)).await
}

/// Checklist 74: the same service, with TLS before it.
#[tokio::test]
async fn item_74_calls_over_tls_are_those_of_plain_http() {
    let body = serde_json::to_vec(&request()).unwrap();
    let (plain, secure) = (
        Server::start(config()).await,
        Server::start(over_tls(config())).await,
    );
    let (one, two) = (
        plain.call(&body).await,
        secure.raw(&hello(b'o', &post("a1c", &body))).await,
    );
    let content = |answer: &str| {
        answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
    };
    assert!(one.starts_with("HTTP/1.1 200"), "{one}");
    assert_eq!(content(&one), content(&two));
    // What is no HTTP inside TLS gets its answer there, without a hint at TLS.
    let answer = secure.raw(&hello(b'o', b"no\x01\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(!answer.contains("http://"), "{answer}");
    secure.end_within(LONG).await;
    plain.end_within(LONG).await;
}

/// Checklist 74: nobody is served in clear by a port that speaks TLS; who tries is told.
#[tokio::test]
async fn item_74_plain_http_on_a_tls_port_is_told_and_not_served() {
    let server = Server::start(over_tls(config())).await;
    let body = serde_json::to_vec(&request()).unwrap();
    for request in [
        &post("a1c", &body)[..],
        b"GET /cds-services HTTP/1.1\r\nhost: x\r\n\r\n",
        b"x",
    ] {
        let answer = server.raw(request).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
        assert!(answer.contains("call it with https://"), "{answer}");
        assert!(
            !answer.contains("cards") && !answer.contains("services\":"),
            "{answer}"
        );
    }
    for garbage in [&b"\0\0\0\0"[..], b"\x80\x2e\x01", b"\xff"] {
        assert_eq!(server.raw(garbage).await, "");
    }
    assert_eq!(server.raw(&hello(b'f', b"")).await, "");
    let health = health(&server).await;
    assert!(health.contains("\"handshake_errors\":7"), "{health}");
    server.end_within(LONG).await;
}

/// A look whether the port is open is no error.
#[tokio::test]
async fn a_connection_without_a_byte_is_not_counted() {
    let server = Server::start(over_tls(config())).await;
    for _ in 0..3 {
        drop(server.connect().await);
    }
    let health = health(&server).await;
    assert!(!health.contains("handshake_errors\":1"), "{health}");
    server.end_within(LONG).await;
}

/// Handshakes have the time of a head, and count as connections.
#[tokio::test]
async fn handshakes_are_bounded_in_time_and_number() {
    let server = Server::start(over_tls(limited(|limits| {
        limits.header_timeout = Duration::from_millis(50);
    })))
    .await;
    for bytes in [&b""[..], b"\x16", &hello(b'h', b"")] {
        let mut stream = server.connect().await;
        stream.write_all(bytes).await.unwrap();
        // It is closed by the other side.
        assert_eq!(rest(&mut stream).await, "");
    }
    server.end_within(LONG).await;

    let server = Server::start(over_tls(limited(|limits| limits.max_connections = 1))).await;
    let mut hangs = server.connect().await;
    hangs.write_all(&hello(b'h', b"")).await.unwrap();
    // Another one comes in all the same: who hangs makes room.
    let health = health(&server).await;
    assert!(health.contains("\"closed_for_others\":1"), "{health}");
    assert_eq!(rest(&mut hangs).await, "");
    server.end_within(LONG).await;
}

/// Checklist 74: who is asked sees the certificate that the connection has, and of no other.
#[tokio::test]
async fn item_74_requests_carry_the_certificate_of_their_connection() {
    async fn shown(request: Request) -> String {
        let certificate = request.extensions().get::<ClientCertificate>();
        certificate.map_or("none".into(), |c| String::from_utf8(c.0.to_vec()).unwrap())
    }
    let server = Server::start(Config {
        routes: Some(Router::new().route("/shown", get(shown))),
        ..over_tls(config())
    })
    .await;
    let ask = b"GET /shown HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(server.raw(&hello(b'c', ask)).await.ends_with("DER"));
    assert!(server.raw(&hello(b'o', ask)).await.ends_with("none"));
    assert!(server.raw(&hello(b'c', ask)).await.ends_with("DER"));
    server.end_within(LONG).await;
}
