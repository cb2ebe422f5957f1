//! What series are told apart by. None of it is of a patient or a user.

use prometheus_client::encoding::EncodeLabelSet;

/// A request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Request {
    pub(super) endpoint: &'static str,
    pub(super) service: String,
    pub(super) hook: String,
    pub(super) status: u16,
}

/// How long requests take.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Timed {
    pub(super) endpoint: &'static str,
    pub(super) service: String,
}

/// A rule of a version.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OfRule {
    pub(super) rule: String,
    pub(super) version: String,
}

/// How long a rule takes: what one on trial costs is told apart.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct TimedRule {
    pub(super) rule: String,
    pub(super) version: String,
    pub(super) shadow: &'static str,
}

/// What a rule came to.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RuleOutcome {
    pub(super) rule: String,
    pub(super) version: String,
    pub(super) outcome: &'static str,
    pub(super) shadow: &'static str,
}

/// A candidate beside what is live.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Compared {
    pub(super) rule: String,
    pub(super) version: String,
    /// Of the live rule; empty where there is none.
    pub(super) live_version: String,
    pub(super) change: &'static str,
}

/// A prefetch key.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Key {
    pub(super) client: String,
    pub(super) service: String,
    pub(super) key: String,
    pub(super) state: &'static str,
    pub(super) fetched: String,
}

/// A caller who was not let in.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Refused {
    pub(super) endpoint: &'static str,
    pub(super) status: u16,
    pub(super) reason: String,
}

/// Feedback.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Feedback {
    pub(super) client: String,
    pub(super) service: String,
    pub(super) outcome: &'static str,
}

/// How entries of feedback were taken.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Taken {
    pub(super) taken: &'static str,
}

/// A reading of rules and keys.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Reload {
    pub(super) part: &'static str,
    pub(super) outcome: &'static str,
}

/// A tenant.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OfTenant {
    pub(super) tenant: String,
}
