//! TLS: whose certificates are believed.

use std::sync::Arc;

use outbound::{Allowed, Client, Failure, Family, Limits};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::names::{Names, after};

/// A server for a name, whose certificate is of an authority of its own. Its port, and the authority in PEM.
async fn server(name: &str) -> (u16, String) {
    let (chain, key, authority) = certificate(name);
    (listen(chain, &key).await, authority)
}

/// A certificate for a name, its key, and the authority that signed it, in PEM.
fn certificate(name: &str) -> (CertificateDer<'static>, KeyPair, String) {
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let common_name = format!("authority of {name}");
    authority
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    (certificate.der().clone(), key, authority.pem())
}

/// The same server with any certificate. Its port.
async fn listen(certificate: CertificateDer<'static>, key: &KeyPair) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate],
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
    port
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

/// Whoever runs the service is told what to do, in words without a type of a library.
#[tokio::test]
async fn what_is_wrong_with_tls_has_a_remedy() {
    let (_, _, stranger) = certificate("stranger.example");
    let (known, _) = server("ehr.example").await;
    let (elsewhere, authority_elsewhere) = server("other.example").await;
    // `openssl req -x509`: signed by itself, and an authority.
    let mut own = CertificateParams::new(vec!["ehr.example".to_owned()]).unwrap();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = own.self_signed(&key).unwrap();
    let self_signed = listen(own.der().clone(), &key).await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain_port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    for (port, authorities, said) in [
        (known, &stranger, "authority that is not known here"),
        (elsewhere, &authority_elsewhere, "for another host"),
        (self_signed, &own.pem(), "CA:FALSE"),
        (plain_port, &stranger, "is it plain HTTP?"),
    ] {
        let told = call(port, authorities).await.unwrap_err().to_string();
        assert!(told.contains(said), "{said}: {told}");
        for type_name in ["UnknownIssuer", "OtherError", "NotValidForName", "Corrupt"] {
            assert!(!told.contains(type_name), "{told}");
        }
    }
}

#[test]
fn authorities_are_counted_before_they_are_needed() {
    let (_, _, one) = certificate("a.example");
    assert_eq!(outbound::authorities(&format!("{one}{one}")), Ok(2));
    for none in [
        "",
        "no PEM",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        assert!(outbound::authorities(none).is_err(), "{none}");
    }
}
