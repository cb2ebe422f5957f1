//! A dictionary as the CSV files that `DrugDictionary::from_csv` reads.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use csv::Writer;
use engine_patient::terminology::{
    CLASSES_HEADER, DrugDictionary, DrugKind, INGREDIENTS_HEADER, Ingredient, NDC_HEADER,
    PRODUCTS_HEADER,
};

use super::error::RxNormError;

/// Writes `ingredients.csv`, `products.csv`, `classes.csv` and `ndc.csv` into `dir`, which must exist.
/// The same dictionary gives the same bytes.
///
/// # Errors
/// When a file cannot be written.
pub fn write_csv(dictionary: &DrugDictionary, dir: &Path) -> Result<(), RxNormError> {
    file(dir, "ingredients.csv", |out| ingredients(dictionary, out))?;
    file(dir, "products.csv", |out| products(dictionary, out))?;
    file(dir, "classes.csv", |out| {
        out.write_record(CLASSES_HEADER)?;
        for class in dictionary.all_classes() {
            for member in &class.members {
                out.write_record([&*class.id, &*class.name, &**member])?;
            }
        }
        Ok(())
    })?;
    file(dir, "ndc.csv", |out| {
        out.write_record(NDC_HEADER)?;
        for (ndc, rxcui) in dictionary.all_ndcs() {
            out.write_record([ndc, rxcui])?;
        }
        Ok(())
    })
}

type Out = Writer<BufWriter<File>>;

fn file(
    dir: &Path,
    name: &str,
    fill: impl FnOnce(&mut Out) -> Result<(), csv::Error>,
) -> Result<(), RxNormError> {
    let path = dir.join(name);
    let io = |source| RxNormError::Io {
        path: path.clone(),
        source,
    };
    let mut out = Writer::from_writer(BufWriter::new(File::create(&path).map_err(io)?));
    fill(&mut out).map_err(|error| io(error.into()))?;
    let mut inner = out
        .into_inner()
        .map_err(|error| io(std::io::Error::other(error.to_string())))?;
    inner.flush().map_err(io)
}

fn ingredients(dictionary: &DrugDictionary, out: &mut Out) -> Result<(), csv::Error> {
    out.write_record(INGREDIENTS_HEADER)?;
    for rxcui in dictionary.all(DrugKind::Ingredient) {
        out.write_record([rxcui, "IN", dictionary.name(rxcui).unwrap_or_default(), ""])?;
    }
    for rxcui in dictionary.all(DrugKind::PreciseIngredient) {
        let parent = dictionary.ingredients(rxcui).first().map(|one| one.rxcui);
        let parent = parent.filter(|parent| *parent != rxcui).unwrap_or("");
        let name = dictionary.name(rxcui).unwrap_or_default();
        out.write_record([rxcui, "PIN", name, parent])?;
    }
    Ok(())
}

fn products(dictionary: &DrugDictionary, out: &mut Out) -> Result<(), csv::Error> {
    out.write_record(PRODUCTS_HEADER)?;
    let joined = |list: Vec<Ingredient<'_>>| -> String {
        let codes: Vec<&str> = list.iter().map(|one| one.rxcui).collect();
        codes.join("|")
    };
    for rxcui in dictionary.all(DrugKind::Product) {
        out.write_record([
            rxcui,
            dictionary.tty(rxcui).unwrap_or_default(),
            dictionary.name(rxcui).unwrap_or_default(),
            &joined(dictionary.ingredients(rxcui)),
            &joined(dictionary.precise_ingredients(rxcui)),
        ])?;
    }
    Ok(())
}
