//! ELM, the Expression Logical Model (HL7, CQL 1.5): the language of the official measures.
//!
//! One file a chapter of the CQL specification's appendix B, "CQL Reference"; `table.rs` names all
//! nodes.

pub mod cx;
pub mod types;
pub mod units;
pub mod value;

// Operators, by chapter.
pub mod aggregate;
pub mod arithmetic;
pub mod compare;
pub mod convert;
pub mod datetime;
pub mod interval;
pub mod quantity;
pub mod strings;
