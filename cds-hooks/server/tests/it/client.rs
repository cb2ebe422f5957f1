//! What a client does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Once};

use cds_security::Algorithm;
use cds_security::testing::{TestKey, claims};
use serde_json::{Value, json};

use crate::server::now;

pub const BASE: &str = "https://cds.example";
pub const ISS: &str = "https://ehr.example";

/// The EHR's key, and an attacker's with the same name.
pub static KEY: LazyLock<TestKey> = LazyLock::new(|| TestKey::new(Algorithm::ES384, "k1"));
pub static EVIL: LazyLock<TestKey> = LazyLock::new(|| TestKey::new(Algorithm::ES384, "k1"));

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Another number each time.
pub fn number() -> u64 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// A token for one request to this path.
pub fn token(path: &str) -> String {
    token_with(path, &json!({}))
}

/// The same, with more claims.
pub fn token_with(path: &str, more: &Value) -> String {
    let jti = format!("jti-{}-{}", std::process::id(), number());
    let mut claims = claims(ISS, &format!("{BASE}{path}"), &jti, now());
    for (name, value) in more.as_object().unwrap() {
        claims[name.as_str()] = value.clone();
    }
    KEY.sign(&KEY.header(), &claims)
}

/// Settings of the EHR as a client; keys as text.
pub fn ehr(more: &str) -> String {
    let keys = cds_security::testing::key_set(&[&KEY]).to_string();
    format!("[[client]]\nname = \"ehr\"\niss = \"{ISS}\"\nkeys = '{keys}'\n{more}\n")
}

/// A call of a service of [`crate::rules_of_test`]: an adult without encounters.
pub fn call() -> String {
    json!({
        "hook": "patient-view",
        "hookInstance": format!("d1577c69-dfbe-44ad-ba6d-{:012x}", number()),
        "context": { "userId": "Practitioner/1", "patientId": "p1" },
        "prefetch": {
            "patient": { "resourceType": "Patient", "id": "p1", "birthDate": "1960-01-02" },
            "encounter": null,
        },
    })
    .to_string()
}

pub struct Answer {
    pub status: u16,
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The summaries of its cards.
    pub fn summaries(&self) -> Vec<String> {
        let json = self.json();
        let cards = json["cards"].as_array().unwrap_or_else(|| panic!("{json}"));
        cards
            .iter()
            .map(|card| card["summary"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub async fn get(client: &reqwest::Client, url: &str, token: Option<&str>) -> Answer {
    answer(client.get(url), token).await
}

pub async fn post(
    client: &reqwest::Client,
    url: &str,
    token: Option<&str>,
    body: String,
) -> Answer {
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .body(body);
    answer(request, token).await
}

async fn answer(request: reqwest::RequestBuilder, token: Option<&str>) -> Answer {
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
