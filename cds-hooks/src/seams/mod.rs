//! The seams of the service: what a call needs that is no part of the protocol or the decision.
//!
//! ```text
//! head ─ Admission ─▶ Caller ── body ─ prefetch ─ DataSource ─ Filter ─ rules ─ Recorder ─▶ answer
//!                                                                          Observer sees each step
//! ```
//!
//! Without any of them the service is open, fetches nothing, filters nothing, records nothing. What
//! implements them (keys and tokens, outbound HTTP, databases) is in crates of its own: this one stays
//! small.
//!
//! *Invariants:* no seam is asked before [`Admission`] let the caller in; nothing that a seam says
//! reaches the caller but what its type allows; a seam that fails never turns "unknown" into "no".

mod admission;
mod boxed;
mod data;
mod filter;
mod observe;
mod permission;
mod record;
mod secret;

use std::sync::Arc;

pub use admission::{Admission, Caller, Endpoint, Knows, NotAdmitted, Open};
pub use boxed::BoxFuture;
pub use data::{Authorization, DataAsk, DataSource, KeyAnswer, KeyAsk, KeyData, KeyFailure};
pub use filter::{Filter, FilterAsk, Filtered, Withheld};
pub use observe::{CallSeen, KeySeen, KeyState, Observer, RuleSeen, Unseen};
pub use permission::{Permission, Permissions};
pub use record::{
    CallRecord, CardRecord, FeedbackEntry, FeedbackOutcome, FeedbackReason, FeedbackRecord,
    FeedbackTaken, NotRecorded, Recorder, RuleOutcome, RuleRecord,
};
pub use secret::Secret;

/// The seams of a service.
#[derive(Clone)]
pub struct Seams {
    /// Who may call.
    pub admission: Arc<dyn Admission>,
    /// Where data comes from that the client did not send; `None`: nowhere.
    pub data: Option<Arc<dyn DataSource>>,
    /// What of the data rules may see; `None`: all of it.
    pub filter: Option<Arc<dyn Filter>>,
    /// Where it is written what was shown, and what became of it; `None`: nowhere.
    pub recorder: Option<Arc<dyn Recorder>>,
    /// Who counts.
    pub observer: Arc<dyn Observer>,
}

impl Default for Seams {
    /// Open to everyone, and nothing else.
    fn default() -> Self {
        Seams {
            admission: Arc::new(Open),
            data: None,
            filter: None,
            recorder: None,
            observer: Arc::new(Unseen),
        }
    }
}
