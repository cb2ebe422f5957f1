//! What one worker found, and all of them.

use std::collections::BTreeMap;

use engine_patient::bundle::References;
use engine_population::lake::rows::Tally;

use super::types::{TYPES, few_unknown};
use super::unreadable::UnreadableCounts;
use crate::import::codes::{CodeMap, add_code};
use crate::import::deletions::Read;

/// What a worker found.
#[derive(Default)]
pub struct WorkerResult {
    pub tallies: BTreeMap<String, Tally>,
    pub codes: CodeMap,
    pub collision: Option<String>,
    /// Resources of a type that is about a patient, without a patient that can be resolved.
    pub unlinked: BTreeMap<String, u64>,
    pub patients: u64,
    pub references: References,
    pub unreadable: UnreadableCounts,
    /// Manifests of bulk exports.
    pub manifests: u64,
    /// Resources that came without an id.
    pub given_ids: u64,
    pub deletions: Vec<Read>,
    /// Resources whose codes are text only, on their primary code path.
    pub uncoded: BTreeMap<String, u64>,
}

impl WorkerResult {
    /// Takes in what another worker found.
    pub fn add(&mut self, one: WorkerResult) {
        for (ty, tally) in one.tallies {
            self.tallies.entry(ty).or_default().add(&tally);
        }
        for (ty, n) in one.unlinked {
            *self.unlinked.entry(ty).or_default() += n;
        }
        for (ty, n) in one.uncoded {
            *self.uncoded.entry(ty).or_default() += n;
        }
        self.patients += one.patients;
        self.given_ids += one.given_ids;
        self.manifests += one.manifests;
        self.references.add(&one.references);
        self.references.bound();
        self.unreadable.add(&one.unreadable);
        self.deletions.extend(one.deletions);
        self.collision = self.collision.take().or(one.collision);
        for (key, texts) in one.codes {
            add_code(&mut self.codes, key, texts, &mut self.collision);
        }
    }

    /// The row of a type.
    pub fn tally(&mut self, ty: &str) -> &mut Tally {
        if !self.tallies.contains_key(ty) {
            self.tallies.insert(ty.to_owned(), Tally::default());
            if self.tallies.len() > TYPES {
                few_unknown(&mut self.tallies, TYPES);
            }
        }
        self.tallies.entry(ty.to_owned()).or_default()
    }
}
