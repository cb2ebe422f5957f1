//! The drug dictionary that comes with the engine.

use std::sync::{Arc, LazyLock};

use super::drugs::DrugDictionary;
use super::drugs_csv::{DrugFileError, DrugFiles};

static BUILT_IN: LazyLock<Result<Arc<DrugDictionary>, Vec<DrugFileError>>> = LazyLock::new(|| {
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
    .map(Arc::new)
});

impl DrugDictionary {
    /// The dictionary that comes with the engine: see `content/drugs/manifest.yaml` for what it holds.
    /// It is read at the first call.
    ///
    /// # Errors
    /// When the built-in files are broken, which a test excludes.
    pub fn built_in() -> Result<&'static Arc<Self>, &'static [DrugFileError]> {
        BUILT_IN.as_ref().map_err(Vec::as_slice)
    }

    /// The same, to be kept; without any drug where the built-in files are broken.
    #[must_use]
    pub fn built_in_arc() -> Arc<Self> {
        Self::built_in().map_or_else(|_| Arc::default(), Arc::clone)
    }
}
