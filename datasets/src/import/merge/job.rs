//! What the second half of an import works with.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_population::lake::DataFile;
use engine_population::lake::commit::Snapshot;
use engine_population::lake::rows::Tally;
use object_store::ObjectStore;

use crate::import::deletions::Deletions;
use crate::import::error::ImportError;
use crate::import::ids::IdShards;
use crate::import::options::ImportOptions;
use crate::import::progress::Progress;
use crate::import::scratch::Scratch;
use crate::import::spill::Spill;

/// All that the second half of an import needs.
pub struct Job<'a> {
    pub options: &'a ImportOptions,
    pub store: Arc<dyn ObjectStore>,
    pub base: Option<&'a Snapshot>,
    pub buckets: u32,
    pub scratch: &'a Scratch,
    pub spill: &'a Spill,
    pub ids: &'a IdShards,
    pub progress: &'a Progress,
    pub runtime: &'a tokio::runtime::Handle,
    /// Patients read.
    pub patients: u64,
    pub deletions: &'a Deletions,
}

/// By resource type.
pub type Tallies = BTreeMap<String, Tally>;

impl Job<'_> {
    /// An error of the scratch folder.
    pub fn scratch_error(&self, error: std::io::Error) -> ImportError {
        ImportError::Io(self.spill.folder().to_owned(), error)
    }
}

/// Files of the base snapshot that hold one of these buckets; all files for `None`.
pub fn files_of<'s>(
    base: Option<&'s Snapshot>,
    table: &str,
    buckets: Option<&[u32]>,
) -> Vec<&'s DataFile> {
    let files = base
        .and_then(|b| b.tables.get(table))
        .map_or(&[][..], |t| &t.files);
    let wanted =
        |f: &&DataFile| buckets.is_none_or(|all| f.buckets.iter().any(|b| all.contains(b)));
    files.iter().filter(wanted).collect()
}
