//! The parts that the doctor plays: a good client, one with broken drafts, a browser, an attacker.

mod battery;
mod broken;
mod browser;
mod calls;
mod feedback;
mod fetching;
mod first;
mod odd;
mod prefetch;
mod security;
mod trap;

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::chart::server::FhirServer;
use crate::chart::{Chart, context, search, searchset, template};
use crate::check::{Book, ERROR_BODY, ERROR_PRIVATE};
use crate::http::{Came, Client, Request, status};
use crate::judge::card::{self, Seen};
use crate::judge::discovery::Service;
use crate::options::{DoctorError, Options};
use crate::random::Random;
use crate::report::Report;
use crate::token::Claims;

pub(crate) use trap::Trap;

/// A secret that no answer may repeat.
pub(crate) const ACCESS_TOKEN: &str = "doctor-access-token-5f7a91c3";

/// An examination under way.
pub(crate) struct Doctor<'o> {
    pub(crate) options: &'o Options,
    pub(crate) base: String,
    client: Client,
    pub(crate) book: Book,
    pub(crate) chart: Chart,
    random: Random,
    pub(crate) server: Option<FhirServer>,
    /// Milliseconds of each good call.
    pub(crate) times: Vec<f64>,
    pub(crate) requests: u64,
    notes: Vec<String>,
}

/// A call, before it is sent.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) body: Value,
    /// The drafts that the context carries.
    pub(crate) drafts: Vec<Value>,
    /// Whether each template was answered.
    pub(crate) whole: bool,
}

impl Call {
    /// The members of the context.
    pub(crate) fn context(&mut self) -> Option<&mut Map<String, Value>> {
        self.body.get_mut("context")?.as_object_mut()
    }

    /// The same with another value of a member of the body.
    pub(crate) fn with(&self, name: &str, value: Value) -> Call {
        let mut call = self.clone();
        if let Some(members) = call.body.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
        call
    }

    /// The same without a member of the body.
    pub(crate) fn without(&self, name: &str) -> Call {
        let mut call = self.clone();
        if let Some(members) = call.body.as_object_mut() {
            members.remove(name);
        }
        call
    }
}

/// What to put under a key of the prefetch; nothing leaves it out.
pub(crate) type Fill<'f> = &'f dyn Fn(&str, Value) -> Option<Value>;

impl<'o> Doctor<'o> {
    pub(crate) async fn new(options: &'o Options) -> Result<Self, DoctorError> {
        let base = options.base()?;
        let chart = match &options.patient {
            Some(bundle) => Chart::of(bundle)?,
            None => Chart::built_in((options.clock)())?,
        };
        let server = match options.fhir_server {
            Some(at) => Some(FhirServer::start(at, chart.clone(), ACCESS_TOKEN).await?),
            None => None,
        };
        Ok(Doctor {
            options,
            base,
            client: Client::new(options)?,
            book: Book::default(),
            chart,
            random: Random::new(options.seed),
            server,
            times: vec![],
            requests: 0,
            notes: vec![],
        })
    }

    /// All of it.
    pub(crate) async fn examine(mut self) -> Report {
        let services = self.first_contact().await;
        if services.is_empty() {
            let told = self.book.results();
            for (check, tally) in told {
                if tally.passed + tally.failed == 0 {
                    self.book
                        .skip(check, "there is no service that could be called");
                }
            }
        } else {
            self.services(&services).await;
        }
        Report::of(self, services.len())
    }

    pub(crate) fn note(&mut self, text: String) {
        const MOST: usize = 20;
        if self.notes.len() < MOST && !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(crate) fn uuid(&mut self) -> String {
        self.random.uuid()
    }

    /// The address of discovery, a service, or its feedback.
    pub(crate) fn address(&self, rest: &str) -> String {
        format!("{}/cds-services{rest}", self.base)
    }

    /// A good token for an address, where there is a key.
    pub(crate) fn token(&mut self, address: &str) -> Option<String> {
        let id = self.random.uuid();
        let signer = self.options.signer.as_ref()?;
        signer.token(&Claims {
            audience: address,
            now: (self.options.clock)(),
            id,
        })
    }

    /// Sends with a good token, where there is a key.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Came {
        let token = self.token(address);
        self.send_with(method, address, headers, body, token).await
    }

    /// Sends with this token, or without any.
    pub(crate) async fn send_with(
        &mut self,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        token: Option<String>,
    ) -> Came {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut headers: Vec<(String, String)> = headers.iter().map(owned).collect();
        if let Some(token) = token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        self.requests += 1;
        let request = Request {
            method,
            url: address.to_owned(),
            headers,
            body,
        };
        let came = self.client.send(request).await;
        if let Ok(exchange) = &came
            && exchange
                .body
                .windows(ACCESS_TOKEN.len())
                .any(|w| w == ACCESS_TOKEN.as_bytes())
        {
            self.book
                .fail(&ERROR_PRIVATE, address, "the access token is repeated");
        }
        came
    }

    /// Posts JSON.
    pub(crate) async fn post(&mut self, rest: &str, body: &Value) -> Came {
        self.post_bytes(rest, body.to_string().into_bytes()).await
    }

    pub(crate) async fn post_bytes(&mut self, rest: &str, body: Vec<u8>) -> Came {
        let address = self.address(rest);
        let headers = [("content-type", "application/json")];
        let came = self.send(Method::POST, &address, &headers, body).await;
        self.error_body(&came, rest);
        came
    }

    /// What an error says, and what it must not say.
    fn error_body(&mut self, came: &Came, place: &str) {
        let Ok(exchange) = came else { return };
        if !(400..600).contains(&exchange.status) || exchange.status == 401 {
            return;
        }
        let outcome = serde_json::from_slice::<Value>(&exchange.body)
            .is_ok_and(|body| crate::chart::kind(&body) == "OperationOutcome");
        let came = || exchange.told();
        self.book.judge(&ERROR_BODY, outcome, place, came);
        let text = exchange.text();
        let own = ["Fixture", "Dora", "doctor-other", ACCESS_TOKEN];
        let said = own.iter().find(|secret| text.contains(**secret));
        let came = || format!("{}: `{}`", exchange.status, said.unwrap_or(&""));
        self.book.judge(&ERROR_PRIVATE, said.is_none(), place, came);
    }

    /// A good call of a service, its prefetch as `fill` has it.
    pub(crate) fn call(&mut self, service: &Service, fill: Fill<'_>) -> Call {
        let chart = self.chart.clone();
        self.call_of(&chart, service, fill)
    }

    /// The same with the data of another chart.
    pub(crate) fn call_of(&mut self, chart: &Chart, service: &Service, fill: Fill<'_>) -> Call {
        let drafts = context::resources(chart, &service.hook);
        let context = context::build(chart, &service.hook, &drafts);
        let (mut prefetch, mut whole) = (Map::new(), true);
        for (key, text) in &service.prefetch {
            let answer = template::fill(chart, text).and_then(|query| search::ask(chart, &query));
            match answer {
                Ok(answer) => {
                    if let Some(value) = fill(text, answer) {
                        prefetch.insert(key.clone(), value);
                    }
                }
                Err(why) => {
                    whole = false;
                    let note = format!("the doctor leaves out `{key}` of `{}`: {why}", service.id);
                    self.note(note);
                }
            }
        }
        let mut body = json!({
            "hook": service.hook,
            "hookInstance": self.random.uuid(),
            "context": context,
        });
        if let (Some(members), false) = (body.as_object_mut(), prefetch.is_empty()) {
            members.insert("prefetch".to_owned(), Value::Object(prefetch));
        }
        Call {
            service: service.id.clone(),
            body,
            drafts,
            whole,
        }
    }

    /// Sends a call.
    pub(crate) async fn place(&mut self, call: &Call) -> Came {
        self.post(&format!("/{}", call.service), &call.body).await
    }

    /// Sends a call, and judges the cards if it is answered 200.
    pub(crate) async fn cards(&mut self, call: &Call, place: &str) -> (Came, Option<Vec<Seen>>) {
        let came = self.place(call).await;
        let cards = match &came {
            Ok(exchange) if exchange.status == 200 => {
                card::response(&mut self.book, exchange, &call.drafts, place)
            }
            _ => None,
        };
        (came, cards)
    }
}

/// Everything as it was found.
pub(crate) fn as_found(_: &str, found: Value) -> Option<Value> {
    Some(found)
}

/// What was found under reads; nothing under searches.
pub(crate) fn empty_searches(template: &str, found: Value) -> Option<Value> {
    Some(if template.contains('?') {
        searchset(&[], &[])
    } else {
        found
    })
}

/// Whether a call was answered, if only by 204: which it must not be is judged once, of good calls.
pub(crate) fn is_answered(came: &Came) -> bool {
    (200..300).contains(&status(came))
}

/// The same, or that it cannot be told (412).
pub(crate) fn is_known_or_unknown(came: &Came) -> bool {
    is_answered(came) || status(came) == 412
}

/// Whether a status says that the caller is at fault.
pub(crate) fn is_refusal(came: &Came) -> bool {
    (400..500).contains(&status(came))
}

/// Whether a status says that the service failed; no answer at all is as bad.
pub(crate) fn is_failure(came: &Came) -> bool {
    !(200..500).contains(&status(came))
}

/// The cards by what they say, in order.
pub(crate) fn contents(cards: &[Seen]) -> Vec<&(String, String, String)> {
    let mut all: Vec<_> = cards.iter().map(|card| &card.content).collect();
    all.sort();
    all
}
