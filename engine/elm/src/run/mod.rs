//! Evaluation of the compiled tree.

pub mod eval;
pub mod instance;
pub mod kleene;
pub mod query;
pub mod retrieve;
