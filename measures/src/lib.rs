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
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod aggregate;
pub mod amount;
pub mod bounds;
pub mod direction;
pub mod error;
pub mod explain;
pub mod gaps;
pub mod ledger;
pub mod manifest;
pub mod official;
pub mod package;
pub mod prepared;
pub mod report;
pub mod result;
pub mod score;
pub mod shape;
pub mod source_files;
pub mod subject;
pub mod subjects;
pub mod table;
#[cfg(test)]
mod testing;
pub mod totals;
