//! Result rows in Parquet and in batches of Arrow, as subjects.

mod columns;

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use measures::structure::MeasureStructure;
use measures::subject::{Gatherer, Subject};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::RunError;
use columns::Columns;

/// How result rows are sorted.
pub const ORDER: [&str; 12] = [
    "measure",
    "version",
    "url",
    "patient_id",
    "group",
    "population",
    "index",
    "stratifier",
    "stratum",
    "basis_id",
    "value",
    "unit",
];

/// Gathers batches of rows that are sorted by [`ORDER`]; a patient may stand in two of them.
#[derive(Debug)]
pub struct BatchGatherer<'s> {
    structures: &'s [Arc<MeasureStructure>],
    gatherer: Gatherer<'s>,
}

impl<'s> BatchGatherer<'s> {
    /// Of rows of these measures.
    pub fn new(structures: &'s [Arc<MeasureStructure>]) -> Self {
        BatchGatherer {
            structures,
            gatherer: Gatherer::new(structures),
        }
    }

    /// The next rows; `visit` gets every patient and measure that is complete.
    pub fn push(
        &mut self,
        batch: &RecordBatch,
        visit: &mut dyn FnMut(&Subject),
    ) -> Result<(), RunError> {
        let columns = Columns::of(batch, self.structures)?;
        for row in 0..batch.num_rows() {
            let measure = columns.measure(row)?;
            let patient = columns.patient.value(row);
            self.gatherer
                .push(measure, patient, &columns.row(row), visit)?;
        }
        Ok(())
    }

    /// The last one.
    pub fn finish(self, visit: &mut dyn FnMut(&Subject)) {
        self.gatherer.finish(visit);
    }
}

/// Visits every patient and measure of the rows that a run has written, in their order; nobody where no
/// program was run.
pub fn read_rows(
    rows_file: Option<&Path>,
    structures: &[Arc<MeasureStructure>],
    visit: &mut dyn FnMut(&Subject),
) -> Result<(), RunError> {
    let Some(rows_file) = rows_file else {
        return Ok(());
    };
    #[allow(clippy::disallowed_types, reason = "rows go through a file")]
    let file = std::fs::File::open(rows_file)?;
    let mut gatherer = BatchGatherer::new(structures);
    for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
        let batch = batch.map_err(|e| RunError::Internal(format!("result rows: {e}")))?;
        gatherer.push(&batch, visit)?;
    }
    gatherer.finish(visit);
    Ok(())
}
