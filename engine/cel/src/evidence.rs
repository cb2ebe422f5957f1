//! What a question rests on: the resources in the value sets that it names, for a card's reader.

use std::cmp::Reverse;
use std::sync::Arc;

use engine_patient::describe::{Described, described};
use engine_patient::fhir::clinical_time::clinical_time;
use engine_patient::fhir::names::Name;
use engine_patient::record::Element;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
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
    /// The one that began last, and when; of one moment, and of those that do not say when, the first.
    pub latest: Option<(Described, Option<DateTime>)>,
    /// How many there are up to the moment of evaluation.
    pub count: usize,
    /// Why it cannot be told what there is.
    pub unknown: Option<Arc<str>>,
}

impl Evidence {
    /// With the resources of another type in the same value set.
    fn add(&mut self, other: Evidence, zone: &Zone) {
        self.count += other.count;
        let begins = |found: &Evidence| Some(begins(found.latest.as_ref()?.1, zone));
        if begins(&other) > begins(self) {
            self.latest = other.latest;
        }
        self.unknown = self.unknown.take().or(other.unknown);
    }
}

/// The first moment of when something began; what does not say when goes behind what does.
fn begins(at: Option<DateTime>, zone: &Zone) -> Option<i64> {
    at.map(|at| at.earliest(zone))
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
                Some(known) => known.add(found, &self.context().zone),
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
        let context = self.context();
        let now = context.at.latest(&context.zone);
        let all = found.iter().filter_map(|item| match item.item().0 {
            Val::Element(resource) => Some((*resource, start(*resource))),
            _ => None,
        });
        let begins = |at: Option<DateTime>| begins(at, &context.zone);
        let mut all: Vec<_> = all
            .filter(|(_, at)| begins(*at).is_none_or(|at| at <= now))
            .collect();
        let count = all.len();
        // A stable sort: of one moment the first stays first.
        all.sort_by_key(|(_, at)| Reverse(begins(*at)));
        let latest = all
            .first()
            .and_then(|(resource, at)| Some((described(*resource)?, *at)));
        Some(of(latest, count, None))
    }
}

/// When a resource began, by its clinical time.
fn start(resource: Element<'_>) -> Option<DateTime> {
    clinical_time(resource.resource_type()?.as_str(), resource).start
}
