//! Vacuum: which snapshots are dropped, and which files nobody needs any more.
//!
//! Delta logs are left as they are: a version older than what was kept still opens in other
//! readers, and fails when they read its files. `_rejects/`, and every other folder or file whose
//! name starts with `_` or `.`, is never touched, nor is anything outside the lake's tables or
//! without the ending `.parquet` that no snapshot ever listed.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use super::names::is_data_file;
use super::pins::pins;
use super::snapshot::{TOMBSTONE, live, manifest_path, to_bytes};
use super::{CommitError, Snapshot};

/// What to keep. The newest snapshot is always kept; the rules add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VacuumPolicy {
    /// Keep this many of the newest snapshots; 0 counts as 1.
    pub keep_last: usize,
    /// Keep snapshots committed at this time or later, milliseconds since 1970 UTC.
    pub keep_since_ms: Option<i64>,
    /// Keep these, besides the ones pinned in the lake.
    pub pinned: BTreeSet<u64>,
    /// Delete a file that no snapshot lists only when it is older than this, in milliseconds:
    /// longer than the longest import, whose files are not committed yet.
    pub min_age_ms: i64,
    /// The time now, milliseconds since 1970 UTC, by the clock that dates the store's files.
    pub now_ms: i64,
}

/// What vacuum would do; nothing is done yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VacuumPlan {
    /// Snapshots to drop, ascending.
    pub drop: Vec<u64>,
    /// Files to delete, sorted by path.
    pub delete: Vec<VacuumFile>,
    /// Snapshots that stay, ascending.
    pub kept: Vec<u64>,
}

/// A file to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VacuumFile {
    /// From the root of the lake.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// True when no snapshot lists it, not even a dropped one.
    pub orphan: bool,
}

/// What vacuum did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Snapshots dropped, ascending.
    pub dropped: Vec<u64>,
    /// Files deleted.
    pub files: u64,
    /// Bytes deleted.
    pub bytes: u64,
}

/// Work out what `keep` lets go. Show it, then pass it to [`apply_vacuum`].
///
/// # Errors
/// Those of [`list`](super::list): with a damaged manifest nothing is planned.
pub async fn plan_vacuum(
    store: &dyn ObjectStore,
    keep: &VacuumPolicy,
) -> Result<VacuumPlan, CommitError> {
    let pinned = pins(store).await?;
    let snapshots = live(store).await?;
    let first_kept = snapshots.len().saturating_sub(keep.keep_last.max(1));
    let (kept, dropped): (Vec<_>, Vec<_>) = snapshots.iter().enumerate().partition(|(i, s)| {
        *i >= first_kept
            || keep
                .keep_since_ms
                .is_some_and(|since| s.created_ms >= since)
            || keep.pinned.contains(&s.number)
            || pinned.contains_key(&s.number)
    });
    let needed = paths(kept.iter().map(|(_, s)| *s));
    let listed = paths(dropped.iter().map(|(_, s)| *s));
    let tables: BTreeSet<&String> = snapshots.iter().flat_map(|s| s.tables.keys()).collect();

    let mut delete = Vec::new();
    for table in tables {
        let folder = Path::from(table.as_str());
        let objects = store.list(Some(&folder)).try_collect::<Vec<_>>().await;
        for object in objects.map_err(|e| CommitError::store("list", &folder, e))? {
            let path = object.location.to_string();
            let age = keep
                .now_ms
                .saturating_sub(object.last_modified.timestamp_millis());
            let orphan = !listed.contains(&path);
            let spent = !orphan || (is_ours(&path) && age > keep.min_age_ms);
            if spent && !needed.contains(&path) {
                delete.push(VacuumFile {
                    path,
                    size: object.size,
                    orphan,
                });
            }
        }
    }
    delete.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(VacuumPlan {
        drop: dropped.iter().map(|(_, s)| s.number).collect(),
        delete,
        kept: kept.iter().map(|(_, s)| s.number).collect(),
    })
}

/// Do what was planned, except where a pin or a commit since then needs a snapshot or a file:
/// those are left. First the snapshots become unreadable, then their files go; a crash in between
/// leaves orphans, which a later run collects.
///
/// # Errors
/// [`Store`](CommitError::Store); what was not deleted by then is collected by a later run.
pub async fn apply_vacuum(
    store: &dyn ObjectStore,
    plan: &VacuumPlan,
) -> Result<Vacuumed, CommitError> {
    let now = live(store).await?;
    let newest = now.last().map(|s| s.number);
    let (mut gone, mut needed): (Vec<&Snapshot>, Vec<&Snapshot>) = now
        .iter()
        .partition(|s| plan.drop.contains(&s.number) && Some(s.number) != newest);
    for snapshot in &gone {
        put(store, snapshot.number, TOMBSTONE.to_vec()).await?;
    }
    // A pin set meanwhile counts: looked for after the tombstones, see `pin`.
    let pinned = pins(store).await?;
    for snapshot in gone.extract_if(.., |s| pinned.contains_key(&s.number)) {
        put(store, snapshot.number, to_bytes(snapshot)?).await?;
        needed.push(snapshot);
    }
    // Commits that landed since the first look, by their files.
    let later = live(store).await?;
    let mut needed = paths(needed.into_iter());
    needed.extend(paths(later.iter()));

    let mut done = Vacuumed {
        dropped: gone.iter().map(|s| s.number).collect(),
        ..Vacuumed::default()
    };
    for file in plan.delete.iter().filter(|f| !needed.contains(&f.path)) {
        match store.delete(&Path::from(file.path.as_str())).await {
            Ok(()) => {
                done.files += 1;
                done.bytes += file.size;
            }
            Err(Error::NotFound { .. }) => {}
            Err(e) => return Err(CommitError::store("delete", &file.path, e)),
        }
    }
    Ok(done)
}

async fn put(store: &dyn ObjectStore, number: u64, bytes: Vec<u8>) -> Result<(), CommitError> {
    let path = manifest_path(number);
    let put = store.put(&path, bytes.into()).await;
    put.map(|_| ())
        .map_err(|e| CommitError::store("write", path, e))
}

/// Every file the snapshots list, from the root of the lake.
fn paths<'a>(snapshots: impl Iterator<Item = &'a Snapshot>) -> BTreeSet<String> {
    let tables = snapshots.flat_map(|s| &s.tables);
    tables
        .flat_map(|(name, table)| {
            table
                .files
                .iter()
                .map(move |f| format!("{name}/{}", f.path))
        })
        .collect()
}

/// Whether no snapshot needs to list it to know that it is ours: by its name, with no hidden folder on
/// its way.
fn is_ours(path: &str) -> bool {
    let mut parts = path.split('/');
    let named = parts.next_back().is_some_and(is_data_file);
    named && !parts.any(|part| part.starts_with(['_', '.']))
}
