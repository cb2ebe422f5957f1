//! What one evaluation finds out about drugs, each once: families ask the same of many rows.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::medication::Drug;
use engine_patient::record::Element;
use engine_patient::terminology::DrugDictionary;
use rustc_hash::FxHashMap;

use crate::value::Val;

/// Lists that are gathered once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gathered {
    Taken,
    EverTaken,
    Allergies,
}

/// What is asked of a resource: two questions of one resource have two answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Asked {
    /// Which drug a medication is.
    Drug,
    /// What an allergy is to.
    Allergen,
}

/// The dictionary, and what was found by it.
#[derive(Default)]
pub(crate) struct Drugs<'r> {
    dictionary: OnceCell<Arc<DrugDictionary>>,
    /// By what is asked, record and place in it.
    found: RefCell<FxHashMap<(Asked, usize, u32), Arc<Drug>>>,
    lists: [OnceCell<Val<'r>>; 3],
    /// Drafts, by their type, and whether only those that the call is about.
    drafts: RefCell<FxHashMap<(Name, bool), Val<'r>>>,
}

impl<'r> Drugs<'r> {
    /// With another dictionary than the built-in one.
    pub(crate) fn of(dictionary: Arc<DrugDictionary>) -> Self {
        Drugs {
            dictionary: OnceCell::from(dictionary),
            ..Self::default()
        }
    }

    pub(crate) fn dictionary(&self) -> &DrugDictionary {
        self.dictionary.get_or_init(DrugDictionary::built_in_arc)
    }

    pub(super) fn list(&self, which: Gathered, gather: impl FnOnce() -> Val<'r>) -> Val<'r> {
        match self.lists.get(which as usize) {
            Some(known) => known.get_or_init(gather).clone(),
            None => gather(),
        }
    }

    pub(super) fn drafts(&self, which: (Name, bool), gather: impl FnOnce() -> Val<'r>) -> Val<'r> {
        if let Some(known) = self.drafts.borrow().get(&which) {
            return known.clone();
        }
        let drafts = gather();
        self.drafts.borrow_mut().insert(which, drafts.clone());
        drafts
    }

    pub(super) fn once(
        &self,
        asked: Asked,
        element: Element<'_>,
        find: impl FnOnce() -> Drug,
    ) -> Arc<Drug> {
        let key = (
            asked,
            std::ptr::from_ref(element.record).addr(),
            element.index,
        );
        if let Some(known) = self.found.borrow().get(&key) {
            return Arc::clone(known);
        }
        let drug = Arc::new(find());
        self.found.borrow_mut().insert(key, Arc::clone(&drug));
        drug
    }
}
