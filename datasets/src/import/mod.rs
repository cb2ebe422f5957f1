//! Import: FHIR files to the lake, in one commit.
//!
//! ```text
//! sources → chunks (one reader) → workers: check, resolve references, envelope, route
//!                                                    ├→ spill, one file a bucket
//!                                                    ├→ rejects, what cannot be read
//!                                                    └→ deletions
//! spill + what the bucket holds already → merge versions, delete → Parquet → books → commit
//! ```
//!
//! Several imports may run at once. Each commits on the snapshot it merged with, or not at all: where
//! another landed first, what was read is merged anew with the newest. So what lands is what the same
//! imports one after the other would have made, in the order of their snapshots.

mod begin;
mod buckets;
mod chunks;
mod codes;
mod deletions;
mod discover;
mod error;
mod ids;
mod limits;
mod lockfile;
mod merge;
mod options;
mod progress;
mod read;
mod report;
mod run;
mod scratch;
mod scratch_file;
mod spill;
mod turn;

use std::sync::Arc;

use engine_population::lake::Lake;

pub use error::ImportError;
pub use limits::Limits;
pub use lockfile::LockFile;
pub use options::ImportOptions;
pub use progress::{Moment, Progress};
pub use read::types::NO_TYPE;
pub use read::unreadable::UnreadableCounts;
pub use report::{DamagedFile, ImportReport};
pub use scratch::{Sweep, Swept, sweep};
pub use sources::PassedOver;

use begin::begin;
use discover::discover;
use run::{Ended, Run};
use turn::Turn;

/// Imports. Blocks; runs threads of its own.
pub fn import(
    options: &ImportOptions,
    progress: &Arc<Progress>,
) -> Result<ImportReport, ImportError> {
    import_files(options, progress).map_err(|e| {
        if matches!(e, ImportError::Unsure(_)) {
            return e;
        }
        match crate::machine::advice(&e.to_string()) {
            Some(advice) => ImportError::Io(options.lake.clone(), std::io::Error::other(advice)),
            None => e,
        }
    })
}

fn import_files(
    options: &ImportOptions,
    progress: &Arc<Progress>,
) -> Result<ImportReport, ImportError> {
    let open_files = crate::machine::raise_open_files();
    let found = discover(&options.paths)?;
    if let Some(n) = options
        .buckets
        .filter(|n| !n.is_power_of_two() || *n > 65_536)
    {
        let text =
            format!("--buckets {n}: the number of buckets must be a power of two, at most 65536");
        return Err(ImportError::User(text));
    }
    crate::folder::make(&options.lake).map_err(ImportError::User)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| ImportError::Bug(format!("no runtime: {e}")))?;
    let bases: Vec<String> = options
        .bases
        .iter()
        .map(|b| b.trim_end_matches('/').to_owned())
        .collect();
    if let Some(wrong) = bases.iter().find(|b| !is_server(b)) {
        return Err(ImportError::User(format!(
            "--base {wrong}: write the URL of a FHIR server, as in https://ehr.example.org/fhir"
        )));
    }
    let store = Lake::store_at(&options.lake)?;
    let (scratch, mut base) = begin(options, store.as_ref(), runtime.handle())?;
    let options = ImportOptions {
        now_ms: scratch.stamp(),
        bases,
        ..options.clone()
    };
    let mut turn = Turn::none();
    loop {
        let run = Run {
            options: &options,
            store: &store,
            runtime: runtime.handle(),
            scratch: &scratch,
            progress,
            found: &found,
            open_files,
        };
        match run.import(base, &mut turn) {
            Ok(Ended::Done(report)) => return Ok(*report),
            // Another created the lake meanwhile, with another number of buckets.
            Ok(Ended::OtherBuckets(newest)) => base = Some(*newest),
            Err(e) => return Err(e),
        }
    }
}

/// Whether a text may be the URL of a server.
fn is_server(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|r| !r.is_empty() && !r.contains(['?', '#', ' ']))
}
