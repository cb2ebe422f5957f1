//! RxNorm releases (RRF files) → the drug dictionary.
//!
//! ```text
//! RXNCONSO ─ concepts ─┐
//! RXNREL ─── relations ┼─ resolve ─▶ DrugDictionary ─ write ─▶ CSV
//! RXNSAT ─── NDCs ─────┘                 + RxNormLedger
//! ```
//!
//! The files are read as streams, line by line; what is kept are the concepts of source `RXNORM` that
//! have a structural term type, and the relations between them. Every line is accounted for in the
//! [`RxNormLedger`]. The prescribable release needs no licence:
//! <https://download.nlm.nih.gov/rxnorm/RxNorm_full_prescribe_current.zip>, folder `rrf`.

mod concepts;
mod error;
mod ledger;
mod lines;
mod ndcs;
mod relations;
mod resolve;
mod write;

#[cfg(test)]
mod tests;

use std::path::Path;

use engine_patient::terminology::DrugDictionary;

pub use error::RxNormError;
pub use ledger::{FileLedger, MalformedLine, RxNormLedger, UnresolvedProduct};
pub use write::write_csv;

/// An imported release.
#[derive(Debug, Clone)]
pub struct RxNormImport {
    /// Ingredients, products and NDCs; no classes, see `DrugDictionary::with_classes_from`.
    pub dictionary: DrugDictionary,
    /// What was read, used and left out.
    pub ledger: RxNormLedger,
}

/// Imports the folder that holds `RXNCONSO.RRF`, `RXNREL.RRF` and, for NDCs, `RXNSAT.RRF`.
///
/// A line that is malformed is skipped and listed in the ledger, unless it is the first: then the file
/// is taken for something else.
///
/// # Errors
/// A file that is missing or cannot be read, has the wrong columns, or holds no RxNorm concept.
pub fn import_rxnorm(dir: &Path) -> Result<RxNormImport, RxNormError> {
    let mut ledger = RxNormLedger::default();
    let concepts = concepts::read(dir, &mut ledger)?;
    let relations = relations::read(dir, &concepts, &mut ledger)?;
    let mut builder = resolve::resolve(&concepts, &relations, &mut ledger)?;
    ndcs::read(dir, &mut builder, &concepts, &mut ledger)?;
    let dictionary = builder.build();
    Ok(RxNormImport { dictionary, ledger })
}
