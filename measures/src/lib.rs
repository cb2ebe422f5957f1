//! Measures: programs and SQL over the lake, counted and reported as FHIR MeasureReports.
//!
//! ```text
//! official measures: raw criteria ── score ──▶ gated rows ┐
//! care gaps (CEL) ────────────────────────────────▶ rows ┴ EvaluateTable ─▶ sorted rows (Parquet)
//!
//! sorted rows ── walk ─▶ one patient and measure at a time ─┬─▶ totals ─▶ MeasureResult ─┬─▶ report: summary
//!                                                           ├─▶ report: subject-list, individual
//!                                                           └─▶ gaps
//! SQL measures ── session with flat views ──────────────────────────────▶ MeasureResult ─┘
//! ```

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod aggregate;
pub mod amount;
pub mod bounds;
mod columns;
pub mod deck;
pub mod direction;
pub mod explain;
pub mod gaps;
pub mod ledger;
pub mod manifest;
pub mod official;
pub mod package;
pub mod report;
pub mod result;
pub mod run;
pub mod score;
pub mod shape;
pub mod source_files;
pub mod sql;
pub mod subject;
pub mod subjects;
pub mod table;
#[cfg(test)]
mod testing;
pub mod totals;
pub mod walk;

/// Why a run did not happen.
#[derive(Debug)]
pub enum MeasureError {
    /// The user's mistake.
    User(String),
    /// Reading, writing or our bug.
    Internal(String),
}

impl std::fmt::Display for MeasureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(text) | Self::Internal(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for MeasureError {}

impl From<datafusion::error::DataFusionError> for MeasureError {
    fn from(e: datafusion::error::DataFusionError) -> Self {
        use engine_population::lake::{LakeError, lake_error};
        match lake_error(&e) {
            Some(own @ (LakeError::User(_) | LakeError::Vacuumed(_))) => {
                Self::User(own.to_string())
            }
            Some(own) => Self::Internal(own.to_string()),
            None => Self::Internal(e.strip_backtrace()),
        }
    }
}

impl From<parquet::errors::ParquetError> for MeasureError {
    fn from(e: parquet::errors::ParquetError) -> Self {
        Self::Internal(format!("the result rows cannot be written: {e}"))
    }
}

impl From<std::io::Error> for MeasureError {
    fn from(e: std::io::Error) -> Self {
        Self::Internal(format!("the results cannot be written: {e}"))
    }
}
