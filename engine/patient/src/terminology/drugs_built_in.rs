//! The drug dictionary that comes with the engine.

use std::sync::LazyLock;

use super::drugs::DrugDictionary;
use super::drugs_csv::{DrugFileError, DrugFiles};

static BUILT_IN: LazyLock<Result<DrugDictionary, Vec<DrugFileError>>> = LazyLock::new(|| {
    DrugDictionary::from_csv(&DrugFiles {
        ingredients: (
            "ingredients.csv",
            include_bytes!("../../content/drugs/ingredients.csv"),
        ),
        products: (
            "products.csv",
            include_bytes!("../../content/drugs/products.csv"),
        ),
        classes: Some((
            "classes.csv",
            include_bytes!("../../content/drugs/classes.csv"),
        )),
        ndc: None,
    })
});

impl DrugDictionary {
    /// The dictionary that comes with the engine: see `content/drugs/manifest.yaml` for what it holds.
    ///
    /// It is read at the first call. Brands and packs are not in it: import an RxNorm release for those.
    ///
    /// # Errors
    /// When the built-in files are broken, which a test excludes.
    pub fn built_in() -> Result<&'static Self, &'static [DrugFileError]> {
        BUILT_IN.as_ref().map_err(Vec::as_slice)
    }
}
