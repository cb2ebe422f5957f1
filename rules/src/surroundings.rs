//! What a rule is loaded with: value sets, drugs, the library of its folder, the tables beside it.

use std::sync::Arc;

use engine_patient::terminology::{DrugDictionary, TerminologyProvider};

use crate::library::Library;

/// What rules of a folder are loaded with. Pure: who loads reads the files.
#[derive(Clone)]
pub struct Surroundings<'a> {
    /// The value sets.
    pub terminology: &'a dyn TerminologyProvider,
    /// The drugs, with the classes of the library: see [`Library::drugs`].
    pub drugs: Arc<DrugDictionary>,
    /// What all rules of the folder share.
    pub library: Option<&'a Library>,
    /// The bytes of a table by the name of its file, beside the rule.
    pub tables: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

impl<'a> Surroundings<'a> {
    /// With the drugs of the terminology, no library and no tables.
    pub fn plain(terminology: &'a dyn TerminologyProvider) -> Self {
        Surroundings {
            terminology,
            drugs: terminology.drugs(),
            library: None,
            tables: &|_| None,
        }
    }
}

/// The drug dictionary that is built in.
pub fn built_in_drugs() -> Arc<DrugDictionary> {
    DrugDictionary::built_in_arc()
}
