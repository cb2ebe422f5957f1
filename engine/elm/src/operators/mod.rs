//! The operators: one file a chapter of the CQL specification's appendix B, "CQL Reference".
//! `table` names all nodes of the ELM schema.

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
pub mod merge;
pub mod nodes;
pub mod operator;
pub mod patterns;
pub mod quantity;
pub mod statistics;
pub mod strings;
pub mod table;
pub mod type_test;
