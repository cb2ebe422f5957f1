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
mod clause_outcomes;
mod compiled_measure;
#[cfg(test)]
mod doubt_tests;
mod fhir_values;
mod limits;
mod notes;
pub(crate) mod null_reason;
mod program;
mod raw_criteria;

pub use build::{AskedValueSet, BuildOptions, Built, LeftOut, build, build_within};
pub use clause_outcomes::{ClauseCounts, Funnel, FunnelCounts, Funnels};
pub(crate) use compiled_measure::{CompiledMeasure, Target};
pub(crate) use fhir_values::plain;
pub use limits::Limits;
pub use program::ElmMeasures;
