//! Before anything is read: a stamp of its own, a scratch folder, and the snapshot to begin with.

use std::path::PathBuf;

use engine_population::lake::commit::{self, CommitError, Snapshot};
use object_store::ObjectStore;

use super::error::ImportError;
use super::options::ImportOptions;
use super::scratch::{Scratch, Sweep, stamp_text, sweep};

/// Takes a stamp and a scratch folder, and removes those of imports that are gone. The snapshot to
/// begin with is read after that: what landed with a stamp that is free again is in it, and has a
/// time not before that stamp. So no stamp is given twice.
pub(super) fn begin(
    options: &ImportOptions,
    store: &dyn ObjectStore,
    runtime: &tokio::runtime::Handle,
) -> Result<(Scratch, Option<Snapshot>), ImportError> {
    let newest = || newest(store, runtime);
    // Before anything is made in what may be no lake.
    let before = newest()?;
    let least = before.map_or(0, |b| b.created_ms.saturating_add(1));
    let mut stamp = options.now_ms.max(least).max(0);
    let io = |e| ImportError::Io(options.lake.join("_tmp"), e);
    loop {
        let Some(scratch) = Scratch::claim(&options.lake, stamp).map_err(io)? else {
            stamp += 1;
            continue;
        };
        let base = newest()?;
        if let Some(later) = base.as_ref().map(|b| b.created_ms).filter(|t| *t >= stamp) {
            stamp = later + 1;
            continue;
        }
        // Of an import that did not land.
        let named = ["_rejects", "_unreadable"];
        if named.iter().any(|f| list_at(options, f, stamp).exists()) {
            stamp += 1;
            continue;
        }
        let now = scratch.lock().now().map_err(io)?;
        let rule = Sweep {
            now,
            without_lock: None,
            dry_run: false,
        };
        // What cannot be looked at stays.
        let _ = sweep(&options.lake, &rule);
        return Ok((scratch, base));
    }
}

/// The newest snapshot, if there is a lake.
pub(super) fn newest(
    store: &dyn ObjectStore,
    runtime: &tokio::runtime::Handle,
) -> Result<Option<Snapshot>, CommitError> {
    match runtime.block_on(commit::latest(store)) {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(CommitError::NoLake { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Where an import lists what was wrong with its lines.
pub(super) fn list_at(options: &ImportOptions, folder: &str, stamp: i64) -> PathBuf {
    let name = format!("{}.ndjson", stamp_text(stamp));
    options.lake.join(folder).join(name)
}
