//! The drug dictionary: from a product a prescription names to its ingredients and their classes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

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

/// What a code in the dictionary stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DrugKind {
    /// Ingredient (RxNorm `IN`).
    Ingredient,
    /// Precise ingredient such as a salt (`PIN`).
    PreciseIngredient,
    /// Anything made of ingredients: `SCD`, `SBD`, `GPCK`, `BPCK`, `SCDC`, `SCDF`, `MIN`, …
    Product,
}

/// An ingredient of a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ingredient {
    /// RxCUI.
    pub rxcui: Arc<str>,
    /// RxNorm name.
    pub name: Arc<str>,
}

/// A class of ingredients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrugClass {
    /// Identifier, such as `maoi`.
    pub id: Arc<str>,
    /// Name for people.
    pub name: Arc<str>,
    /// RxCUIs of its ingredients and precise ingredients, ascending as numbers.
    pub members: Vec<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Drug {
    kind: DrugKind,
    tty: Arc<str>,
    name: Arc<str>,
    ingredients: Box<[Ingredient]>,
    precise: Box<[Ingredient]>,
}

/// RxNorm codes with their ingredients, and classes of ingredients. Codes are RxCUIs as text.
#[derive(Debug, Clone, Default)]
pub struct DrugDictionary {
    drugs: FxHashMap<Arc<str>, Drug>,
    classes: BTreeMap<Arc<str>, DrugClass>,
    classes_of: FxHashMap<Arc<str>, Vec<Arc<str>>>,
    ndc: BTreeMap<Arc<str>, Arc<str>>,
}

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

    /// The ingredients (`IN`) of a code, by RxCUI as number.
    ///
    /// An ingredient has itself. A precise ingredient has its ingredient, or itself where that is not
    /// known. Empty for an unknown code: that is "not known", never "no ingredients".
    #[must_use]
    pub fn ingredients(&self, rxcui: &str) -> &[Ingredient] {
        self.drugs.get(rxcui).map_or(&[], |one| &one.ingredients)
    }

    /// The precise ingredients (`PIN`, such as a salt) that are known of a code; itself for one.
    ///
    /// They stand beside [`Self::ingredients`], never instead: isosorbide mononitrate is a precise
    /// ingredient of isosorbide, and only the former is a nitrate.
    #[must_use]
    pub fn precise_ingredients(&self, rxcui: &str) -> &[Ingredient] {
        self.drugs.get(rxcui).map_or(&[], |one| &one.precise)
    }

    /// Ingredients and precise ingredients, each once: what interactions and classes are asked with.
    pub fn substances(&self, rxcui: &str) -> impl Iterator<Item = &Ingredient> {
        let ingredients = self.ingredients(rxcui);
        let precise = self.precise_ingredients(rxcui);
        let more = precise.iter().filter(move |one| !ingredients.contains(one));
        ingredients.iter().chain(more)
    }

    /// Ids of the classes that have this ingredient or precise ingredient as member, sorted.
    #[must_use]
    pub fn classes(&self, ingredient: &str) -> &[Arc<str>] {
        self.classes_of.get(ingredient).map_or(&[], Vec::as_slice)
    }

    /// Ids of the classes of all substances of a code, sorted, each once.
    #[must_use]
    pub fn classes_of(&self, rxcui: &str) -> Vec<Arc<str>> {
        let substances = self.substances(rxcui);
        let mut found: Vec<Arc<str>> = substances
            .flat_map(|one| self.classes(&one.rxcui))
            .cloned()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// RxCUIs of a class; empty for an unknown class.
    #[must_use]
    pub fn members(&self, class: &str) -> &[Arc<str>] {
        self.classes.get(class).map_or(&[], |one| &one.members)
    }

    /// A class by id.
    #[must_use]
    pub fn class(&self, id: &str) -> Option<&DrugClass> {
        self.classes.get(id)
    }

    /// All classes by id.
    pub fn all_classes(&self) -> impl Iterator<Item = &DrugClass> {
        self.classes.values()
    }

    /// RxNorm name of a code.
    #[must_use]
    pub fn name(&self, rxcui: &str) -> Option<&str> {
        self.drugs.get(rxcui).map(|one| &*one.name)
    }

    /// RxNorm term type of a code, such as `SCD`.
    #[must_use]
    pub fn tty(&self, rxcui: &str) -> Option<&str> {
        self.drugs.get(rxcui).map(|one| &*one.tty)
    }

    /// What a code stands for; `None` for an unknown code.
    #[must_use]
    pub fn kind(&self, rxcui: &str) -> Option<DrugKind> {
        self.drugs.get(rxcui).map(|one| one.kind)
    }

    /// The RxCUI of an 11-digit NDC without hyphens, if NDCs were loaded.
    #[must_use]
    pub fn rxcui_of_ndc(&self, ndc: &str) -> Option<&str> {
        self.ndc.get(ndc).map(|rxcui| &**rxcui)
    }

    /// All NDCs with their RxCUI, by NDC.
    pub fn all_ndcs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ndc.iter().map(|(ndc, rxcui)| (&**ndc, &**rxcui))
    }

    /// RxCUIs of a kind, ascending as numbers.
    #[must_use]
    pub fn all(&self, kind: DrugKind) -> Vec<&str> {
        let of_kind = self.drugs.iter().filter(|(_, one)| one.kind == kind);
        let mut found: Vec<&str> = of_kind.map(|(rxcui, _)| &**rxcui).collect();
        found.sort_unstable_by(|a, b| by_number(a, b));
        found
    }

    /// Number of codes of a kind.
    #[must_use]
    pub fn count(&self, kind: DrugKind) -> usize {
        self.drugs.values().filter(|one| one.kind == kind).count()
    }

    /// The same drugs with the classes of another dictionary: an RxNorm release has none.
    #[must_use]
    pub fn with_classes_from(mut self, other: &Self) -> Self {
        self.classes.clone_from(&other.classes);
        self.classes_of.clone_from(&other.classes_of);
        self
    }
}

/// RxCUIs in the order of their numbers, without a limit of digits.
pub(super) fn by_number(left: &str, right: &str) -> std::cmp::Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

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
