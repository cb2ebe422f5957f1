//! ELM, the Expression Logical Model (HL7, CQL 1.5): the language of the official measures.
//!
//! ```text
//! ELM JSON ── Library::read ──▶ Library ── Linker (compile) ──▶ CompiledLibraries ── with_evaluator ──▶ values
//! ```
//!
//! From the ground up; each folder imports of those above it only. Numbers, units and the time line are
//! `engine_patient::system`, which CEL has too.
//!
//! | folder | what is in it |
//! |---|---|
//! | `values` | values during the evaluation, types |
//! | `context` | what an evaluation carries beside values: arena, clock, budget, metrics, doubts |
//! | `fhir` | FHIR elements as CQL has them |
//! | `operators` | one file a chapter of the ELM specification; `table` has a row for each operator |
//! | `tree` | the compiled tree |
//! | `read` | ELM JSON as it was read |
//! | `compile` | from libraries to the tree |
//! | `run` | evaluation of the tree for one patient |
//! | `inspect` | expressions and CQL text for explanations, terms of a criterion, the prefilter |
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod compile;
mod context;
mod fhir;
mod inspect;
pub mod operators;
mod read;
mod run;
#[cfg(test)]
mod tests;
mod tree;
mod values;

pub use compile::{Linker, Options};
pub use context::doubts::InDoubt;
pub use context::fault::Fault;
pub use context::metrics::EvaluationMetrics;
pub use context::state::{EvaluationState, MEMORY};
pub use fhir::{elements as fhir_elements, values as fhir_values};
pub use inspect::null_cause::NullCause;
pub use inspect::terms::Term;
pub use inspect::{cql_text, expressions};
pub use operators::{compare, equality};
pub use read::library::Library;
pub use run::evaluator::{Evaluator, STEPS, Settings, with_evaluator};
pub use run::trace;
pub use tree::libraries::{self, CompiledLibraries, Expression, FunctionHandle};
pub use values::value;
