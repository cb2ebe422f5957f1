//! Lists that are looked up by drug: a family asks the same list for each of its rows.

use std::cell::RefCell;
use std::sync::Arc;

use engine_patient::medication::Drug;
use rustc_hash::FxHashMap;

use crate::value::Val;

/// Most lists that are remembered at once, more than a rule names: the same ones are asked again and again,
/// beside others that are made for one item and never come again.
const MOST: usize = 64;

/// The lists that were asked, the last one last.
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
        let place = all.iter().position(|known| Arc::ptr_eq(&known.list, list));
        let Some(place) = place else {
            if all.len() >= MOST {
                all.remove(0);
            }
            all.push(Remembered {
                list: Arc::clone(list),
                index: None,
            });
            return None;
        };
        let mut known = all.remove(place);
        let index = known
            .index
            .take()
            .unwrap_or_else(|| Arc::new(Index::of(list, drug)));
        known.index = Some(Arc::clone(&index));
        all.push(known);
        Some(index)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Arc<[Val<'static>]> {
        [Val::Bool(true)].into()
    }

    /// A rule may ask more than a few lists in turn, and others in between that are made for one item.
    #[test]
    fn lists_that_are_asked_in_turn_are_indexed() {
        let by_drug = ByDrug::default();
        let lists: Vec<_> = (0..MOST / 2).map(|_| list()).collect();
        let is_indexed = |list: &Arc<[Val<'static>]>| by_drug.of(list, |_| None).is_some();
        for round in 0..4 {
            for known in &lists {
                assert_eq!(is_indexed(known), round > 0);
                // As those of a draft, which come once.
                assert!(!is_indexed(&list()));
            }
        }
        let more: Vec<_> = (0..2 * MOST).map(|_| list()).collect();
        assert!(!more.iter().any(is_indexed));
        assert!(by_drug.0.borrow().len() <= MOST);
    }
}
