//! What was written, of one group of buckets or of all.

use std::collections::{BTreeMap, BTreeSet};

use engine_population::lake::DataFile;
use engine_population::lake::writer::Files;
use object_store::ObjectStoreExt as _;

use super::job::{Job, Tallies};
use super::ledger::Flow;

/// Counts, rows and files of the buckets that were merged.
#[derive(Default)]
pub struct Written {
    pub tallies: Tallies,
    pub flow: Flow,
    pub files: Files,
    pub buckets: BTreeSet<u32>,
    pub removed: BTreeMap<String, BTreeSet<String>>,
}

impl Written {
    /// Nothing is new and nothing is gone.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.removed.values().all(BTreeSet::is_empty)
    }

    /// Adds up.
    pub fn add(&mut self, one: Written) {
        for (ty, tally) in one.tallies {
            self.tallies.entry(ty).or_default().add(&tally);
        }
        self.flow.add(&one.flow);
        for (table, files) in one.files {
            self.files.entry(table).or_default().extend(files);
        }
        self.buckets.extend(one.buckets);
        for (table, paths) in one.removed {
            self.removed.entry(table).or_default().extend(paths);
        }
    }

    /// A table's one file, in place of those before.
    pub fn replace(&mut self, table: &str, file: Option<DataFile>, before: &[&DataFile]) {
        self.files.entry(table.to_owned()).or_default().extend(file);
        let removed = before.iter().map(|f| f.path.clone());
        self.removed
            .entry(table.to_owned())
            .or_default()
            .extend(removed);
    }
}

/// Best effort: what stays is removed by `tandem lake vacuum`.
pub fn remove_files(job: &Job<'_>, files: &Files) {
    for (table, files) in files {
        for file in files {
            let path = object_store::path::Path::from(format!("{table}/{}", file.path));
            let _ = job.runtime.block_on(job.store.delete(&path));
        }
    }
}
