//! The resources that decided, and which of their codes are in which value sets.

use std::collections::HashMap;

use engine_cel::Clause;
use engine_patient::context::EvaluationContext;
use engine_patient::describe::described;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::{choice, referenced};
use engine_patient::system::codes;

use super::{Deciding, MatchedSet};
use crate::rule::Rule;

/// Deciding resources that are told, and codes of them.
const MOST: usize = 100;

/// The resources of a call by `Type/id`, and those that decided.
pub(super) struct Evidence<'r> {
    on_record: HashMap<String, Element<'r>>,
    drafts: HashMap<String, Element<'r>>,
    pub(super) found: Vec<Deciding>,
}

fn by_name(record: &PatientRecord) -> HashMap<String, Element<'_>> {
    let mut names = HashMap::new();
    for resource in record.resources() {
        if let (Some(ty), Some(id)) = (resource.resource_type(), resource.get_str("id")) {
            let name = format!("{}/{id}", ty.as_str());
            names.entry(name).or_insert(resource);
        }
    }
    names
}

impl<'r> Evidence<'r> {
    pub(super) fn of(record: &'r PatientRecord, context: &'r EvaluationContext) -> Self {
        let call = context.call.as_ref();
        Evidence {
            on_record: by_name(record),
            drafts: call.map(|call| by_name(&call.drafts)).unwrap_or_default(),
            found: vec![],
        }
    }

    /// The resources of the parts that decided a criterion: those of the lists that stand nearest.
    pub(super) fn gather(&mut self, criterion: &'static str, clause: &Clause) {
        let before = self.found.len();
        let is_same = |part: &Clause| part.truth == clause.truth;
        for part in clause.clauses.iter().filter(|part| is_same(part)) {
            self.gather(criterion, part);
        }
        if self.found.len() > before {
            return;
        }
        for one in clause
            .tried
            .iter()
            .filter(|one| Some(one.truth) == clause.truth)
        {
            self.add(criterion, &one.item);
        }
        for item in &clause.items {
            self.add(criterion, item);
        }
        if self.found.len() > before {
            return;
        }
        for part in &clause.clauses {
            for item in part.value.iter().chain(&part.items) {
                self.add(criterion, item);
            }
            // Those of the same outcome have told what they have.
            if !is_same(part) {
                self.gather(criterion, part);
            }
        }
    }

    /// A resource, by its line in an explanation; another value is none.
    fn add(&mut self, criterion: &'static str, item: &str) {
        let name = item.split(", ").next().unwrap_or_default();
        let (element, is_draft) = match (self.on_record.get(name), self.drafts.get(name)) {
            // A draft of that name takes the place of what is on record.
            (_, Some(draft)) => (draft, true),
            (Some(element), None) => (element, false),
            (None, None) => return,
        };
        let Some(told) = described(*element) else {
            return;
        };
        let deciding = Deciding {
            resource: told.resource,
            code: told.code,
            negated: told.negated,
            date: told.date,
            value: told.value,
            criterion,
            is_draft,
            from: vec![],
        };
        let known =
            |one: &Deciding| (&one.resource, one.criterion) == (&deciding.resource, criterion);
        if self.found.len() < MOST && !self.found.iter().any(known) {
            self.found.push(deciding);
        }
    }

    /// Which codes of the deciding resources are in which value sets of a rule.
    pub(super) fn value_sets(&self, rule: &Rule) -> Vec<MatchedSet> {
        let mut matched: Vec<MatchedSet> = vec![];
        for deciding in &self.found {
            let resources = match deciding.is_draft {
                true => &self.drafts,
                false => &self.on_record,
            };
            let Some(element) = resources.get(&deciding.resource) else {
                continue;
            };
            for (key, code) in all_codes(*element) {
                for (name, set) in &rule.value_sets {
                    if matched.len() >= MOST || !set.contains(key) {
                        continue;
                    }
                    let text = |name: &str| code.get_str(name).map(|text| text.into_owned());
                    let found = MatchedSet {
                        resource: deciding.resource.clone(),
                        name: name.clone(),
                        canonical: set.canonical(),
                        title: set.title.as_deref().map(str::to_owned),
                        system: text("system").unwrap_or_default(),
                        code: text("code").unwrap_or_else(|| code.raw().to_owned()),
                    };
                    if !matched.contains(&found) {
                        matched.push(found);
                    }
                }
            }
        }
        matched
    }
}

/// The codes of the elements of a resource, and of the Medication that it refers to.
fn all_codes(resource: Element<'_>) -> Vec<(i64, Element<'_>)> {
    let mut found = own_codes(resource);
    let medication = choice(resource, "medication").and_then(|m| m.get_str("reference"));
    let medication = medication.and_then(|reference| referenced(resource, &reference));
    found.extend(medication.into_iter().flat_map(own_codes));
    found
}

fn own_codes(resource: Element<'_>) -> Vec<(i64, Element<'_>)> {
    let coded = resource
        .children()
        .filter(|child| child.property() != "resourceType");
    let components = resource.get_named("component").into_iter();
    let within = components
        .flat_map(Element::items)
        .flat_map(Element::children);
    let all = coded.chain(within).flat_map(Element::items);
    all.flat_map(codes::keyed).collect()
}
