//! The compiled tree, looked at: as text, as terms of a criterion, with what it gave for a patient, and
//! by what it needs.

pub mod conjunct;
pub mod decisive;
pub mod outline;
pub mod sketch;
