//! CEL for rules and care gaps: the `cel` crate parses, this module checks against the FHIR model
//! and evaluates with three values.
//!
//! Where CEL raises an error (a field that is not there), the value here is *unknown* with a reason;
//! `&&`, `||`, `exists` and `all` treat it as CEL treats errors, which is Kleene logic: `false &&
//! unknown` is `false`. Absent data therefore never reads as "no".
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

mod alternatives;
pub mod check;
mod conditions;
mod either;
mod evaluate;
mod evidence;
pub mod explain;
mod explain_items;
mod explain_verdict;
mod explain_words;
pub mod functions;
mod guards;
mod lack;
mod longest;
mod mutants;
mod needs;
mod nodes;
mod operators;
mod parse;
mod parts;
mod problem;
mod terms;
pub mod types;
pub mod value;

pub use check::Checker;
pub use conditions::Condition;
pub use evaluate::{Evaluation, TOO_MUCH};
pub use evidence::Evidence;
pub use explain::{Clause, Tried};
pub use explain_verdict::{deciding, deciding_resource};
pub use explain_words::{Reading, Words};
pub use mutants::Mutant;
pub use nodes::{Compiled, NamedDrugs};
pub use terms::Term;
pub use types::Ty;
pub use value::Val;

#[cfg(test)]
mod ahead_tests;
#[cfg(test)]
mod comparator_tests;
#[cfg(test)]
#[path = "drugs_tests.rs"]
mod drugs_tests;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
#[cfg(test)]
#[path = "vocabulary_tests.rs"]
mod vocabulary_tests;
