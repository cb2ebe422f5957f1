//! Measures over a lake: what is to be run, and what it came to.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod deck;
pub mod error;
pub mod evaluate;
pub mod rows;
pub mod sql;

pub use error::RunError;
