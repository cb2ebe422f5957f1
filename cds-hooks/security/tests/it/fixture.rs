//! A service with one EHR that it knows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cds_security::testing::{TestKey, claims, key_set};
use cds_security::{
    Algorithm, Authenticator, Caller, Client, Denied, Endpoint, KeyFetcher, MemoryReplay,
    PeerCertificate, Policy, Presented, Reason, Security,
};
use serde_json::{Value, json};

/// In 2027.
pub const NOW: i64 = 1_800_000_000;
pub const BASE: &str = "https://cds.example/r4";
pub const CALLED: &str = "https://cds.example/r4/cds-services/a1c";
pub const ISS: &str = "https://ehr.example/fhir";
pub const OTHER_ISS: &str = "https://other.example/fhir";
pub const JKU: &str = "https://ehr.example/.well-known/jwks.json";

/// Keys take a while to make: each kind once. The EHR's, the other client's, and an attacker's.
pub static EC: LazyLock<TestKey> = LazyLock::new(|| TestKey::new(Algorithm::ES384, "ec-1"));
pub static RSA: LazyLock<TestKey> = LazyLock::new(|| TestKey::new(Algorithm::RS384, "rsa-1"));
pub static OTHER: LazyLock<TestKey> = LazyLock::new(|| TestKey::new(Algorithm::ES384, "other-1"));
pub static EVIL: LazyLock<TestKey> = LazyLock::new(|| TestKey::new(Algorithm::ES384, "ec-1"));

/// An EHR that signs with `EC` and `RSA`, its keys exchanged beforehand.
pub fn ehr() -> Client {
    Client {
        name: "ehr".into(),
        iss: Some(ISS.into()),
        keys: Some(key_set(&[&EC, &RSA])),
        ..Client::default()
    }
}

/// Another, with a key and an issuer of its own.
pub fn other() -> Client {
    Client {
        name: "other".into(),
        iss: Some(OTHER_ISS.into()),
        keys: Some(key_set(&[&OTHER])),
        ..Client::default()
    }
}

pub fn security(clients: Vec<Client>) -> Security {
    Security {
        public_urls: vec![BASE.into()],
        base_audience: false,
        policy: Policy::default(),
        roles: vec![],
        tenants: vec!["north".into(), "south".into(), "west".into()],
        clients,
    }
}

/// A service.
pub struct Service {
    pub authenticator: Authenticator,
    pub web: Arc<Web>,
    pub replay: Arc<MemoryReplay>,
}

impl Service {
    pub fn new(clients: Vec<Client>) -> Self {
        Service::of(&security(clients))
    }

    pub fn of(security: &Security) -> Self {
        let web = Arc::new(Web::default());
        let replay = Arc::new(MemoryReplay::new(security.policy.max_remembered));
        let made = Authenticator::new(security, web.clone(), replay.clone(), None);
        let authenticator = made.unwrap_or_else(|problems| panic!("{problems:#?}"));
        Service {
            authenticator,
            web,
            replay,
        }
    }

    pub async fn call(&self, token: &str) -> Result<Caller, Denied> {
        self.call_at(token, NOW).await
    }

    pub async fn call_at(&self, token: &str, now: i64) -> Result<Caller, Denied> {
        self.request(Some(token), None, &Endpoint::call("a1c"), now)
            .await
    }

    pub async fn request(
        &self,
        token: Option<&str>,
        certificate: Option<&PeerCertificate>,
        endpoint: &Endpoint,
        now: i64,
    ) -> Result<Caller, Denied> {
        let value = token.map(|token| format!("Bearer {token}"));
        let values: Vec<&[u8]> = value.iter().map(|v| v.as_bytes()).collect();
        let presented = Presented {
            authorization: &values,
            certificate,
        };
        self.authenticator
            .authenticate(&presented, endpoint, now)
            .await
    }

    /// Why a token is refused; it has to be.
    pub async fn refused(&self, token: &str) -> Reason {
        let denied = self.call(token).await.unwrap_err();
        let log = denied.to_string();
        for part in token.split('.').filter(|part| part.len() > 20) {
            assert!(
                !log.contains(part),
                "the log has a part of the token: {log}"
            );
        }
        denied.reason
    }
}

/// A fresh `jti`.
pub fn jti() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("jti-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What the EHR says in a token for one call.
pub fn payload() -> Value {
    claims(ISS, CALLED, &jti(), NOW)
}

/// A good token.
pub fn good() -> String {
    EC.sign(&EC.header(), &payload())
}

/// With members changed, or taken out (`null`).
pub fn with(mut object: Value, changes: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    object
}

/// A good token with these members of its payload changed, signed by the EHR.
pub fn says(changes: Value) -> String {
    EC.sign(&EC.header(), &with(payload(), changes))
}

/// A good token with these members of its header changed, signed by the EHR.
pub fn headed(changes: Value) -> String {
    EC.sign(&with(EC.header(), changes), &payload())
}

/// Key sets on the web, and who asked for them.
#[derive(Default)]
pub struct Web {
    pages: Mutex<HashMap<String, Result<Vec<u8>, String>>>,
    asked: Mutex<Vec<String>>,
    slow: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
}

impl Web {
    pub fn put(&self, url: &str, set: &Value) {
        let page = Ok(set.to_string().into_bytes());
        self.pages.lock().unwrap().insert(url.into(), page);
    }

    pub fn fail(&self, url: &str, why: &str) {
        let page = Err(why.to_owned());
        self.pages.lock().unwrap().insert(url.into(), page);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Answers one question for each permit from now on.
    pub fn wait_for(&self, permits: Arc<tokio::sync::Semaphore>) {
        *self.slow.lock().unwrap() = Some(permits);
    }
}

#[async_trait]
impl KeyFetcher for Web {
    async fn fetch(&self, url: &str, _: usize, _: Duration) -> Result<Vec<u8>, String> {
        self.asked.lock().unwrap().push(url.to_owned());
        let slow = self.slow.lock().unwrap().clone();
        if let Some(permits) = slow {
            permits.acquire().await.unwrap().forget();
        }
        let page = self.pages.lock().unwrap().get(url).cloned();
        page.unwrap_or_else(|| Err("it is not there".into()))
    }
}

/// A key set in which keys have no `kid`.
pub fn without_kid(keys: &[&TestKey]) -> Value {
    let keys = keys
        .iter()
        .map(|key| with(key.jwk(), json!({ "kid": null })));
    json!({ "keys": keys.collect::<Vec<_>>() })
}
