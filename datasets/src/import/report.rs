//! What an import did.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine_patient::bundle::References;
use engine_population::lake::rows::Tally;
use sources::PassedOver;

use super::read::unreadable::UnreadableCounts;

/// What an import did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ImportReport {
    /// The snapshot that is now the newest; none where there is no lake.
    pub snapshot: Option<u64>,
    /// Whether this import made it.
    pub committed: bool,
    /// By resource type.
    pub types: BTreeMap<String, Tally>,
    /// The sum.
    pub total: Tally,
    /// Where the rejected lines are, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// The first of them: file, line, reason.
    pub first_rejects: Vec<String>,
    /// Patients of the lake, as it is now.
    pub patients: u64,
    /// Resources whose patient is not in the lake, as it is now.
    pub orphans: u64,
    /// Resources of this import that are about a patient but name none that can be resolved.
    pub unlinked: BTreeMap<String, u64>,
    /// Resources of this import without a single code where their type has one.
    pub uncoded: BTreeMap<String, u64>,
    /// What became of references that are more than `Type/id`, of this import.
    pub references: References,
    /// Per element: values of this import that cannot be read, and that are masked.
    pub unreadable: UnreadableCounts,
    /// Which resources those are, if there are any.
    pub unreadable_file: Option<PathBuf>,
    /// Resources of this import that came without an id and were given one.
    pub given_ids: u64,
    /// Manifests of bulk exports among the files: no data, and nothing of them is kept.
    pub manifests: u64,
    /// Deletions of this import whose resource is not there.
    pub deletions_not_there: u64,
    /// Files of the folders that are of another kind.
    pub ignored_files: Vec<PathBuf>,
    /// Links to nothing, loops, files reached twice, pipes and devices in the folders, and why each
    /// was passed over.
    pub passed_over: Vec<PassedOver>,
    /// Files that could not be read to their end: what came before is imported.
    pub damaged: Vec<DamagedFile>,
    /// Per file: rejects that are counted, and not in the rejects file.
    pub rejects_not_listed: BTreeMap<String, u64>,
    /// Per file: values that cannot be read that are counted, and not in their file.
    pub unreadable_not_listed: BTreeMap<String, u64>,
    /// Bytes read from disk.
    pub bytes: u64,
    /// How often it was merged anew because another import landed first.
    pub redone: u64,
    /// Why other Delta readers do not see this snapshot yet, if they do not: it is committed, but the
    /// logs that are derived from it could not be written. The next import writes them.
    pub delta_behind: Option<String>,
    /// What is wrong with Delta logs that were there already, if anything is: they are never written over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delta_damaged: Vec<String>,
}

/// A file that is damaged, cut off, or became shorter while it was read.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DamagedFile {
    /// As named, or found in a folder.
    pub file: PathBuf,
    /// Where reading ended: line, from 1.
    pub line: u64,
    /// Where reading ended: byte, from 0, unpacked.
    pub offset: u64,
    /// For people.
    pub reason: String,
    /// Resources that were read of it before.
    pub resources: u64,
}

/// The sum over all types.
pub(super) fn sum(types: &BTreeMap<String, Tally>) -> Tally {
    let mut total = Tally::default();
    types.values().for_each(|t| total.add(t));
    total
}
