//! What was said at the calls of a patient, and counts of calls.

use std::collections::BTreeMap;

use engine_patient::system::truth::Truth;

use crate::rows::{CallRow, SaidRow};

/// A call of a patient, and what rules said at it.
#[derive(Debug)]
pub(crate) struct CallSaid {
    pub number: u32,
    pub call: CallRow,
    /// Number of the rule; ascending.
    pub said: Vec<Said>,
}

/// What a rule said at a call.
#[derive(Debug)]
pub(crate) struct Said {
    pub rule: usize,
    pub truth: Truth,
    pub row: SaidRow,
    pub reason: Option<String>,
}

impl Said {
    pub fn fires(&self) -> bool {
        let unknown = usize::from(self.row.could_not_check);
        self.truth == Truth::True && self.row.cards.len() > unknown
    }
}

/// Calls, and how many of them brought cards.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Count {
    pub calls: u64,
    pub interrupted: u64,
    pub cards: u64,
}

/// `2020-05`
pub(crate) fn month(call: &CallRow) -> String {
    call.moment.chars().take(7).collect()
}

/// What has no name is counted under an empty one.
pub(crate) fn entry<'m, T: Default>(
    map: &'m mut BTreeMap<String, T>,
    name: Option<&str>,
) -> &'m mut T {
    map.entry(name.unwrap_or_default().to_owned()).or_default()
}
