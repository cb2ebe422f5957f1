//! Tokens: a model that verifies them, and the same with holes.

use std::collections::HashSet;
use std::sync::Mutex;

use axum::http::HeaderMap;
use cds_doctor::{Outcome, Signer, examine};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use serde_json::Value;

use crate::broken::{NOW, options};
use crate::model::Model;

const ISSUER: &str = "https://ehr.example/client";
const JKU: &str = "https://ehr.example/jwks.json";
const KID: &str = "k1";

/// Verifies tokens of one client.
pub struct Guard {
    key: DecodingKey,
    used: Mutex<HashSet<String>>,
}

impl Guard {
    /// Why a request is not let in.
    pub async fn check(
        &self,
        headers: &HeaderMap,
        endpoint: &str,
        flaw: &str,
    ) -> Result<(), &'static str> {
        if flaw == "feedback-by-nobody" && endpoint.ends_with("/feedback") {
            return Err("scope");
        }
        let header = headers.get("authorization").and_then(|v| v.to_str().ok());
        let token = header
            .and_then(|v| v.strip_prefix("Bearer "))
            .ok_or("no token")?;
        let head = decode_header(token);
        if flaw == "alg-none" && token.ends_with('.') && token.starts_with("eyJhbGciOiJub25l") {
            return Ok(());
        }
        let head = head.map_err(|_| "no token")?;
        // The client's own set is nowhere: nothing outside of this machine is called.
        if let (Some(jku), "fetches-jku") = (&head.jku, flaw)
            && jku != JKU
            && !jku.contains("169.254")
        {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let _ = client.get(jku).send().await;
        }
        let claims: Value = if flaw == "no-verification" {
            dangerous::insecure_decode::<Value>(token)
                .map_err(|_| "no token")?
                .claims
        } else {
            if head.kid.as_deref() != Some(KID) || head.jku.as_deref() != Some(JKU) {
                return Err("unknown kid");
            }
            let mut validation = Validation::new(Algorithm::ES384);
            validation.validate_exp = false;
            validation.validate_aud = false;
            validation.required_spec_claims.clear();
            decode::<Value>(token, &self.key, &validation)
                .map_err(|_| "signature")?
                .claims
        };
        if claims["iss"] != ISSUER {
            return Err("unknown issuer");
        }
        let aud = &claims["aud"];
        let listed = aud
            .as_array()
            .is_some_and(|a| a.iter().any(|a| a == endpoint));
        let fits = *aud == endpoint || (listed && flaw != "audience-text-only");
        if !fits && flaw != "any-audience" {
            return Err("audience");
        }
        let (exp, iat) = (claims["exp"].as_i64(), claims["iat"].as_i64());
        let (Some(exp), Some(iat)) = (exp, iat) else {
            return Err("no exp");
        };
        if exp < NOW && flaw != "never-expires" {
            return Err("expired");
        }
        if iat > NOW + 60 || (exp - iat > 600 && flaw != "any-lifetime") {
            return Err("lifetime");
        }
        let id = claims["jti"].as_str().ok_or("no jti")?;
        if !self.used.lock().unwrap().insert(id.to_owned()) && flaw != "replay" {
            return Err("jti was used");
        }
        Ok(())
    }
}

/// Each flaw, and the checks that fail for it: the first is the one that is about it.
pub const FLAWS: &[(&str, &[&str])] = &[
    (
        "open",
        &[
            "token-needed",
            "token-refused",
            "token-replay",
            "token-lifetime",
        ],
    ),
    (
        "open-discovery",
        &[
            "token-needed",
            "token-refused",
            "token-replay",
            "token-lifetime",
        ],
    ),
    ("no-verification", &["token-refused"]),
    ("alg-none", &["token-refused"]),
    ("any-audience", &["token-refused"]),
    ("never-expires", &["token-refused"]),
    ("audience-text-only", &["token-audience-list"]),
    ("any-lifetime", &["token-lifetime"]),
    ("replay", &["token-replay"]),
    ("telling-401", &["token-silent"]),
    ("fetches-jku", &["jku-guard"]),
    ("token-for-preflight", &["cors-preflight"]),
    ("other-client", &["discovery", "token-taken"]),
    (
        "feedback-by-nobody",
        &[
            "token-taken",
            "token-audience-list",
            "feedback",
            "unknown-service",
        ],
    ),
];

fn keys() -> (String, String) {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    (pair.serialize_pem(), pair.public_key_pem())
}

async fn run(flaw: &'static str) -> cds_doctor::Report {
    let (private, public) = keys();
    let key = DecodingKey::from_ec_pem(public.as_bytes()).unwrap();
    let guard = Guard {
        key,
        used: Mutex::default(),
    };
    let guard = (flaw != "open").then_some(guard);
    let base = Model {
        flaw,
        guard,
        few: true,
        ..Model::default()
    }
    .serve()
    .await;
    let mut options = options(&base);
    let issuer = if flaw == "other-client" {
        "https://other.example"
    } else {
        ISSUER
    };
    options.signer =
        Some(Signer::new(private.as_bytes(), issuer, Some(KID), Some(JKU), None).unwrap());
    examine(&options).await.unwrap()
}

/// A service that wants tokens, and options with a key of this issuer, whom it need not know.
pub async fn guarded(issuer: &str) -> (String, cds_doctor::Options) {
    let (private, public) = keys();
    let guard = Guard {
        key: DecodingKey::from_ec_pem(public.as_bytes()).unwrap(),
        used: Mutex::default(),
    };
    let model = Model {
        guard: Some(guard),
        few: true,
        ..Model::default()
    };
    let base = model.serve().await;
    let mut options = options(&base);
    let signer = Signer::new(private.as_bytes(), issuer, Some(KID), Some(JKU), None);
    options.signer = Some(signer.unwrap());
    (base, options)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_verifies_tokens_passes() {
    let report = run("").await;
    assert_eq!(report.failed(), [""; 0], "{}", report.text());
    for (check, tally) in &report.checks {
        if check.id.starts_with("token-") || check.id == "jku-guard" {
            assert_eq!(tally.outcome(), Outcome::Passed, "{}", check.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holes_are_found() {
    let mut wrong = vec![];
    for (flaw, expected) in FLAWS {
        let failed = run(flaw).await.failed();
        if !failed.contains(&expected[0]) || failed.iter().any(|check| !expected.contains(check)) {
            wrong.push(format!("{flaw}: expected {expected:?}, failed {failed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Keys of each kind sign; what is no key is told.
#[test]
fn keys_of_each_kind() {
    let signer = |pem: &str| Signer::new(pem.as_bytes(), ISSUER, None, None, None);
    assert!(signer(&keys().0).is_ok());
    let p256 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    assert!(signer(&p256.serialize_pem()).is_ok());
    for none in ["", "secret", &keys().1] {
        assert!(signer(none).is_err(), "{none}");
    }
}
