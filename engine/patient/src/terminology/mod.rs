//! Terminology: value sets, code systems and the drug dictionary, held in memory and never fetched.
//!
//! ```text
//! FHIR JSON ── load (read_* → expand) ──▶ TerminologyStore ──▶ ValueSet::contains(key)
//!                                             │
//!                                             └──▶ TerminologyManifest (pins what a run used)
//! ```
//!
//! Invariants:
//! - nothing here reads a file, a clock or the network; bytes come in, values go out;
//! - there is no size limit: a value set has all codes that were given, or it says that it has not
//!   ([`Completeness`]);
//! - codes are compared exactly; the only thing that is normalised is a well-known system written as
//!   `urn:oid:` ([`canonical_system`]).

mod bind;
mod code;
mod code_damage;
mod code_system;
mod csv_rows;
mod drug_codes;
mod drug_meaning;
mod drug_names;
mod drug_set;
mod drug_words;
mod drugs;
mod drugs_build;
mod drugs_built_in;
mod drugs_catalog;
mod drugs_csv;
mod drugs_files;
mod drugs_other_names;
mod drugs_terms;
mod expand;
mod filter;
mod hash;
mod issue;
mod load;
mod manifest;
mod raw;
mod read;
mod read_code_system;
mod read_csv;
mod read_resource;
mod read_system;
mod read_value_set;
mod store;
mod suggest;
mod unite;
mod value_set;
mod value_set_definition;
mod version;

#[cfg(test)]
mod tests;

pub use bind::{BUILT_IN_VALUE_SETS, Beyond, Binding, BindingMode, Named};
pub use code::{Code, canonical_system, code_key};
pub use code_system::{CodeSystem, CodeSystemContent, Concept};
pub use drug_codes::DRUG_CODES_HEADER;
pub(crate) use drug_codes::eleven_digits;
pub use drug_meaning::{DrugMeaning, Meant, Substances};
pub use drug_names::NamedDrug;
pub use drug_set::DrugSet;
pub use drugs::{DrugClass, DrugDictionary};
pub use drugs_build::{DrugDictionaryBuilder, DrugError};
pub use drugs_catalog::{DrugKind, Ingredient};
pub use drugs_csv::{
    CLASSES_HEADER, DrugFileError, DrugFiles, INGREDIENTS_HEADER, NDC_HEADER, NamedBytes,
    PRODUCTS_HEADER,
};
pub use drugs_files::is_drug_table;
pub use hash::{ContentHash, HASH_ALGORITHM};
pub use issue::TerminologyError;
pub use load::TerminologyBuilder;
pub use manifest::{ManifestDifference, ManifestEntry, TerminologyManifest};
pub use read_csv::is_value_set_table;
pub use store::{TerminologyProvider, TerminologyStore};
pub use value_set::{Completeness, ValueSet};
pub use version::compare_versions;
