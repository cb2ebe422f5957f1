//! Evaluation of checked expressions over one patient's record.

mod by_drug;
mod candidates;
mod comprehension;
mod evaluation;
mod node;
mod select;

pub use evaluation::{Evaluation, TOO_MUCH};
