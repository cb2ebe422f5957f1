//! Files of drugs among the user's terminology: what `terminology rxnorm` writes, and tables of codes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::csv_rows::Rows;
use super::drug_codes::DRUG_CODES_HEADER;
use super::drugs::DrugDictionary;
use super::drugs_csv::{
    CLASSES_HEADER, DrugFileError, DrugFiles, INGREDIENTS_HEADER, NDC_HEADER, NamedBytes,
    PRODUCTS_HEADER,
};

/// What a file of drugs holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ingredients,
    Products,
    Classes,
    Ndc,
    Codes,
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    let header = Rows::new(bytes).next()?.1.ok()?;
    let is = |columns: &[&str]| {
        header
            .iter()
            .map(|cell| cell.trim())
            .eq(columns.iter().copied())
    };
    match () {
        () if is(&INGREDIENTS_HEADER) => Some(Kind::Ingredients),
        () if is(&PRODUCTS_HEADER) => Some(Kind::Products),
        () if is(&CLASSES_HEADER) => Some(Kind::Classes),
        () if is(&NDC_HEADER) => Some(Kind::Ndc),
        () if is(&DRUG_CODES_HEADER) => Some(Kind::Codes),
        () => None,
    }
}

/// Whether the first line of a file names the columns of a table of drugs.
#[must_use]
pub fn is_drug_table(bytes: &[u8]) -> bool {
    kind(bytes).is_some()
}

/// The files that were found.
#[derive(Debug, Default)]
pub(super) struct FoundDrugFiles(Vec<(Kind, String, Vec<u8>)>);

impl FoundDrugFiles {
    /// Keeps it, if it is one.
    pub fn keep(&mut self, name: &str, bytes: &[u8]) -> bool {
        let kind = kind(bytes);
        self.0
            .extend(kind.map(|kind| (kind, name.to_owned(), bytes.to_vec())));
        kind.is_some()
    }

    /// The built-in drugs and those of the files; `None` where there are none.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn dictionary(self) -> Option<Result<Arc<DrugDictionary>, Vec<DrugFileError>>> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.read().map(Arc::new))
    }

    fn read(self) -> Result<DrugDictionary, Vec<DrugFileError>> {
        let mut drugs = (*DrugDictionary::built_in_arc()).clone();
        let mut of_release: BTreeMap<Kind, NamedBytes<'_>> = BTreeMap::new();
        let wrong = |file: &str, message: String, help: &str| DrugFileError {
            file: file.to_owned(),
            line: 1,
            message,
            help: help.to_owned(),
        };
        let mut errors = vec![];
        for (kind, name, bytes) in self.0.iter().filter(|(kind, ..)| *kind != Kind::Codes) {
            if let Some((other, _)) = of_release.insert(*kind, (name, bytes)) {
                let message = format!("{other} is such a table, too");
                errors.push(wrong(
                    name,
                    message,
                    "give the folder of one RxNorm release",
                ));
            }
        }
        match (
            of_release.get(&Kind::Ingredients),
            of_release.get(&Kind::Products),
        ) {
            _ if !errors.is_empty() => return Err(errors),
            (Some(ingredients), Some(products)) => {
                let release = DrugDictionary::from_csv(&DrugFiles {
                    ingredients: *ingredients,
                    products: *products,
                    classes: of_release.get(&Kind::Classes).copied(),
                    ndc: of_release.get(&Kind::Ndc).copied(),
                })?;
                drugs = release.beside(&drugs);
            }
            _ => {
                let lonely = of_release.values().next();
                if let Some((file, _)) = lonely {
                    let message = "ingredients.csv and products.csv belong together".to_owned();
                    let help = "give the folder that `tandem terminology rxnorm` wrote";
                    return Err(vec![wrong(file, message, help)]);
                }
            }
        }
        for (_, name, bytes) in self.0.iter().filter(|(kind, ..)| *kind == Kind::Codes) {
            errors.extend(drugs.add_codes((name, bytes)).err().into_iter().flatten());
        }
        match errors.is_empty() {
            true => Ok(drugs),
            false => Err(errors),
        }
    }
}
