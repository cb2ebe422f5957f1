//! Drugs of other code systems, as a table of the user's: which drugs a code of SNOMED CT stands for, or that no
//! allergy is known.
//!
//! Columns `system,code,display,drug`. `drug` is what rules write: the name of an ingredient or its RxCUI,
//! `class:` and the id of a class, several with `|` between; or `none known` (no allergies are known), `no drug`
//! (what it is to is no drug). A row without it is a code that nobody has placed yet. An NDC may be written with
//! hyphens or without.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::code::canonical_system;
use super::drug_meaning::{DrugMeaning, Meant, Substances};
use super::drugs::DrugDictionary;
use super::drugs_build::DrugError;
use super::drugs_csv::{DrugFileError, NamedBytes, note, rows};
use super::drugs_terms::is_class;
use super::read_system::system_named;

/// The header of such a table.
pub const DRUG_CODES_HEADER: [&str; 4] = ["system", "code", "display", "drug"];

impl DrugDictionary {
    /// What a code of another system stands for, where a table says so.
    #[must_use]
    pub fn meaning(&self, system: &str, code: &str) -> Option<&DrugMeaning> {
        let system = canonical_system(system);
        self.codes.get(system)?.get(&*one_form(system, code))
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
                    _ => match self.meant_by_cell(drug) {
                        Ok(meant) => DrugMeaning::Drug(meant),
                        Err(all) => {
                            wrong_cells.extend(all.into_iter().map(|error| (line, error)));
                            return Ok(());
                        }
                    },
                };
                let system = canonical_system(system);
                let key = (Arc::from(system), Arc::from(&*one_form(system, code)));
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

    fn meant_by_cell(&self, cell: &str) -> Result<Meant, Vec<DrugError>> {
        let mut meant = Meant::default();
        let mut wrong = vec![];
        for term in cell.split('|') {
            let set = match self.set_of(term) {
                Ok(set) => set,
                Err(error) => {
                    wrong.push(error);
                    continue;
                }
            };
            let members = set.members().iter();
            let members: Vec<Substances> =
                members.filter_map(|one| self.substances_of(one)).collect();
            match is_class(term) {
                true if members.is_empty() => {}
                true => meant.classes.push(members.into()),
                false => members.iter().for_each(|one| meant.substances.add(one)),
            }
        }
        match wrong.is_empty() {
            true => Ok(meant),
            false => Err(wrong),
        }
    }
}

/// NDCs are written in several forms.
const NDC: &str = "http://hl7.org/fhir/sid/ndc";

/// A code in the one form that codes of its system are compared in.
fn one_form<'c>(system: &str, code: &'c str) -> Cow<'c, str> {
    let ndc = (system == NDC).then(|| eleven_digits(code)).flatten();
    ndc.map_or(Cow::Borrowed(code), Cow::Owned)
}

/// An NDC in the 5-4-2 form without hyphens: the part of ten digits that is short gets a zero.
pub(crate) fn eleven_digits(ndc: &str) -> Option<String> {
    let parts: Vec<&str> = ndc.split('-').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(digits) {
        return None;
    }
    match parts.as_slice() {
        [whole] if whole.len() == 11 => Some((*whole).to_owned()),
        [labeler, product, package] => {
            let fits = labeler.len() <= 5 && product.len() <= 4 && package.len() <= 2;
            fits.then(|| format!("{labeler:0>5}{product:0>4}{package:0>2}"))
        }
        _ => None,
    }
}
