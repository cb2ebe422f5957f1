//! Data of a patient from the FHIR server that a call names (CDS Hooks 2.0.1, "FHIR Resource Access").
//!
//! Prefetch keys that a client did not send are read or searched here, in parallel, pages and all, by one
//! deadline. What comes out is what the client would have sent under the key: a resource, or one searchset
//! Bundle. What cannot be had is a [`crate::Failure`], and what is only a part says so ([`Fetched::incomplete`], and
//! a `next` link in the Bundle): nothing here makes "unknown" look like "none".
//!
//! ```text
//! fulfil ─┬─ template + tokens ─▶ query ──┐
//!         └─ next link of a Bundle ───────┴─▶ pages ─▶ page … page ─▶ one Bundle
//! ```

mod access;
mod fulfil;
mod limits;
mod merge;
mod outcome;
mod page;
mod pages;
mod query;
mod shape;
mod template;
mod tokens;
mod whose;

pub use access::Access;
pub use fulfil::{Fetched, Want, fulfil};
pub use limits::Limits;
pub use template::check as check_template;
pub use tokens::Tokens;
