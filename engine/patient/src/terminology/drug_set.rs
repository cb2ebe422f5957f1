//! A set of ingredients: what "a beta-blocker" or "warfarin" stands for; and whether a drug is in it.

use std::sync::Arc;

use super::drug_meaning::Substances;
use super::drugs::DrugDictionary;
use super::drugs_catalog::{DrugKind, rxcui_number};

/// Ingredients and precise ingredients, by RxCUI, under a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrugSet {
    /// What it is called: of a class its name, of an ingredient its RxNorm name.
    pub name: Arc<str>,
    /// RxCUIs, ascending as numbers, each once.
    members: Box<[Arc<str>]>,
    /// The same as numbers.
    numbers: Box<[u32]>,
    /// Ingredients that are not in it, but a salt of them is.
    bases: Box<[u32]>,
}

impl DrugSet {
    /// Of these RxCUIs. What is no RxCUI is left out: no drug has it.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, members: impl IntoIterator<Item = Arc<str>>) -> Self {
        let numbered = members
            .into_iter()
            .filter_map(|code| Some((rxcui_number(&code)?, code)));
        let mut numbered: Vec<(u32, Arc<str>)> = numbered.collect();
        numbered.sort_unstable();
        numbered.dedup();
        let (numbers, members): (Vec<u32>, Vec<Arc<str>>) = numbered.into_iter().unzip();
        DrugSet {
            name: name.into(),
            members: members.into(),
            numbers: numbers.into(),
            bases: Box::default(),
        }
    }

    /// Of these RxCUIs, with what the dictionary knows of salts among them: of an ingredient alone it
    /// cannot be told whether it is one of them.
    #[must_use]
    pub fn with_bases(mut self, drugs: &DrugDictionary) -> Self {
        let mut bases = vec![];
        for number in &self.numbers {
            let salt = drugs.catalog.get(*number);
            let salt = salt.filter(|one| one.kind == DrugKind::PreciseIngredient);
            bases.extend(salt.map_or(&[][..], |one| drugs.catalog.ingredients(one)));
        }
        bases.sort_unstable();
        bases.dedup();
        bases.retain(|base| !self.has(*base));
        self.bases = bases.into();
        self
    }

    /// RxCUIs of ingredients and precise ingredients.
    #[must_use]
    pub fn members(&self) -> &[Arc<str>] {
        &self.members
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether this ingredient or precise ingredient is in it.
    #[must_use]
    pub fn contains(&self, rxcui: &str) -> bool {
        rxcui_number(rxcui).is_some_and(|number| self.has(number))
    }

    fn has(&self, number: u32) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }

    /// The numbers that a drug must have one of, else this holds none of its substances.
    pub fn keys(&self) -> impl Iterator<Item = u32> {
        self.numbers.iter().chain(&self.bases).copied()
    }

    /// Whether one of the substances of a drug is in it; `None` where that hangs on which salt of an
    /// ingredient it is, and this is not known.
    #[must_use]
    pub fn holds(&self, drug: &Substances) -> Option<bool> {
        if drug.all.iter().any(|number| self.has(*number)) {
            return Some(true);
        }
        let unclear = |number: &u32| self.bases.binary_search(number).is_ok();
        match !self.bases.is_empty() && drug.bare.iter().any(unclear) {
            true => None,
            false => Some(false),
        }
    }

    /// Whether one of the substances of a code of RxNorm is in it; `None` where the dictionary does not
    /// know the code, or not which salt it is and this matters.
    #[must_use]
    pub fn has_code(&self, drugs: &DrugDictionary, rxcui: &str) -> Option<bool> {
        self.holds(&drugs.substances_of(rxcui)?)
    }
}

impl Substances {
    /// Whether there is a salt in it of which it is not known which drug it is of.
    #[must_use]
    pub fn has_salt_of_unknown(&self, drugs: &DrugDictionary) -> bool {
        let mut all = self.ingredients.iter();
        all.any(|number| {
            let one = drugs.catalog.get(*number);
            one.is_some_and(|one| one.kind == DrugKind::PreciseIngredient)
        })
    }

    /// The RxNorm names of the ingredients.
    #[must_use]
    pub fn names<'d>(&self, drugs: &'d DrugDictionary) -> Vec<&'d str> {
        let named = drugs.catalog.named(&self.ingredients).into_iter();
        named.map(|one| one.name).collect()
    }

    /// Whether one class has a substance of each.
    #[must_use]
    pub fn share_class(&self, other: &Substances, drugs: &DrugDictionary) -> bool {
        let classes = |one: &u32| drugs.classes_of_substance(*one);
        let own: Vec<&Arc<str>> = self.all.iter().flat_map(classes).collect();
        other.all.iter().flat_map(classes).any(|c| own.contains(&c))
    }
}

impl DrugDictionary {
    /// What the drug of an RxCUI is made of; `None` for an unknown code.
    #[must_use]
    pub fn substances_of(&self, rxcui: &str) -> Option<Substances> {
        let drug = self.get(rxcui)?;
        let ingredients = self.catalog.ingredients(drug);
        let precise = self.catalog.precise(drug);
        let mut all = [ingredients, precise].concat();
        all.sort_unstable();
        all.dedup();
        let mut bare = ingredients.to_vec();
        for salt in precise.iter().filter_map(|one| self.catalog.get(*one)) {
            let bases = self.catalog.ingredients(salt);
            bare.retain(|one| !bases.contains(one));
        }
        Some(Substances {
            all,
            ingredients: ingredients.to_vec(),
            bare,
        })
    }
}
