//! Evaluation of the compiled tree for one patient.
//!
//! `eval` holds the state of an evaluation; every other file adds methods to [`eval::Evaluator`] for
//! a part of the tree. An interpreter is recursive by nature: `expression` hands a node to the file of
//! its kind, which evaluates the nodes within by `expression`. That one circle stays: it runs through
//! methods of one type, and a trait or a callback between the files would hide the calls without
//! removing any. No file imports another of them but for the types that `eval` keeps (`code_index`,
//! `trace`) and what `iteration` gives to `query`.

mod calls;
pub(crate) mod code_index;
mod conditionals;
mod definitions;
pub mod eval;
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
