//! TLS: whose certificates are believed.

use std::sync::Arc;

use outbound::{Allowed, Client, Failure, Family, Limits};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::names::{Names, after};

/// A server for a name, whose certificate is of an authority of its own. Its port, and the authority in PEM.
async fn server(name: &str) -> (u16, String) {
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, authority.pem())
}

async fn call(port: u16, authorities: &str) -> Result<bytes::Bytes, Failure> {
    let origin = format!("https://ehr.example:{port}");
    let allowed = Allowed {
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        authorities: Some(authorities.to_owned()),
        ..Allowed::new(&origin)
    };
    let names = Names::of(&[("ehr.example", &[&["127.0.0.1"]])]);
    let client = Client::new(&[allowed], Limits::default(), names).unwrap();
    let url = format!("{origin}/keys");
    client.get_bytes(&url, after(10_000), 100).await
}

#[tokio::test]
async fn certificates_are_checked_against_the_authorities_of_the_origin() {
    let (port, authority) = server("ehr.example").await;
    let (elsewhere, other_authority) = server("other.example").await;
    assert_eq!(call(port, &authority).await.unwrap(), "{}");
    // Of another authority, and for another name.
    for port in [port, elsewhere] {
        let failure = call(port, &other_authority).await.unwrap_err();
        assert_eq!(failure.family, Family::Unreachable);
        assert!(failure.to_string().contains("TLS"), "{failure}");
    }
}
