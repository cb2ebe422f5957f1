//! Care gaps that clinicians write: YAML with CEL expressions, checked at load, decided in three
//! values for a live card and for a measure alike.
//!
//! ```text
//! file ── yaml (tree with positions) ──▶ load (all problems at once) ──▶ Rule ──┬─▶ decide ──▶ Decision (card)
//!                                                                              ├─▶ evaluate ▶ ResultRow (measure)
//!                                                                              └─▶ run_cases (its own tests)
//! ```
//!
//! *Invariant:* a [`Rule`] has been checked whole; evaluation never finds a mistake of its author.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]
#![deny(missing_docs)]

mod built_in;
mod case;
mod decide;
mod load;
mod program;
mod rule;
mod template;
pub mod text;
pub mod yaml;

pub use built_in::{built_in, built_in_terminology, built_in_with};
pub use case::{Case, CaseOutcome, Expectation};
pub use decide::{Applicability, CardText, Decision, Outcome};
pub use load::load;
pub use rule::{Improvement, Indicator, OnUnknown, Rule, Source};
