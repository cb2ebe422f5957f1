//! The drug dictionary: from a product a prescription names to its ingredients and their classes.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::drug_meaning::DrugCodes;
use super::drugs_catalog::{Catalog, Drug, DrugKind, Ingredient, rxcui_number};

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

/// RxNorm codes with their ingredients, and classes of ingredients. Codes are RxCUIs as text. A copy
/// shares the drugs.
#[derive(Debug, Clone, Default)]
pub struct DrugDictionary {
    pub(super) catalog: Arc<Catalog>,
    pub(super) classes: BTreeMap<Arc<str>, DrugClass>,
    pub(super) classes_of: FxHashMap<u32, Vec<Arc<str>>>,
    /// Of other code systems.
    pub(super) codes: Arc<DrugCodes>,
}

impl DrugDictionary {
    pub(super) fn get(&self, rxcui: &str) -> Option<&Drug> {
        self.catalog.get(rxcui_number(rxcui)?)
    }

    /// The ingredients (`IN`) of a code, by RxCUI as number.
    ///
    /// An ingredient has itself. A precise ingredient has its ingredient, or itself where that is not
    /// known. Empty for an unknown code: that is "not known", never "no ingredients".
    #[must_use]
    pub fn ingredients(&self, rxcui: &str) -> Vec<Ingredient<'_>> {
        let drug = self.get(rxcui);
        drug.map_or(vec![], |one| {
            self.catalog.named(self.catalog.ingredients(one))
        })
    }

    /// The precise ingredients (`PIN`, such as a salt) that are known of a code; itself for one.
    ///
    /// They stand beside [`Self::ingredients`], never instead: isosorbide mononitrate is a precise
    /// ingredient of isosorbide, and only the former is a nitrate.
    #[must_use]
    pub fn precise_ingredients(&self, rxcui: &str) -> Vec<Ingredient<'_>> {
        let drug = self.get(rxcui);
        drug.map_or(vec![], |one| self.catalog.named(self.catalog.precise(one)))
    }

    /// Ingredients and precise ingredients, each once: what interactions and classes are asked with.
    #[must_use]
    pub fn substances(&self, rxcui: &str) -> Vec<Ingredient<'_>> {
        let mut all = self.ingredients(rxcui);
        let precise = self.precise_ingredients(rxcui);
        all.extend(precise);
        let mut seen: Vec<&str> = vec![];
        all.retain(|one| {
            let new = !seen.contains(&one.rxcui);
            seen.push(one.rxcui);
            new
        });
        all
    }

    /// Ids of the classes that have this ingredient or precise ingredient as member, sorted.
    #[must_use]
    pub fn classes(&self, ingredient: &str) -> &[Arc<str>] {
        let number = rxcui_number(ingredient);
        number.map_or(&[], |number| self.classes_of_substance(number))
    }

    pub(super) fn classes_of_substance(&self, number: u32) -> &[Arc<str>] {
        self.classes_of.get(&number).map_or(&[], Vec::as_slice)
    }

    /// Ids of the classes of all substances of a code, sorted, each once.
    #[must_use]
    pub fn classes_of(&self, rxcui: &str) -> Vec<Arc<str>> {
        let substances = self.substances(rxcui).into_iter();
        let mut found: Vec<Arc<str>> = substances
            .flat_map(|one| self.classes(one.rxcui))
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
        self.get(rxcui).map(|one| self.catalog.name(one))
    }

    /// RxNorm term type of a code, such as `SCD`.
    #[must_use]
    pub fn tty(&self, rxcui: &str) -> Option<&str> {
        self.get(rxcui).map(|one| self.catalog.term_type(one))
    }

    /// What a code stands for; `None` for an unknown code.
    #[must_use]
    pub fn kind(&self, rxcui: &str) -> Option<DrugKind> {
        self.get(rxcui).map(|one| one.kind)
    }

    /// The RxCUI of an 11-digit NDC without hyphens, if NDCs were loaded.
    #[must_use]
    pub fn rxcui_of_ndc(&self, ndc: &str) -> Option<&str> {
        let drug = self.catalog.get(*self.catalog.ndc.get(ndc)?)?;
        Some(self.catalog.code(drug))
    }

    /// All NDCs with their RxCUI, by NDC.
    pub fn all_ndcs(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.catalog.ndc.iter();
        all.filter_map(|(ndc, number)| {
            let drug = self.catalog.get(*number)?;
            Some((&**ndc, self.catalog.code(drug)))
        })
    }

    /// RxCUIs of a kind, ascending as numbers.
    #[must_use]
    pub fn all(&self, kind: DrugKind) -> Vec<&str> {
        let of_kind = self.catalog.all().filter(|one| one.kind == kind);
        let mut found: Vec<&Drug> = of_kind.collect();
        found.sort_unstable_by_key(|one| one.number);
        found
            .into_iter()
            .map(|one| self.catalog.code(one))
            .collect()
    }

    /// Number of codes of a kind.
    #[must_use]
    pub fn count(&self, kind: DrugKind) -> usize {
        self.catalog.all().filter(|one| one.kind == kind).count()
    }

    /// Number of codes of an RxNorm term type, such as `SBD`.
    #[must_use]
    pub fn count_of_type(&self, tty: &str) -> usize {
        let all = self.catalog.all();
        all.filter(|one| self.catalog.term_type(one) == tty).count()
    }

    /// The drugs of both, and what codes of other systems stand for; where both know a code, as this one has it.
    /// The classes are those of both, too: of one id the members of this one.
    #[must_use]
    pub fn beside(mut self, other: &Self) -> Self {
        Arc::make_mut(&mut self.catalog).add_missing(&other.catalog);
        for (id, class) in &other.classes {
            self.classes
                .entry(Arc::clone(id))
                .or_insert_with(|| class.clone());
        }
        let codes = Arc::make_mut(&mut self.codes);
        for (system, of_system) in other.codes.iter() {
            let own = codes.entry(Arc::clone(system)).or_default();
            for (code, meaning) in of_system {
                let new = || meaning.clone();
                own.entry(Arc::clone(code)).or_insert_with(new);
            }
        }
        self.classes_of.clear();
        for (id, class) in &self.classes {
            for number in class
                .members
                .iter()
                .filter_map(|member| rxcui_number(member))
            {
                self.classes_of
                    .entry(number)
                    .or_default()
                    .push(Arc::clone(id));
            }
        }
        self
    }

    /// The same drugs with the classes of another dictionary: an RxNorm release has none.
    #[must_use]
    pub fn with_classes_from(mut self, other: &Self) -> Self {
        self.classes.clone_from(&other.classes);
        self.classes_of.clone_from(&other.classes_of);
        self
    }
}
