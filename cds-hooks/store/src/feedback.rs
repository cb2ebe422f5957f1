//! What clients say of cards (CDS Hooks, "Feedback"): kept as it came, once.

use jiff::Timestamp;

use crate::StoreError;
use crate::db::{Connection, Value};
use crate::hash;
use crate::time::micros;

/// `outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackOutcome {
    /// One or more suggestions were taken.
    Accepted,
    /// The card was dismissed.
    Overridden,
}

impl FeedbackOutcome {
    /// The word of the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            FeedbackOutcome::Accepted => "accepted",
            FeedbackOutcome::Overridden => "overridden",
        }
    }
}

/// A coding of an override reason. `display` is normally missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReasonCoding {
    /// Empty where there is none.
    pub system: String,
    /// Its code.
    pub code: String,
    /// What it is called, where the client says so.
    pub display: Option<String>,
}

/// One entry of `feedback`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// `card`: a card's uuid. It may be one that nobody was given.
    pub card: String,
    /// `outcome`
    pub outcome: FeedbackOutcome,
    /// `outcomeTimestamp` as it came.
    pub outcome_timestamp: String,
    /// The same as a moment.
    pub outcome_at: Timestamp,
    /// Ids of `acceptedSuggestions`.
    pub accepted_suggestions: Vec<String>,
    /// `overrideReason.reason`
    pub reason: Option<ReasonCoding>,
    /// `overrideReason.userComment`: free text, which may say anything of a patient.
    pub comment: Option<String>,
}

/// The entries of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackBatch {
    /// Id of the service at whose address they came.
    pub service: String,
    /// Who sent them, as in [`crate::Shown`].
    pub client: String,
    /// As in [`crate::Shown`].
    pub tenant: String,
    /// When they came.
    pub received: Timestamp,
    /// The entries.
    pub entries: Vec<Feedback>,
}

/// What became of the entries of a request. All of them are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedbackCounts {
    /// That were not there before.
    pub new: u64,
    /// That said word for word what was there already.
    pub repeated: u64,
    /// Of cards that this client was given.
    pub matched: u64,
    /// Of cards that nobody was given, so far: they match once the card is recorded.
    pub unmatched: u64,
    /// Of cards that only others were given. They count for no card.
    pub foreign: u64,
}

impl FeedbackBatch {
    pub(crate) fn size(&self) -> usize {
        let entry = |e: &Feedback| 400 + e.comment.as_ref().map_or(0, String::len);
        self.entries.iter().map(entry).sum()
    }
}

/// Writes the entries. The same content (card, outcome, moment, suggestions, reason, comment) of the same
/// client is one row, and counts up.
pub(crate) async fn write(
    connection: &mut Connection,
    batch: &FeedbackBatch,
) -> Result<FeedbackCounts, StoreError> {
    let mut counts = FeedbackCounts::default();
    for entry in &batch.entries {
        let id = id(batch, entry);
        let sql = "UPDATE cds_feedback SET repeats = repeats + 1, last_received = $2 WHERE id = $1";
        let received = micros(batch.received);
        let again = connection
            .execute(sql, vec![id.as_str().into(), received.into()])
            .await?;
        if again > 0 {
            counts.repeated += 1;
        } else {
            connection
                .execute(INSERT, values(batch, entry, &id))
                .await?;
            counts.new += 1;
        }
        match whose(connection, batch, &entry.card).await? {
            Whose::Own => counts.matched += 1,
            Whose::Nobody => counts.unmatched += 1,
            Whose::Others => counts.foreign += 1,
        }
    }
    Ok(counts)
}

/// Two servers may get the same at once.
const INSERT: &str = "INSERT INTO cds_feedback (id, card, tenant, client, service, outcome, outcome_at, \
    outcome_timestamp, ordered_at, suggestions, reason_system, reason_code, reason_display, comment, received, \
    last_received, repeats) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0) \
    ON CONFLICT (id) DO UPDATE SET repeats = cds_feedback.repeats + 1, last_received = excluded.last_received";

/// Names the content. Two ways to write one moment are one.
fn id(batch: &FeedbackBatch, entry: &Feedback) -> String {
    let mut suggestions = entry.accepted_suggestions.clone();
    suggestions.sort();
    suggestions.dedup();
    let reason = entry.reason.clone().unwrap_or_default();
    let at = entry.outcome_at.as_nanosecond().to_string();
    let has_reason = if entry.reason.is_some() { "1" } else { "0" };
    let mut parts = vec![
        batch.tenant.as_str(),
        batch.client.as_str(),
        entry.card.as_str(),
        entry.outcome.as_str(),
        at.as_str(),
        has_reason,
        reason.system.as_str(),
        reason.code.as_str(),
        entry.comment.as_deref().unwrap_or_default(),
    ];
    parts.extend(suggestions.iter().map(String::as_str));
    hash::of_parts(&parts)
}

fn values(batch: &FeedbackBatch, entry: &Feedback, id: &str) -> Vec<Value> {
    let received = micros(batch.received);
    let at = micros(entry.outcome_at);
    let reason = entry.reason.as_ref();
    vec![
        id.into(),
        entry.card.as_str().into(),
        batch.tenant.as_str().into(),
        batch.client.as_str().into(),
        batch.service.as_str().into(),
        entry.outcome.as_str().into(),
        at.into(),
        entry.outcome_timestamp.as_str().into(),
        // What a clock that is ahead says is no later than what comes after it.
        at.min(received).into(),
        serde_json::Value::from(entry.accepted_suggestions.clone())
            .to_string()
            .as_str()
            .into(),
        Value::maybe(reason.map(|r| r.system.as_str())),
        Value::maybe(reason.map(|r| r.code.as_str())),
        Value::maybe(reason.and_then(|r| r.display.as_deref())),
        Value::maybe(entry.comment.as_deref()),
        received.into(),
        received.into(),
    ]
}

enum Whose {
    Own,
    Nobody,
    Others,
}

async fn whose(
    connection: &mut Connection,
    batch: &FeedbackBatch,
    card: &str,
) -> Result<Whose, StoreError> {
    let sql = "SELECT COUNT(*), SUM(CASE WHEN tenant = $2 AND client = $3 THEN 1 ELSE 0 END) \
               FROM cds_shown WHERE card = $1";
    let values = vec![
        card.into(),
        batch.tenant.as_str().into(),
        batch.client.as_str().into(),
    ];
    let row = connection.row(sql, values).await?;
    let (all, own) = match row {
        Some(row) => (row.int(0)?, row.int(1)?),
        None => (0, 0),
    };
    Ok(match (all, own) {
        (0, _) => Whose::Nobody,
        (_, 0) => Whose::Others,
        _ => Whose::Own,
    })
}
