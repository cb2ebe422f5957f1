//! What clauses came to, for explanations.

use rustc_hash::FxHashMap;

use super::value::{NO_NODE, Val};

/// Clause results of one patient.
#[derive(Default)]
pub struct Trace<'a> {
    pub clauses: FxHashMap<u32, ClauseTrace<'a>>,
    pub definitions: FxHashMap<u32, Val<'a>>,
}

/// What a clause came to, over all the times it was evaluated.
pub struct ClauseTrace<'a> {
    pub times: u32,
    pub true_times: u32,
    pub false_times: u32,
    pub null_times: u32,
    /// The last value.
    pub last: Val<'a>,
}

impl<'a> Trace<'a> {
    pub(super) fn clause(&mut self, clause: u32, value: Val<'a>) {
        let entry = self.clauses.entry(clause).or_insert(ClauseTrace {
            times: 0,
            true_times: 0,
            false_times: 0,
            null_times: 0,
            last: Val::Null,
        });
        entry.times = entry.times.saturating_add(1);
        let count = match holds(&value) {
            Some(true) => &mut entry.true_times,
            Some(false) => &mut entry.false_times,
            None => &mut entry.null_times,
        };
        *count = count.saturating_add(1);
        entry.last = value;
    }

    pub(super) fn definition(&mut self, index: u32, value: Val<'a>) {
        self.definitions.insert(index, value);
    }
}

/// Whether a value counts as met: true, a list with items, anything that is there.
pub fn holds(value: &Val<'_>) -> Option<bool> {
    match value {
        Val::Null => None,
        Val::Boolean(b) => Some(*b),
        Val::List(items) => Some(!items.is_empty()),
        Val::Fhir(fhir) => Some(fhir.index != NO_NODE),
        _ => Some(true),
    }
}
