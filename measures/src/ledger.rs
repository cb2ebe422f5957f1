//! The ledger of a run: what was read, and what was not found, converted or told. Nothing a number
//! rests on goes missing silently.

use std::collections::BTreeMap;

use engine_patient::program::Notes;

use crate::report::extension::LEDGER;
use crate::report::fhir::Extension;

/// Counts by name and detail, always in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: BTreeMap<(String, String), u64>,
}

impl Ledger {
    /// Adds to a line: `("resources read", "Observation", 12)`. Details never hold patient data.
    pub fn add(&mut self, name: &str, detail: &str, count: u64) {
        let line = self.entries.entry((name.to_owned(), detail.to_owned()));
        let line = line.or_default();
        *line = line.saturating_add(count);
    }

    /// What evaluations noted.
    pub fn notes(&mut self, notes: &Notes) {
        for (kind, detail, count) in notes.iter() {
            self.add(kind.as_str(), detail, count);
        }
    }

    /// All lines of another one.
    pub fn merge(&mut self, other: &Ledger) {
        for (name, detail, count) in other.lines() {
            self.add(name, detail, count);
        }
    }

    /// Name, detail, count.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let lines = self.entries.iter();
        lines.map(|((name, detail), n)| (name.as_str(), detail.as_str(), *n))
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The extension of a report.
    pub(crate) fn extension(&self) -> Option<Extension> {
        let line = |(name, detail, n): (&str, &str, u64)| {
            let mut parts = vec![Extension::text("name", name)];
            if !detail.is_empty() {
                parts.push(Extension::text("detail", detail));
            }
            parts.push(Extension::count("count", n));
            Extension::of("line", parts)
        };
        let lines: Vec<Extension> = self.lines().map(line).collect();
        (!lines.is_empty()).then(|| Extension::of(LEDGER, lines))
    }
}
