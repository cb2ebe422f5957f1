//! Drug dictionaries as CSV files.
//!
//! UTF-8, comma, quotes as in RFC 4180, `\n`, with exactly these headers. Codes are RxCUIs; several in
//! one field are separated by `|`. The order of the rows does not matter.
//!
//! | file | columns |
//! |---|---|
//! | `ingredients.csv` | `rxcui,tty,name,in_rxcui`: `tty` is `IN` or `PIN`; `in_rxcui` is the ingredient of a `PIN`, may be empty |
//! | `products.csv` | `rxcui,tty,name,ingredients,precise_ingredients`: at least one ingredient |
//! | `classes.csv` | `class_id,class_name,rxcui`: one row per member, an `IN` or `PIN` |
//! | `ndc.csv` | `ndc,rxcui`: 11 digits |

use std::borrow::Cow;
use std::fmt;

use super::csv_rows::Rows;
use super::drugs::DrugDictionary;
use super::drugs_build::{DrugDictionaryBuilder, DrugError};

/// Name and bytes of a file.
pub type NamedBytes<'a> = (&'a str, &'a [u8]);

/// The files of a dictionary.
#[derive(Debug, Clone, Copy)]
pub struct DrugFiles<'a> {
    /// Ingredients and precise ingredients.
    pub ingredients: NamedBytes<'a>,
    /// Products.
    pub products: NamedBytes<'a>,
    /// Classes, if there are any.
    pub classes: Option<NamedBytes<'a>>,
    /// NDCs, if there are any.
    pub ndc: Option<NamedBytes<'a>>,
}

/// Something wrong in a file: where, what, what instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DrugFileError {
    /// File name as given.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: String,
}

impl fmt::Display for DrugFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            message,
            help,
        } = self;
        write!(
            f,
            "error: {message}\n  --> {file}:{line}\n   = help: {help}"
        )
    }
}

/// Header of the ingredients file.
pub const INGREDIENTS_HEADER: [&str; 4] = ["rxcui", "tty", "name", "in_rxcui"];
/// Header of the products file.
pub const PRODUCTS_HEADER: [&str; 5] =
    ["rxcui", "tty", "name", "ingredients", "precise_ingredients"];
/// Header of the classes file.
pub const CLASSES_HEADER: [&str; 3] = ["class_id", "class_name", "rxcui"];
/// Header of the NDC file.
pub const NDC_HEADER: [&str; 2] = ["ndc", "rxcui"];

impl DrugDictionary {
    /// Reads a dictionary.
    ///
    /// # Errors
    /// Every wrong row of every file, with its line.
    pub fn from_csv(files: &DrugFiles<'_>) -> Result<Self, Vec<DrugFileError>> {
        let mut errors = Vec::new();
        let mut builder = DrugDictionaryBuilder::new();
        // A precise ingredient may stand before its ingredient.
        let mut precise = vec![];
        rows(
            files.ingredients,
            INGREDIENTS_HEADER,
            &mut errors,
            |line, row| {
                let [rxcui, tty, name, parent] = row;
                match (&**tty, &**parent) {
                    ("IN", "") => builder.ingredient(rxcui, name),
                    ("IN", _) => Err(DrugError {
                        message: format!("ingredient `{rxcui}` has an `in_rxcui`"),
                        help: "only a PIN has one".to_owned(),
                    }),
                    ("PIN", _) => {
                        precise.push((line, row.clone()));
                        Ok(())
                    }
                    (other, _) => Err(DrugError {
                        message: format!("`{rxcui}` has term type `{other}`"),
                        help: "`tty` is IN or PIN here".to_owned(),
                    }),
                }
            },
        );
        for (line, [rxcui, _, name, parent]) in &precise {
            let parent = Some(&**parent).filter(|parent| !parent.is_empty());
            let result = builder.precise_ingredient(rxcui, name, parent);
            note(result, files.ingredients.0, *line, &mut errors);
        }
        rows(files.products, PRODUCTS_HEADER, &mut errors, |_, row| {
            let [rxcui, tty, name, ins, pins] = row;
            builder.product(rxcui, tty, name, list(ins), list(pins))
        });
        if let Some(file) = files.classes {
            rows(file, CLASSES_HEADER, &mut errors, |_, [id, name, rxcui]| {
                builder.class_member(id, name, rxcui)
            });
        }
        if let Some(file) = files.ndc {
            rows(file, NDC_HEADER, &mut errors, |_, [ndc, rxcui]| {
                builder.ndc(ndc, rxcui)
            });
        }
        if errors.is_empty() {
            return Ok(builder.build());
        }
        errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        Err(errors)
    }
}

fn list(field: &str) -> impl Iterator<Item = &str> {
    field.split('|').filter(|code| !code.is_empty())
}

pub(super) fn note(
    result: Result<(), DrugError>,
    file: &str,
    line: u64,
    errors: &mut Vec<DrugFileError>,
) {
    if let Err(DrugError { message, help }) = result {
        errors.push(DrugFileError {
            file: file.to_owned(),
            line,
            message,
            help,
        });
    }
}

/// Gives each row of `N` fields, with its line, to `take`; wrong rows, and what it refuses, go to the
/// errors.
pub(super) fn rows<'f, const N: usize>(
    (file, bytes): NamedBytes<'f>,
    header: [&str; N],
    errors: &mut Vec<DrugFileError>,
    mut take: impl FnMut(u64, &[Cow<'f, str>; N]) -> Result<(), DrugError>,
) {
    let mut first = true;
    let wrong = |message: String| {
        let help = format!("the columns are `{}`", header.join(","));
        Err(DrugError { message, help })
    };
    for (line, row) in Rows::new(bytes) {
        let row = match row {
            Ok(row) => row,
            Err(message) => {
                note(wrong(message.to_owned()), file, line, errors);
                continue;
            }
        };
        if std::mem::take(&mut first) {
            if row != header {
                let given = format!("the header is `{}`", row.join(","));
                note(wrong(given), file, line, errors);
                return;
            }
            continue;
        }
        let result = match <[Cow<'f, str>; N]>::try_from(row) {
            Ok(row) => take(line, &row),
            Err(row) => wrong(format!("the row has {} fields", row.len())),
        };
        note(result, file, line, errors);
    }
    if first {
        note(wrong("the file is empty".to_owned()), file, 1, errors);
    }
}
