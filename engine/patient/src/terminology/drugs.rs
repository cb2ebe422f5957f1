//! The drug dictionary: from a product a prescription names to its ingredients and their classes.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

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
pub(super) struct Drug {
    pub kind: DrugKind,
    pub tty: Arc<str>,
    pub name: Arc<str>,
    pub ingredients: Box<[Ingredient]>,
    pub precise: Box<[Ingredient]>,
}

/// RxNorm codes with their ingredients, and classes of ingredients. Codes are RxCUIs as text.
#[derive(Debug, Clone, Default)]
pub struct DrugDictionary {
    pub(super) drugs: FxHashMap<Arc<str>, Drug>,
    pub(super) classes: BTreeMap<Arc<str>, DrugClass>,
    pub(super) classes_of: FxHashMap<Arc<str>, Vec<Arc<str>>>,
    pub(super) ndc: BTreeMap<Arc<str>, Arc<str>>,
}

impl DrugDictionary {
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
