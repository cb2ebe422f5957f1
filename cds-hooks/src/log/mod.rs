//! One line of JSON per call. Holds no patient data: no ids, no body, no message of a panic.

mod writer;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::PanicHookInfo;

use engine_patient::system::date_time::DateTime;
use serde::Serialize;

use crate::answer::Answer;
use crate::noted::Noted;
use crate::seams::{Caller, RuleOutcome, RuleRecord};
use crate::trace::TraceParent;

pub use writer::{Log, LogCounts};

/// A line of the log.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    time: String,
    /// Of an address beside those of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_instance: Option<&'a str>,
    /// Of the caller, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    status: u16,
    ms: f64,
    cards: usize,
    /// Of a service on trial: how many cards nobody saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<usize>,
    unknown: bool,
    left_out: usize,
    #[serde(skip_serializing_if = "is_zero")]
    unknown_selections: usize,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    passed_over: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    lacking: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bug: Option<&'a str>,
    /// Of a service of several rules: by outcome, those that have not just nothing to say. Of candidates, which
    /// may have the ids of live rules, the outcome begins with `shadow-`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rules: BTreeMap<Cow<'static, str>, Vec<&'a str>>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn by_outcome(answer: &Answer) -> BTreeMap<Cow<'static, str>, Vec<&str>> {
    let mut all: BTreeMap<Cow<'static, str>, Vec<&str>> = BTreeMap::new();
    let late = |rule: &&RuleRecord| rule.outcome == RuleOutcome::Late;
    if answer.rules.len() < 2 && !answer.rules.iter().any(|rule| late(&rule)) {
        return all;
    }
    let said = answer.rules.iter();
    for rule in said.filter(|rule| rule.outcome != RuleOutcome::Silent) {
        let outcome = rule.outcome.as_str();
        let outcome = match rule.is_shadow {
            true => Cow::Owned(format!("shadow-{outcome}")),
            false => Cow::Borrowed(outcome),
        };
        all.entry(outcome).or_default().push(&rule.rule);
    }
    all
}

impl<'a> Line<'a> {
    /// Of an answer at a time that took so long.
    pub(crate) fn new(
        time: DateTime,
        service: Option<&'a str>,
        answer: &'a Answer,
        status: u16,
        seconds: f64,
    ) -> Self {
        Line {
            time: time.to_string(),
            endpoint: None,
            service,
            client: None,
            tenant: None,
            hook_instance: answer.hook_instance.as_deref(),
            trace_id: None,
            status,
            ms: (seconds * 1e6).round() / 1e3,
            cards: answer.cards,
            shadow: answer.shadow,
            unknown: answer.unknown,
            left_out: answer.left_out,
            unknown_selections: answer.unknown_selections,
            passed_over: &answer.passed_over,
            lacking: &answer.lacking,
            reason: answer.reason.as_deref(),
            error: None,
            error_id: None,
            bug: answer.bug.as_deref(),
            rules: by_outcome(answer),
        }
    }

    /// With who called.
    pub(crate) fn with_caller(mut self, caller: &'a Caller) -> Self {
        self.client = caller.client.as_deref();
        self.tenant = caller.tenant.as_deref();
        self
    }

    /// With the caller's trace that it is part of.
    pub(crate) fn with_trace(mut self, trace: Option<TraceParent>) -> Self {
        self.trace_id = trace.map(|trace| format!("{:032x}", trace.trace_id));
        self
    }

    /// With what the caller was told.
    pub(crate) fn with_error(mut self, error: Option<&'a str>) -> Self {
        self.error = error;
        self
    }

    /// With the id that the caller was told.
    pub(crate) fn with_id(mut self, id: Option<&'a str>) -> Self {
        self.error_id = id;
        self
    }

    /// Of an address beside those of the service.
    pub(crate) fn with_noted(mut self, noted: &'a Noted) -> Self {
        self.endpoint = Some(&noted.endpoint);
        self.client = noted.client.as_deref();
        self.tenant = noted.tenant.as_deref();
        self.hook_instance = noted.hook_instance.as_deref();
        self.error = noted.error.as_deref();
        self
    }

    /// Without the end of line.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The line of a panic: only its place in the source, since its message may quote a patient's data.
pub(crate) fn of_panic(time: DateTime, panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(ToString::to_string);
    let line = serde_json::json!({
        "time": time.to_string(),
        "panic": place.as_deref().unwrap_or("unknown place"),
        "note": "its message is not shown: it may hold data",
    });
    line.to_string()
}

/// The line of something that the server itself met.
pub(crate) fn of_server(time: DateTime, what: &str) -> String {
    serde_json::json!({ "time": time.to_string(), "server": what }).to_string()
}
