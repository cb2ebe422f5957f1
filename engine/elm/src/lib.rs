//! ELM, the Expression Logical Model (HL7, CQL 1.5): the language of the official measures.
//!
//! ```text
//! ELM JSON ── Library::read ──▶ Library ── Linker (compile) ──▶ Unit ── with_evaluator ──▶ values
//! ```
//!
//! From the ground up; each folder imports of those above it only:
//!
//! | folder | what is in it |
//! |---|---|
//! | `system` | numbers, units, the time line: arithmetic without ELM |
//! | `values` | values during the evaluation, types |
//! | `context` | what an evaluation carries beside values: arena, clock, budget, notes, doubts |
//! | `fhir` | FHIR elements as CQL has them |
//! | `operators` | one file a chapter of the CQL specification's appendix B; `table` names all nodes |
//! | `tree` | the compiled tree |
//! | `read` | ELM JSON as it was read |
//! | `compile` | from libraries to the tree |
//! | `run` | evaluation of the tree for one patient |
//! | `inspect` | the tree shown: as text, as terms, with what it gave, by what it needs |
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
mod system;
#[cfg(test)]
mod tests;
mod tree;
mod values;

pub use compile::{Linker, Options};
pub use context::cx::{self, Fault, Notes};
pub use context::doubts::InDoubt;
pub use fhir::{fhir_children, fhir_value};
pub use inspect::terms::Term;
pub use inspect::{cql_text, expressions};
pub use operators::{compare, equality};
pub use read::library::Library;
pub use run::eval::{self, Evaluator, Settings, with_evaluator};
pub use run::trace;
pub use tree::unit::{self, Expression, FunctionHandle, Unit};
pub use values::value;
