//! What is wrong with a configuration is told at once, before anybody calls.

use std::sync::Arc;

use cds_security::testing::{TestKey, key_set};
use cds_security::{
    Action, Algorithm, Authenticator, CertificateBinding, ClaimPath, Client, MemoryReplay,
    NoFetcher, Policy, Problem, Reason, Role, RoleClaim, Security,
};
use serde_json::json;

use crate::fixture::{
    EC, EVIL, ISS, OTHER, RSA, Service, ehr, good, other, payload, security, with,
};

fn problems(security: &Security) -> Vec<String> {
    let replay = Arc::new(MemoryReplay::new(1));
    match Authenticator::new(security, Arc::new(NoFetcher), replay, None) {
        Ok(_) => vec![],
        Err(problems) => problems.iter().map(Problem::to_string).collect(),
    }
}

/// One thing wrong each; the text says where and what.
#[test]
fn every_problem_says_where_and_what() {
    assert_eq!(
        problems(&security(vec![ehr(), other()])),
        Vec::<String>::new()
    );
    let changed = |change: fn(&mut Security)| {
        let mut security = security(vec![ehr(), other()]);
        change(&mut security);
        problems(&security)
    };
    type Case = (fn(&mut Security), &'static str);
    let cases: [Case; 31] = [
        (|s| s.public_urls.clear(), "public_urls: is empty"),
        (
            |s| s.public_urls[0] = "cds.example".into(),
            "public_urls[0]: `cds.example` is no base URL",
        ),
        (|s| s.clients.clear(), "clients: is empty"),
        (|s| s.clients[1].name.clear(), "clients[1]: has no name"),
        (
            |s| s.clients[1].name = "ehr".into(),
            "clients[1]: `ehr` is there twice",
        ),
        (
            |s| s.clients[1].iss = Some(ISS.into()),
            "clients[1].iss: `https://ehr.example/fhir` is the issuer of client `ehr` too",
        ),
        (|s| s.clients[1].iss = None, "clients[1]: has neither `iss`"),
        (|s| s.clients[1].keys = None, "clients[1]: has no key"),
        (
            |s| s.clients[1].keys_file = Some("x".into()),
            "clients[1]: has both `keys` and `keys_file`",
        ),
        (
            |s| s.clients[1].keys = Some(json!("{")),
            "clients[1].keys: is neither JSON nor PEM",
        ),
        (
            |s| s.clients[1].keys = Some(json!({})),
            "clients[1].keys: has no list `keys`",
        ),
        (
            |s| s.clients[1].keys = Some(json!({ "keys": [{ "kty": "oct", "k": "AA" }] })),
            "clients[1].keys: has no key that could verify a signature (keys[0]: it is a private or symmetric key",
        ),
        (
            |s| s.clients[1].algorithms = Some(vec![]),
            "clients[1].algorithms: is empty",
        ),
        (
            |s| s.clients[1].jku = vec!["http://ehr.example/jwks".into()],
            "clients[1].jku[0]: `http://ehr.example/jwks` is not `https`",
        ),
        (
            |s| s.clients[1].jku = vec!["https://a@ehr.example/".into()],
            "clients[1].jku[0]: `https://a@ehr.example/` has a user",
        ),
        (
            |s| s.clients[1].jku = vec!["ehr.example".into()],
            "clients[1].jku[0]: `ehr.example` is no URL",
        ),
        (
            |s| s.clients[1].jku = vec!["file:///etc/passwd".into()],
            "is no `https` address",
        ),
        (
            |s| s.clients[1].tenants = vec!["nowhere".into()],
            "clients[1].tenants[0]: `nowhere` is no tenant; there are `north`, `south`, `west`",
        ),
        (
            |s| s.clients[1].roles = Some(vec!["root".into()]),
            "clients[1].roles[0]: `root` is no role; there are `ehr`, `quality`",
        ),
        (
            |s| s.clients[1].fhir_servers = vec!["x".into()],
            "clients[1].fhir_servers[0]: `x` is no URL",
        ),
        (
            |s| s.clients[1].certificates = vec![CertificateBinding::default()],
            "clients[1].certificates[0]: says nothing",
        ),
        (
            |s| s.clients[1].certificate_alone = true,
            "clients[1].certificate_alone: is set",
        ),
        (
            |s| s.clients[1].max_lifetime_seconds = Some(0),
            "clients[1].max_lifetime_seconds: must be",
        ),
        (|s| s.roles.push(role("a", &[])), "roles[0].may: is empty"),
        (
            |s| {
                s.roles
                    .extend([role("a", &[Action::Call]), role("a", &[Action::Call])])
            },
            "roles[1]: `a` is there twice",
        ),
        (
            |s| s.tenants.push("north".into()),
            "tenants[3]: `north` is there twice",
        ),
        (
            |s| s.policy.max_lifetime_seconds = 0,
            "policy.max_lifetime_seconds: is 0",
        ),
        (
            |s| s.policy.leeway_seconds = 100_000,
            "policy.leeway_seconds: is 100000, and must be from 0 to 600",
        ),
        (
            |s| s.policy.max_token_bytes = 1 << 30,
            "policy.max_token_bytes",
        ),
        (
            |s| s.clients[1].keys = Some(json!({ "keys": [5] })),
            "keys[0]: there is no `kty`",
        ),
        (
            |s| s.clients[0].audiences = vec![String::new()],
            "clients[0].audiences: has an empty text",
        ),
    ];
    for (change, text) in cases {
        let problems = changed(change);
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
        assert!(problems[0].contains(text), "{text}: {problems:#?}");
    }
}

fn role(name: &str, may: &[Action]) -> Role {
    Role {
        name: name.into(),
        may: may.iter().copied().collect(),
        services: None,
    }
}

#[test]
fn all_problems_at_once() {
    let by_certificate = |name: &str| Client {
        name: name.into(),
        certificates: vec![CertificateBinding {
            fingerprint: Some("12:34".into()),
            san: Some("ehr.example".into()),
            subject: [("CNN".into(), "x".into())].into(),
        }],
        tenants: vec!["north".into(), "south".into()],
        jku: vec!["https://x.example/".into()],
        ..Client::default()
    };
    let mut security = security(vec![ehr(), by_certificate("a"), by_certificate("b")]);
    security.policy = Policy {
        keys_timeout_ms: 0,
        ..Policy::default()
    };
    security.clients[0].role_claim = Some(RoleClaim {
        claim: ClaimPath::Path(vec![]),
        map: [("x".into(), "nothing".into())].into(),
    });
    security.clients[0].keys = None;
    security.clients[0].keys_file = Some("/no/such/file.json".into());
    let problems = problems(&security).join("\n");
    for text in [
        "policy.keys_timeout_ms",
        "clients[0].role_claim.map.x: `nothing` is no role",
        "clients[0].role_claim.claim: names no member",
        "clients[0].keys_file: /no/such/file.json cannot be read",
        "clients[1].jku: is for tokens",
        "clients[1].tenants: has several",
        "clients[1].certificates[0].fingerprint: is no SHA-256",
        "clients[1].certificates[0].san: is neither `dns:NAME` nor `uri:URI`",
        "clients[1].certificates[0].subject.CNN: is no attribute",
        "clients[2].certificates[0]: is one of client `a` too",
    ] {
        assert!(problems.contains(text), "{text} in\n{problems}");
    }
}

/// Keys from a file, or as JSON in a text.
#[tokio::test]
async fn item_80_keys_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ehr.json");
    std::fs::write(&file, key_set(&[&EC]).to_string()).unwrap();
    let keys = None;
    let from_file = Client {
        keys,
        keys_file: Some(file.clone()),
        ..ehr()
    };
    Service::new(vec![from_file.clone()])
        .call(&good())
        .await
        .unwrap();
    let as_text = Client {
        keys: Some(json!(key_set(&[&EC]).to_string())),
        ..ehr()
    };
    Service::new(vec![as_text]).call(&good()).await.unwrap();
    std::fs::write(&file, "-----BEGIN PUBLIC KEY-----").unwrap();
    let found = problems(&security(vec![from_file.clone()]));
    assert!(
        found[0].contains("between BEGIN and END is no base64"),
        "{found:?}"
    );
    std::fs::write(&file, "hello").unwrap();
    let found = problems(&security(vec![from_file]));
    assert!(
        found[0].contains("ehr.json is neither JSON nor PEM"),
        "{found:?}"
    );
}

/// As people send a key: a public key in PEM, which has no `kid`.
#[tokio::test]
async fn item_80_keys_in_pem() {
    for key in [&*EC, &*RSA, &TestKey::new(Algorithm::EdDSA, "ed")] {
        let pem = json!(format!("\n{}{}", OTHER.public_pem(), key.public_pem()));
        let client = Client {
            keys: Some(pem),
            algorithms: Some(vec![Algorithm::ES384, Algorithm::RS384, Algorithm::EdDSA]),
            ..ehr()
        };
        let service = Service::new(vec![client]);
        service
            .call(&key.sign(&key.header(), &payload()))
            .await
            .unwrap();
        let forged = EVIL.sign(&key.header(), &payload());
        assert_eq!(service.refused(&forged).await, Reason::Signature);
    }
}

/// As it stands in a configuration file.
#[test]
fn configuration_as_data() {
    let client = json!({
        "name": "ehr", "iss": ISS, "jku": ["https://ehr.example/jwks"],
        "algorithms": ["ES384", "RS256"], "tenants": ["north"], "roles": ["ehr", "auditor"],
        "role_claim": { "claim": ["realm", "roles"], "map": { "cds": "ehr" } },
        "fhir_servers": ["https://ehr.example/fhir"], "purpose": "TREAT",
        "certificates": [{ "san": "dns:ehr.example", "subject": { "CN": "ehr" } }],
    });
    let all = json!({
        "public_urls": ["https://cds.example"], "tenants": ["north"], "clients": [client],
        "policy": { "leeway_seconds": 30 },
        "roles": [{ "name": "pharmacy", "may": ["call", "feedback"], "services": ["drugs"] }],
    });
    let security: Security = serde_json::from_value(all.clone()).unwrap();
    assert_eq!(problems(&security), Vec::<String>::new());
    assert_eq!(security.policy.leeway_seconds, 30);
    assert_eq!(security.policy.max_lifetime_seconds, 3600);
    // What nobody knows is no setting.
    for wrong in [
        json!({ "clinets": [] }),
        json!({ "roles": [{ "name": "x", "may": ["fly"] }] }),
        json!({ "policy": { "leeway": 3 } }),
        json!({ "clients": [{ "name": "x", "issuer": "y" }] }),
        json!({ "clients": [{ "name": "x", "iss": "y", "algorithms": ["HS256"] }] }),
        json!({ "clients": [{ "name": "x", "iss": "y", "algorithms": ["none"] }] }),
    ] {
        let read = serde_json::from_value::<Security>(with(all.clone(), wrong.clone()));
        assert!(read.is_err(), "{wrong}");
    }
}

/// What was left out of a key set that was exchanged can be told at start.
#[test]
fn keys_left_out_are_told() {
    let okp = json!({ "kty": "OKP", "crv": "X25519", "x": "AA" });
    let keys = Some(json!({ "keys": [okp, EC.jwk()] }));
    let service = Service::new(vec![Client { keys, ..ehr() }]);
    let left_out = service.authenticator.left_out();
    assert_eq!(left_out.len(), 1);
    assert_eq!(left_out[0].0, "ehr");
    assert!(left_out[0].1.contains("`crv` is not `Ed25519`"));
}
