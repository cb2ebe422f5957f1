//! What resource types are called in the ledger, and how many rows it has.

use std::collections::BTreeMap;

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, ResourceError};
use engine_population::lake::rows::Tally;

/// Types that define something, and are about no patient, though they may name a kind of subject.
pub const DEFINITIONS: [&str; 11] = [
    "ActivityDefinition",
    "ChargeItemDefinition",
    "CodeSystem",
    "EventDefinition",
    "Library",
    "Measure",
    "PlanDefinition",
    "Questionnaire",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ValueSet",
];

/// What a type is called in the table where it cannot be told.
pub const NO_TYPE: &str = "(no resource)";

/// Rows of the ledger while reading: more than R4 has types, and [`UNKNOWN`] that it has not.
pub const TYPES: usize = 400;
/// Rows of the ledger for types that R4 does not have. The first by name, whatever the threads did:
/// one that another thread gave up has as many before it.
pub const UNKNOWN: usize = 100;

/// Counts types that R4 does not have, beyond so many rows, as [`NO_TYPE`].
pub fn few_unknown(tallies: &mut BTreeMap<String, Tally>, rows: usize) {
    while tallies.len() > rows {
        let known = |ty: &String| {
            engine_patient::fhir::model::Model::r4()
                .resource(ty)
                .is_some()
        };
        let last = tallies.keys().rev().find(|ty| !known(ty) && *ty != NO_TYPE);
        let Some(last) = last.cloned() else { return };
        if let Some(tally) = tallies.remove(&last) {
            tallies.entry(NO_TYPE.to_owned()).or_default().add(&tally);
        }
    }
}

/// At most [`UNKNOWN`] of them.
pub fn shorten(tallies: &mut BTreeMap<String, Tally>) {
    let known = |ty: &String| {
        engine_patient::fhir::model::Model::r4()
            .resource(ty)
            .is_some()
    };
    let known = tallies
        .keys()
        .filter(|ty| known(ty) || *ty == NO_TYPE)
        .count();
    few_unknown(tallies, known + UNKNOWN);
}

pub fn has_primary_code(ty: Name) -> bool {
    !engine_population::lake::paths::coded_paths(ty).is_empty()
}

pub fn is_bundle(resource: Element<'_>) -> bool {
    resource
        .get_named("resourceType")
        .is_some_and(|t| t.is_str("Bundle"))
}

pub fn type_of(error: &ResourceError) -> String {
    match error {
        // Shown in a table: only what looks like the name of a type.
        ResourceError::UnknownResourceType(t)
            if t.len() <= 40 && t.chars().all(char::is_alphanumeric) =>
        {
            t.clone()
        }
        _ => NO_TYPE.to_owned(),
    }
}
