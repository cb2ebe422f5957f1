//! The operators: one file a chapter of the CQL specification's appendix B, "CQL Reference".
//! `table` has a row for each operator, `nodes` every other node of the ELM schema.
//!
//! An operator gives null where an operand is null, and where the operands are of types that it is not
//! defined on: those are for the translator to refuse. It is given as many operands as its row says
//! (`run/operator.rs` sees to that); an arm for any other number is never taken.

pub mod aggregate;
pub mod arithmetic;
pub mod bounds;
pub mod clinical;
pub mod compare;
pub mod convert;
pub mod date_arithmetic;
pub mod date_compare;
pub mod datetime;
pub mod duration;
pub mod equality;
pub mod fhir_helpers;
pub mod interval;
pub mod interval_expand;
pub mod interval_relations;
pub mod interval_sets;
pub mod list;
pub mod logical;
pub mod merge_sort;
pub mod nodes;
pub mod operator;
pub mod patterns;
pub mod quantity;
pub mod statistics;
pub mod strings;
pub mod table;
pub mod text_values;
pub mod type_operators;
