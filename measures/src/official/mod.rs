//! Official measures: FHIR Measure and ELM, all of a run in one program.
//!
//! ```text
//! Package ── build ──▶ ElmMeasures (PatientProgram) ── evaluate: raw criteria ── score ──▶ result rows
//! ```
//!
//! Libraries are linked and compiled once, so that what measures share (hospice, frailty, palliative
//! care) is evaluated once a patient however many measures ask.

mod build;
mod card;
mod check;
mod clauses;
mod convert;
#[cfg(test)]
mod doubt_tests;
mod limits;
mod notes;
mod program;
mod raw;

pub use build::{BuildOptions, Built, LeftOut, build, build_within};
pub use clauses::{ClauseCounts, Funnel, FunnelCounts, Funnels};
pub(crate) use convert::plain;
pub use limits::Limits;
pub use program::ElmMeasures;
pub(crate) use program::{CompiledMeasure, Target};
pub(crate) use raw::member_id;
