//! A client that tells what became of cards.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Doctor, as_found, empty_searches, is_failure, is_refusal};
use crate::chart::moment;
use crate::check::{FEEDBACK, FEEDBACK_BATCH, FEEDBACK_OVERRIDE, FEEDBACK_SHAPE, FEEDBACK_UNKNOWN};
use crate::http::{status, told};
use crate::judge::card::Seen;
use crate::judge::discovery::Service;

impl Doctor<'_> {
    /// All of it, for one service.
    pub(crate) async fn feedback(&mut self, service: &Service) {
        let mut seen: Option<Seen> = None;
        for fill in [&as_found as super::Fill<'_>, &empty_searches] {
            let call = self.call(service, fill);
            let place = format!("POST {}", service.id);
            let (_, cards) = self.cards(&call, &place).await;
            seen = seen.or_else(|| cards.into_iter().flatten().find(|card| card.uuid.is_some()));
        }
        let made_up = self.uuid();
        let at = moment((self.options.clock)());
        let card = seen.as_ref().and_then(|card| card.uuid.clone());
        let suggestion = seen.and_then(|card| card.suggestion);
        let accepted = json!([{"id": suggestion.unwrap_or_else(|| made_up.clone())}]);
        let card = card.unwrap_or_else(|| made_up.clone());
        let accept = json!({"card": card, "outcome": "accepted", "outcomeTimestamp": at,
            "acceptedSuggestions": accepted});
        let overridden = json!({"card": card, "outcome": "overridden", "outcomeTimestamp": at});
        let taken = |came: &crate::http::Came| (200..300).contains(&status(came));

        let path = format!("/{}/feedback", service.id);
        let place = format!("POST {}/feedback", service.id);
        let came = self.post(&path, &json!({"feedback": [accept]})).await;
        let there = taken(&came);
        self.book.judge(&FEEDBACK, there, &place, || told(&came));
        if !there {
            return;
        }
        for _ in 0..2 {
            let batch = json!({"feedback": [accept, overridden, accept]});
            let came = self.post(&path, &batch).await;
            self.book
                .judge(&FEEDBACK_BATCH, taken(&came), &place, || told(&came));
        }
        let reason = json!({"code": "d7ecf885", "system": "https://example.com/cds-hooks/override-reason-system"});
        for (what, why) in [
            ("a reason without display", json!({"reason": reason})),
            (
                "a reason with a comment",
                json!({"reason": reason, "userComment": "clinically appropriate"}),
            ),
            ("a comment", json!({"userComment": "will do it tomorrow"})),
        ] {
            let mut entry = overridden.clone();
            if let Some(members) = entry.as_object_mut() {
                members.insert("overrideReason".to_owned(), why);
            }
            let came = self.post(&path, &json!({"feedback": [entry]})).await;
            let place = format!("{place}: {what}");
            self.book
                .judge(&FEEDBACK_OVERRIDE, taken(&came), &place, || told(&came));
        }
        let came = self.post(&path, &json!({"feedback": [overridden]})).await;
        let none = format!("{place}: no reason");
        self.book
            .judge(&FEEDBACK_OVERRIDE, taken(&came), &none, || told(&came));
        let mut unknown = accept.clone();
        if let Some(members) = unknown.as_object_mut() {
            members.insert("card".to_owned(), json!(made_up));
        }
        let came = self.post(&path, &json!({"feedback": [unknown]})).await;
        self.book
            .judge(&FEEDBACK_UNKNOWN, !is_failure(&came), &place, || {
                told(&came)
            });
        self.bad_shapes(&path, &place, &accept).await;
    }

    async fn bad_shapes(&mut self, path: &str, place: &str, good: &Value) {
        let with = |name: &str, value: Value| {
            let mut entry = good.clone();
            if let Some(members) = entry.as_object_mut() {
                members.insert(name.to_owned(), value);
            }
            json!({"feedback": [entry]})
        };
        let without = |name: &str| {
            let mut entry = good.clone();
            if let Some(members) = entry.as_object_mut() {
                members.remove(name);
            }
            json!({"feedback": [entry]})
        };
        for (what, body) in [
            ("an empty object", json!({})),
            ("a list", json!([good])),
            ("`feedback` is an object", json!({"feedback": good})),
            ("`feedback` is a text", json!({"feedback": "accepted"})),
            ("an entry that is a text", json!({"feedback": ["accepted"]})),
            ("no card", without("card")),
            ("no outcome", without("outcome")),
            ("no time", without("outcomeTimestamp")),
            ("`outcome` is `ignored`", with("outcome", json!("ignored"))),
            ("`outcome` is a number", with("outcome", json!(1))),
            ("`card` is an object", with("card", json!({}))),
            (
                "a time that is none",
                with("outcomeTimestamp", json!("yesterday")),
            ),
        ] {
            let came = self.post(path, &body).await;
            let place = format!("{place}: {what}");
            self.book
                .judge(&FEEDBACK_SHAPE, is_refusal(&came), &place, || told(&came));
        }
        let came = self.post_bytes(path, b"{\"feedback\": [".to_vec()).await;
        let broken = format!("{place}: half of it");
        self.book
            .judge(&FEEDBACK_SHAPE, is_refusal(&came), &broken, || told(&came));
        let address = self.address(path);
        let came = self.send(Method::GET, &address, &[], vec![]).await;
        let get = format!("{place}: GET");
        self.book
            .judge(&FEEDBACK_SHAPE, is_refusal(&came), &get, || told(&came));
    }
}
