//! Rules that clinicians write: YAML with CEL expressions, checked at load, decided in three values.
//! A care gap is a live card and a measure alike; an alert and a family are cards at a hook.
//!
//! ```text
//! file ── yaml (tree with positions) ──▶ load (all problems at once) ──▶ Rule ──┬─▶ decide ──▶ Decision (card)
//!                                                                              ├─▶ evaluate ▶ ResultRow (measure)
//!                                                                              └─▶ run_cases (its own tests)
//! ```
//!
//! *Invariant:* a [`Rule`] has been checked whole; evaluation never finds a mistake of its author.
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

mod built_in;
mod case;
mod conditions_seen;
mod coverage;
mod decide;
mod document;
mod every_expression;
pub mod explanation;
mod format;
mod library;
mod lint;
mod load;
mod mutants;
mod outcome;
mod places;
pub mod plain_words;
mod program;
mod read_out;
mod rule;
mod run_cases;
mod scan;
mod schema;
mod surroundings;
mod table;
mod template;
pub mod text;
mod words;
mod written;
pub mod yaml;

pub use built_in::{
    BuiltInShared, built_in, built_in_file, built_in_library, built_in_table, built_in_terminology,
    built_in_with,
};
pub use case::{Case, CaseOutcome, Difference, Expectation, Why};
pub use conditions_seen::ConditionSeen;
pub use decide::Clauses;
pub use explanation::Explanation;
pub use format::format;
pub use library::Library;
pub use load::{load, load_changed, load_with};
pub use mutants::{Excuse, RuleMutant};
pub use outcome::{
    Applicability, CardAction, CardChange, CardReason, CardSource, CardSuggestion, CardText,
    Decision, Outcome,
};
pub use read_out::ReadOut;
pub use rule::{Rule, Source};
pub use schema::{fields_table, library_schema, rule_schema};
pub use surroundings::{Surroundings, built_in_drugs};
pub use words::{Hook, Improvement, Indicator, Kind, OnUnknown, OwnHook, Status};
pub use written::Written;
