//! Measures over a lake: a [`Job`] says what is asked, a [`JobResult`] what came of it. A command line, a
//! server or a worker calls the same.
//!
//! ```text
//! Job ── select ─▶ packages, care gaps, SQL measures ── evaluate ─▶ sorted result rows (Parquet)
//!                                                                     │
//!  rows: one patient and measure at a time ─┬─▶ totals ─▶ MeasureResult ─▶ report files, attribution, counts
//!                                           ├─▶ gaps: rows, DEQM documents, a list of people to reach
//!                                           └─▶ funnel
//! manifest: run.json; ledger: what was not found, converted or told
//! ```
//!
//! *Invariant:* nothing here prints, ends the process, or reads a clock or the environment; files are read
//! and written where a module says so. What is for
//! people on the way goes to a [`Listener`]; errors are of three families ([`RunError`]).

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod attribution;
mod bindings;
pub mod code_coverage;
pub mod count_files;
pub mod deck;
pub mod error;
pub mod evaluate;
pub mod explain;
mod explain_rule;
pub mod findings_file;
pub mod gap_list;
pub mod gaps;
pub mod job;
mod lake_dates;
mod lake_rows;
mod ledger;
mod manifest;
pub mod missing_sets;
mod people;
pub mod prepared_job;
pub mod report_files;
mod results;
pub mod rows;
pub mod rule_files;
pub mod run;
pub mod run_result;
pub mod select;
pub mod sql;

pub use error::RunError;
pub use job::{Event, Folders, Job, Listener, Task};
pub use ledger::{DECIDED, NO_VISIT};
pub use prepared_job::PreparedJob;
pub use run::JobResult;

#[cfg(test)]
mod code_coverage_tests;
#[cfg(test)]
mod job_tests;
