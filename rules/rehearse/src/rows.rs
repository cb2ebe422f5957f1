//! What a rehearsal says through result rows: a call is `measure-population`, what a rule said at it
//! `measure-observation`, how resources were dated `supplemental-data`. The column `group` has the number
//! of the call, `index` that of the rule.

use engine_patient::program::{PopulationCode, PopulationIndex, ResultRow, RowKind};
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A call, in the column `value`.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct CallRow {
    /// Milliseconds from 1970.
    pub at: i64,
    /// By the clock of the zone.
    pub moment: String,
    pub hook: String,
    pub encounter: Option<String>,
    pub clinician: Option<String>,
    pub site: Option<String>,
    pub drafts: u32,
}

/// What a rule said, in the column `value`.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SaidRow {
    /// Indicator and summary of each card.
    pub cards: Vec<(String, String)>,
    /// The last of them says what could not be checked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub could_not_check: bool,
    /// Cards that were not shown, for somebody had acted on it already.
    #[serde(default)]
    pub acted_on: u64,
    /// The evaluation failed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub failed: bool,
    /// Why, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<Explained>,
}

/// The cards whole, and the reasons.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Explained {
    /// Each card's detail.
    pub details: Vec<String>,
    /// The criteria, part by part, a line each.
    pub why: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !*value
}

fn row(kind: RowKind, group: u32, outcome: Truth, value: &impl Serialize) -> ResultRow {
    // Texts, numbers and lists of them: this does not fail.
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut row = ResultRow::of_patient(kind, outcome);
    row.group = group;
    row.count = None;
    row.value = Value::String(json.into());
    row
}

pub(crate) fn call(number: u32, call: &CallRow) -> ResultRow {
    let kind = RowKind::Population(PopulationCode::MeasurePopulation, PopulationIndex::new(0));
    row(kind, number, Truth::True, call)
}

pub(crate) fn said(
    number: u32,
    rule: usize,
    outcome: Truth,
    said: &SaidRow,
    reason: Option<&str>,
) -> ResultRow {
    let index = PopulationIndex::new(rule);
    let kind = RowKind::Population(PopulationCode::MeasureObservation, index);
    let mut row = row(kind, number, outcome, said);
    row.unknown_reason = reason.map(Into::into);
    row
}

pub(crate) fn dated(dating: &crate::history::Dating) -> ResultRow {
    row(RowKind::SupplementalData(0), 0, Truth::True, dating)
}

/// A value that was written by this module.
pub(crate) fn read<T: DeserializeOwned>(value: &str) -> Option<T> {
    serde_json::from_str(value).ok()
}

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Is {
    Call,
    Said,
    Dated,
}

impl Is {
    /// Of the column `population`.
    pub fn of(word: &str) -> Option<Is> {
        match RowKind::of(word, 0)? {
            RowKind::Population(PopulationCode::MeasurePopulation, _) => Some(Is::Call),
            RowKind::Population(PopulationCode::MeasureObservation, _) => Some(Is::Said),
            RowKind::SupplementalData(_) => Some(Is::Dated),
            _ => None,
        }
    }
}
