//! The states of a prefetch key: absent, null, an empty Bundle, a failure, a first page.

use serde_json::{Value, json};

use super::{
    Call, Doctor, as_found, contents, empty_searches, is_answered, is_failure, is_known_or_unknown,
};
use crate::chart::{context, failure, searchset};
use crate::check::{
    FAILED_IS_NOT_EMPTY, PREFETCH_ABSENT, PREFETCH_EXTRA, PREFETCH_NULL, PREFETCH_OUTCOME,
    PREFETCH_SHAPE,
};
use crate::http::{status, told};
use crate::judge::card::Seen;
use crate::judge::discovery::Service;

/// What stands under the keys of searches instead of what was found.
type State = (&'static str, fn() -> Value);

impl Doctor<'_> {
    /// All of it, for one service.
    pub(crate) async fn states_of_prefetch(&mut self, service: &Service) {
        if service.prefetch.is_empty() {
            return;
        }
        let empty = self.call(service, &empty_searches);
        let place = format!("POST {}: empty Bundles", service.id);
        let (_, empty) = self.cards(&empty, &place).await;
        self.nulls(service, empty.as_deref()).await;
        self.failures(service, empty.as_deref()).await;
        self.absent(service, empty.as_deref()).await;
        self.shapes(service).await;
    }

    /// `null` is an answer.
    async fn nulls(&mut self, service: &Service, empty: Option<&[Seen]>) {
        let nulls = |template: &str, found: Value| {
            Some(if template.contains('?') {
                Value::Null
            } else {
                found
            })
        };
        let call = self.call(service, &nulls);
        let place = format!("POST {}: null under each search", service.id);
        let (came, cards) = self.cards(&call, &place).await;
        let same = match (&cards, empty) {
            (Some(cards), Some(empty)) => contents(cards) == contents(empty),
            (None, None) => true,
            // A key that the doctor left out may be what a 412 is about.
            _ => !call.whole && status(&came) == 412,
        };
        self.book
            .judge(&PREFETCH_NULL, same, &place, || match cards {
                Some(cards) => format!(
                    "{} cards, {} with empty Bundles, or others",
                    cards.len(),
                    empty.map_or(0, <[Seen]>::len)
                ),
                None => told(&came),
            });
    }

    /// Each way in which a search can have failed.
    async fn failures(&mut self, service: &Service, empty: Option<&[Seen]>) {
        let states: [State; 4] = [
            ("an OperationOutcome", failure),
            ("a Bundle with an OperationOutcome", || {
                json!({"resourceType": "Bundle", "type": "searchset", "entry": [
                    {"resource": failure(), "search": {"mode": "outcome"}}]})
            }),
            ("the first page of several", || {
                let mut page = searchset(&[], &[]);
                if let Some(members) = page.as_object_mut() {
                    members.insert("total".to_owned(), json!(3));
                    members.insert(
                        "link".to_owned(),
                        json!([
                        {"relation": "next", "url": "https://ehr.example/fhir?page=2"}]),
                    );
                }
                page
            }),
            ("a 404 of HTML", || {
                json!({"resourceType": "OperationOutcome", "issue": [
                {"severity": "fatal", "code": "not-supported"}]})
            }),
        ];
        for (what, state) in states {
            let fill = |template: &str, found: Value| {
                Some(if template.contains('?') {
                    state()
                } else {
                    found
                })
            };
            let call = self.call(service, &fill);
            let place = format!("POST {}: {what} under each search", service.id);
            let (came, cards) = self.cards(&call, &place).await;
            let fits = is_known_or_unknown(&came);
            self.book
                .judge(&PREFETCH_OUTCOME, fits, &place, || told(&came));
            self.not_as_empty(service, &call, empty, cards.as_deref(), &place);
        }
        // The patient could not be read.
        let fill = |template: &str, found: Value| {
            Some(if template.contains('?') {
                found
            } else {
                failure()
            })
        };
        let call = self.call(service, &fill);
        let place = format!("POST {}: an OperationOutcome for the patient", service.id);
        let (came, _) = self.cards(&call, &place).await;
        let fits = is_known_or_unknown(&came);
        self.book
            .judge(&PREFETCH_OUTCOME, fits, &place, || told(&came));
    }

    /// Cards that rest on "there is nothing" must not come where that is not known. Told only of hooks
    /// without drafts: what drafts say of each other is true whatever the chart holds.
    fn not_as_empty(
        &mut self,
        service: &Service,
        call: &Call,
        empty: Option<&[Seen]>,
        cards: Option<&[Seen]>,
        place: &str,
    ) {
        let carries = !call.drafts.is_empty() || context::of(&service.hook).is_none();
        let searches = service
            .prefetch
            .iter()
            .any(|(_, template)| template.contains('?'));
        let (Some(empty), true, false) = (empty, searches, carries) else {
            return;
        };
        if empty.is_empty() {
            return;
        }
        let same = cards.is_some_and(|cards| contents(cards) == contents(empty));
        self.book.judge(&FAILED_IS_NOT_EMPTY, !same, place, || {
            format!("the same {} cards as for an empty chart", empty.len())
        });
    }

    async fn absent(&mut self, service: &Service, empty: Option<&[Seen]>) {
        let none = |_: &str, _: Value| None;
        let only_reads = |template: &str, found: Value| (!template.contains('?')).then_some(found);
        let only_searches = |template: &str, found: Value| template.contains('?').then_some(found);
        let fills: [(&str, super::Fill<'_>); 3] = [
            ("no prefetch", &none),
            ("no search in the prefetch", &only_reads),
            ("no patient in the prefetch", &only_searches),
        ];
        for (what, fill) in fills {
            let call = self.call(service, fill);
            let place = format!("POST {}: {what}", service.id);
            let (came, cards) = self.cards(&call, &place).await;
            let fits = is_known_or_unknown(&came);
            self.book
                .judge(&PREFETCH_ABSENT, fits, &place, || told(&came));
            if what == "no search in the prefetch" {
                self.not_as_empty(service, &call, empty, cards.as_deref(), &place);
            }
        }
        let mut extra = self.call(service, &as_found);
        let prefetch = extra
            .body
            .get_mut("prefetch")
            .and_then(Value::as_object_mut);
        if let Some(prefetch) = prefetch {
            prefetch.insert("doctorExtra".to_owned(), searchset(&[], &[]));
            prefetch.insert("doctorNull".to_owned(), Value::Null);
        }
        let place = format!("POST {}: keys that were not asked for", service.id);
        let (came, _) = self.cards(&extra, &place).await;
        let fits = is_answered(&came) || (!extra.whole && status(&came) == 412);
        self.book
            .judge(&PREFETCH_EXTRA, fits, &place, || told(&came));
    }

    async fn shapes(&mut self, service: &Service) {
        for value in [
            json!([]),
            json!("x"),
            json!(7),
            json!(null),
            json!(true),
            json!([{"a": 1}]),
        ] {
            let call = self
                .call(service, &as_found)
                .with("prefetch", value.clone());
            let came = self.place(&call).await;
            let place = format!("POST {}: `prefetch` is {value}", service.id);
            self.book
                .judge(&PREFETCH_SHAPE, !is_failure(&came), &place, || told(&came));
        }
        let states: [State; 9] = [
            ("a text", || json!("Bundle")),
            ("a number", || json!(7)),
            ("a list", || json!([])),
            ("an object without type", || json!({})),
            (
                "a resource of another type",
                || json!({"resourceType": "Group", "id": "g"}),
            ),
            (
                "a Bundle whose entries are none",
                || json!({"resourceType": "Bundle", "entry": [1, null, {}, "x"]}),
            ),
            (
                "a Bundle whose `entry` is an object",
                || json!({"resourceType": "Bundle", "entry": {}}),
            ),
            ("FHIR as a text", || json!("{\"resourceType\":\"Bundle\"}")),
            ("resources without anything", || {
                json!({"resourceType": "Bundle", "type": "searchset", "entry": [
                {"resource": {"resourceType": "Observation"}}, {"resource": {"resourceType": "Condition"}},
                {"resource": {"resourceType": "MedicationRequest"}}]})
            }),
        ];
        for (what, state) in states {
            let fill = move |_: &str, _: Value| Some(state());
            let call = self.call(service, &fill);
            let came = self.place(&call).await;
            let place = format!("POST {}: {what} under each key", service.id);
            self.book
                .judge(&PREFETCH_SHAPE, !is_failure(&came), &place, || told(&came));
        }
    }
}
