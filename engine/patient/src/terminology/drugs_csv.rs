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

use std::fmt;

use csv::{ReaderBuilder, StringRecord};

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
        let ingredients = rows(files.ingredients, INGREDIENTS_HEADER, &mut errors);
        // A precise ingredient may stand before its ingredient.
        for wanted in ["IN", "PIN"] {
            for (line, [rxcui, tty, name, parent]) in &ingredients {
                if tty != wanted {
                    continue;
                }
                let result = match (wanted, parent.as_str()) {
                    ("IN", "") => builder.ingredient(rxcui, name),
                    ("IN", _) => Err(DrugError {
                        message: format!("ingredient `{rxcui}` has an `in_rxcui`"),
                        help: "only a PIN has one".to_owned(),
                    }),
                    (_, "") => builder.precise_ingredient(rxcui, name, None),
                    (_, parent) => builder.precise_ingredient(rxcui, name, Some(parent)),
                };
                note(result, files.ingredients.0, *line, &mut errors);
            }
        }
        for (line, [rxcui, tty, ..]) in &ingredients {
            if !matches!(tty.as_str(), "IN" | "PIN") {
                let result = Err(DrugError {
                    message: format!("`{rxcui}` has term type `{tty}`"),
                    help: "`tty` is IN or PIN here".to_owned(),
                });
                note(result, files.ingredients.0, *line, &mut errors);
            }
        }
        for (line, [rxcui, tty, name, ins, pins]) in
            rows(files.products, PRODUCTS_HEADER, &mut errors)
        {
            let result = builder.product(&rxcui, &tty, &name, list(&ins), list(&pins));
            note(result, files.products.0, line, &mut errors);
        }
        if let Some(file) = files.classes {
            for (line, [id, name, rxcui]) in rows(file, CLASSES_HEADER, &mut errors) {
                note(
                    builder.class_member(&id, &name, &rxcui),
                    file.0,
                    line,
                    &mut errors,
                );
            }
        }
        if let Some(file) = files.ndc {
            for (line, [ndc, rxcui]) in rows(file, NDC_HEADER, &mut errors) {
                note(builder.ndc(&ndc, &rxcui), file.0, line, &mut errors);
            }
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

fn note(result: Result<(), DrugError>, file: &str, line: u64, errors: &mut Vec<DrugFileError>) {
    if let Err(DrugError { message, help }) = result {
        errors.push(DrugFileError {
            file: file.to_owned(),
            line,
            message,
            help,
        });
    }
}

/// Rows of `N` fields with their line; wrong rows go to the errors.
fn rows<const N: usize>(
    (file, bytes): NamedBytes<'_>,
    header: [&str; N],
    errors: &mut Vec<DrugFileError>,
) -> Vec<(u64, [String; N])> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut record = StringRecord::new();
    let mut found = Vec::new();
    let mut first = true;
    let mut wrong = |line: u64, message: String| {
        let help = format!("the columns are `{}`", header.join(","));
        note(Err(DrugError { message, help }), file, line, errors);
    };
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                let what = match error.kind() {
                    csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8".to_owned(),
                    _ => error.to_string(),
                };
                wrong(line, what);
                continue;
            }
        }
        let line = record.position().map_or(line, csv::Position::line);
        if std::mem::take(&mut first) {
            if !record.iter().eq(header) {
                let given = record.iter().collect::<Vec<_>>().join(",");
                wrong(line, format!("the header is `{given}`"));
                return found;
            }
            continue;
        }
        let fields: Vec<String> = record.iter().map(str::to_owned).collect();
        match <[String; N]>::try_from(fields) {
            Ok(fields) => found.push((line, fields)),
            Err(fields) => wrong(line, format!("the row has {} fields", fields.len())),
        }
    }
    if first {
        wrong(1, "the file is empty".to_owned());
    }
    found
}
