//! One patient: values, the record, terminology, data requirements, and the languages that clinical
//! definitions are written in.
//!
//! *Invariant:* this crate does no IO, reads no clock and no environment, and knows neither Arrow
//! nor HTTP nor async. Time, time zone, terminology and data are arguments.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod bundle;
pub mod contained;
pub mod context;
pub mod describe;
mod evaluation;
pub mod fhir;
pub mod finding;
pub mod hook_call;
pub mod medication;
pub mod now;
pub mod outcomes_seen;
pub mod plural;
pub mod program;
pub mod record;
pub mod requirements;
mod result_row;
mod retrieve;
pub mod system;
pub mod systems;
pub mod terminology;
pub mod value;
