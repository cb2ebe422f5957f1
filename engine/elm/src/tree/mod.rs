//! The compiled tree: what the compiler makes and the evaluation goes through.

pub mod node;
pub mod unit;
