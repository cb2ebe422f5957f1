//! Once over a real socket, from listening to the end.

use std::net::SocketAddr;
use std::time::Duration;

use cds_hooks::{Config, serve_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::fixture::{config, request, services};

async fn exchange(at: SocketAddr, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let length = body.len();
    let head =
        format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
        .write_all(b"content-type: application/json\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(body).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn listens_answers_and_ends() {
    let (listening, listens) = oneshot::channel();
    let (end, ended) = oneshot::channel::<()>();
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        ..config()
    };
    let on_listening = |at| listening.send(at).unwrap();
    let until = async { ended.await.unwrap() };
    let serving = tokio::spawn(serve_until(config, services(), on_listening, until));
    let at = listens.await.unwrap();
    assert_ne!(at.port(), 0);

    let discovery = exchange(at, "GET /cds-services", b"").await;
    assert!(discovery.starts_with("HTTP/1.1 200 OK\r\n"), "{discovery}");
    let body = serde_json::to_vec(&request()).unwrap();
    let calls = (0..8).map(|_| exchange(at, "POST /cds-services/a1c", &body));
    let mut answers = vec![];
    for call in calls {
        let text = call.await;
        answers.push(text.split_once("\r\n\r\n").unwrap().1.to_owned());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].contains("A1c is overdue."));
    // A client that goes away in the middle of its body does no harm.
    let mut gone = TcpStream::connect(at).await.unwrap();
    gone.write_all(b"POST /cds-services/a1c HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{")
        .await
        .unwrap();
    drop(gone);
    assert!(
        exchange(at, "GET /health", b"")
            .await
            .ends_with(r#"{"status":"ok"}"#)
    );

    end.send(()).unwrap();
    let served = tokio::time::timeout(Duration::from_secs(5), serving).await;
    served.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(at).await.is_err());
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config {
        listen: taken.local_addr().unwrap(),
        ..config()
    };
    let served = serve_until(config, services(), |_| {}, std::future::pending()).await;
    assert_eq!(served.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}
