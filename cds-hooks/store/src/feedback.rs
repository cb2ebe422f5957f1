//! What clients say of cards (CDS Hooks, "Feedback"): kept as it came, once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use crate::StoreError;
use crate::db::{Connection, Value};
use crate::hash;
use crate::rows::{insert, pieces, places};
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
/// client is one row, and counts up. In few statements, whatever the number of entries, and by their keys in
/// order: servers that write the same do not wait for each other in a circle.
pub(crate) async fn write(
    connection: &mut Connection,
    batch: &FeedbackBatch,
) -> Result<FeedbackCounts, StoreError> {
    let mut all: BTreeMap<String, (&Feedback, i64)> = BTreeMap::new();
    for entry in &batch.entries {
        let (_, times) = all.entry(id(batch, entry)).or_insert((entry, 0));
        *times += 1;
    }
    let ids: Vec<&str> = all.keys().map(String::as_str).collect();
    let known = known(connection, &ids).await?;
    let (mut rows, mut again) = (vec![], BTreeMap::<i64, Vec<&str>>::new());
    for (id, (entry, times)) in &all {
        match known.contains(id) {
            true => again.entry(*times).or_default().push(id),
            false => rows.push(values(batch, entry, id, times - 1)),
        }
    }
    let new = rows.len();
    insert(connection, "cds_feedback", COLUMNS, rows, TWICE).await?;
    for (times, ids) in &again {
        repeated(connection, batch, *times, ids).await?;
    }
    let whose = whose(connection, batch).await?;
    let mut counts = FeedbackCounts {
        new: new as u64,
        repeated: (batch.entries.len() - new) as u64,
        ..FeedbackCounts::default()
    };
    for entry in &batch.entries {
        match whose.get(&entry.card) {
            Some(true) => counts.matched += 1,
            Some(false) => counts.foreign += 1,
            None => counts.unmatched += 1,
        }
    }
    Ok(counts)
}

const COLUMNS: &[&str] = &[
    "id",
    "card",
    "tenant",
    "client",
    "service",
    "outcome",
    "outcome_at",
    "outcome_timestamp",
    "ordered_at",
    "suggestions",
    "reason_system",
    "reason_code",
    "reason_display",
    "comment",
    "received",
    "last_received",
    "repeats",
];

/// Two servers may get the same at once.
const TWICE: &str = "ON CONFLICT (id) DO UPDATE SET repeats = cds_feedback.repeats + 1 + excluded.repeats, \
    last_received = excluded.last_received";

/// Which of these are there.
async fn known(connection: &mut Connection, ids: &[&str]) -> Result<HashSet<String>, StoreError> {
    let mut found = HashSet::new();
    for piece in pieces(ids) {
        let sql = format!(
            "SELECT id FROM cds_feedback WHERE id IN ({})",
            places(0, piece.len())
        );
        let values = piece.iter().map(|id| Value::from(*id)).collect();
        // Made of names in this program and of numbers.
        for row in connection.rows(AssertSqlSafe(sql), values).await? {
            found.insert(row.text(0)?);
        }
    }
    Ok(found)
}

/// Counts rows up that came again so many times.
async fn repeated(
    connection: &mut Connection,
    batch: &FeedbackBatch,
    times: i64,
    ids: &[&str],
) -> Result<(), StoreError> {
    for piece in pieces(ids) {
        let sql = format!(
            "UPDATE cds_feedback SET repeats = repeats + $1, last_received = $2 WHERE id IN ({})",
            places(2, piece.len())
        );
        let mut values = vec![times.into(), micros(batch.received).into()];
        values.extend(piece.iter().map(|id| Value::from(*id)));
        // Made of names in this program and of numbers.
        connection.execute(AssertSqlSafe(sql), values).await?;
    }
    Ok(())
}

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

fn values(batch: &FeedbackBatch, entry: &Feedback, id: &str, repeats: i64) -> Vec<Value> {
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
        repeats.into(),
    ]
}

/// Of the cards that were recorded: whether this client was given them, or only others were.
async fn whose(
    connection: &mut Connection,
    batch: &FeedbackBatch,
) -> Result<HashMap<String, bool>, StoreError> {
    let cards: BTreeSet<&str> = batch.entries.iter().map(|e| e.card.as_str()).collect();
    let cards: Vec<&str> = cards.into_iter().collect();
    let mut found = HashMap::new();
    for piece in pieces(&cards) {
        let sql = format!(
            "SELECT card, SUM(CASE WHEN tenant = $1 AND client = $2 THEN 1 ELSE 0 END) FROM cds_shown \
             WHERE card IN ({}) GROUP BY card",
            places(2, piece.len())
        );
        let mut values = vec![batch.tenant.as_str().into(), batch.client.as_str().into()];
        values.extend(piece.iter().map(|card| Value::from(*card)));
        // Made of names in this program and of numbers.
        for row in connection.rows(AssertSqlSafe(sql), values).await? {
            found.insert(row.text(0)?, row.int(1)? > 0);
        }
    }
    Ok(found)
}
