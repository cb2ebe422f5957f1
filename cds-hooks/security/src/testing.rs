//! Keys and tokens for tests, and for whoever tries a service out: what a client's side does.
//!
//! Nothing here knows what a good token is: headers and payloads are signed as they are given.
#![allow(
    clippy::expect_used,
    reason = "for tests, where a key that cannot be made is a failure"
)]

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::algorithm::{Algorithm, KeyKind};

/// A key pair of a client.
pub struct TestKey {
    algorithm: Algorithm,
    kid: String,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl TestKey {
    /// A new one. RSA keys have 2,048 bits.
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        let elliptic = |signing| Pair::Ec(EcdsaKeyPair::generate(signing).expect("a key"));
        let pair = match algorithm.key_kind() {
            KeyKind::P256 => elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING),
            KeyKind::P384 => elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING),
            KeyKind::Ed25519 => Pair::Ed(Ed25519KeyPair::generate().expect("a key")),
            KeyKind::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
        };
        TestKey {
            algorithm,
            kid: kid.to_owned(),
            pair,
        }
    }

    /// The `kid`.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let half = point.len() / 2;
                let (x, y) = point.get(1..).unwrap_or_default().split_at(half);
                let curve = if half == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
            }
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                let [n, e] = [n, e].map(|number| text(number.big_endian_without_leading_zero()));
                json!({ "kty": "RSA", "n": n, "e": e })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) })
            }
        };
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".into(), json!(self.kid));
            members.insert("use".into(), json!("sig"));
            members.insert("alg".into(), json!(self.algorithm.name()));
        }
        jwk
    }

    /// The public key as PEM, as an attacker may use it for a secret.
    pub fn public_pem(&self) -> String {
        let der = match &self.pair {
            Pair::Ec(pair) => pair.public_key().as_der().expect("DER").as_ref().to_vec(),
            Pair::Rsa(pair) => pair.public_key().as_der().expect("DER").as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_der().expect("DER").as_ref().to_vec(),
        };
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }

    /// The header that a client gives a token signed with this key.
    pub fn header(&self) -> Value {
        json!({ "alg": self.algorithm.name(), "kid": self.kid, "typ": "JWT" })
    }

    /// A token of this header and payload, signed with this key by its algorithm.
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        self.sign_text(&header.to_string(), &payload.to_string())
    }

    /// The same, of texts that need not be JSON.
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", part(header), part(payload));
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The signature of these bytes.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => {
                let signature = pair.sign(&random, message).expect("a signature");
                signature.as_ref().to_vec()
            }
            Pair::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match self.algorithm {
                    Algorithm::RS256 => &RSA_PKCS1_SHA256,
                    Algorithm::RS512 => &RSA_PKCS1_SHA512,
                    Algorithm::PS256 => &RSA_PSS_SHA256,
                    Algorithm::PS384 => &RSA_PSS_SHA384,
                    Algorithm::PS512 => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA384,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(encoding, &random, message, &mut signature);
                signed.expect("a signature");
                signature
            }
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// A key set of these keys.
pub fn key_set(keys: &[&TestKey]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys })
}

/// What a client says in a token: good for five minutes from `now`, for one call of `aud`.
pub fn claims(iss: &str, aud: &str, jti: &str, now: i64) -> Value {
    json!({ "iss": iss, "aud": aud, "jti": jti, "iat": now, "exp": now + 300 })
}
