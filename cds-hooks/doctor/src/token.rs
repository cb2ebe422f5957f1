//! Tokens as clients send them, good ones and bad ones (CDS Hooks, "Trusting CDS Clients").

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::options::DoctorError;

/// How long a token lives, in seconds.
const LIFETIME: i64 = 240;

/// A client's key and what it says of itself.
#[derive(Clone)]
pub struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    issuer: String,
    key_id: Option<String>,
    key_set: Option<String>,
    tenant: Option<String>,
}

/// What is wrong with a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    Expired,
    Future,
    NoExpiry,
    OtherAudience,
    NoAudience,
    OtherIssuer,
    NoIssuer,
    NoId,
    Unsigned,
    Symmetric,
    Altered,
    NoSignature,
    OtherKeyId,
    ADay,
}

impl Flaw {
    /// Those that each service has to refuse.
    pub(crate) const REFUSED: [Flaw; 13] = [
        Flaw::Expired,
        Flaw::Future,
        Flaw::NoExpiry,
        Flaw::OtherAudience,
        Flaw::NoAudience,
        Flaw::OtherIssuer,
        Flaw::NoIssuer,
        Flaw::NoId,
        Flaw::Unsigned,
        Flaw::Symmetric,
        Flaw::Altered,
        Flaw::NoSignature,
        Flaw::OtherKeyId,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Flaw::Expired => "expired an hour ago",
            Flaw::Future => "issued in an hour",
            Flaw::NoExpiry => "without exp",
            Flaw::OtherAudience => "for another audience",
            Flaw::NoAudience => "without aud",
            Flaw::OtherIssuer => "of an unknown issuer",
            Flaw::NoIssuer => "without iss",
            Flaw::NoId => "without jti",
            Flaw::Unsigned => "alg none",
            Flaw::Symmetric => "alg HS256",
            Flaw::Altered => "altered after it was signed",
            Flaw::NoSignature => "without its signature",
            Flaw::OtherKeyId => "of an unknown key",
            Flaw::ADay => "that lives for a day",
        }
    }
}

/// What a token is for.
pub(crate) struct Claims<'a> {
    pub(crate) audience: &'a str,
    pub(crate) now: i64,
    pub(crate) id: String,
}

impl Signer {
    /// Of a private key in PEM. The algorithm follows from the key: ES384, ES256 or RS384.
    ///
    /// # Errors
    /// Where it is no such key.
    pub fn new(
        pem: &[u8],
        issuer: &str,
        key_id: Option<&str>,
        key_set: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<Self, DoctorError> {
        let ec = || EncodingKey::from_ec_pem(pem).ok();
        let rsa = || EncodingKey::from_rsa_pem(pem).ok();
        let tried = [
            (Algorithm::ES384, ec()),
            (Algorithm::ES256, ec()),
            (Algorithm::RS384, rsa()),
        ];
        let signs = |(algorithm, key): (Algorithm, Option<EncodingKey>)| {
            let key = key?;
            encode(&Header::new(algorithm), &json!({}), &key).ok()?;
            Some((algorithm, key))
        };
        let found = tried.into_iter().find_map(signs);
        let (algorithm, key) = found.ok_or(DoctorError::Key)?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Signer {
            key,
            algorithm,
            issuer: issuer.to_owned(),
            key_id: owned(key_id),
            key_set: owned(key_set),
            tenant: owned(tenant),
        })
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.typ = Some("JWT".to_owned());
        header.kid.clone_from(&self.key_id);
        header.jku.clone_from(&self.key_set);
        header
    }

    fn claims(&self, claims: &Claims<'_>) -> Value {
        let mut all = json!({
            "iss": self.issuer,
            "aud": claims.audience,
            "exp": claims.now + LIFETIME,
            "iat": claims.now,
            "jti": claims.id,
        });
        if let (Some(tenant), Some(members)) = (&self.tenant, all.as_object_mut()) {
            members.insert("tenant".to_owned(), json!(tenant));
        }
        all
    }

    /// A good token.
    pub(crate) fn token(&self, claims: &Claims<'_>) -> Option<String> {
        encode(&self.header(), &self.claims(claims), &self.key).ok()
    }

    /// A good token whose audience is a list.
    pub(crate) fn for_a_list(&self, claims: &Claims<'_>) -> Option<String> {
        let mut all = self.claims(claims);
        set(
            &mut all,
            "aud",
            Some(json!(["https://other.example", claims.audience])),
        );
        encode(&self.header(), &all, &self.key).ok()
    }

    /// A token whose key set is said to be elsewhere.
    pub(crate) fn with_key_set(&self, claims: &Claims<'_>, key_set: &str) -> Option<String> {
        let mut header = self.header();
        header.jku = Some(key_set.to_owned());
        header.kid = Some("made-up".to_owned());
        encode(&header, &self.claims(claims), &self.key).ok()
    }

    /// A token with a flaw.
    pub(crate) fn flawed(&self, claims: &Claims<'_>, flaw: Flaw) -> Option<String> {
        let (mut header, mut all) = (self.header(), self.claims(claims));
        let now = claims.now;
        match flaw {
            Flaw::Expired => {
                set(&mut all, "iat", Some(json!(now - 3900)));
                set(&mut all, "exp", Some(json!(now - 3600)));
            }
            Flaw::Future => {
                set(&mut all, "iat", Some(json!(now + 3600)));
                set(&mut all, "nbf", Some(json!(now + 3600)));
                set(&mut all, "exp", Some(json!(now + 3600 + LIFETIME)));
            }
            Flaw::NoExpiry => set(&mut all, "exp", None),
            Flaw::OtherAudience => {
                set(
                    &mut all,
                    "aud",
                    Some(json!("https://other.example/cds-services")),
                );
            }
            Flaw::NoAudience => set(&mut all, "aud", None),
            Flaw::OtherIssuer => {
                set(&mut all, "iss", Some(json!("https://nobody.example")));
            }
            Flaw::NoIssuer => set(&mut all, "iss", None),
            Flaw::NoId => set(&mut all, "jti", None),
            Flaw::ADay => set(&mut all, "exp", Some(json!(now + 86_400))),
            Flaw::OtherKeyId => header.kid = Some("no-such-key".to_owned()),
            Flaw::Symmetric => {
                header.alg = Algorithm::HS256;
                let secret = EncodingKey::from_secret(&[b'x'; 64]).ok()?;
                return encode(&header, &all, &secret).ok();
            }
            Flaw::Unsigned | Flaw::Altered | Flaw::NoSignature => {}
        }
        let token = encode(&header, &all, &self.key).ok()?;
        let (signed, signature) = token.rsplit_once('.')?;
        match flaw {
            Flaw::NoSignature => Some(format!("{signed}.")),
            Flaw::Unsigned => {
                let (_, payload) = signed.split_once('.')?;
                // {"alg":"none","typ":"JWT"}
                Some(format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}."))
            }
            Flaw::Altered => {
                let other = self.claims(&Claims {
                    id: format!("{}-altered", claims.id),
                    ..*claims
                });
                let other = encode(&header, &other, &self.key).ok()?;
                let (other, _) = other.rsplit_once('.')?;
                Some(format!("{other}.{signature}"))
            }
            _ => Some(token),
        }
    }
}

/// Sets or removes a member.
fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(members) = object.as_object_mut() {
        match value {
            Some(value) => drop(members.insert(name.to_owned(), value)),
            None => drop(members.remove(name)),
        }
    }
}
