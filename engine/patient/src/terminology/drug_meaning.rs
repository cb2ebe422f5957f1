//! What a code of a drug stands for: substances, as numbers, to be looked for in many sets.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// What a drug is made of, as numbers: to be looked for in many sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Substances {
    /// Ingredients and precise ingredients.
    pub(super) all: Vec<u32>,
    /// The ingredients among them.
    pub(super) ingredients: Vec<u32>,
    /// Those of the ingredients of which no salt is known.
    pub(super) bare: Vec<u32>,
}

impl Substances {
    /// Adds those of another code of the same drug, or of another part of it.
    pub fn add(&mut self, other: &Substances) {
        let both = [(&mut self.all, &other.all)]
            .into_iter()
            .chain([(&mut self.ingredients, &other.ingredients)])
            .chain([(&mut self.bare, &other.bare)]);
        for (own, more) in both {
            own.extend(more);
            own.sort_unstable();
            own.dedup();
        }
    }

    /// RxCUIs of the ingredients and precise ingredients, as numbers, ascending.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.all
    }

    /// Whether nothing is known to be in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether both have an ingredient, whatever its salt.
    #[must_use]
    pub fn share_ingredient(&self, other: &Substances) -> bool {
        let mut own = self.ingredients.iter();
        own.any(|one| other.ingredients.binary_search(one).is_ok())
    }
}

/// Drugs that a code of another system than RxNorm stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meant {
    /// Those that are named.
    pub substances: Substances,
    /// Those that are named by their classes: what the known members of each are made of.
    pub classes: Vec<Arc<[Substances]>>,
}

/// What a code of another system than RxNorm stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrugMeaning {
    /// These.
    Drug(Meant),
    /// That no allergy is known.
    NoneKnown,
    /// Something that is no drug.
    NoDrug,
}

/// By system and code.
pub(super) type DrugCodes = FxHashMap<Arc<str>, FxHashMap<Arc<str>, DrugMeaning>>;
