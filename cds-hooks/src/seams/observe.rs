//! What is counted.

use super::admission::Endpoint;
use super::record::{FeedbackRecord, FeedbackTaken, RuleOutcome};
use crate::trace::TraceParent;

/// Sees what happens, to count it. Called on the threads that serve: must not block. What it is given
/// holds nothing of a patient.
pub trait Observer: Send + Sync {
    /// A call begins; [`Observer::left`] follows in any case.
    fn began(&self) {}

    /// A call is under way no more: it was answered, or its client went away before.
    fn left(&self) {}

    /// A request was answered.
    fn ended(&self, _call: &CallSeen<'_>) {}

    /// Whether and how a key of a service was answered.
    fn key(&self, _key: &KeySeen<'_>) {}

    /// What a rule came to.
    fn rule(&self, _rule: &RuleSeen<'_>) {}

    /// Feedback was taken.
    fn feedback(&self, _feedback: &FeedbackRecord, _taken: &FeedbackTaken) {}

    /// A caller was not let in, with the status it was told, and why.
    fn not_admitted(&self, _endpoint: Endpoint<'_>, _status: u16, _reason: &str) {}

    /// A call or feedback could not be written down, and why.
    fn not_recorded(&self, _reason: &str) {}
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct CallSeen<'a> {
    /// `discovery`, `call`, `feedback`, `explain`, `other`.
    pub endpoint: &'static str,
    /// The service, where there is such a one.
    pub service: Option<&'a str>,
    /// The hook, once it is known.
    pub hook: Option<&'a str>,
    /// The caller's client.
    pub client: Option<&'a str>,
    /// The caller's tenant.
    pub tenant: Option<&'a str>,
    /// Names the hook instance without giving it away: sixteen hexadecimal digits, as in the log.
    pub hook_instance: Option<&'a str>,
    /// The caller's span that the call is part of.
    pub trace: Option<TraceParent>,
    /// The status of the answer.
    pub status: u16,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How many cards were shown.
    pub cards: usize,
    /// How many cards of rules on trial nobody saw.
    pub shadow: usize,
}

/// What stood under a key of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState {
    /// It was answered, in full.
    Honoured,
    /// It was `null`.
    Null,
    /// It was not there.
    Absent,
    /// It held an error, or could not be used.
    Failed,
    /// It has pages that were not sent, or is otherwise not all there is.
    Partial,
}

impl KeyState {
    /// For metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Honoured => "honoured",
            KeyState::Null => "null",
            KeyState::Absent => "absent",
            KeyState::Failed => "failed",
            KeyState::Partial => "partial",
        }
    }
}

/// A key of a call.
#[derive(Clone, Copy, Debug)]
pub struct KeySeen<'a> {
    /// The service.
    pub service: &'a str,
    /// The key.
    pub key: &'a str,
    /// The caller's client.
    pub client: Option<&'a str>,
    /// What the client sent.
    pub state: KeyState,
    /// Whether it was fetched: `Some("fetched")`, or the kind of the failure
    /// ([`super::KeyFailure::kind`]); `None` where it was not tried.
    pub fetched: Option<&'a str>,
}

/// A rule of a call.
#[derive(Clone, Copy, Debug)]
pub struct RuleSeen<'a> {
    /// The service.
    pub service: &'a str,
    /// The hook.
    pub hook: &'a str,
    /// The tenant, whose rules they are.
    pub tenant: Option<&'a str>,
    /// Its id.
    pub rule: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it came to.
    pub outcome: RuleOutcome,
    /// It is on trial.
    pub is_shadow: bool,
    /// How many cards it had.
    pub cards: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Sees nothing.
pub struct Unseen;

impl Observer for Unseen {}
