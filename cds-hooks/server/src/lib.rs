//! The CDS service as it is operated: one settings file, and the parts composed by it.
#![deny(missing_docs)]

pub mod metrics;
pub mod settings;
pub mod shadow;
