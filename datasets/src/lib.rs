//! Data in: FHIR files to the lake and back, terminology releases, a synthetic population.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod export;
mod folder;
pub mod import;
pub mod machine;
pub mod patient_file;
pub mod rxnorm;
pub mod synth;
