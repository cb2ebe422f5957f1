//! What evaluations noted, summed over patients.

use std::collections::BTreeMap;

use engine_elm::EvaluationMetrics;

use crate::ledger::Ledger;

/// Sums of the metrics of evaluations.
#[derive(Default, Debug)]
pub(super) struct Tally {
    units: BTreeMap<(String, String), u64>,
    messages: BTreeMap<String, u64>,
    unreadable: BTreeMap<String, u64>,
    profiles: BTreeMap<&'static str, u64>,
    tagged_otherwise: BTreeMap<String, u64>,
    casts: BTreeMap<(&'static str, String), u64>,
    value_sets: u64,
    references: u64,
}

impl Tally {
    /// Adds one patient's.
    pub(super) fn add(&mut self, metrics: &EvaluationMetrics) {
        let units = metrics.units.borrow();
        for (pair, count) in units.iter() {
            *self.units.entry(pair.clone()).or_default() += count;
        }
        for (code, count) in metrics.messages.borrow().iter() {
            *self.messages.entry(code.clone()).or_default() += count;
        }
        for (path, count) in metrics.unreadable.borrow().iter() {
            *self.unreadable.entry(path.clone()).or_default() += count;
        }
        for (why, count) in metrics.profiles.borrow().iter() {
            *self.profiles.entry(why).or_default() += count;
        }
        for (retrieve, count) in metrics.tagged_otherwise.borrow().iter() {
            *self.tagged_otherwise.entry(retrieve.clone()).or_default() += count;
        }
        for (cast, count) in metrics.casts.borrow().iter() {
            *self.casts.entry(cast.clone()).or_default() += count;
        }
        self.value_sets += metrics.value_sets.get();
        self.references += metrics.references.get();
    }

    /// As lines of the ledger.
    pub(super) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        for ((from, to), count) in &self.units {
            let detail = format!("`{from}` and `{to}`");
            ledger.add("units not convertible", &detail, *count);
        }
        for (code, count) in &self.messages {
            ledger.add("messages of the logic", code, *count);
        }
        for (path, count) in &self.unreadable {
            ledger.add("elements that cannot be read", path, *count);
        }
        for (why, count) in &self.profiles {
            ledger.add("profile undecidable, taken", why, *count);
        }
        for (retrieve, count) in &self.tagged_otherwise {
            ledger.add(
                "left out by their tag, though the content fits",
                retrieve,
                *count,
            );
        }
        for ((what, ty), count) in &self.casts {
            let detail = format!("{what} cast to {ty}");
            ledger.add("lost in a cast that does not fit", &detail, *count);
        }
        if self.value_sets > 0 {
            ledger.add(
                "asked of value sets that were not loaded",
                "",
                self.value_sets,
            );
        }
        if self.references > 0 {
            ledger.add("references not found", "", self.references);
        }
        ledger
    }
}
