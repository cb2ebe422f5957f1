//! The compiled tree: what the compiler makes and the evaluation goes through.
//!
//! `node` and `query` know each other, as an expression may be a query and a query consists of
//! expressions. Nothing else here refers upwards.

pub mod constant;
pub mod libraries;
pub mod node;
pub mod query;
pub mod retrieve;
