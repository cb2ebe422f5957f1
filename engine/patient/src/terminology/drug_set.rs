//! A set of ingredients: what "a beta-blocker" or "warfarin" stands for.

use std::sync::Arc;

use super::drugs::{DrugDictionary, by_number};

/// Ingredients and precise ingredients, by RxCUI, under a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrugSet {
    /// What it is called: of a class its name, of an ingredient its RxNorm name.
    pub name: Arc<str>,
    /// RxCUIs, ascending as numbers, each once.
    members: Box<[Arc<str>]>,
}

impl DrugSet {
    /// Of these RxCUIs.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, members: impl IntoIterator<Item = Arc<str>>) -> Self {
        let mut members: Vec<Arc<str>> = members.into_iter().collect();
        members.sort_unstable_by(|a, b| by_number(a, b));
        members.dedup();
        DrugSet {
            name: name.into(),
            members: members.into(),
        }
    }

    /// RxCUIs of ingredients and precise ingredients.
    #[must_use]
    pub fn members(&self) -> &[Arc<str>] {
        &self.members
    }

    /// Whether this ingredient or precise ingredient is in it.
    #[must_use]
    pub fn contains(&self, rxcui: &str) -> bool {
        let found = self.members.binary_search_by(|one| by_number(one, rxcui));
        found.is_ok()
    }

    /// Whether one of the substances of a code of RxNorm is in it; `None` where the dictionary does not
    /// know the code.
    #[must_use]
    pub fn has_code(&self, drugs: &DrugDictionary, rxcui: &str) -> Option<bool> {
        drugs.kind(rxcui)?;
        let mut substances = drugs.substances(rxcui);
        Some(substances.any(|one| self.contains(&one.rxcui)))
    }
}
