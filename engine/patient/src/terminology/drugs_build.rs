//! How a drug dictionary is put together, one checked row at a time.

use std::fmt;
use std::sync::Arc;

use super::drugs::{Drug, DrugClass, DrugDictionary, DrugKind, Ingredient, by_number};

/// Why something cannot be added to a [`DrugDictionaryBuilder`]: what, and what instead.
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

fn refuse<T>(message: String, help: &str) -> Result<T, DrugError> {
    let help = help.to_owned();
    Err(DrugError { message, help })
}

/// Builds a [`DrugDictionary`]: first ingredients, then precise ingredients, then all else.
#[derive(Debug, Default)]
pub struct DrugDictionaryBuilder {
    made: DrugDictionary,
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
        self.add(DrugKind::Ingredient, "IN", own.clone(), vec![own], vec![]);
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
            None => own.clone(),
        };
        let kind = DrugKind::PreciseIngredient;
        self.add(kind, "PIN", own.clone(), vec![parent], vec![own]);
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
        self.add(DrugKind::Product, tty, own, found, salts);
        Ok(())
    }

    /// Adds an ingredient or precise ingredient to a class.
    ///
    /// # Errors
    /// When the member was not added, is in the class already, or the class has another name.
    pub fn class_member(&mut self, id: &str, name: &str, rxcui: &str) -> Result<(), DrugError> {
        match self.made.kind(rxcui) {
            Some(DrugKind::Ingredient | DrugKind::PreciseIngredient) => {}
            Some(DrugKind::Product) => {
                let message = format!("`{rxcui}` is a product, not an ingredient");
                return refuse(message, "list its ingredients in the class");
            }
            None => return unknown(rxcui),
        }
        let id: Arc<str> = Arc::from(id);
        let class = self.made.classes.entry(Arc::clone(&id));
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
        let member: Arc<str> = Arc::from(rxcui);
        class.members.push(Arc::clone(&member));
        self.made.classes_of.entry(member).or_default().push(id);
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
        let Some((rxcui, _)) = self.made.drugs.get_key_value(rxcui) else {
            return refuse(
                format!("code `{rxcui}` is not in the dictionary"),
                "add the product",
            );
        };
        let rxcui = Arc::clone(rxcui);
        match self.made.ndc.get(ndc) {
            Some(old) if *old != rxcui => {
                let message = format!("NDC `{ndc}` belongs to `{old}` and to `{rxcui}`");
                refuse(message, "keep the current one")
            }
            _ => {
                self.made.ndc.insert(Arc::from(ndc), rxcui);
                Ok(())
            }
        }
    }

    /// The dictionary.
    #[must_use]
    pub fn build(mut self) -> DrugDictionary {
        for class in self.made.classes.values_mut() {
            class.members.sort_unstable_by(|a, b| by_number(a, b));
        }
        for classes in self.made.classes_of.values_mut() {
            classes.sort_unstable();
        }
        self.made
    }

    fn new_code(&self, rxcui: &str, name: &str) -> Result<Ingredient, DrugError> {
        if rxcui.is_empty() || !rxcui.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("`{rxcui}` is not an RxCUI");
            return refuse(message, "an RxCUI has only digits");
        }
        if name.is_empty() {
            return refuse(
                format!("code `{rxcui}` has no name"),
                "give its RxNorm name",
            );
        }
        match self.made.name(rxcui) {
            Some(old) => {
                let message = format!("code `{rxcui}` stands for `{old}` and for `{name}`");
                refuse(message, "keep one of them")
            }
            None => Ok(Ingredient {
                rxcui: Arc::from(rxcui),
                name: Arc::from(name),
            }),
        }
    }

    fn known(&self, rxcui: &str, kind: DrugKind) -> Result<Ingredient, DrugError> {
        match self.made.drugs.get_key_value(rxcui) {
            Some((code, drug)) if drug.kind == kind => Ok(Ingredient {
                rxcui: Arc::clone(code),
                name: Arc::clone(&drug.name),
            }),
            Some((_, drug)) => {
                let message = format!("`{rxcui}` is a {}, not what is expected here", drug.tty);
                refuse(
                    message,
                    "`ingredients` holds IN, `precise_ingredients` holds PIN",
                )
            }
            None => unknown(rxcui),
        }
    }

    fn add(
        &mut self,
        kind: DrugKind,
        tty: &str,
        own: Ingredient,
        ingredients: Vec<Ingredient>,
        precise: Vec<Ingredient>,
    ) {
        let tidy = |mut list: Vec<Ingredient>| {
            list.sort_unstable_by(|a, b| by_number(&a.rxcui, &b.rxcui));
            list.dedup();
            list.into_boxed_slice()
        };
        let drug = Drug {
            kind,
            tty: Arc::from(tty),
            name: own.name,
            ingredients: tidy(ingredients),
            precise: tidy(precise),
        };
        self.made.drugs.insert(own.rxcui, drug);
    }
}

fn unknown<T>(rxcui: &str) -> Result<T, DrugError> {
    let message = format!("ingredient `{rxcui}` is unknown");
    refuse(message, "add it to the ingredients first")
}
