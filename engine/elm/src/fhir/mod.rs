//! FHIR elements as CQL has them: their types, paths into them, and as values of System types.

pub mod elements;
pub mod property;
pub mod values;
