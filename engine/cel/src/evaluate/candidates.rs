//! Which items of a list are worth asking, by their drug.

use std::sync::Arc;

use engine_patient::medication::Drug;
use engine_patient::system::zone::Zone;

use super::evaluation::{Evaluation, Locals};
use crate::nodes::{NamedDrugs, Node, NodeKind};
use crate::operators::{self, Arithmetic};
use crate::value::Val;

/// Shorter lists are gone through.
const SHORT: usize = 8;

impl<'r> Evaluation<'r> {
    /// The drug of a value, where it is known in full.
    pub fn known_drug(&self, value: &Val<'r>) -> Option<Arc<Drug>> {
        let Val::Element(resource) = value else {
            return None;
        };
        let drug = self.scene.drug(*resource);
        drug.missing.is_none().then_some(drug)
    }

    /// Where dates are taken to be.
    pub fn zone(&self) -> &'r Zone {
        &self.scene.context.zone
    }

    /// Whether every outcome of every condition is to be noted: then nothing is passed over.
    pub fn notes_outcomes(&self) -> bool {
        self.scene.context.outcomes_seen.is_some()
    }

    /// The items of a list that may be one of these drugs. The parts of a sum are asked each for itself: they
    /// are the same again and again, the sum is not.
    pub(super) fn asked(
        &self,
        range: &'r Node,
        drugs: &[NamedDrugs],
        locals: &mut Locals<'r>,
    ) -> Val<'r> {
        match &range.kind {
            NodeKind::Arithmetic(Arithmetic::Add, numbers, pair) if !self.notes_outcomes() => {
                let [a, b] = pair.as_ref();
                let (a, b) = (self.asked(a, drugs, locals), self.asked(b, drugs, locals));
                let zone = &self.scene.context.zone;
                operators::arithmetic(Arithmetic::Add, *numbers, a, b, zone)
            }
            _ => match self.node(range, locals) {
                Val::List(list) => match self.candidates(&list, drugs) {
                    Some(places) => {
                        self.work(places.len());
                        let items = places.iter().filter_map(|at| list.get(*at));
                        Val::List(items.cloned().collect())
                    }
                    None => Val::List(list),
                },
                other => other,
            },
        }
    }

    /// The places of a list's items, ascending, that may be one of these drugs; `None` for all of them.
    fn candidates(&self, list: &Arc<[Val<'r>]>, drugs: &[NamedDrugs]) -> Option<Vec<usize>> {
        if list.len() < SHORT || self.notes_outcomes() {
            return None;
        }
        let mut sets = vec![];
        for named in drugs {
            match named {
                NamedDrugs::Always(set) => sets.push(set),
                NamedDrugs::Column(column) => match self.cell(*column) {
                    Some(Val::Drugs(set)) => sets.push(set),
                    _ => return None,
                },
            }
        }
        let index = self.by_drug.of(list, |item| self.known_drug(item))?;
        Some(index.places(sets.iter().flat_map(|set| set.keys())))
    }
}
