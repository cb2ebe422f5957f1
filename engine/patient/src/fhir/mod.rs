//! The FHIR R4 model: types, elements, cardinalities, choices. Source: FHIR 4.0.1 (HL7, CC0),
//! see `gen/model.py`.

pub mod clinical_time;
pub mod model;
pub mod names;
pub mod profiles;
pub mod reading;
pub mod unreadable;
