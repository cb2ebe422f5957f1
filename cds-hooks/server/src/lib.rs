//! The CDS service as it is operated: one settings file, and the parts composed by it.
#![deny(missing_docs)]

pub mod admin;
pub mod live;
pub mod metrics;
pub mod settings;
pub mod shadow;
pub mod sight;
pub mod spans;
pub mod told;
