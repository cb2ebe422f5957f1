//! `GET /cds-services/{id}/explain/{hookInstance}`: why a recent call was answered as it was.
//!
//! Off unless the settings switch it on. The requests of recent calls are kept in memory, bounded by number,
//! bytes and age ([`Bounds`]); their rules are asked again when somebody wants to know, for whom the caller
//! then was, so that what consent withheld is withheld here, too. Who may read it needs the permission
//! `explain`; a call of another tenant, or of a service that the reader may not see, is not there (404). Where
//! there is an audit log it says who read of which patient, before they do.

mod kept;
mod page;
mod style;
#[cfg(test)]
mod tests;
mod told;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue,
    REFERRER_POLICY, RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cds_hooks::seams::{CallRecord, Caller, Endpoint, NotAdmitted, Observer, Permission};
use cds_hooks::{Config, Live, Noted};
use engine_patient::system::zone::UTC;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::kept::{Kept, Reading};
use crate::metrics::Metrics;
pub use kept::{Bounds, Counts};
use kept::{Call, Ring};
pub use page::page;
pub use told::{CallExplanation, CardTold, KeyTold, RuleTold, explain_call};

/// Explanations that are made at once: each takes a thread for blocking work.
const AT_ONCE: usize = 2;

/// How long one may wait for its turn.
const WAIT: Duration = Duration::from_secs(5);

/// What the settings say of it; `None` where it is off.
pub(crate) fn kept(settings: &crate::settings::Explain, audit: Option<Kept>) -> Option<Explain> {
    let bounds = Bounds {
        calls: settings.max_calls,
        bytes: settings.max_bytes,
        age: settings.max_age,
    };
    settings.enabled.then(|| Explain {
        audit,
        ..Explain::new(bounds)
    })
}

type OfExplain = fn(&Counts) -> u64;

const COUNTS: [(&str, &str, bool, OfExplain); 5] = [
    (
        "explain_calls",
        "Calls that are kept to be explained",
        false,
        |c| c.calls as u64,
    ),
    ("explain_bytes", "Bytes that they take", false, |c| {
        c.bytes as u64
    }),
    (
        "explain_pushed_out",
        "Calls that made room for others before their time",
        true,
        |c| c.pushed_out,
    ),
    (
        "explain_too_large",
        "Calls that were too large to be kept",
        true,
        |c| c.too_large,
    ),
    (
        "explain_outdated",
        "Calls that were not kept, since other rules were live by the time of their answer",
        true,
        |c| c.outdated,
    ),
];

/// Explains recent calls.
pub struct Explain {
    ring: Ring,
    /// How calls are served, and by what: known once the parts are put together.
    served: OnceLock<(Config, Live)>,
    turns: Arc<Semaphore>,
    /// Where it is written down who read what.
    audit: Option<Kept>,
}

impl Explain {
    /// Keeps so much.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Explain {
            ring: Ring::new(bounds),
            served: OnceLock::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            audit: None,
        }
    }

    /// Says how calls are served, and with which rules. Before that nothing is kept; a second time changes
    /// nothing.
    pub fn serve(&self, config: Config, live: Live) {
        // The configuration has the recorder, which has this: its part of it is not needed here.
        let mut config = config;
        config.seams.recorder = None;
        let _ = self.served.set((config, live));
    }

    /// Keeps a call, where it has its request ([`cds_hooks::seams::Recorder::wants_request`]). To be told of
    /// each before it is answered.
    pub fn keep(&self, record: &CallRecord) {
        let Some((_, live)) = self.served.get().filter(|_| record.request.is_some()) else {
            return;
        };
        let sets = live.current();
        let set = Arc::clone(sets.for_caller(&caller_of(record)));
        // Between the answer and this another set may have come: it would explain other rules.
        match set.name() == record.configuration {
            true => {
                let live = 1 + sets.tenants.len();
                self.ring.keep(record.clone(), set, live, Instant::now());
            }
            false => self.ring.outdated(),
        }
    }

    /// Its numbers.
    pub(crate) fn watch(self: &Arc<Self>, metrics: &Metrics) {
        for (name, help, is_counter, read) in COUNTS {
            let there = Arc::clone(self);
            metrics.watch(name, help, is_counter, move || read(&there.counts()));
        }
    }

    /// Writes down who reads what; why it must not be read where that cannot be written.
    async fn note(
        &self,
        reader: &Caller,
        call: &CallRecord,
        as_page: bool,
    ) -> Result<(), Response> {
        let (Some(audit), Some((config, _))) = (&self.audit, self.served.get()) else {
            return Ok(());
        };
        let reading = Reading {
            now: (config.clock)().earliest(&UTC),
            reader,
            call,
            as_page,
        };
        let Err(why) = audit.explained(reading).await else {
            return Ok(());
        };
        let observer: &dyn Observer = config.seams.observer.as_ref();
        observer.not_recorded(&why);
        if let Some(log) = &config.log {
            let time = (config.clock)().to_string();
            let what = format!("the reading of an explanation could not be recorded: {why}");
            log.line(&json!({ "time": time, "server": what }).to_string());
        }
        match audit.is_required() {
            true => Err(busy(
                "what is read here has to be recorded, and cannot be now; try again in 5 seconds",
            )),
            false => Ok(()),
        }
    }

    /// How much is kept.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.ring.counts(Instant::now())
    }

    /// The address, to be merged with those of the card service.
    pub fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/cds-services/{id}/explain/{instance}", get(asked))
            .with_state(self)
    }

    async fn reader(&self, head: &Parts, endpoint: Endpoint<'_>) -> Result<Caller, Response> {
        let Some((config, _)) = self.served.get() else {
            return Err(outcome(StatusCode::NOT_FOUND, "not-found", NOT_KEPT));
        };
        let seconds = (config.clock)().earliest(&UTC).div_euclid(1000);
        let admission = &config.seams.admission;
        let (status, reason) = match admission.admit(head, endpoint, seconds).await {
            Ok(caller) if caller.permissions.contains(Permission::Explain) => return Ok(caller),
            Ok(_) => (StatusCode::FORBIDDEN, "permission".to_owned()),
            Err(not) => {
                let status = match not {
                    NotAdmitted::Unauthorized(_) => StatusCode::UNAUTHORIZED,
                    NotAdmitted::Forbidden(_) => StatusCode::FORBIDDEN,
                    NotAdmitted::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                };
                (status, not.reason().to_owned())
            }
        };
        let observer: &dyn Observer = config.seams.observer.as_ref();
        observer.not_admitted(endpoint, status.as_u16(), &reason);
        let mut response = outcome(status, "forbidden", "this caller may not read explanations");
        if status == StatusCode::UNAUTHORIZED {
            // Without a word of why.
            response = (status, [(CACHE_CONTROL, "no-store")]).into_response();
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
        }
        // The log says why.
        let noted = Noted::refused(endpoint, Some(&reason));
        response.extensions_mut().insert(noted);
        Err(response)
    }
}

/// Who called, as far as the record says it.
fn caller_of(record: &CallRecord) -> Caller {
    let text = |text: &Option<String>| text.as_deref().map(Arc::from);
    Caller {
        client: text(&record.client),
        tenant: text(&record.tenant),
        subject: text(&record.subject),
        purpose: text(&record.purpose),
        roles: record
            .roles
            .iter()
            .map(|role| Arc::from(role.as_str()))
            .collect(),
        ..Caller::default()
    }
}

async fn asked(
    State(explain): State<Arc<Explain>>,
    Path((id, instance)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let endpoint = Endpoint::Explain(&id, &instance);
    let reader = match explain.reader(&head, endpoint).await {
        Ok(reader) => reader,
        Err(response) => return response,
    };
    // Who reads of a patient leaves a trace.
    let mut noted = Noted::of(endpoint, &reader);
    let mut response = explained(explain, (&id, &instance), reader, head).await;
    if response.status() != StatusCode::NOT_FOUND {
        noted = noted.with_call(&id, &instance);
    }
    response.extensions_mut().insert(noted);
    response
}

async fn explained(
    explain: Arc<Explain>,
    (id, instance): (&str, &str),
    reader: Caller,
    head: Parts,
) -> Response {
    let found = match reader.may_see(id) {
        true => explain
            .ring
            .find(id, instance, reader.tenant.as_deref(), Instant::now()),
        false => None,
    };
    let Some(call) = found else {
        return outcome(StatusCode::NOT_FOUND, "not-found", NOT_KEPT);
    };
    let turn = tokio::time::timeout(WAIT, Arc::clone(&explain.turns).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return busy("other explanations are being made; try again in 5 seconds");
    };
    let as_page = wants_page(&head.headers);
    if let Err(response) = explain.note(&reader, &call.record, as_page).await {
        return response;
    }
    let work = tokio::task::spawn_blocking(move || {
        let made = made(&explain, &call);
        drop(turn);
        made
    });
    let made = work.await.unwrap_or_else(|_| Err(BUG.to_owned()));
    respond(made, as_page)
}

/// It would be answered at another time.
fn busy(why: &str) -> Response {
    let mut response = outcome(StatusCode::SERVICE_UNAVAILABLE, "throttled", why);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// There is no such call, or no more, or the reader may not know of it.
const NOT_KEPT: &str =
    "no recent call of this service has that hook instance: calls are kept for a while only";

const BUG: &str = "an error of ours";

fn made(explain: &Explain, call: &Call) -> Result<CallExplanation, String> {
    let (config, _) = explain.served.get().ok_or_else(|| BUG.to_owned())?;
    explain_call(&call.set, &call.record, caller_of(&call.record), config)
}

fn respond(made: Result<CallExplanation, String>, as_page: bool) -> Response {
    let body = made.and_then(|explanation| match as_page {
        true => Ok(page(&explanation)),
        false => serde_json::to_string(&explanation).map_err(|_| BUG.to_owned()),
    });
    let body = match body {
        Ok(body) => body,
        Err(why) => {
            let why = format!("the call cannot be explained: {why}");
            return outcome(StatusCode::INTERNAL_SERVER_ERROR, "exception", &why);
        }
    };
    let media = match as_page {
        true => "text/html; charset=utf-8",
        false => "application/json",
    };
    // A page holds texts of a patient's data: nothing in it may run or load anything.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, media),
        (CACHE_CONTROL, "no-store"),
        (VARY, "accept"),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::OK, headers, body).into_response()
}

/// An error as FHIR has it.
fn outcome(status: StatusCode, code: &str, diagnostics: &str) -> Response {
    let body = json!({
        "resourceType": "OperationOutcome",
        "issue": [{ "severity": "error", "code": code, "diagnostics": diagnostics }],
    });
    let headers = [
        (CONTENT_TYPE, "application/fhir+json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}

/// Whether a page is wanted rather than JSON: the one with the higher quality, JSON where they are alike, as
/// for a client that takes anything.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    let accepted: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let accepted = accepted.join(",");
    let quality = |wanted: &str| {
        let all = accepted.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_it = parts.next()?.eq_ignore_ascii_case(wanted);
            let q = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            let q = q.map_or(Some(1.0), |q| q.parse::<f64>().ok())?;
            is_it.then_some(q)
        });
        all.fold(0.0, f64::max)
    };
    let page = quality("text/html").max(quality("application/xhtml+xml"));
    let json = quality("application/json").max(quality("application/*"));
    page > 0.0 && page > json
}
