//! Evaluation of the compiled tree for one patient.
//!
//! `evaluator` holds the state of an evaluation; every other file adds methods to its `Evaluator` for
//! a part of the tree. An interpreter is recursive by nature: `expression` hands a node to the file of
//! its kind, which evaluates the nodes within by `expression`. That one circle stays: it runs through
//! methods of one type, and a trait or a callback between the files would hide the calls without
//! removing any. No file imports another of them but for the types that `evaluator` keeps (`code_index`,
//! `trace`) and what `iteration` gives to `query`.

mod calls;
pub(crate) mod code_index;
mod conditionals;
mod definitions;
pub mod evaluator;
mod expression;
mod frame;
mod instance;
mod iteration;
mod logical;
mod operator;
mod query;
mod retrieve;
mod selectors;
mod sort;
pub mod trace;
