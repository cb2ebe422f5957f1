//! Whether what the data refers to came along (`_include`). Where it did not, nobody can tell what it
//! says.

use std::collections::BTreeSet;

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::{reference_target, referenced, referred_to};

use super::lacking::Lacking;
use super::template::Templates;

/// What did not come along.
#[derive(Default)]
pub(super) struct Along {
    /// Types that are not known in full.
    pub(super) unavailable: BTreeSet<Name>,
    pub(super) lacking: Vec<Lacking>,
    /// The numbers of the templates that were answered as if they had no `_include`.
    pub(super) without_include: BTreeSet<usize>,
}

impl Along {
    /// Looks through a record; `taken` tells whether a resource of this type and id is in it.
    pub(super) fn of(
        templates: &Templates,
        record: &PatientRecord,
        taken: impl Fn(Name, &str) -> bool,
    ) -> Self {
        let mut along = Along::default();
        for (number, template) in templates.list.iter().enumerate() {
            for include in &template.includes {
                let target = include.target;
                if !record.is_available(template.resource_type) {
                    along.unavailable.insert(target);
                }
                let resources = record.of_type(template.resource_type);
                let mut dangling = record.of_type(template.resource_type).flat_map(|resource| {
                    let all = include.references(resource).into_iter();
                    all.filter(move |reference| is_dangling(resource, *reference))
                });
                if dangling.next().is_some() {
                    along.unavailable.insert(target);
                    let lacking = Lacking::not_contained(template, target);
                    if !along.lacking.contains(&lacking) {
                        along.lacking.push(lacking);
                    }
                }
                let mut references = resources.flat_map(|r| include.references(r));
                let lost = |reference: Element<'_>| {
                    let text = reference.as_str();
                    text.is_some_and(|text| is_lost(&text, target, &taken))
                };
                if references.any(lost) {
                    let came = record.of_type(target).next().is_some();
                    if !came {
                        along.without_include.insert(number);
                    }
                    let lacking = Lacking::not_included(template, include, came);
                    if !along.lacking.contains(&lacking) {
                        along.lacking.push(lacking);
                    }
                    along.unavailable.insert(target);
                }
            }
        }
        for target in &templates.along {
            let named = referred_to(record, &[*target]);
            let lost = named.iter().any(|(_, id)| !taken(*target, id));
            if lost && along.unavailable.insert(*target) {
                along.lacking.push(Lacking::not_followed(*target));
            }
        }
        // Where only codes stand in them, each retrieve looks for itself which of them is not there.
        along.unavailable.retain(|ty| templates.along.contains(ty));
        along
    }
}

/// Whether a reference names a contained resource that its resource does not contain.
fn is_dangling(resource: Element<'_>, reference: Element<'_>) -> bool {
    let text = reference.as_str();
    text.is_some_and(|text| text.starts_with('#') && referenced(resource, &text).is_none())
}

/// Whether a reference names a resource of this type that is not here, or one that cannot be told.
fn is_lost(reference: &str, target: Name, taken: &impl Fn(Name, &str) -> bool) -> bool {
    match reference_target(reference) {
        Some((ty, id)) => ty == target.as_str() && !taken(target, id),
        None => !reference.starts_with('#'),
    }
}
