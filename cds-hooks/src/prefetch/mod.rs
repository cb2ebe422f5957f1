//! Prefetch: what is asked of the client, and what can be made of its answer.
//!
//! ```text
//! DataRequirement ── template ──▶ discovery
//!                                     │ the client searches
//! PatientRecord ◀── read (bundle → subject, structure) ── prefetch of the request
//! ```
//!
//! *Invariant:* a type is available in the record only if every key that covers it was answered,
//! in full, and nothing of that type was left out. Everything else leads to "unknown", never "no".

mod along;
mod ask;
mod bundle;
mod include;
mod lacking;
mod left_out;
mod mend;
mod parameters;
mod read;
mod search;
mod structure;
mod subject;
mod template;

pub(crate) use lacking::Lacking;
pub(crate) use left_out::{LeftOut, Why};
pub(crate) use read::{Prefetched, origins, read};
pub(crate) use subject::{Patient, Whose};
pub use template::{Template, Templates};
