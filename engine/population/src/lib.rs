//! Many patients: the lake and the evaluation of programs over it, on DataFusion.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod evaluate;
pub mod lake;
pub mod patient;
pub mod session;
pub mod statement;
mod table;
pub mod table_list;
pub mod views;
