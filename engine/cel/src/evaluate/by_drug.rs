//! Lists that are looked up by drug: a family asks the same list for each of its rows.

use std::cell::RefCell;
use std::sync::Arc;

use engine_patient::medication::Drug;
use rustc_hash::FxHashMap;

use crate::value::Val;

/// Most lists that are remembered at once: the same one is asked again and again.
const MOST: usize = 8;

/// The lists that were asked.
#[derive(Default)]
pub(super) struct ByDrug<'r>(RefCell<Vec<Remembered<'r>>>);

/// A list, and its items by drug once it is asked again.
struct Remembered<'r> {
    list: Arc<[Val<'r>]>,
    index: Option<Arc<Index>>,
}

/// The places of a list's items, by the substances of their drugs.
#[derive(Default)]
pub(super) struct Index {
    by_substance: FxHashMap<u32, Vec<usize>>,
    /// Those of which it is not known which drugs they are: whatever is asked, it may hold.
    always: Vec<usize>,
}

impl<'r> ByDrug<'r> {
    /// The index of a list that is asked for the second time; `drug` tells the drug of an item, where it is
    /// known in full.
    pub(super) fn of(
        &self,
        list: &Arc<[Val<'r>]>,
        drug: impl Fn(&Val<'r>) -> Option<Arc<Drug>>,
    ) -> Option<Arc<Index>> {
        let mut all = self.0.borrow_mut();
        let known = all.iter_mut().find(|known| Arc::ptr_eq(&known.list, list));
        if let Some(known) = known {
            let made = || Arc::new(Index::of(list, drug));
            return Some(Arc::clone(known.index.get_or_insert_with(made)));
        }
        if all.len() >= MOST {
            let spare = all.iter().position(|known| known.index.is_none());
            all.remove(spare.unwrap_or(0));
        }
        all.push(Remembered {
            list: Arc::clone(list),
            index: None,
        });
        None
    }
}

impl Index {
    fn of<'r>(list: &[Val<'r>], drug: impl Fn(&Val<'r>) -> Option<Arc<Drug>>) -> Self {
        let mut index = Index::default();
        for (place, item) in list.iter().enumerate() {
            match drug(item.item().0) {
                Some(drug) => {
                    for number in drug.substances.numbers() {
                        index.by_substance.entry(*number).or_default().push(place);
                    }
                }
                None => index.always.push(place),
            }
        }
        index
    }

    /// The places of the items that may have one of these substances, ascending.
    pub(super) fn places(&self, substances: impl Iterator<Item = u32>) -> Vec<usize> {
        let mut found = self.always.clone();
        for number in substances {
            found.extend(self.by_substance.get(&number).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
