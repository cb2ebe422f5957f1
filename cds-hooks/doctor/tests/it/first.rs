//! Where an examination cannot begin, the one thing that matters is told, and what to do.

use std::sync::Arc;

use cds_doctor::{DoctorError, Options, examine};
use rcgen::{CertificateParams, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::broken::options;
use crate::model::Model;
use crate::security;

/// The text of an examination of nothing but discovery.
async fn said(options: &Options) -> String {
    let report = examine(options).await.unwrap();
    let text = report.text();
    assert_eq!(report.services, 0);
    assert!(!report.passed());
    assert!(text.lines().count() < 25, "{text}");
    assert_eq!(text.matches("not judged,").count(), 1, "{text}");
    // Programs are told of each check all the same.
    let json = report.json();
    let checks = json["checks"].as_array().unwrap();
    assert_eq!(checks.len(), cds_doctor::CHECKS.len());
    text
}

/// A port of this machine that speaks TLS, with a certificate that nobody knows.
async fn secure() -> u16 {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_has_its_own_remedy() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = free.local_addr().unwrap().port();
    drop(free);
    let secure = secure().await;
    let plain = Model::default().serve().await;
    for (url, remedy) in [
        (
            format!("http://127.0.0.1:{nobody}"),
            "nothing listens there",
        ),
        (format!("https://localhost:{secure}"), "with --ca"),
        (format!("http://localhost:{secure}"), "--url https://"),
        (plain.replace("http:", "https:"), "--url http://"),
        (
            format!("{plain}/elsewhere"),
            "what stands before /cds-services",
        ),
    ] {
        let text = said(&options(&url)).await;
        assert!(text.contains(remedy), "{url}: {remedy}\n{text}");
        assert!(!text.contains("answer `{"), "{url}\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_missing_or_refused() {
    let (base, with_key) = security::guarded("https://other.example").await;
    let text = said(&options(&base)).await;
    assert!(text.contains("with --token-key"), "{text}");
    let text = said(&with_key).await;
    assert!(
        text.contains("the log of the service has the reason"),
        "{text}"
    );
}

#[tokio::test]
async fn a_file_without_certificates_is_no_authority() {
    for pem in [
        "",
        "no PEM at all",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        let mut options = options("https://localhost:1");
        options.ca = Some(pem.as_bytes().to_vec());
        let failed = examine(&options).await.err().unwrap();
        assert!(matches!(failed, DoctorError::Pem(_)), "{failed}");
    }
}
