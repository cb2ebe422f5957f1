//! ELM, the Expression Logical Model (HL7, CQL 1.5): the language of the official measures.
//!
//! ```text
//! ELM JSON ── Library::read ──▶ Library ── Linker (compile) ──▶ Unit ── with_evaluator ──▶ values
//! ```
//!
//! One file a chapter of the CQL specification's appendix B, "CQL Reference"; `table.rs` names all
//! nodes.
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
mod conjunct;
pub mod cx;
mod decisive;
pub mod doubt;
pub mod eval;
pub mod fhir_children;
pub mod fhir_value;
mod fold;
pub mod helpers;
mod instance;
pub mod issue;
mod kleene;
pub mod library;
mod merge;
pub mod node;
pub mod outline;
pub mod property;
pub mod query;
pub mod retrieve;
pub mod sketch;
pub mod table;
pub mod trace;
mod type_test;
pub mod types;
pub mod unit;
pub mod units;
pub mod value;

// Operators, by chapter.
pub mod aggregate;
pub mod arithmetic;
mod bounds;
pub mod clinical;
pub mod compare;
pub mod convert;
mod date_arithmetic;
mod date_compare;
pub mod datetime;
mod duration;
mod exact;
pub mod interval;
mod interval_expand;
mod interval_relations;
mod interval_sets;
pub mod list;
pub mod logical;
mod patterns;
pub mod quantity;
mod series;
mod statistics;
pub mod strings;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_dates;
#[cfg(test)]
mod tests;
mod text_values;

pub use compile::{FunctionHandle, Linker, Options};
pub use conjunct::Conjunct;
pub use cx::{Fault, Notes};
pub use eval::{Evaluator, Settings, with_evaluator};
pub use issue::{ElmIssue, Family};
pub use library::Library;
pub use unit::{Expression, Unit};
