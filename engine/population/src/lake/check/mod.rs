//! Whether a lake is whole: every byte against its hash, every table against the others. Nothing is
//! changed, nothing is repaired.
//!
//! ```text
//! files     sizes and hashes            bucket    resources, their facts and patients, a group at a time
//! tables    `shared` and `codes`        ids       one type and id is one row, over all tables
//! delta     the derived logs            findings  what is told, and how much of it
//! ```

mod bucket;
mod delta;
mod files;
mod findings;
mod ids;
mod tables;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use super::reader::{metadata, read_rows};
use super::{DataFile, Lake, LakeError, commit, schema};
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

/// Told the bytes that were read since it was last told.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

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

/// What every part of the check has.
struct Checking {
    lake: Lake,
    findings: Findings,
    ids: Ids,
    progress: Progress,
    /// The keys of `codes`, sorted; nothing where they cannot be told.
    codes: Option<Vec<i64>>,
    /// Files whose bytes are not those that were written: their content is not asked.
    bad: BTreeSet<(String, String)>,
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
    for number in commit::pins(lake.store.as_ref()).await?.keys() {
        if commit::read(lake.store.as_ref(), *number).await.is_err() {
            notes.push(format!(
                "the pin of snapshot {number} keeps nothing: it cannot be read"
            ));
        }
    }
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

/// All files in the order of tables and paths; their places stand for them in [`Ids`].
fn all_files(lake: &Lake) -> Vec<(&str, &DataFile)> {
    let tables = lake.snapshot.tables.iter();
    tables
        .flat_map(|(name, table)| table.files.iter().map(|f| (name.as_str(), f)))
        .collect()
}

impl Checking {
    fn is_bad(&self, table: &str, file: &DataFile) -> bool {
        self.bad.contains(&(table.to_owned(), file.path.clone()))
    }

    /// The place of a file among all.
    fn place(&self, table: &str, file: &DataFile) -> u32 {
        let all = all_files(&self.lake);
        let at = all
            .iter()
            .position(|(t, f)| *t == table && f.path == file.path);
        at.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX)
    }

    async fn rows(
        &self,
        table: &str,
        file: &DataFile,
        columns: &[&str],
        each: impl FnMut(&arrow::array::RecordBatch) -> Result<(), LakeError>,
    ) -> Result<(), LakeError> {
        rows(&self.lake, table, file, columns, each).await
    }
}

/// Some columns of a whole file, batch by batch.
async fn rows(
    lake: &Lake,
    table: &str,
    file: &DataFile,
    columns: &[&str],
    each: impl FnMut(&arrow::array::RecordBatch) -> Result<(), LakeError>,
) -> Result<(), LakeError> {
    let footer = metadata(&lake.store, table, file).await?;
    let count = footer.metadata().file_metadata().num_rows();
    let count = usize::try_from(count).unwrap_or(0);
    let all = RowSelection::from(vec![RowSelector::select(count)]);
    read_rows(&lake.store, table, file, footer, all, columns, each).await
}

/// A column by name and type.
fn column<'b, T: arrow::array::Array + 'static>(
    batch: &'b arrow::array::RecordBatch,
    name: &str,
) -> Result<&'b T, LakeError> {
    let found = batch.column_by_name(name);
    let found = found.and_then(|c| c.as_any().downcast_ref::<T>());
    found.ok_or_else(|| LakeError::Data(format!("a table of the lake has no column `{name}`")))
}
