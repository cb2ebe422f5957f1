//! Callers that mean no good, against the whole server: over real sockets, real TLS, real tokens.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cds_security::testing::key_set;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{BASE, EVIL, ISS, KEY, call, ehr, get, http, number, post, token, token_with};
use crate::rules_of_test::{rule, write};
use crate::server::{LONG, Server, now};

const PATH: &str = "/cds-services/own-patient-view";

async fn server(folder: &Path, server: &str, more: &str) -> Server {
    write(
        &folder.join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\nallowed_origins = [\"https://app.example\"]\n{server}\n[rules]\npaths = [\"rules\"]\n{more}\n"
    );
    Server::start(folder, &settings, false).await
}

/// Listens where nobody should ever call.
async fn trap() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    (url, called)
}

/// Bytes on a connection of their own, and all that comes.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut all = vec![];
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await;
    // Closed with bytes of ours unread is an end, too.
    let _ = read.expect("it hangs");
    String::from_utf8_lossy(&all).into_owned()
}

fn request(headers: &str) -> Vec<u8> {
    let body = call();
    let length = body.len();
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// Checklist 75 and 82: headers as no EHR sends them.
#[tokio::test(flavor = "multi_thread")]
async fn item_82_headers_that_are_odd_get_401_and_no_word() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "", &ehr("")).await;
    let good = || token(PATH);
    for headers in [
        format!("Authorization: bearer {}\r\n", good()),
        format!("AUTHORIZATION:Bearer   {}  \r\n", good()),
    ] {
        let answer = raw(&server, &request(&headers)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let mut first = None;
    for headers in [
        String::new(),
        "Authorization:\r\n".into(),
        "Authorization: Bearer\r\n".into(),
        format!("Authorization: {}\r\n", good()),
        format!("Authorization: Basic {}\r\n", good()),
        format!("Authorization: Bearer {}, Bearer {}\r\n", good(), good()),
        format!(
            "Authorization: Bearer {}\r\nAuthorization: Bearer {}\r\n",
            good(),
            good()
        ),
        format!("Authorization: Bearer {} x\r\n", good()),
        format!("Authorization: Bearer \u{e4}{}\r\n", good()),
        format!("Authorization: Bearer {}\r\n", "a.".repeat(15_000)),
        format!("X-Authorization: Bearer {}\r\n", good()),
    ] {
        let answer = raw(&server, &request(&headers)).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 401"), "{headers}: {answer}");
        assert!(
            head.contains("www-authenticate: Bearer\r\n") || head.ends_with("Bearer"),
            "{head}"
        );
        // The same for all of them.
        assert_eq!(first.get_or_insert(body.to_owned()), body);
    }
    let huge = raw(
        &server,
        &request(&format!("x: {}\r\n", "x".repeat(300_000))),
    )
    .await;
    assert!(
        huge.is_empty() || huge.starts_with("HTTP/1.1 431"),
        "{huge}"
    );
    // A token in the address is none.
    let line = format!("{PATH}?access_token={}", good());
    let bytes = String::from_utf8(request("")).unwrap().replace(PATH, &line);
    let answer = raw(&server, bytes.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    server.end().await;
}

/// Checklist 84: a browser asks first, and without a token; what it is told of a refusal it may read.
#[tokio::test(flavor = "multi_thread")]
async fn item_84_preflight_needs_no_token_and_refusals_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "", &ehr("")).await;
    for path in ["/cds-services", PATH, &format!("{PATH}/feedback")] {
        let ask = |origin: &str| {
            format!(
                "OPTIONS {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: {origin}\r\naccess-control-request-method: POST\r\naccess-control-request-headers: authorization,content-type\r\n\r\n"
            )
        };
        let answer = raw(&server, ask("https://app.example").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        assert!(
            answer.contains("access-control-allow-origin: https://app.example\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("access-control-allow-headers: authorization, content-type\r\n"),
            "{answer}"
        );
        let answer = raw(&server, ask("https://evil.example").as_bytes()).await;
        assert!(!answer.contains("access-control-allow-origin"), "{answer}");
    }
    let answer = raw(&server, &request("origin: https://app.example\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(
        answer.contains("access-control-allow-origin: https://app.example\r\n"),
        "{answer}"
    );
    server.end().await;
}

/// Tokens that are wrong in one way each.
fn wrong_tokens(trap: &str) -> Vec<String> {
    let claims = |changes: Value| {
        let mut claims = json!({
            "iss": ISS, "aud": format!("{BASE}{PATH}"), "iat": now(), "exp": now() + 60,
            "jti": format!("h-{}-{}", std::process::id(), number()),
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name.as_str()] = value.clone();
        }
        claims
    };
    let headed = |changes: Value| {
        let mut header = EVIL.header();
        for (name, value) in changes.as_object().unwrap() {
            header[name.as_str()] = value.clone();
        }
        EVIL.sign(&header, &claims(json!({})))
    };
    let says = |changes: Value| KEY.sign(&KEY.header(), &claims(changes));
    vec![
        headed(json!({})),
        headed(json!({ "jku": trap })),
        headed(json!({ "jku": "http://169.254.169.254/latest/meta-data" })),
        headed(json!({ "jku": "https://evil.example/jwks.json" })),
        headed(json!({ "x5u": trap })),
        headed(json!({ "jwk": EVIL.jwk() })),
        headed(json!({ "alg": "none" })),
        headed(json!({ "alg": "HS384" })),
        headed(json!({ "kid": "../../etc/passwd" })),
        headed(json!({ "crit": ["exp"] })),
        says(json!({ "iss": "https://evil.example" })),
        says(json!({ "aud": "https://evil.example" })),
        says(json!({ "aud": 5 })),
        says(json!({ "exp": now() - 600, "iat": now() - 700 })),
        says(json!({ "exp": now() + 100_000 })),
        says(json!({ "iat": now() + 1000, "exp": now() + 1060 })),
        says(json!({ "exp": "soon" })),
        says(json!({ "jti": ["x"] })),
        format!("{}x", token(PATH)),
        "a.b.c".to_owned(),
    ]
}

/// Acceptance 4: ten thousand requests of attackers. No 5xx, no panic, no call of ours, nothing kept.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_hostile_requests() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "", &ehr("")).await;
    let (url, trapped) = trap().await;
    let client = http();
    let mut tokens = wrong_tokens(&url);
    let once = token(PATH);
    let first = post(&client, &server.url(PATH), Some(&once), call()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    tokens.push(once);
    let tokens = Arc::new(tokens);
    let memory = resident();
    let tasks: Vec<_> = (0..8_usize)
        .map(|task| {
            let (client, tokens) = (client.clone(), Arc::clone(&tokens));
            let base = server.url("");
            tokio::spawn(async move {
                let feedback = format!("{PATH}/feedback");
                let paths = ["/cds-services", PATH, &feedback, "/cds-services/none"];
                for count in 0..1250 {
                    let token = &tokens[(count * 8 + task) % tokens.len()];
                    let path = paths[count % paths.len()];
                    let url = format!("{base}{path}");
                    let answer = match path {
                        "/cds-services" => get(&client, &url, Some(token)).await,
                        _ => post(&client, &url, Some(token), call()).await,
                    };
                    assert_eq!(answer.status, 401, "{path} {token}: {}", answer.text);
                    assert_eq!(answer.headers["www-authenticate"], "Bearer");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(trapped.load(Ordering::Relaxed), 0);
    let grown = resident().saturating_sub(memory) >> 20;
    assert!(grown < 64, "{grown} MiB more");
    // Those who may come in still may.
    let answer = post(&client, &server.url(PATH), Some(&token(PATH)), call()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let log = server.log.clone();
    server.end().await;
    let log = log.text();
    for token in tokens.iter() {
        for part in token.split('.').filter(|part| part.len() > 40) {
            assert!(!log.contains(part), "the log has a part of a token");
        }
    }
}

/// Bytes of memory of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    pages * 4096
}

/// An authority, and a certificate of it.
struct Made {
    pem: String,
    key: String,
}

fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (Issuer::new(params, key), certificate.pem())
}

fn made(issuer: &Issuer<'static, KeyPair>, name: &str) -> Made {
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    Made {
        pem: certificate.pem(),
        key: key.serialize_pem(),
    }
}

fn trusting(ca: &str, shows: Option<&Made>, at: std::net::SocketAddr) -> reqwest::Client {
    drop(http());
    let builder = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(ca.as_bytes()).unwrap()])
        .resolve("localhost", at);
    let builder = match shows {
        Some(made) => {
            let pem = format!("{}{}", made.pem, made.key);
            builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

/// Checklist 74: mutual TLS alone and with a token, in one server: who shows what is who comes in.
#[tokio::test(flavor = "multi_thread")]
async fn item_74_mutual_tls_alone_and_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let (own, own_pem) = authority("Own");
    let (clients, clients_pem) = authority("For clients");
    let (strangers, _) = authority("Strangers");
    let service = made(&own, "localhost");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("cert.pem", &service.pem);
    put("key.pem", &service.key);
    put("clients.pem", &clients_pem);
    let both = ehr("[client.certificate]\nsan = \"dns:ehr.example\"");
    let alone =
        "[[client]]\nname = \"device\"\n[client.certificate]\nsan = \"dns:device.example\"\n";
    let tls = "[server.tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\nclient_ca = \"clients.pem\"\nclient_certificates = \"optional\"";
    let server = server(folder.path(), tls, &format!("{both}{alone}")).await;
    let url = format!("https://localhost:{}{PATH}", server.at.port());
    let ask = async |shows: Option<&Made>, token: Option<&str>| {
        let client = trusting(&own_pem, shows, server.at);
        post(&client, &url, token, call()).await.status
    };
    let of_ehr = made(&clients, "ehr.example");
    let device = made(&clients, "device.example");
    let unknown = made(&clients, "x.example");
    assert_eq!(ask(Some(&of_ehr), Some(&token(PATH))).await, 200);
    assert_eq!(ask(Some(&device), None).await, 200);
    for (shows, token) in [
        (None, None),
        (None, Some(token(PATH))),
        (Some(&of_ehr), None),
        (Some(&device), Some(token(PATH))),
        (Some(&unknown), Some(token(PATH))),
        (Some(&unknown), None),
        (
            Some(&device),
            Some(token_with(PATH, &json!({ "aud": "x" }))),
        ),
    ] {
        assert_eq!(ask(shows, token.as_deref()).await, 401, "{token:?}");
    }
    // One that no authority for clients gave out ends in the handshake.
    let forged = trusting(
        &own_pem,
        Some(&made(&strangers, "device.example")),
        server.at,
    );
    let sent = forged.post(&url).body(call()).send().await;
    assert!(sent.is_err(), "{sent:?}");
    // In clear there is nothing.
    let answer = raw(&server, &request("")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(
        answer.contains("https://") && !answer.contains("cards"),
        "{answer}"
    );
    server.end().await;
}

/// Checklist 80: a key set on paper, as text or PEM, and a key that changes in its file.
#[tokio::test(flavor = "multi_thread")]
async fn item_80_keys_as_pem() {
    let folder = tempfile::tempdir().unwrap();
    let pem = KEY.public_pem();
    let client = format!("[[client]]\nname = \"ehr\"\niss = \"{ISS}\"\nkeys = '''{pem}'''\n");
    let server = server(folder.path(), "", &client).await;
    let answer = post(&http(), &server.url(PATH), Some(&token(PATH)), call()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let forged = EVIL.sign(&EVIL.header(), &json!({
        "iss": ISS, "aud": format!("{BASE}{PATH}"), "iat": now(), "exp": now() + 60, "jti": "p-1",
    }));
    let answer = post(&http(), &server.url(PATH), Some(&forged), call()).await;
    assert_eq!(answer.status, 401);
    assert!(!key_set(&[&KEY]).to_string().contains("\"d\""));
    server.end().await;
}
