//! The compiled tree: what the compiler makes and the evaluation goes through.

pub mod constant;
pub mod node;
pub mod query;
pub mod retrieve;
pub mod unit;
