//! Value sets from a FHIR terminology server: each is expanded whole, or refused.
//!
//! ```text
//! canonicals ── Server::expand ($expand, page by page) ──▶ Expansion: one ValueSet, all its codes
//!                                                             │
//!                                    Folder::keep ◀───────────┘   files, and fetched.list: what is from where
//! ```
//!
//! *Invariants:* an expansion that is cut, or changed while it was read, is an error and never a file. The
//! key of a login stands in no text. The moment is an argument, and so is waiting.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]
#![deny(missing_docs)]

mod answer;
mod error;
mod expand;
mod folder;
mod page;
mod server;

pub use error::FetchError;
pub use expand::{Asked, Expansion};
pub use folder::{Folder, Kept, LIST};
pub use server::{Login, Options, Server};
