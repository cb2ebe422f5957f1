//! What a prefetch leads to, asked of the service that stays silent and of the one that says so.

use serde_json::Value;

use crate::conformance;
use crate::fixture::{post, request};

/// What came of a call to both services: the card, no card, or 412 and a card that says why.
#[derive(Debug, PartialEq)]
pub enum Came {
    Card,
    NoCard,
    Unknown(&'static str),
}

pub async fn check(name: &str, request: &Value, expected: Came) {
    let silent = post("a1c", request).await;
    let saying = post("a1c-or-say", request).await;
    conformance::response(&saying.json());
    let cards = saying.cards();
    match expected {
        Came::Card => {
            assert_eq!(silent.cards().len(), 1, "{name}");
            assert_eq!(cards[0]["summary"], "A1c is overdue.", "{name}");
        }
        Came::NoCard => {
            assert_eq!(silent.text, r#"{"cards":[]}"#, "{name}");
            assert_eq!(saying.text, r#"{"cards":[]}"#, "{name}");
        }
        Came::Unknown(why) => {
            assert_eq!(silent.status, 412, "{name}: {}", silent.text);
            assert!(silent.text.contains(why), "{name}: {}", silent.text);
            assert_eq!(cards[0]["summary"], "Could not check for an A1c.", "{name}");
            let detail = cards[0]["detail"].as_str().unwrap();
            let card = cards[0].to_string();
            let lacking = &cards[0]["extension"]["dev.tandem-cds.could-not-check"]["lacking"];
            let said = lacking.as_array().into_iter().flatten();
            assert!(
                said.filter_map(Value::as_str).any(|l| l.contains(why)),
                "{name}: {card}"
            );
            plain(name, detail);
            for secret in ["p2", "Doe", "1960", "E11.9"] {
                assert!(
                    !card.contains(secret) && !silent.text.contains(secret),
                    "{name}: {card}"
                );
            }
        }
    }
}

/// A detail says nothing that only programs know: keys, code spans, URLs, elements.
fn plain(name: &str, detail: &str) {
    for internal in [
        "`",
        "://",
        "-hba1c",
        "fullUrl",
        "fhirServer",
        "Bundle",
        "FHIR R4",
        "Observation",
    ] {
        assert!(!detail.contains(internal), "{name}: {internal} in {detail}");
    }
}

pub fn with(key: &str, value: Value) -> Value {
    let mut request = request();
    request["prefetch"][key] = value;
    request
}

pub fn without(key: &str) -> Value {
    let mut request = request();
    request["prefetch"].as_object_mut().unwrap().remove(key);
    request
}

pub const A1C: &str = "observation-hba1c-lab";
