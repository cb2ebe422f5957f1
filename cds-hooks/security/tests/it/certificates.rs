//! Clients that show a certificate: alone, and beside a token.

use cds_security::{
    Action, Answer, CertificateBinding, Client, Endpoint, PeerCertificate, Proof, Reason,
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

use crate::fixture::{BASE, NOW, Service, ehr, good, says};

/// A certificate as a client shows it.
pub fn certificate(names: &[&str], subject: &[(DnType, &str)]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    for name in names {
        let name = match name.contains(':') {
            true => SanType::URI((*name).try_into().unwrap()),
            false => SanType::DnsName((*name).try_into().unwrap()),
        };
        params.subject_alt_names.push(name);
    }
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind.clone(), *value);
    }
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn of_ehr() -> PeerCertificate {
    let subject = [
        (DnType::CommonName, "EHR, Inc."),
        (DnType::OrganizationName, "General Hospital"),
    ];
    let der = certificate(&["EHR.example", "urn:example:ehr"], &subject);
    PeerCertificate::of(&der).unwrap()
}

fn bound(fingerprint: Option<&str>, san: Option<&str>, subject: &[(&str, &str)]) -> Client {
    let subject = subject
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Client {
        name: "ehr".into(),
        certificates: vec![CertificateBinding {
            fingerprint: fingerprint.map(str::to_owned),
            san: san.map(str::to_owned),
            subject: subject.collect(),
        }],
        ..Client::default()
    }
}

#[test]
fn what_a_certificate_says() {
    let read = of_ehr();
    assert_eq!(read.sans, ["dns:ehr.example", "uri:urn:example:ehr"]);
    assert_eq!(read.fingerprint.len(), 64);
    let subject = [("CN", "EHR, Inc."), ("O", "General Hospital")];
    assert_eq!(
        read.subject,
        subject.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    for wrong in [b"".as_slice(), b"x", &[0x30, 0x82, 0xff, 0xff]] {
        assert!(PeerCertificate::of(wrong).is_err());
    }
}

/// Checklist 74: a certificate alone says who it is, by all that is configured.
#[tokio::test]
async fn item_74_mutual_tls_alone() {
    let read = of_ehr();
    let fingerprint = read.fingerprint.to_uppercase();
    let pairs: Vec<_> = fingerprint.as_bytes().chunks(2).collect();
    let colons = String::from_utf8(pairs.join(&b':')).unwrap();
    for (client, fits) in [
        (bound(Some(&fingerprint), None, &[]), true),
        (bound(Some(&colons), None, &[]), true),
        (bound(None, Some("dns:ehr.example"), &[]), true),
        (bound(None, Some("uri:urn:example:ehr"), &[]), true),
        (bound(None, None, &[("CN", "EHR, Inc.")]), true),
        (
            bound(
                Some(&colons),
                Some("dns:ehr.example"),
                &[("O", "General Hospital")],
            ),
            true,
        ),
        (bound(Some(&"0".repeat(64)), None, &[]), false),
        (bound(Some(&colons), Some("dns:other.example"), &[]), false),
        (bound(None, Some("dns:www.ehr.example"), &[]), false),
        (bound(None, Some("uri:ehr.example"), &[]), false),
        (bound(None, Some("uri:urn:example:EHR"), &[]), false),
        (bound(None, None, &[("CN", "EHR")]), false),
        (
            bound(None, None, &[("CN", "EHR, Inc."), ("OU", "x")]),
            false,
        ),
    ] {
        let service = Service::new(vec![client.clone()]);
        let call = Endpoint::call("a1c");
        let called = service.request(None, Some(&read), &call, NOW).await;
        match called {
            Ok(caller) => {
                assert!(fits, "{client:?}");
                assert_eq!((&*caller.client, caller.proof), ("ehr", Proof::Certificate));
                assert!(caller.permissions.allows(Action::Call, Some("a1c")));
            }
            Err(denied) => {
                assert!(!fits, "{client:?}: {denied}");
                assert_eq!(denied.reason, Reason::Certificate);
                assert_eq!(denied.answer(), Answer::Unauthenticated);
            }
        }
        // Without a certificate nobody.
        let denied = service.request(None, None, &call, NOW).await.unwrap_err();
        assert_eq!(denied.reason, Reason::Missing);
        // What it may not do.
        let audit = Endpoint::other(Action::Audit, "/audit");
        let denied = service
            .request(None, Some(&read), &audit, NOW)
            .await
            .unwrap_err();
        let reason = if fits {
            Reason::Role
        } else {
            Reason::Certificate
        };
        assert_eq!(denied.reason, reason);
    }
}

/// A subject that stands twice is of nobody; a certificate that fits two is of neither.
#[tokio::test]
async fn item_74_what_is_ambiguous_is_nobody() {
    let subject = [(DnType::OrganizationName, "General Hospital")];
    let read = PeerCertificate::of(&certificate(&["a.example", "b.example"], &subject)).unwrap();
    let named = |name: &str, san: &str| Client {
        name: name.into(),
        ..bound(None, Some(san), &[])
    };
    let service = Service::new(vec![
        named("a", "dns:a.example"),
        named("b", "dns:b.example"),
    ]);
    let call = Endpoint::call("a1c");
    let denied = service
        .request(None, Some(&read), &call, NOW)
        .await
        .unwrap_err();
    assert_eq!(denied.reason, Reason::Certificate);
    assert!(denied.to_string().contains("`a` and `b`"), "{denied}");
    let mut twice = of_ehr();
    twice.subject.push(("CN".into(), "Other".into()));
    let service = Service::new(vec![bound(None, None, &[("CN", "EHR, Inc.")])]);
    let denied = service
        .request(None, Some(&twice), &call, NOW)
        .await
        .unwrap_err();
    assert_eq!(denied.reason, Reason::Certificate);
}

/// Checklist 74: a certificate together with a token: both, or nothing.
#[tokio::test]
async fn item_74_mutual_tls_with_a_token() {
    let client = Client {
        certificates: bound(None, Some("dns:ehr.example"), &[]).certificates,
        ..ehr()
    };
    let service = Service::new(vec![client.clone()]);
    let call = Endpoint::call("a1c");
    let ask = async |token: Option<&str>, certificate: Option<&PeerCertificate>| {
        let asked = service.request(token, certificate, &call, NOW).await;
        asked
            .map(|caller| caller.proof)
            .map_err(|denied| denied.reason)
    };
    let (read, token) = (of_ehr(), good());
    let stranger = PeerCertificate::of(&certificate(&["x.example"], &[])).unwrap();
    assert_eq!(ask(Some(&token), None).await, Err(Reason::Certificate));
    assert_eq!(
        ask(Some(&token), Some(&stranger)).await,
        Err(Reason::Certificate)
    );
    assert_eq!(ask(None, Some(&read)).await, Err(Reason::Certificate));
    assert_eq!(
        ask(Some("x.y.z"), Some(&read)).await,
        Err(Reason::Malformed)
    );
    assert_eq!(ask(Some(&token), Some(&read)).await, Ok(Proof::Both));
    assert_eq!(ask(Some(&token), Some(&read)).await, Err(Reason::Replay));
    let elsewhere = says(serde_json::json!({ "aud": BASE }));
    assert_eq!(
        ask(Some(&elsewhere), Some(&read)).await,
        Err(Reason::Audience)
    );
    // Either of two certificates; and, where that is said, one of them without a token.
    let mut either = client;
    either.certificates.push(
        bound(None, Some("dns:x.example"), &[])
            .certificates
            .remove(0),
    );
    either.certificate_alone = true;
    let service = Service::new(vec![either]);
    let ask = async |token: Option<&str>, certificate: Option<&PeerCertificate>| {
        let asked = service.request(token, certificate, &call, NOW).await;
        asked
            .map(|caller| caller.proof)
            .map_err(|denied| denied.reason)
    };
    let token = good();
    assert_eq!(ask(None, Some(&stranger)).await, Ok(Proof::Certificate));
    assert_eq!(ask(Some(&token), None).await, Err(Reason::Certificate));
    assert_eq!(ask(Some(&token), Some(&read)).await, Ok(Proof::Both));
    assert_eq!(
        ask(Some("x.y.z"), Some(&read)).await,
        Err(Reason::Malformed)
    );
}
