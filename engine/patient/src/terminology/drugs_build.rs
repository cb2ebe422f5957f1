//! How a drug dictionary is put together, one checked row at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::drugs::{DrugClass, DrugDictionary};
use super::drugs_catalog::{Catalog, DrugKind, rxcui_number};

/// Why something is no drug, or cannot be added to a dictionary: what, and what instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DrugError {
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: String,
}

impl fmt::Display for DrugError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

pub(super) fn refuse<T>(message: String, help: &str) -> Result<T, DrugError> {
    let help = help.to_owned();
    Err(DrugError { message, help })
}

/// Builds a [`DrugDictionary`]: first ingredients, then precise ingredients, then all else.
#[derive(Debug, Default)]
pub struct DrugDictionaryBuilder {
    catalog: Catalog,
    classes: BTreeMap<Arc<str>, DrugClass>,
    classes_of: FxHashMap<u32, Vec<Arc<str>>>,
}

impl DrugDictionaryBuilder {
    /// Nothing added yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an `IN`.
    ///
    /// # Errors
    /// When the code is not a number or was added before.
    pub fn ingredient(&mut self, rxcui: &str, name: &str) -> Result<(), DrugError> {
        let own = self.new_code(rxcui, name)?;
        let links = [vec![own], vec![]];
        self.catalog
            .add(own, DrugKind::Ingredient, "IN", name, links);
        Ok(())
    }

    /// Adds a `PIN`, with its `IN` where that is known.
    ///
    /// # Errors
    /// As [`Self::ingredient`], or when its ingredient was not added.
    pub fn precise_ingredient(
        &mut self,
        rxcui: &str,
        name: &str,
        ingredient: Option<&str>,
    ) -> Result<(), DrugError> {
        let own = self.new_code(rxcui, name)?;
        let parent = match ingredient {
            Some(code) => self.known(code, DrugKind::Ingredient)?,
            None => own,
        };
        let (kind, links) = (DrugKind::PreciseIngredient, [vec![parent], vec![own]]);
        self.catalog.add(own, kind, "PIN", name, links);
        Ok(())
    }

    /// Adds a product with its ingredients and precise ingredients.
    ///
    /// # Errors
    /// As [`Self::ingredient`], or when it has no ingredient or one that was not added.
    pub fn product<'a>(
        &mut self,
        rxcui: &str,
        tty: &str,
        name: &str,
        ingredients: impl IntoIterator<Item = &'a str>,
        precise: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), DrugError> {
        let own = self.new_code(rxcui, name)?;
        let mut found = Vec::new();
        for code in ingredients {
            found.push(self.known(code, DrugKind::Ingredient)?);
        }
        let mut salts = Vec::new();
        for code in precise {
            salts.push(self.known(code, DrugKind::PreciseIngredient)?);
        }
        if found.is_empty() {
            let message = format!("product `{rxcui}` has no ingredients");
            return refuse(message, "list them, or leave the product out");
        }
        let links = [found, salts];
        self.catalog.add(own, DrugKind::Product, tty, name, links);
        Ok(())
    }

    /// Adds an ingredient or precise ingredient to a class.
    ///
    /// # Errors
    /// When the member was not added, is in the class already, or the class has another name.
    pub fn class_member(&mut self, id: &str, name: &str, rxcui: &str) -> Result<(), DrugError> {
        let drug = rxcui_number(rxcui).and_then(|number| self.catalog.get(number));
        let Some(drug) = drug else {
            return unknown(rxcui);
        };
        if drug.kind == DrugKind::Product {
            let message = format!("`{rxcui}` is a product, not an ingredient");
            return refuse(message, "list its ingredients in the class");
        }
        let id: Arc<str> = Arc::from(id);
        let class = self.classes.entry(Arc::clone(&id));
        let class = class.or_insert_with(|| DrugClass {
            id: Arc::clone(&id),
            name: Arc::from(name),
            members: Vec::new(),
        });
        if &*class.name != name {
            let message = format!("class `{id}` is named `{}` and `{name}`", class.name);
            return refuse(message, "give it one name");
        }
        if class.members.iter().any(|one| &**one == rxcui) {
            let message = format!("`{rxcui}` is in class `{id}` twice");
            return refuse(message, "remove one of them");
        }
        class.members.push(Arc::from(rxcui));
        self.classes_of.entry(drug.number).or_default().push(id);
        Ok(())
    }

    /// Adds an 11-digit NDC of a product.
    ///
    /// # Errors
    /// When it has not 11 digits, the product was not added, or it already belongs to another one.
    pub fn ndc(&mut self, ndc: &str, rxcui: &str) -> Result<(), DrugError> {
        if ndc.len() != 11 || !ndc.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("`{ndc}` is not an NDC of 11 digits");
            return refuse(message, "write it in the 5-4-2 form without hyphens");
        }
        let drug = rxcui_number(rxcui).and_then(|number| self.catalog.get(number));
        let Some(number) = drug.map(|drug| drug.number) else {
            return refuse(
                format!("code `{rxcui}` is not in the dictionary"),
                "add the product",
            );
        };
        match self.catalog.ndc.get(ndc) {
            Some(old) if *old != number => {
                let message = format!("NDC `{ndc}` belongs to `{old}` and to `{rxcui}`");
                refuse(message, "keep the current one")
            }
            _ => {
                self.catalog.ndc.insert(Arc::from(ndc), number);
                Ok(())
            }
        }
    }

    /// The dictionary.
    #[must_use]
    pub fn build(mut self) -> DrugDictionary {
        for class in self.classes.values_mut() {
            class
                .members
                .sort_unstable_by_key(|code| rxcui_number(code));
        }
        for classes in self.classes_of.values_mut() {
            classes.sort_unstable();
        }
        DrugDictionary {
            catalog: Arc::new(self.catalog),
            classes: self.classes,
            classes_of: self.classes_of,
            codes: Arc::default(),
        }
    }

    fn new_code(&self, rxcui: &str, name: &str) -> Result<u32, DrugError> {
        let Some(number) = rxcui_number(rxcui) else {
            let message = format!("`{rxcui}` is not an RxCUI");
            return refuse(message, "an RxCUI is a number of at most nine digits");
        };
        if name.is_empty() {
            return refuse(
                format!("code `{rxcui}` has no name"),
                "give its RxNorm name",
            );
        }
        match self.catalog.get(number) {
            Some(old) => {
                let old = self.catalog.name(old);
                let message = format!("code `{rxcui}` stands for `{old}` and for `{name}`");
                refuse(message, "keep one of them")
            }
            None => Ok(number),
        }
    }

    fn known(&self, rxcui: &str, kind: DrugKind) -> Result<u32, DrugError> {
        match rxcui_number(rxcui).and_then(|number| self.catalog.get(number)) {
            Some(drug) if drug.kind == kind => Ok(drug.number),
            Some(drug) => {
                let tty = self.catalog.term_type(drug);
                let message = format!("`{rxcui}` is a {tty}, not what is expected here");
                refuse(
                    message,
                    "`ingredients` holds IN, `precise_ingredients` holds PIN",
                )
            }
            None => unknown(rxcui),
        }
    }
}

fn unknown<T>(rxcui: &str) -> Result<T, DrugError> {
    let message = format!("ingredient `{rxcui}` is unknown");
    refuse(message, "add it to the ingredients first")
}
