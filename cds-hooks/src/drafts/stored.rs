//! Orders that are stored already and that a call is about (order-dispatch): rules see them as they see
//! drafts, as far as they are on record.

use std::collections::{HashMap, HashSet};

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::reference_target;

use super::Drafts;
use crate::prefetch::Lacking;
use crate::request::CallContext;

/// Orders of one call that are looked for.
const MOST: usize = 1000;

impl Drafts {
    /// Adds the orders that the context names. One that is not on record is unknown, and so is what there
    /// may be of its type.
    pub(crate) fn add_stored(&mut self, context: &CallContext<'_>, record: &PatientRecord) {
        let Some((member, references)) = &context.stored else {
            return;
        };
        let (mut ids, mut lost) = (HashSet::new(), 0);
        let mut on_record: HashMap<Name, HashMap<String, Element<'_>>> = HashMap::new();
        for (number, reference) in references.iter().enumerate().take(MOST) {
            let named = reference_target(reference);
            let named = named.and_then(|(ty, id)| Some((Name::of(ty)?, id)));
            let found = named.and_then(|(ty, id)| {
                let of_type = on_record.entry(ty).or_insert_with(|| by_id(record, ty));
                of_type.get(id).copied()
            });
            match (named, found) {
                (Some((ty, id)), Some(order)) => {
                    self.add(ty, id.to_owned(), true, order, &mut ids, number);
                }
                (Some((ty, _)), None) => {
                    lost += 1;
                    self.incomplete.insert(ty);
                }
                (None, _) => {
                    lost += 1;
                    self.any_order();
                }
            }
        }
        lost += references.len().saturating_sub(MOST);
        if lost > 0 {
            self.lacking.push(Lacking {
                technical: format!(
                    "`context.{member}` names {lost} × an order that is not in the prefetch"
                ),
                plain: format!("{lost} of the orders of this call were not received from the EHR"),
                withheld: false,
                types: vec![],
                absent: false,
                template: None,
                by_consent: false,
            });
        }
    }
}

/// The resources of a type that have an id, by that.
fn by_id(record: &PatientRecord, ty: Name) -> HashMap<String, Element<'_>> {
    let all = record.of_type(ty);
    all.filter_map(|r| Some((r.get_str("id")?.into_owned(), r)))
        .collect()
}
