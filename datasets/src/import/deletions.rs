//! Deletions that were read: applied when the buckets are merged, each to the one resource it names.

use std::sync::Mutex;

use engine_patient::bundle::Deletion;
use engine_patient::record::Age;
use engine_population::lake::rows::Row;
use rustc_hash::{FxHashMap, FxHashSet};

use super::ids::id_hash;

/// A deletion and where it was read: later is greater.
#[derive(Clone, Debug)]
pub struct Read {
    pub deletion: Deletion,
    pub sequence: u64,
}

/// What became of a deletion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// The resource is gone.
    Deleted,
    /// A newer version of the resource stays.
    Outdated,
    /// There is no such resource.
    NotThere,
}

/// All deletions of an import, by resource.
#[derive(Default)]
pub struct Deletions {
    by_id: FxHashMap<u64, Vec<Read>>,
    /// What became of those that met a resource, by the hash of type and id, and by type and id.
    met: Mutex<FxHashMap<u64, Vec<(String, Outcome)>>>,
}

fn name_of(ty: &str, id: &str) -> String {
    format!("{ty}/{id}")
}

impl Deletions {
    pub fn new(all: Vec<Read>) -> Deletions {
        let mut by_id: FxHashMap<u64, Vec<Read>> = FxHashMap::default();
        for read in all {
            let hash = id_hash(read.deletion.ty, &read.deletion.id);
            by_id.entry(hash).or_default().push(read);
        }
        for all in by_id.values_mut() {
            all.sort_by_key(|r| r.sequence);
        }
        Deletions {
            by_id,
            met: Mutex::default(),
        }
    }

    /// Before a bucket is merged for the first time, or for the first time again.
    pub fn forget_outcomes(&self) {
        if let Ok(mut met) = self.met.lock() {
            met.clear();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Whether a resource with this hash of type and id may be deleted.
    pub fn names(&self, hash: u64) -> bool {
        self.by_id.contains_key(&hash)
    }

    /// Whether the newest version of a resource is deleted. What only the lake has (`in_lake`) is older
    /// than all that is read, unless the dates say otherwise.
    pub fn of_row(&self, text: &str, row: &Row, in_lake: bool) -> bool {
        if self.is_empty() {
            return false;
        }
        let id = text.get(row.id.clone()).unwrap_or("");
        let hash = id_hash(row.ty, id);
        let Some(all) = self.by_id.get(&hash) else {
            return false;
        };
        let own = |r: &&Read| r.deletion.ty == row.ty && r.deletion.id == id;
        let version: (Age, Option<u64>) = match in_lake {
            true => (row.age, None),
            false => (row.age, Some(row.sequence)),
        };
        let mut own = all.iter().filter(own).peekable();
        if own.peek().is_none() {
            return false;
        }
        let deleted = own.any(|r| Age::is_later((r.deletion.age, Some(r.sequence)), version));
        let outcome = match deleted {
            true => Outcome::Deleted,
            false => Outcome::Outdated,
        };
        if let Ok(mut met) = self.met.lock() {
            let name = name_of(row.ty.as_str(), id);
            met.entry(hash).or_default().push((name, outcome));
        }
        deleted
    }

    /// What became of each, by type. Of several deletions of one resource one deletes it.
    pub fn outcomes(&self) -> Vec<(&'static str, Outcome)> {
        let Ok(met) = self.met.lock() else {
            return vec![];
        };
        let mut out = vec![];
        for (hash, all) in &self.by_id {
            let found = met.get(hash).map_or(&[][..], Vec::as_slice);
            let mut counted: FxHashSet<String> = FxHashSet::default();
            for read in all {
                let ty = read.deletion.ty.as_str();
                let name = name_of(ty, &read.deletion.id);
                let outcome = found.iter().find(|(n, _)| *n == name);
                let outcome = outcome.map_or(Outcome::NotThere, |(_, o)| *o);
                let again = outcome == Outcome::Deleted && !counted.insert(name);
                out.push((ty, if again { Outcome::NotThere } else { outcome }));
            }
        }
        out
    }
}
