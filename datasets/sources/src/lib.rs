//! Where everything comes from: the one reader of files and folders.
//!
//! ```text
//! paths ── file_search (kinds: which names) ──▶ Sources: files in order, and what is not read and why
//!                                           │
//!                                           └─ open / read ──▶ bytes, unpacked, within bounds
//! ```
//!
//! Patient data, measure packages, value sets, rules and RxNorm releases are all found and unpacked
//! here, so that one kind of file is never readable in one place and a mistake in another.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod file_search;
mod found_files;
mod gzip;
mod kinds;
mod layout;
mod packing;
mod read;
mod special;
mod stop;
mod unpack;
mod zstandard;

#[cfg(test)]
mod tests;

pub use file_search::{FileSearch, find, list, named, names_in};
pub use found_files::{PassedOver, Problem, Source, Sources, Why, is_archive};
pub use kinds::{DATA, FHIR, Kinds, RULES, TABLES, TERMINOLOGY};
pub use layout::{Layout, is_lines};
pub use packing::Packing;
pub use read::{read, read_path, read_text};
pub use stop::{Refused, reason, refused, told};
pub use unpack::{Opened, Watcher, open, open_beside, open_path};
