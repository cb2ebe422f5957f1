//! Measures: what they are, what their result rows add up to, and FHIR MeasureReports of that. Where the
//! rows come from, a lake or one record, is not known here: `measures-run` has the lake.
//!
//! ```text
//! packages ── prepared ─▶ ElmMeasures (official) ── evaluate: raw criteria ── score ─▶ gated rows
//!
//! sorted rows ── subject ─▶ one patient and measure at a time ─┬─▶ totals ─▶ MeasureResult ─▶ report: summary
//!                                                              ├─▶ report: subject-list, individual
//!                                                              └─▶ gaps
//! one record ── explain ─▶ why
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

pub mod error;
pub mod explain;
pub mod gaps;
pub mod improvement_direction;
pub mod ledger;
pub mod manifest;
pub mod observation_quantity;
pub mod observation_values;
pub mod official;
pub mod other_period;
pub mod package;
pub mod person;
pub mod prepared;
pub mod rate_bounds;
pub mod relevance;
pub mod report;
pub mod result;
pub mod result_table;
pub mod score;
mod score_text;
pub mod source_files;
pub mod spreadsheet;
pub mod structure;
pub mod subject;
pub mod subject_csv;
#[cfg(test)]
mod testing;
pub mod totals;
