//! A client that does everything right.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{Doctor, as_found, contents, empty_searches, is_answered, is_known_or_unknown};
use crate::chart::{context, drafts};
use crate::check::{CALL_STATUS, FRESH, LATENCY, LATENCY_MOST, PARALLEL, REPEATED, SERVICE_ID};
use crate::http::{Request, status, told};
use crate::judge::card;
use crate::judge::discovery::Service;

/// Calls at the same time.
const AT_ONCE: usize = 8;

impl Doctor<'_> {
    /// With the chart, with an empty chart, twice, and several at once. False where not even that is
    /// answered.
    pub(crate) async fn good_client(&mut self, service: &Service) -> bool {
        let place = format!("POST {}", service.id);
        let call = self.call(service, &as_found);
        let (came, cards) = self.cards(&call, &place).await;
        let found = status(&came) != 404;
        self.book.judge(&SERVICE_ID, found, &place, || told(&came));
        // Where the doctor could not satisfy a template, 412 is an answer.
        let fits = status(&came) == 200 || (!call.whole && status(&came) == 412);
        self.book.judge(&CALL_STATUS, fits, &place, || told(&came));
        if let Ok(exchange) = &came {
            let ms = exchange.elapsed.as_secs_f64() * 1000.0;
            self.times.push(ms);
        }
        if !is_answered(&came) {
            return !call.whole && status(&came) == 412;
        }
        let bare = self.call(service, &empty_searches);
        let (came, _) = self.cards(&bare, &format!("{place}, an empty chart")).await;
        let fits = status(&came) == 200 || (!call.whole && status(&came) == 412);
        self.book.judge(&CALL_STATUS, fits, &place, || told(&came));
        let hostile = self.chart.hostile();
        let mut tainted = self.call_of(&hostile, service, &as_found);
        let unheard = drafts::unheard(&hostile);
        if let Some(context) = tainted.context() {
            let member = context::drafts_member(&service.hook).unwrap_or_default();
            let entries = context.get_mut(member).and_then(|b| b.get_mut("entry"));
            if let Some(entries) = entries.and_then(serde_json::Value::as_array_mut) {
                entries.push(json!({"resource": unheard}));
            }
            context.values_mut().for_each(crate::chart::taint);
        }
        let told_by = format!("{place}, hostile text in the chart");
        let (came, _) = self.cards(&tainted, &told_by).await;
        let fits = is_known_or_unknown(&came);
        self.book
            .judge(&CALL_STATUS, fits, &told_by, || told(&came));
        let Some(cards) = cards else { return true };

        let (came, again) = self.cards(&call, &place).await;
        let same = again
            .as_ref()
            .is_some_and(|again| contents(again) == contents(&cards));
        self.book.judge(&REPEATED, same, &place, || told(&came));
        self.fresh(service, &cards, &place).await;
        self.parallel(service, &cards, &place).await;
        true
    }

    /// Another call has other uuids.
    async fn fresh(&mut self, service: &Service, cards: &[card::Seen], place: &str) {
        let other = self.call(service, &as_found);
        let (_, others) = self.cards(&other, place).await;
        let uuids: HashSet<&String> = cards.iter().filter_map(|c| c.uuid.as_ref()).collect();
        for card in others.iter().flatten().filter_map(|c| c.uuid.as_ref()) {
            let came = || format!("{card} in two calls");
            self.book.judge(&FRESH, !uuids.contains(card), place, came);
        }
    }

    async fn parallel(&mut self, service: &Service, cards: &[card::Seen], place: &str) {
        let mut requests = vec![];
        for _ in 0..AT_ONCE {
            let call = self.call(service, &as_found);
            let address = self.address(&format!("/{}", call.service));
            let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            if let Some(token) = self.token(&address) {
                headers.push(("authorization".to_owned(), format!("Bearer {token}")));
            }
            requests.push(Request {
                method: Method::POST,
                url: address,
                headers,
                body: call.body.to_string().into_bytes(),
            });
        }
        self.requests += AT_ONCE as u64;
        let client = &self.client;
        let sent = requests.into_iter().map(|request| client.send(request));
        let answers = futures::future::join_all(sent).await;
        for came in answers {
            let mut unjudged = crate::check::Book::default();
            let found = match &came {
                Ok(e) if e.status == 200 => card::response(&mut unjudged, e, &[], place),
                _ => None,
            };
            let same = found.is_some_and(|found| contents(&found) == contents(cards));
            self.book.judge(&PARALLEL, same, place, || told(&came));
            if let Ok(exchange) = &came {
                let fits = exchange.elapsed <= self.options.all_within;
                let took = || format!("{} ms", exchange.elapsed.as_millis());
                self.book.judge(&LATENCY_MOST, fits, place, took);
            }
        }
    }

    /// Of the good calls.
    pub(crate) fn latency(&mut self) {
        self.times.sort_by(f64::total_cmp);
        let (p99, most) = (self.percentile(0.99), self.percentile(1.0));
        if let (Some(p99), Some(most)) = (p99, most) {
            let of = format!("of {} calls", self.times.len());
            let within = |limit: Duration, ms: f64| ms <= limit.as_secs_f64() * 1000.0;
            let (good, all) = (self.options.good_within, self.options.all_within);
            let book = &mut self.book;
            book.judge(&LATENCY, within(good, p99), &of, || format!("{p99:.0} ms"));
            book.judge(&LATENCY_MOST, within(all, most), &of, || {
                format!("{most:.0} ms")
            });
        }
    }

    /// The time that this share of the good calls took at most, in milliseconds; they are sorted.
    pub(crate) fn percentile(&self, share: f64) -> Option<f64> {
        let last = self.times.len().checked_sub(1)?;
        let at = (share * last as f64).ceil() as usize;
        self.times.get(at.min(last)).copied()
    }

    /// A call with an extension or with members that nobody knows is the same call.
    pub(crate) fn unknown_members() -> Vec<(&'static str, &'static str, serde_json::Value)> {
        vec![
            ("", "org.example.unknown", json!({"a": [1, null]})),
            ("", "callbackUrl", json!("https://ehr.example/callback")),
            ("", "user", json!("Practitioner/1")),
            ("context", "unknownMember", json!({"b": 2})),
            ("context", "fulfillmentTasks", json!(7)),
        ]
    }
}
