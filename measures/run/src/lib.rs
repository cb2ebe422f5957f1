//! Measures over a lake: a [`Job`] says what is asked, a [`JobResult`] what came of it. A command line, a
//! server or a worker calls the same.
//!
//! ```text
//! Job ── select ─▶ packages, care gaps, SQL measures ── evaluate ─▶ sorted result rows (Parquet)
//!                                                                     │
//!  rows: one patient and measure at a time ─┬─▶ totals ─▶ MeasureResult ─▶ report files, attribution
//!                                           ├─▶ gaps: rows, DEQM documents
//!                                           └─▶ funnel
//! record: the manifest (run.json), the ledger
//! ```
//!
//! *Invariant:* nothing here prints, ends the process, or reads a clock or the environment. What is for
//! people on the way goes to a [`Listener`]; errors are of three families ([`RunError`]).

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod attribution;
pub mod deck;
pub mod error;
pub mod evaluate;
mod explain;
pub mod gaps;
pub mod job;
mod record;
pub mod report_files;
pub mod rows;
pub mod rule_files;
pub mod run;
pub mod select;
pub mod sql;

pub use error::RunError;
pub use job::{Event, Folders, Job, Listener, Task};
pub use run::{JobResult, PreparedJob};

#[cfg(test)]
mod job_tests;
