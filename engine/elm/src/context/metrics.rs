//! What an evaluation notes for the ledger of a run.

use std::cell::{Cell, RefCell};

use crate::context::fault::Fault;
use crate::values::types::Type;

/// Counts for the ledger of a run, of one patient.
#[derive(Default, Debug)]
pub struct EvaluationMetrics {
    /// Comparisons or arithmetic on units that cannot be converted into each other: how often, by
    /// pair of units.
    pub units: RefCell<std::collections::BTreeMap<(String, String), u64>>,
    /// Codes asked of value sets that were not loaded.
    pub value_sets: Cell<u64>,
    /// References that a retrieve or a look-up did not find.
    pub references: Cell<u64>,
    /// Messages of severity Error or Warning that the logic gave, by code.
    pub messages: RefCell<std::collections::BTreeMap<String, u64>>,
    /// Lists and tuples that a cast made null since they did not fit: what, and the type.
    pub casts: RefCell<std::collections::BTreeMap<(&'static str, String), u64>>,
    /// Resources that by their content are of a retrieve's profile and whose tag names a sibling
    /// profile: left out, by the retrieve.
    pub tagged_otherwise: RefCell<std::collections::BTreeMap<String, u64>>,
    /// Elements that are there and cannot be read, of those that were asked for: `Encounter.period.end`.
    pub unreadable: RefCell<std::collections::BTreeMap<String, u64>>,
    /// Resources whose profile could not be told, by why.
    pub profiles: RefCell<std::collections::BTreeMap<&'static str, u64>>,
    /// Mistakes of ours that the value of an expression ended in.
    pub bugs: RefCell<std::collections::BTreeMap<String, u64>>,
}

/// Most of the text of a type that a note shows.
const SHOWN: usize = 120;

impl EvaluationMetrics {
    /// Counts a list or tuple that a cast left nothing of.
    pub fn cast(&self, what: &'static str, ty: &Type) {
        let mut shown = ty.to_string();
        if shown.len() > SHOWN {
            let end = (0..=SHOWN).rev().find(|i| shown.is_char_boundary(*i));
            shown.truncate(end.unwrap_or(0));
            shown.push('…');
        }
        *self.casts.borrow_mut().entry((what, shown)).or_default() += 1;
    }

    /// Counts a resource that its tag keeps out of a retrieve.
    pub fn tagged_otherwise(&self, retrieve: &str, profile: &str) {
        let profile = profile.rsplit('/').next().unwrap_or(profile);
        let line = format!("{retrieve}, of {profile}");
        *self.tagged_otherwise.borrow_mut().entry(line).or_default() += 1;
    }

    /// Counts a fault that is a mistake of ours.
    pub fn fault(&self, fault: &Fault) {
        if fault.is_bug() {
            let mut bugs = self.bugs.borrow_mut();
            *bugs.entry(fault.to_string()).or_default() += 1;
        }
    }

    /// Counts a message of the logic.
    pub fn message(&self, code: &str) {
        let mut messages = self.messages.borrow_mut();
        match messages.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                messages.insert(code.to_owned(), 1);
            }
        }
    }

    /// Counts an element that is there and cannot be read.
    pub fn unreadable(&self, path: &str) {
        let mut all = self.unreadable.borrow_mut();
        *all.entry(path.to_owned()).or_default() += 1;
    }
}
