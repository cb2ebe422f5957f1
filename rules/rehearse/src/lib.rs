//! Rehearsal: how often rules would have fired over a year that is past, and on whom.
//!
//! ```text
//! lake ── EvaluateExec ──▶ PatientRecord ── history ──▶ versions, each from a moment on
//!                                        └─ calls ────▶ hook calls, ascending in time
//!                                                          │ replay: the record as of each call
//!                                                          ▼
//!         report ◀── tally ◀── sorted rows ◀── program: every rule of that hook decides
//! ```
//!
//! A call sees what was known by then and nothing else, as far as the data tells: see [`history`] for what
//! is taken back, and for what cannot be. All that was assumed is counted and stands in the report.
//!
//! *Invariants:* the same inputs give the same bytes, whatever the threads; no clock, file or environment
//! is read; a rule decides through [`rules::Rule::decide`], as the live service does.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]
#![deny(missing_docs)]

mod asked;
pub mod calls;
mod directory;
mod explanation;
pub mod history;
mod program;
pub mod replay;
pub mod report;
mod rows;
mod run;
mod samples;
mod settings;
mod tally;

pub use asked::Asked;
pub use program::{Candidate, Rehearsal};
pub use run::{Line, Rehearsed, rehearse};
pub use settings::{ACTIVE_DAYS, HOOKS, Settings};
