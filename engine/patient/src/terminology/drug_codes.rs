//! Drugs of other code systems, as a table of the user's: which drugs a code of SNOMED CT stands for, or that no
//! allergy is known.
//!
//! Columns `system,code,display,drug`. `drug` is what rules write: the name of an ingredient or its RxCUI,
//! `class:` and the id of a class, several with `|` between; or `none known` (no allergies are known), `no drug`
//! (what it is to is no drug). A row without it is a code that nobody has placed yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::code::canonical_system;
use super::drug_meaning::{DrugMeaning, Substances};
use super::drugs::DrugDictionary;
use super::drugs_build::DrugError;
use super::drugs_csv::{DrugFileError, NamedBytes, note, rows};
use super::read_system::system_named;

/// The header of such a table.
pub const DRUG_CODES_HEADER: [&str; 4] = ["system", "code", "display", "drug"];

impl DrugDictionary {
    /// What a code of another system stands for, where a table says so.
    #[must_use]
    pub fn meaning(&self, system: &str, code: &str) -> Option<&DrugMeaning> {
        self.codes.get(canonical_system(system))?.get(code)
    }

    /// How many codes of other systems it knows.
    #[must_use]
    pub fn code_count(&self) -> usize {
        self.codes.values().map(FxHashMap::len).sum()
    }

    /// Adds the codes of a table.
    ///
    /// # Errors
    /// Every wrong row, with its line.
    pub fn add_codes(&mut self, file: NamedBytes<'_>) -> Result<(), Vec<DrugFileError>> {
        let mut errors = vec![];
        let mut found: BTreeMap<(Arc<str>, Arc<str>), DrugMeaning> = BTreeMap::new();
        let mut wrong_cells = vec![];
        rows(
            file,
            DRUG_CODES_HEADER,
            &mut errors,
            |line, [system, code, _, drug]| {
                let (system, code, drug) = (system.trim(), code.trim(), drug.trim());
                if drug.is_empty() {
                    return Ok(());
                }
                let refuse = |message: String, help: &str| {
                    Err(DrugError {
                        message,
                        help: help.to_owned(),
                    })
                };
                if code.is_empty() {
                    return refuse(
                        "the row has no code".to_owned(),
                        "write the code, or leave the row out",
                    );
                }
                let Some(system) = system_named(system).or(system.contains(':').then_some(system))
                else {
                    let message = format!("`{system}` is no code system");
                    return refuse(message, "write its url, or a short name such as `snomed`");
                };
                let meaning = match drug.to_lowercase().as_str() {
                    "none known" => DrugMeaning::NoneKnown,
                    "no drug" => DrugMeaning::NoDrug,
                    _ => match self.substances_of_cell(drug) {
                        Ok(substances) => DrugMeaning::Drug(substances),
                        Err(all) => {
                            wrong_cells.extend(all.into_iter().map(|error| (line, error)));
                            return Ok(());
                        }
                    },
                };
                let key = (Arc::from(canonical_system(system)), Arc::from(code));
                let known = self.meaning(system, code).or(found.get(&key));
                if known.is_some_and(|known| *known != meaning) {
                    let message = format!("`{code}` stands for two things");
                    return refuse(message, "keep one of the rows");
                }
                found.insert(key, meaning);
                Ok(())
            },
        );
        for (line, error) in wrong_cells {
            note(Err(error), file.0, line, &mut errors);
        }
        if !errors.is_empty() {
            errors.sort_by_key(|error| error.line);
            return Err(errors);
        }
        let codes = Arc::make_mut(&mut self.codes);
        for ((system, code), meaning) in found {
            codes.entry(system).or_default().insert(code, meaning);
        }
        Ok(())
    }

    fn substances_of_cell(&self, cell: &str) -> Result<Substances, Vec<DrugError>> {
        let set = self.set_of_cell(cell);
        let set = set.map_err(|all| all.into_iter().map(|(_, error)| error).collect::<Vec<_>>())?;
        let mut found = Substances::default();
        for member in set.members() {
            if let Some(one) = self.substances_of(member) {
                found.add(&one);
            }
        }
        Ok(found)
    }
}
