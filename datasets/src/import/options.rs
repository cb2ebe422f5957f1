//! What to import, and how.

use std::path::PathBuf;

use super::limits::Limits;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The lake's folder; made where it is not there.
    pub lake: PathBuf,
    /// Number of buckets of a new lake, a power of two; `None` to choose by size.
    pub buckets: Option<u32>,
    /// Servers whose resources these are, as `https://ehr.example.org/fhir`: an absolute reference to
    /// one of them is a resource of the lake, to another server it is none. Bundles name their own.
    pub bases: Vec<String>,
    /// Commit nothing if any line is rejected.
    pub strict: bool,
    /// What is refused because of its size, and how much of what is refused is kept.
    pub limits: Limits,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// The time of the commit, in milliseconds since 1970.
    pub now_ms: i64,
    /// A unique text for a new lake.
    pub lake_id: String,
}
