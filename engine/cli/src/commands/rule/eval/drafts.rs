//! The drafts of an evaluation: what would make its answer a false all-clear is refused.

use std::path::Path;

use engine_patient::hook_call::HookCall;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::reference_target;
use rules::{Hook, Kind, Rule};

use crate::failure::Failure;

/// The types of orders that a call of CDS Hooks has as drafts.
const DRAFTS: [&str; 5] = [
    "DeviceRequest",
    "MedicationRequest",
    "NutritionOrder",
    "ServiceRequest",
    "VisionPrescription",
];

/// An alert of orders that is given none would say that nothing is wrong, whatever is ordered.
pub(super) fn check(
    drafts: Option<&Path>,
    rule: &Rule,
    call: &HookCall,
    record: &PatientRecord,
) -> Result<(), Failure> {
    let Some(path) = drafts else {
        let of_orders = [Hook::OrderSelect, Hook::OrderSign];
        let mut of_orders = of_orders.iter().map(|hook| hook.as_str());
        if rule.kind == Kind::CareGap || !of_orders.any(|hook| hook == &*call.hook) {
            return Ok(());
        }
        let (id, hook) = (&rule.artifact.id, &call.hook);
        return Err(Failure::User(format!(
            "`{id}` is about orders at `{hook}`: give them with --drafts FILE"
        )));
    };
    let shown = path.display();
    let is_order = |draft: Element<'_>| {
        let ty = draft.resource_type();
        ty.is_some_and(|ty| DRAFTS.contains(&ty.as_str()))
    };
    if !call.drafts.resources().any(is_order) {
        return Err(Failure::User(format!(
            "--drafts {shown}: there is no order in it; write orders such as a MedicationRequest or a ServiceRequest"
        )));
    }
    let patient = record.patient().and_then(|patient| patient.get_str("id"));
    let is_another = |draft: &Element<'_>| {
        // A VisionPrescription has a `patient`.
        let subject = draft.get_named("subject");
        let subject = subject.or_else(|| draft.get_named("patient"));
        let reference = subject.and_then(|subject| subject.get_str("reference"));
        let target = reference.as_deref().and_then(reference_target);
        target.is_some_and(|(ty, id)| ty == "Patient" && patient.as_deref() != Some(id))
    };
    match call.drafts.resources().find(is_another) {
        None => Ok(()),
        Some(draft) => {
            let ty = draft.resource_type().map_or("resource", |ty| ty.as_str());
            let id = draft.get_str("id").unwrap_or_default();
            Err(Failure::User(format!(
                "--drafts {shown}: the {ty} `{id}` is of another patient than the one of --patient; give orders of that patient only"
            )))
        }
    }
}
