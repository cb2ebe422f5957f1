//! Whether an expression that is well formed can mean anything: texts that are no codes of their element,
//! units that are none or do not go together, value sets of another kind, comparisons that have one
//! outcome for every patient, `&&` beside `||` without brackets. Only what follows from the text, the FHIR model and the value sets.
//!
//! ```text
//! walk ─▶ codes, units, unit_kinds, value_sets, constant ─▶ look ─▶ facts ─▶ difference ─▶ trace ─▶ known ─▶ origin, fact
//! ```

mod brackets;
mod codes;
mod constant;
mod difference;
mod fact;
mod facts;
mod known;
mod look;
mod origin;
mod text;
mod trace;
mod unit_kinds;
mod units;
mod value_sets;
mod walk;

pub(super) use brackets::without_brackets;
pub(super) use fact::Facts;
pub(super) use facts::facts;
pub(super) use known::Known;
pub(super) use look::Look;
pub(super) use origin::{Origin, Units};
pub(super) use text::Text;
pub(super) use trace::origin;
pub(super) use unit_kinds::units;
pub(super) use walk::look_at;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
