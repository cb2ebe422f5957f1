//! The codes of the resources of a type under a path: found once a patient, so that a retrieve only
//! compares keys.

use std::borrow::Cow;
use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::cx::{Cx, Fault};
use crate::tree::retrieve::CodePath;
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::{reference_target, referenced};
use engine_patient::system::codes;

/// Codes by key and place among the resources of the type.
#[derive(Default)]
pub(crate) struct CodeIndex {
    pub(super) codes: Vec<(i64, u32)>,
    /// Those that refer to their code in a resource that is not here.
    pub(super) unresolved: Vec<u32>,
}

impl CodeIndex {
    /// Of a patient.
    pub(super) fn of(cx: &Cx<'_>, record: &PatientRecord, path: &CodePath) -> Result<Self, Fault> {
        let mut index = CodeIndex::default();
        let mut ids = Ids::default();
        for (place, resource) in (0..).zip(record.of_type(path.resource_type)) {
            for element in path.names.iter().filter_map(|n| resource.get(*n)) {
                index
                    .codes
                    .extend(codes::keys(element).map(|key| (key, place)));
                if ids.is_unresolved(cx, resource, element)? {
                    index.unresolved.push(place);
                }
            }
        }
        Ok(index)
    }
}

/// The ids of the resources that are here, of each type that something refers to: gathered once.
#[derive(Default)]
struct Ids<'a>(FxHashMap<Name, FxHashSet<Cow<'a, str>>>);

impl<'a> Ids<'a> {
    /// Whether the code of a resource stands in another one that is not here.
    fn is_unresolved(
        &mut self,
        cx: &Cx<'_>,
        resource: Element<'a>,
        element: Element<'a>,
    ) -> Result<bool, Fault> {
        let Some(reference) = element.get_str("reference") else {
            return Ok(false);
        };
        if reference.starts_with('#') {
            return Ok(referenced(resource, &reference).is_none());
        }
        let target = reference_target(&reference).and_then(|(ty, id)| Some((Name::of(ty)?, id)));
        let Some((ty, id)) = target else {
            return Ok(true);
        };
        if let Entry::Vacant(slot) = self.0.entry(ty) {
            let ids: FxHashSet<Cow<'a, str>> = resource
                .record
                .of_type(ty)
                .filter_map(|r| r.get_str("id"))
                .collect();
            cx.charge(ids.len())?;
            slot.insert(ids);
        }
        cx.charge(1)?;
        Ok(!self.0.get(&ty).is_some_and(|ids| ids.contains(id)))
    }
}
