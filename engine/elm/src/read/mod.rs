//! ELM as it was read.

pub mod library;
