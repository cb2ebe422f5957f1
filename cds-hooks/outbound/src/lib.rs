//! Calls that the service makes itself: to FHIR servers of EHRs, and for key sets.
//!
//! Their addresses come from callers, so that nothing is trusted: [`Client`] speaks only to origins that
//! were configured, on addresses that it has checked itself, within a deadline and a bound on bytes.
//! [`fhir`] reads and searches with it.
//!
//! *Invariant*: nothing in this crate opens a connection but [`Client`]. Texts of errors hold no query, no
//! id of a resource, no token and nothing of an answer.

mod address;
mod allowed;
mod body;
mod client;
mod counters;
mod failure;
pub mod fhir;
mod limits;
mod resolve;
mod secret;
mod site;
mod tls_words;
mod trust;

pub use address::refused;
pub use allowed::Allowed;
pub use client::Client;
pub use counters::Counts;
pub use failure::{Failure, Family};
pub use limits::Limits;
pub use resolve::{Resolver, System};
pub use secret::Secret;
pub use trust::authorities;
