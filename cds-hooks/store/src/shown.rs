//! Cards that were shown.

use jiff::Timestamp;

use crate::StoreError;
use crate::db::{Connection, Value};
use crate::rows::insert;
use crate::time::micros;

/// A card that a client was given: by which version of which rule, and on what evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCard {
    /// `Card.uuid`.
    pub card: String,
    /// Of its suggestions, those that have one.
    pub suggestions: Vec<String>,
    /// The rules that it is of: several where they say the same. One at least.
    pub rules: Vec<ShownRule>,
    /// The data behind it, as JSON: types and ids of resources. `{}` or `[]` where there is none.
    pub evidence: String,
}

/// A rule behind a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRule {
    /// Id of the rule, or of the measure.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// A hash of its content: two files of one version may differ.
    pub hash: String,
}

/// The call that cards were shown at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Id of the call, the same as that of its entry in the audit log.
    pub call_id: String,
    /// `hookInstance`.
    pub hook_instance: String,
    /// `order-sign`
    pub hook: String,
    /// Id of the CDS service.
    pub service: String,
    /// Who called: issuer, or the name of a client. Empty where everybody may call.
    pub client: String,
    /// Empty where there are no tenants.
    pub tenant: String,
    /// Where, if the call or the client says so.
    pub site: Option<String>,
    /// Role of the user, if known.
    pub role: Option<String>,
    /// Id of the patient; stored as a keyed hash where the setting says so.
    pub patient: Option<String>,
    /// When the answer was made.
    pub at: Timestamp,
    /// The cards.
    pub cards: Vec<ShownCard>,
}

impl Shown {
    /// Bytes that it takes, for the bound of the queue.
    pub(crate) fn size(&self) -> usize {
        let card = |c: &ShownCard| {
            (300 + c.evidence.len() + 40 * c.suggestions.len()) * c.rules.len().max(1)
        };
        self.cards.iter().map(card).sum()
    }
}

const COLUMNS: &[&str] = &[
    "card",
    "tenant",
    "client",
    "rule",
    "rule_number",
    "call_id",
    "hook_instance",
    "hook",
    "service",
    "rule_version",
    "rule_hash",
    "site",
    "role",
    "patient",
    "suggestions",
    "evidence",
    "shown_at",
];

/// Writes the cards of calls, in the order of their keys: servers that write the same cards do not wait
/// for each other in a circle. A card that is there already stays as it was first shown.
pub(crate) async fn write(
    connection: &mut Connection,
    calls: impl Iterator<Item = &Shown>,
) -> Result<(), StoreError> {
    let mut rows: Vec<Vec<Value>> = calls.flat_map(rows).collect();
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
    rows.dedup_by(|a, b| key(a) == key(b));
    insert(
        connection,
        "cds_shown",
        COLUMNS,
        rows,
        "ON CONFLICT DO NOTHING",
    )
    .await
}

fn key(row: &[Value]) -> Vec<&str> {
    row.iter().take(4).map(text).collect()
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        Value::Int(_) | Value::NoText => "",
    }
}

/// A row for each rule of each card.
fn rows(shown: &Shown) -> impl Iterator<Item = Vec<Value>> {
    let all = shown.cards.iter();
    let all = all.flat_map(|card| (0_i64..).zip(&card.rules).map(move |own| (card, own)));
    all.map(move |(card, (number, rule))| {
        let suggestions = serde_json::Value::from(card.suggestions.clone()).to_string();
        vec![
            card.card.as_str().into(),
            shown.tenant.as_str().into(),
            shown.client.as_str().into(),
            rule.rule.as_str().into(),
            number.into(),
            shown.call_id.as_str().into(),
            shown.hook_instance.as_str().into(),
            shown.hook.as_str().into(),
            shown.service.as_str().into(),
            rule.version.as_str().into(),
            rule.hash.as_str().into(),
            Value::maybe(shown.site.as_deref()),
            Value::maybe(shown.role.as_deref()),
            Value::maybe(shown.patient.as_deref()),
            suggestions.as_str().into(),
            card.evidence.as_str().into(),
            micros(shown.at).into(),
        ]
    })
}
