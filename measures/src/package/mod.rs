//! Measure packages as stewards publish them: FHIR Measure, Library (ELM), ValueSet and CodeSystem
//! resources, alone or in Bundles, in any mix of files and directories.
//!
//! ```text
//! paths ── files ──▶ load ──┬─ measure, group, population … ──▶ MeasureDefinition ─┐
//!                           ├─ library ─────────────────────────▶ LibrarySource ────┼─ resolve ─▶ Package
//!                           └─ TerminologyBuilder ──────────────▶ TerminologyStore ─┘
//! ```
//!
//! Invariants:
//! - all problems are told at once, each with its place ([`Finding`]); nothing is dropped in silence:
//!   what is not read is counted in [`Package::ignored`] and [`Package::skipped`];
//! - a measure about which there is an error is not among [`Package::measures`] but among
//!   [`Package::refused`]: what is left can be evaluated as far as this loader can tell;
//! - nothing is fetched from a network.
//!
//! An error whose [`Finding::measures`] is empty concerns the package as a whole: a run that goes on in
//! spite of it may miss a measure, a library or codes. Whether expressions exist in the libraries and
//! whether value sets are complete is not checked here but when the package is linked.

pub mod called;
mod concept;
mod criteria;
mod definition;
mod element;
mod elm;
mod files;
mod group;
mod json;
mod library;
mod library_source;
mod load;
mod measure;
mod near_libraries;
mod population;
mod reference;
mod resolve;
mod scoring;
mod select;
mod stratifier;
mod summary;

#[cfg(test)]
mod tests;

use engine_patient::finding::Finding;
use std::collections::BTreeMap;

use engine_patient::terminology::{ContentHash, TerminologyStore};

pub use definition::{
    AggregateMethod, Basis, EffectivePeriod, GroupDefinition, ImprovementNotation, LibraryId,
    MeasureDefinition, NotationTexts, PopulationCode, PopulationDefinition, PopulationIndex,
    Scoring, StratifierComponent, StratifierDefinition, SupplementalDefinition, Usage,
};
pub use library_source::LibrarySource;
pub use load::{load, load_with};
pub use select::{
    fit_in, fitting_keys, main_library, main_library_name, refused_of, select, select_each,
    set_better, taken_for,
};

/// What was read, and everything that was noticed.
#[derive(Debug)]
pub struct Loaded {
    /// What can be used.
    pub package: Package,
    /// All findings, in the order of the files.
    pub issues: Vec<Finding>,
}

impl Loaded {
    /// Whether anything was refused.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.issues.iter().any(|i| i.is_error())
    }
}

/// The content of one or more measure packages.
#[derive(Debug, Default)]
pub struct Package {
    /// The measures without an error, in the order they were read.
    pub measures: Vec<MeasureDefinition>,
    /// The measures with an error.
    pub refused: Vec<Refused>,
    /// The libraries, each name and version once.
    pub libraries: Vec<LibrarySource>,
    /// The value sets and code systems, expanded as far as the package allows.
    pub terminology: TerminologyStore,
    /// Resources that are not part of a measure package, by type.
    pub ignored: BTreeMap<String, usize>,
    /// Files in the directories that are not FHIR JSON by their name, by extension; empty for none.
    pub skipped: BTreeMap<String, usize>,
    /// The files that hold a part of the package.
    pub files: Vec<SourceFile>,
}

/// A file of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As the user named it.
    pub path: String,
    /// xxh3-128 of its bytes, unpacked: the same file with and without `.gz` has the same hash.
    pub hash: ContentHash,
}

/// A measure that is in the package but cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// `Measure.version`.
    pub version: Option<String>,
    /// What the issues call it ([`Finding::measures`]).
    pub label: String,
    /// Its id, name and url, as far as it has them.
    pub names: Vec<String>,
    /// The file.
    pub source: String,
}
