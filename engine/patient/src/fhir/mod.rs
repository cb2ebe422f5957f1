//! The FHIR R4 model: types, elements, cardinalities, choices, and the codes of required bindings.
//! Source: FHIR 4.0.1 (HL7, CC0), see `gen/model.py` and `gen/codes.py`.

pub mod clinical_time;
pub mod codes;
pub mod model;
pub mod names;
pub mod profiles;
pub mod reading;
pub mod unreadable;
