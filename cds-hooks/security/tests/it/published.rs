//! Key sets over real HTTPS, fetched by the guarded client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cds_security::testing::key_set;
use cds_security::{Authenticator, Client, MemoryReplay, Policy, Presented, Reason};
use outbound::{Allowed, Limits, System};
use rcgen::generate_simple_self_signed;
use rustls::ServerConfig;
use rustls::crypto::ring;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::fixture::{EC, ISS, NOW, ehr, payload, security, with};

/// A client's web server.
struct Publisher {
    at: SocketAddr,
    pem: String,
    asked: Arc<AtomicUsize>,
}

impl Publisher {
    async fn start() -> Self {
        let made = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![made.cert.der().clone()],
                made.signing_key.serialize_der().try_into().unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut head = vec![];
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                    let head = String::from_utf8(head).unwrap();
                    let path = head.split(' ').nth(1).unwrap().to_owned();
                    if path == "/hangs" {
                        return std::future::pending().await;
                    }
                    let _ = stream.write_all(&answer(&path, at)).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Publisher {
            at,
            pem: made.cert.pem(),
            asked,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.at)
    }

    /// A client that may call it, and nobody else.
    fn client(&self, networks: &[&str]) -> Result<outbound::Client, Vec<String>> {
        let allowed = Allowed {
            networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
            authorities: Some(self.pem.clone()),
            ..Allowed::new(format!("https://{}", self.at))
        };
        outbound::Client::new(&[allowed], Limits::default(), Arc::new(System::default()))
    }
}

fn answer(path: &str, at: SocketAddr) -> Vec<u8> {
    let keys = key_set(&[&EC]).to_string();
    let (status, more, body) = match path {
        "/jwks.json" => ("200 OK", String::new(), keys),
        "/as-jwk-set" => (
            "200 OK",
            "content-type: application/jwk-set+json\r\n".into(),
            keys,
        ),
        "/elsewhere" => (
            "302 Found",
            "location: https://evil.example/jwks.json\r\n".into(),
            String::new(),
        ),
        "/metadata" => (
            "302 Found",
            "location: http://169.254.169.254/latest/meta-data/\r\n".into(),
            String::new(),
        ),
        "/here" => (
            "302 Found",
            format!("location: https://{at}/jwks.json\r\n"),
            String::new(),
        ),
        "/huge" => (
            "200 OK",
            String::new(),
            json!({ "keys": [EC.jwk()], "x": "x".repeat(400_000) }).to_string(),
        ),
        "/html" => (
            "200 OK",
            "content-type: text/html\r\n".into(),
            "<html>".into(),
        ),
        _ => ("404 Not Found", String::new(), String::new()),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n{body}"
    )
    .into_bytes()
}

/// What becomes of a good token whose key set is at this path.
async fn call(publisher: &Publisher, client: &outbound::Client, path: &str) -> Result<(), String> {
    let mut security = security(vec![Client {
        keys: None,
        jku: vec![publisher.url(path)],
        ..ehr()
    }]);
    security.policy = Policy {
        // Longer than anything takes but what never ends.
        keys_timeout_ms: if path == "/hangs" { 100 } else { 60_000 },
        ..Policy::default()
    };
    let replay = Arc::new(MemoryReplay::new(10));
    let made = Authenticator::new(&security, Arc::new(client.clone()), replay, None);
    let header = with(EC.header(), json!({ "jku": publisher.url(path) }));
    let token = format!("Bearer {}", EC.sign(&header, &payload()));
    let presented = Presented {
        authorization: &[token.as_bytes()],
        certificate: None,
    };
    let endpoint = cds_security::Endpoint::call("a1c");
    let made = made.unwrap();
    let called = made.authenticate(&presented, &endpoint, NOW).await;
    called.map(|_| ()).map_err(|denied| {
        assert_eq!(denied.reason, Reason::Key);
        assert_eq!(denied.claimed.iss.as_deref(), Some(ISS));
        denied.text
    })
}

/// Checklist 80 and 81: over TLS that is verified, from there and from nowhere else.
#[tokio::test]
async fn item_81_key_sets_over_https_and_no_redirect_is_followed() {
    let publisher = Publisher::start().await;
    let client = publisher.client(&["127.0.0.0/8"]).unwrap();
    for path in ["/jwks.json", "/as-jwk-set"] {
        assert_eq!(call(&publisher, &client, path).await, Ok(()), "{path}");
    }
    let before = publisher.asked.load(Ordering::Relaxed);
    for path in [
        "/elsewhere",
        "/metadata",
        "/here",
        "/huge",
        "/html",
        "/missing",
        "/hangs",
    ] {
        let why = call(&publisher, &client, path).await.unwrap_err();
        assert!(
            why.starts_with("the key set cannot be had: "),
            "{path}: {why}"
        );
    }
    // Each was asked once, and nobody else was.
    assert_eq!(publisher.asked.load(Ordering::Relaxed) - before, 7);
}

/// Checklist 81: an address on this machine is called only where its range is configured; a server that
/// nobody vouches for is not believed.
#[tokio::test]
async fn item_81_key_sets_on_loopback_or_without_a_known_authority_are_not_fetched() {
    let publisher = Publisher::start().await;
    let refused = publisher.client(&[]).err().unwrap();
    assert!(refused[0].contains("127.0.0.1"), "{refused:?}");
    let stranger = Publisher::start().await;
    let mut allowed = Allowed::new(format!("https://{}", publisher.at));
    allowed.networks = vec!["127.0.0.0/8".parse().unwrap()];
    allowed.authorities = Some(stranger.pem.clone());
    let client = outbound::Client::new(&[allowed], Limits::default(), Arc::new(System::default()));
    let why = call(&publisher, &client.unwrap(), "/jwks.json").await;
    assert!(why.is_err());
    assert_eq!(publisher.asked.load(Ordering::Relaxed), 0);
}
