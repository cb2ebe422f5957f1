//! Result rows on their way out, a batch at a time: no more of them is in memory, however many
//! patients a bucket has.

use arrow::array::RecordBatch;
use datafusion::error::Result;
use engine_patient::program::{Artifact, Notes, ResultRow};
use tokio::sync::mpsc::Sender;

use super::metrics::EvaluateMetrics;
use super::rows::RowsBuilder;

/// Collects rows and sends them as a batch is full.
pub(super) struct Output {
    rows: RowsBuilder,
    /// What evaluations noted, until the partition has ended.
    pub(super) notes: Notes,
    batch: usize,
    to: Sender<Result<RecordBatch>>,
}

impl Output {
    /// `batch`: rows of a batch, as the session has it.
    pub(super) fn new(batch: usize, to: Sender<Result<RecordBatch>>) -> Output {
        Output {
            rows: RowsBuilder::default(),
            notes: Notes::default(),
            batch: batch.max(1),
            to,
        }
    }

    pub(super) fn push(&mut self, patient: &str, artifact: &Artifact, row: &ResultRow) {
        self.rows.push(patient, artifact, row);
    }

    /// Sends what fills a batch; `false` where nobody takes rows any more.
    pub(super) async fn send_full(&mut self, metrics: &EvaluateMetrics) -> Result<bool> {
        match self.rows.len >= self.batch {
            true => self.send(metrics).await,
            false => Ok(true),
        }
    }

    /// Sends what is there; `false` where nobody takes rows any more.
    pub(super) async fn send(&mut self, metrics: &EvaluateMetrics) -> Result<bool> {
        if self.rows.len == 0 {
            return Ok(true);
        }
        let batch = self.rows.finish()?;
        metrics.baseline.record_output(batch.num_rows());
        Ok(self.to.send(Ok(batch)).await.is_ok())
    }
}
