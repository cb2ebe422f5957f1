//! TLS, and a certificate that is exchanged while the server goes on.

use std::path::Path;

use crate::client::{call, http, post};
use crate::rules_of_test::{rule, write};
use crate::server::Server;

/// A new certificate for this machine; its PEM.
fn certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    std::fs::write(folder.join("cert.pem"), &pem).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    pem
}

fn trusting(pem: &str, address: std::net::SocketAddr) -> reqwest::Client {
    drop(http());
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()])
        .resolve("localhost", address)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn item_74_tls_and_another_certificate() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let first = certificate(folder.path());
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[server.tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n[rules]\npaths = [\"rules\"]\n";
    let server = Server::start(folder.path(), settings, true).await;
    let base = format!("https://localhost:{}", server.at.port());
    let url = format!("{base}/cds-services/own-patient-view");
    let old = trusting(&first, server.at);
    assert_eq!(
        post(&old, &url, None, call()).await.summaries(),
        ["A visit is due"]
    );
    // A key that does not fit never replaces what works.
    let second = certificate(folder.path());
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    std::fs::write(folder.path().join("key.pem"), "nothing").unwrap();
    let reload = format!("{base}/admin/reload");
    let told = post(&old, &reload, None, String::new()).await;
    assert_eq!(told.status, 422, "{}", told.text);
    assert_eq!(told.json()["notReloaded"][0]["part"], "certificate");
    assert_eq!(
        post(&trusting(&first, server.at), &url, None, call())
            .await
            .status,
        200
    );
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let told = post(&old, &reload, None, String::new()).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(
        post(&trusting(&second, server.at), &url, None, call())
            .await
            .status,
        200
    );
    // The connection that was open goes on.
    assert_eq!(post(&old, &url, None, call()).await.status, 200);
    server.end().await;
}
