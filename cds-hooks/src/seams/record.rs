//! What must last: what was shown, who asked, what became of it.

use engine_patient::system::date_time::DateTime;

use super::boxed::BoxFuture;

/// Writes durably. What it acknowledges is there after a crash.
pub trait Recorder: Send + Sync {
    /// Writes down a call, before its answer goes out.
    fn call<'a>(&'a self, call: &'a CallRecord) -> BoxFuture<'a, Result<(), NotRecorded>>;

    /// Writes down feedback, before it is acknowledged. The same entry twice is one.
    fn feedback<'a>(
        &'a self,
        feedback: &'a FeedbackRecord,
    ) -> BoxFuture<'a, Result<FeedbackTaken, NotRecorded>>;

    /// Whether a call that cannot be written down is refused (503). Otherwise it is answered, and the log
    /// and the observer know. Feedback that cannot be written down is always refused: the client sends it
    /// again.
    fn is_required(&self) -> bool {
        true
    }

    /// Whether [`CallRecord::request`] and [`CallRecord::fetched`] are wanted, to replay or explain the call.
    fn wants_request(&self) -> bool {
        false
    }
}

/// It could not be written down; why, for the log. Holds nothing of a patient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotRecorded(pub String);

/// A call that was evaluated, or refused once it was known whom it is about. Holds patient data.
#[derive(Clone, Debug, Default)]
pub struct CallRecord {
    /// The id of the service.
    pub service: String,
    /// The hook.
    pub hook: String,
    /// As it came.
    pub hook_instance: String,
    /// When it came, in milliseconds from 1970.
    pub time: i64,
    /// The moment that it was evaluated for: that time, or that of a rehearsal.
    pub at: Option<DateTime>,
    /// How long it took, up to the record, in milliseconds.
    pub millis: f64,
    /// The status of the answer.
    pub status: u16,
    /// The caller's client, tenant and subject, where they are known.
    pub client: Option<String>,
    /// See `client`.
    pub tenant: Option<String>,
    /// See `client`.
    pub subject: Option<String>,
    /// The caller's roles.
    pub roles: Vec<String>,
    /// Why it asked (v3 PurposeOfUse), where the caller says so.
    pub purpose: Option<String>,
    /// `context.patientId`.
    pub patient: String,
    /// `context.userId`.
    pub user: Option<String>,
    /// `context.encounterId`.
    pub encounter: Option<String>,
    /// `fhirServer`.
    pub fhir_server: Option<String>,
    /// What names the live set of rules.
    pub configuration: String,
    /// Each rule of the service, in the author's order.
    pub rules: Vec<RuleRecord>,
    /// The cards that were answered, in their order, and then those of rules on trial, which nobody saw.
    pub cards: Vec<CardRecord>,
    /// Keys and types that were lacking, in plain words without patient data.
    pub lacking: Vec<String>,
    /// What consent withheld ([`super::Withheld::note`]).
    pub consent: Option<String>,
    /// The body of the request, where the recorder wants it. `fhirAuthorization` is not in it.
    pub request: Option<Vec<u8>>,
    /// What was fetched beside, as key and JSON, where the recorder wants it.
    pub fetched: Vec<(String, String)>,
}

/// What a rule came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleOutcome {
    /// It has cards to show.
    Fired,
    /// It has nothing to say, and knows it.
    Silent,
    /// It could not tell, or not all of it; it may have cards all the same.
    Unknown,
    /// A bug of ours.
    Failed,
    /// It was not done by the deadline.
    Late,
}

impl RuleOutcome {
    /// For logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            RuleOutcome::Fired => "fired",
            RuleOutcome::Silent => "silent",
            RuleOutcome::Unknown => "unknown",
            RuleOutcome::Failed => "failed",
            RuleOutcome::Late => "late",
        }
    }
}

/// One rule in a call.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleRecord {
    /// Its id.
    pub rule: String,
    /// Its version; empty where it has none.
    pub version: String,
    /// What names its content: another text of the rule gives another.
    pub hash: String,
    /// What it came to.
    pub outcome: RuleOutcome,
    /// It is on trial: nobody sees its cards.
    pub is_shadow: bool,
    /// How many cards it had, before those that several rules share became one.
    pub cards: usize,
    /// Why it could not tell. Names elements and types, holds nothing of a patient.
    pub reason: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: f64,
}

/// One card in a call.
#[derive(Clone, PartialEq, Debug)]
pub struct CardRecord {
    /// As in the answer, and in feedback.
    pub uuid: String,
    /// The rules it is of, as id and version: several where they say the same.
    pub rules: Vec<(String, String)>,
    /// `info`, `warning` or `critical`.
    pub indicator: &'static str,
    /// Names what the card says, without saying it: the same content has the same name in every call.
    pub content: String,
    /// Its summary. Holds patient data.
    pub summary: String,
    /// The uuids of its suggestions.
    pub suggestions: Vec<String>,
    /// What it rests on: `Type/id` of the resources on record and of the drafts that its rules ask for, at
    /// most 100.
    pub evidence: Vec<String>,
    /// It is of a rule on trial, and nobody saw it.
    pub is_shadow: bool,
    /// It says only that something could not be checked.
    pub says_unknown: bool,
}

/// Feedback to a service (CDS Hooks 2.0, "Feedback").
#[derive(Clone, Debug)]
pub struct FeedbackRecord {
    /// The id of the service.
    pub service: String,
    /// When it came, in milliseconds from 1970.
    pub time: i64,
    /// The caller's client, tenant and subject, where they are known.
    pub client: Option<String>,
    /// See `client`.
    pub tenant: Option<String>,
    /// See `client`.
    pub subject: Option<String>,
    /// What it says, in its order; repeats are possible.
    pub entries: Vec<FeedbackEntry>,
}

/// What became of one card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedbackEntry {
    /// The card's uuid, in small letters. There need not be such a card.
    pub card: String,
    /// Taken or not.
    pub outcome: FeedbackOutcome,
    /// The uuids of the suggestions that were taken.
    pub accepted_suggestions: Vec<String>,
    /// The reason that was chosen.
    pub reason: Option<FeedbackReason>,
    /// The user's own words. May hold patient data.
    pub comment: Option<String>,
    /// When, as it came (RFC 3339).
    pub outcome_timestamp: String,
    /// When, in milliseconds from 1970.
    pub outcome_time: i64,
}

/// `accepted` or `overridden`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeedbackOutcome {
    /// At least one suggestion was taken.
    Accepted,
    /// The card was declined.
    Overridden,
}

impl FeedbackOutcome {
    /// As in the request.
    pub fn as_str(self) -> &'static str {
        match self {
            FeedbackOutcome::Accepted => "accepted",
            FeedbackOutcome::Overridden => "overridden",
        }
    }
}

/// `overrideReason.reason`: a Coding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedbackReason {
    /// Its system; clients leave it out.
    pub system: Option<String>,
    /// Its code.
    pub code: String,
    /// For people; normally not sent.
    pub display: Option<String>,
}

/// What became of feedback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FeedbackTaken {
    /// Entries that are new.
    pub new: usize,
    /// Entries that were there already.
    pub repeated: usize,
    /// Entries of cards that nobody knows (yet): kept and counted, too.
    pub unknown: usize,
}
