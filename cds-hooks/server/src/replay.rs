//! A recorded call once more, by the rules of now: what would be shown, beside what was shown. For whom the
//! caller then was: what the patient's consent withholds is withheld here, too, by the settings of now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use cds_hooks::seams::{
    Admission, BoxFuture, CallRecord, Caller, DataAsk, DataSource, Endpoint, FeedbackRecord,
    FeedbackTaken, KeyAnswer, KeyData, KeyFailure, Knows, NotAdmitted, NotRecorded, Recorder,
    Seams,
};
use cds_hooks::{Config, Live, Protocol, Service, ServiceSet, Sets, router_of_live};
use cds_store::RecordedCall;
use serde::Deserialize;
use serde_json::value::RawValue;
use tower::ServiceExt as _;

use crate::consent;
use crate::settings::Settings;

/// Bodies that were taken are taken again, whatever the limit is now.
const MAX_BODY: usize = 1 << 30;

/// What a call came to then and now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// The statuses then and now.
    pub status: (u16, u16),
    /// Cards that were shown then, and would be shown now.
    pub same: Vec<Said>,
    /// Cards that would be shown now only.
    pub added: Vec<Said>,
    /// Cards that were shown then only.
    pub removed: Vec<Said>,
    /// What consent withholds now: ids of Consents, types and numbers.
    pub consent: Option<String>,
}

impl Replayed {
    /// Whether the answer would be the same.
    pub fn is_same(&self) -> bool {
        self.status.0 == self.status.1 && self.added.is_empty() && self.removed.is_empty()
    }
}

/// A card.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Said {
    /// Names what it says.
    pub content: String,
    /// `info`, `warning` or `critical`.
    pub indicator: String,
    /// Its rules, as id and version.
    pub rules: Vec<(String, String)>,
    /// Its summary. Holds data of the patient.
    pub summary: String,
    /// It was of a rule on trial.
    shadow: bool,
}

#[derive(Deserialize)]
struct Asked<'t> {
    call: Call,
    #[serde(borrow)]
    body: &'t RawValue,
}

/// Of calls that were recorded before this was, who called is not known.
#[derive(Deserialize)]
struct Call {
    at: i64,
    fetched: BTreeMap<String, String>,
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    purpose: Option<String>,
}

impl Call {
    /// Who called, as far as it was recorded; what the client knows as the settings say now.
    fn caller(&self, settings: &Settings) -> Caller {
        let text = |text: &Option<String>| text.as_deref().map(Arc::from);
        let mut clients = settings.clients.iter();
        let client = clients.find(|client| Some(&client.name) == self.client.as_ref());
        Caller {
            client: text(&self.client),
            tenant: text(&self.tenant),
            subject: text(&self.subject),
            purpose: text(&self.purpose),
            roles: self.roles.iter().map(|role| Arc::from(&**role)).collect(),
            knows: client.map_or(Knows::default(), |client| Knows {
                action_selection_behavior: client.action_selection_behavior,
                system_actions: client.system_actions,
            }),
            ..Caller::anyone()
        }
    }
}

const UNREAD: &str = "the recorded call cannot be read";

/// The tenant of a recorded call, by whose rules it was answered.
///
/// # Errors
/// Where it is no recorded call.
pub fn tenant_of(recorded: &RecordedCall) -> Result<Option<String>, String> {
    let asked: Result<Asked<'_>, _> = serde_json::from_str(&recorded.request);
    let asked = asked.map_err(|_| UNREAD.to_owned())?;
    Ok(asked.call.tenant)
}

#[derive(Deserialize)]
struct Answered {
    status: u16,
    cards: Vec<Said>,
}

/// Calls services with a recorded request, as at the moment of the call, with what was fetched for it then, and
/// by the consent, clients and time zone of the settings.
///
/// # Errors
/// Where it is no recorded call, or the service is not there any more. Holds nothing of the patient.
pub async fn replay(
    recorded: &RecordedCall,
    services: Vec<Service>,
    settings: &Settings,
) -> Result<Replayed, String> {
    let unread = |_| UNREAD.to_owned();
    let asked: Asked<'_> = serde_json::from_str(&recorded.request).map_err(unread)?;
    let answered: Answered = serde_json::from_str(&recorded.response).map_err(unread)?;
    let id = &recorded.service;
    if !services.iter().any(|service| service.id == *id) {
        let there: Vec<&str> = services.iter().map(|service| service.id.as_str()).collect();
        return Err(format!(
            "there is no service `{id}` by these rules; there are: {}",
            there.join(", ")
        ));
    }
    let zone = settings.server.time_zone.clone();
    let at = zone.moment(asked.call.at);
    let caller = asked.call.caller(settings);
    let seen = Arc::new(Seen::default());
    let mut config = Config::new(Arc::new(move || at));
    config.time_zone = zone;
    config.at = Some(at);
    config.max_body = MAX_BODY;
    config.limits.max_in_flight = MAX_BODY;
    config.protocol = Protocol {
        version_3: settings.server.version_3,
        system_actions: settings.server.system_actions,
        crd: settings.server.crd,
    };
    config.limits.max_cards = most_cards(&answered.cards);
    config.seams = Seams {
        admission: Arc::new(As(caller)),
        filter: consent::filter(settings),
        data: Some(Arc::new(Fetched(asked.call.fetched))),
        recorder: Some(Arc::clone(&seen) as _),
        ..Seams::default()
    };
    let set = ServiceSet::new("replay", services, &config).map_err(|wrong| wrong.join("; "))?;
    let router = router_of_live(config, Live::new(Sets::of(set)));
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/cds-services/{id}"))
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(asked.body.get().to_owned()))
        .map_err(|_| "the id of the service fits no address".to_owned())?;
    let status = match router.oneshot(request).await {
        Ok(response) => response.status().as_u16(),
        Err(never) => match never {},
    };
    let now = seen.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (now, consent) = now
        .map(|call| (call.cards, call.consent))
        .unwrap_or_default();
    let now: Vec<Said> = now
        .into_iter()
        .map(|card| Said {
            content: card.content,
            indicator: card.indicator.to_owned(),
            rules: card.rules,
            summary: card.summary,
            shadow: card.is_shadow,
        })
        .collect();
    Ok(Replayed {
        consent,
        ..compared((answered.status, status), answered.cards, now)
    })
}

/// As many as there was room for then, where some found none: their number stands on a card of no rule.
fn most_cards(then: &[Said]) -> usize {
    let shown = then.iter().filter(|card| !card.shadow);
    match shown.clone().any(|card| card.rules.is_empty()) {
        true => shown.count(),
        false => usize::MAX,
    }
}

/// Cards of rules on trial were shown to nobody.
fn compared(status: (u16, u16), then: Vec<Said>, now: Vec<Said>) -> Replayed {
    let shown = |cards: Vec<Said>| cards.into_iter().filter(|card| !card.shadow);
    let mut removed: Vec<Said> = shown(then).collect();
    let (mut same, mut added) = (vec![], vec![]);
    for card in shown(now) {
        match removed.iter().position(|old| old.content == card.content) {
            Some(at) => same.push(removed.remove(at)),
            None => added.push(card),
        }
    }
    Replayed {
        status,
        same,
        added,
        removed,
        consent: None,
    }
}

/// Lets in whom it is told.
struct As(Caller);

impl Admission for As {
    fn admit<'a>(
        &'a self,
        _head: &'a Parts,
        _endpoint: Endpoint<'a>,
        _at: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// Keeps the record of the call that is replayed.
#[derive(Default)]
struct Seen(Mutex<Option<CallRecord>>);

impl Recorder for Seen {
    fn call<'a>(&'a self, call: &'a CallRecord) -> BoxFuture<'a, Result<(), NotRecorded>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(call.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn feedback<'a>(
        &'a self,
        _feedback: &'a FeedbackRecord,
    ) -> BoxFuture<'a, Result<FeedbackTaken, NotRecorded>> {
        Box::pin(std::future::ready(Ok(FeedbackTaken::default())))
    }
}

/// Has what was fetched for the call when it came. Nobody is asked again: the patient is another by now.
struct Fetched(BTreeMap<String, String>);

impl DataSource for Fetched {
    fn fetch<'a>(&'a self, ask: DataAsk<'a>) -> BoxFuture<'a, Vec<KeyAnswer>> {
        let answers = ask.keys.iter().map(|wanted| {
            let json = self.0.get(wanted.key).cloned();
            let lacking = || KeyFailure::Other("it was not fetched when the call came".to_owned());
            KeyAnswer {
                key: wanted.key.to_owned(),
                answer: json.ok_or_else(lacking).map(|json| KeyData {
                    json,
                    pages: 1,
                    resources: 0,
                }),
            }
        });
        Box::pin(std::future::ready(answers.collect()))
    }
}
