//! Whether a lake is whole: every byte against its hash, every table against the others. Nothing is
//! changed, nothing is repaired.
//!
//! ```text
//! files     sizes and hashes            bucket    resources, their facts and patients, a group at a time
//! tables    `shared` and `codes`        ids       one type and id is one row, over all tables
//! delta     the derived logs            findings  what is told, and how much of it
//! pins      what keeps snapshots        checking  what all of these have
//! ```

mod bucket;
mod checking;
mod delta;
mod files;
mod findings;
mod ids;
mod pins;
mod tables;

use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};

use super::{Lake, LakeError, commit, schema};
pub use checking::Progress;
use checking::{Checking, all_files};
pub use findings::{Finding, Findings};
use ids::Ids;

/// How to check.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// Groups of buckets that are worked on at once.
    pub threads: usize,
    /// Where hashes of ids go while they are sorted: 24 bytes a resource. The system's folder for
    /// temporary files where there is none.
    pub scratch: Option<PathBuf>,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Checked {
    /// The snapshot.
    pub snapshot: u64,
    /// Files of all tables.
    pub files: u64,
    /// Their rows, by the manifest.
    pub rows: u64,
    /// Their bytes, by the manifest.
    pub bytes: u64,
    /// What is wrong, by kind; empty where the lake is whole.
    pub findings: Vec<Finding>,
    /// What is not wrong and may be good to know.
    pub notes: Vec<String>,
}

/// Checks a lake at its snapshot.
///
/// # Errors
/// Where it cannot be told: the disk does not answer, scratch cannot be written, the snapshot was
/// vacuumed meanwhile. What is wrong with the lake is no error, but told.
pub async fn check(
    lake: &Lake,
    options: &CheckOptions,
    progress: Progress,
) -> Result<Checked, LakeError> {
    let findings = Findings::default();
    let threads = options.threads.max(1);
    let bad = files::check(lake, threads, &findings, &progress).await?;
    let mut notes = vec![];
    if let Err(e) = commit::list(lake.store.as_ref()).await {
        findings.add("manifests that cannot be read", e.to_string());
    }
    pins::check(lake, &findings, &mut notes).await;
    delta::check(lake, &findings, &mut notes).await;
    let codes = tables::codes(lake, &bad, &findings, &progress).await?;
    let checking = Arc::new(Checking {
        lake: lake.clone(),
        findings,
        ids: Ids::new(options.scratch.clone()),
        progress,
        codes,
        bad,
    });
    tables::shared(&checking).await?;
    let groups = lake.files(schema::FACTS).to_vec();
    let work = groups.into_iter().map(|facts| {
        let checking = Arc::clone(&checking);
        tokio::spawn(async move { bucket::check(&checking, &facts).await })
    });
    // Buffered by spawning: a group is a thread's work.
    futures::stream::iter(work)
        .map(|one| async { one.await.map_err(|e| LakeError::Bug(e.to_string()))? })
        .buffer_unordered(threads)
        .try_collect::<()>()
        .await?;
    let all = all_files(lake);
    let names: Vec<String> = all.iter().map(|(t, f)| format!("{t}/{}", f.path)).collect();
    checking.ids.repeated(&mut |hits| {
        let places = hits.iter().map(|(file, row)| {
            let name = names.get(*file as usize).map_or("", String::as_str);
            format!("{name} row {row}")
        });
        let places: Vec<String> = places.collect();
        checking.findings.add(
            "resources of which one type and id has several rows",
            places.join(" and "),
        );
    })?;
    Ok(Checked {
        snapshot: lake.snapshot.number,
        files: all.len() as u64,
        rows: all.iter().map(|(_, f)| f.rows).sum(),
        bytes: all.iter().map(|(_, f)| f.size).sum(),
        findings: checking.findings.list(),
        notes,
    })
}
