//! What every part of the check has, and how it reads tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use super::findings::Findings;
use super::ids::Ids;
use crate::lake::reader::{metadata, read_rows};
use crate::lake::{DataFile, Lake, LakeError};

/// Told the bytes that were read since it was last told.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// What every part of the check has.
pub(super) struct Checking {
    pub(super) lake: Lake,
    pub(super) findings: Findings,
    pub(super) ids: Ids,
    pub(super) progress: Progress,
    /// The keys of `codes`, sorted; nothing where they cannot be told.
    pub(super) codes: Option<Vec<i64>>,
    /// Files whose bytes are not those that were written: their content is not asked.
    pub(super) bad: BTreeSet<(String, String)>,
}

/// All files in the order of tables and paths; their places stand for them in [`Ids`].
pub(super) fn all_files(lake: &Lake) -> Vec<(&str, &DataFile)> {
    let tables = lake.snapshot.tables.iter();
    tables
        .flat_map(|(name, table)| table.files.iter().map(|f| (name.as_str(), f)))
        .collect()
}

impl Checking {
    pub(super) fn is_bad(&self, table: &str, file: &DataFile) -> bool {
        self.bad.contains(&(table.to_owned(), file.path.clone()))
    }

    /// The place of a file among all.
    pub(super) fn place(&self, table: &str, file: &DataFile) -> u32 {
        let all = all_files(&self.lake);
        let at = all
            .iter()
            .position(|(t, f)| *t == table && f.path == file.path);
        at.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX)
    }

    pub(super) async fn rows(
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
pub(super) async fn rows(
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
pub(super) fn column<'b, T: arrow::array::Array + 'static>(
    batch: &'b arrow::array::RecordBatch,
    name: &str,
) -> Result<&'b T, LakeError> {
    let found = batch.column_by_name(name);
    let found = found.and_then(|c| c.as_any().downcast_ref::<T>());
    found.ok_or_else(|| LakeError::Data(format!("a table of the lake has no column `{name}`")))
}
