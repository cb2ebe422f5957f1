//! FHIR elements as CQL has them: their types, paths into them, and as values of System types.

pub mod fhir_children;
pub mod fhir_value;
pub mod property;
