//! What a question rests on: the resources in the value sets that it names, for a card's reader.

use std::sync::Arc;

use engine_patient::describe::{Described, described};
use engine_patient::fhir::names::Name;
use engine_patient::system::date_time::DateTime;
use engine_patient::terminology::ValueSet;

use super::evaluate::Evaluation;
use super::nodes::{Compiled, Node, NodeKind};
use super::value::Val;

/// The resources of one value set that a question looked at. Holds patient data: for the clinician's eyes.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The value set.
    pub set: Arc<ValueSet>,
    /// The resources' type.
    pub resource_type: Name,
    /// The one of the latest date; of those without a date the first.
    pub latest: Option<Described>,
    /// How many there are up to the moment of evaluation.
    pub count: usize,
    /// Why it cannot be told what there is.
    pub unknown: Option<Arc<str>>,
}

impl Evidence {
    /// With the resources of another type in the same value set.
    fn add(&mut self, other: Evidence) {
        self.count += other.count;
        let date = |found: &Option<Described>| found.as_ref().and_then(|f| f.date.clone());
        if self.latest.is_none() || date(&other.latest) > date(&self.latest) {
            self.latest = other.latest.or(self.latest.take());
        }
        self.unknown = self.unknown.take().or(other.unknown);
    }
}

impl<'r> Evaluation<'r> {
    /// What an expression rests on, in the order in which it and its definitions name it, each once. What is
    /// later than the moment of evaluation is left out.
    pub fn evidence(&self, compiled: &'r Compiled) -> Vec<Evidence> {
        let (mut seen, mut defined) = (vec![], vec![]);
        self.gather(&compiled.node, &mut seen, &mut defined);
        let mut all: Vec<Evidence> = vec![];
        for found in seen.into_iter().filter_map(|index| self.evidence_of(index)) {
            // Results and reports of one test are one thing to a reader.
            match all.iter_mut().find(|known| known.set.url == found.set.url) {
                Some(known) => known.add(found),
                None => all.push(found),
            }
        }
        all
    }

    /// The numbers of the data requirements below a node.
    fn gather(&self, node: &'r Node, seen: &mut Vec<usize>, defined: &mut Vec<usize>) {
        match node.kind {
            NodeKind::Retrieve(index) if !seen.contains(&index) => seen.push(index),
            NodeKind::Define(index) if !defined.contains(&index) => {
                defined.push(index);
                if let Some(definition) = self.definition(index) {
                    self.gather(&definition.node, seen, defined);
                }
            }
            _ => {}
        }
        for part in node.parts() {
            self.gather(part, seen, defined);
        }
    }

    fn evidence_of(&self, index: usize) -> Option<Evidence> {
        let requirement = self.requirement(index)?;
        let set = Arc::clone(&requirement.codes.as_ref()?.value_set);
        let resource_type = requirement.resource_type;
        let of = |latest, count, unknown| Evidence {
            set,
            resource_type,
            latest,
            count,
            unknown,
        };
        let found = match self.retrieved(index)? {
            Val::List(items) => items,
            Val::Unknown(reason) => return Some(of(None, 0, Some(reason.to_string().into()))),
            _ => return None,
        };
        let all = found.iter().filter_map(|item| match item.item().0 {
            Val::Element(resource) => described(*resource),
            _ => None,
        });
        let mut all: Vec<Described> = all.filter(|found| !self.is_later(found)).collect();
        let count = all.len();
        // A stable sort: of one date the first stays first.
        all.sort_by(|a, b| b.date.cmp(&a.date));
        Some(of(all.into_iter().next(), count, None))
    }

    /// Whether a resource begins after the moment of evaluation.
    fn is_later(&self, found: &Described) -> bool {
        let context = self.context();
        let begins = found.date.as_deref().and_then(|date| {
            let begin = date.split([' ', '–', '/']).next()?;
            DateTime::parse(begin)
        });
        begins.is_some_and(|date| date.earliest(&context.zone) > context.at.latest(&context.zone))
    }
}
