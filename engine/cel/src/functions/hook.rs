//! What the call of a hook is about: drafts, and what refers to resources.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::hook_call::HookCall;
use engine_patient::medication::is_to_do;
use engine_patient::record::Element;

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN};
use crate::value::Val;

/// The types that `context.draftOrders` of CDS Hooks 2.0 holds, and what other hooks have that is not stored
/// yet: appointments, problems, allergies, tasks.
pub(crate) const DRAFTS: &[&str] = &[
    "AllergyIntolerance",
    "Appointment",
    "Condition",
    "DeviceRequest",
    "MedicationRequest",
    "NutritionOrder",
    "ServiceRequest",
    "Task",
    "VisionPrescription",
];

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "draftOrders",
        params: &[P::DraftType],
        returns: R::Named,
        code: draft_orders,
        doc: "All orders of a type that are being written, without those not to do something \
         (`doNotPerform`) and those whose status says that they are over or taken back. They are not in the patient's record. Empty where the hook has no drafts. Where \
         one of the type could not be used, as another patient's, the others are in it, and there may be more.",
        example: "draftOrders(\"MedicationRequest\").exists(o, isDrug(o, \"warfarin\"))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "pairsWith",
        params: &[P::Resource, P::Resource],
        returns: R::Bool,
        code: pairs_with,
        doc: "Whether an order that the call is about (the first) is to be looked at together with another \
         medication or draft: not with itself, and of two drafts that the call is about only the one whose \
         id comes later, so that one of them tells of the pair.",
        example: "selections(\"MedicationRequest\").exists(o, draftOrders(\"MedicationRequest\").exists(d, pairsWith(o, d)))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "reference",
        params: &[P::Resource],
        returns: R::Text,
        code: reference,
        doc: "The reference to a resource, as `Patient/1`. Unknown without an id.",
        example: "reference(patient)",
        gives: "Patient/p",
        ..PLAIN
    },
    FunctionInfo {
        name: "sameResource",
        params: &[P::Resource, P::Resource],
        returns: R::Bool,
        code: same_resource,
        doc: "Whether two are one resource: the same, or of one type and id, as an order and a draft that \
         changes it.",
        example: "selections(\"MedicationRequest\").exists(o, draftOrders(\"MedicationRequest\").exists(d, sameResource(o, d)))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "selections",
        params: &[P::DraftType],
        returns: R::Named,
        code: selections,
        doc: "The orders of a type that the call is about: at order-select those just selected, at \
         order-sign all drafts; otherwise as `draftOrders`.",
        example: "selections(\"MedicationRequest\").exists(o, isDrug(o, \"warfarin\"))",
        gives: "false",
        ..PLAIN
    },
];

fn draft_orders<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    drafts(call, false)
}

fn selections<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    drafts(call, true)
}

fn drafts<'r>(call: &Call<'_, 'r>, selected: bool) -> Val<'r> {
    let [Val::Str(ty)] = call.args else {
        return call.other_kind();
    };
    let (Some(hook), Some(ty)) = (&call.scene.context.call, Name::of(ty)) else {
        return Val::List(Arc::new([]));
    };
    call.scene.drugs.drafts((ty, selected), || {
        let drafts = hook.drafts.of_type(ty);
        let drafts = drafts.filter(|draft| HookCall::is_made(*draft));
        let wanted = drafts.filter(|draft| !selected || hook.is_selected(*draft));
        let told = wanted.filter_map(|draft| match is_to_do(draft) {
            Ok(true) => Some(Val::Element(draft)),
            Ok(false) => None,
            Err(reason) => Some(Val::Maybe(Arc::new(Val::Element(draft)), reason)),
        });
        let mut told: Vec<Val<'r>> = told.collect();
        if !hook.drafts.is_available(ty) {
            const SOME: &str = "not every draft could be used";
            // Those that are here are so.
            match hook.drafts.is_known_in_part(ty) && !told.is_empty() {
                true => told.push(Val::Maybe(Arc::new(Val::unknown(SOME)), SOME.into())),
                false => return Val::unknown(SOME),
            }
        }
        Val::List(told.into())
    })
}

fn pairs_with<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::Element(order), Val::Element(other)] = call.args else {
        return call.other_kind();
    };
    if order == other {
        return Val::Bool(false);
    }
    let names = (named(*order), named(*other));
    if let (Some(order), Some(other)) = &names
        && order == other
    {
        return Val::Bool(false);
    }
    let hook = call.scene.context.call.as_deref();
    let hook = hook.filter(|hook| std::ptr::eq(&raw const hook.drafts, other.record));
    match (hook, names) {
        (None, _) => Val::Bool(true),
        (Some(hook), _) if !hook.is_selected(*other) => Val::Bool(true),
        (Some(_), (Some(order), Some(other))) => Val::Bool(other < order),
        _ => Val::unknown("a resource has no id"),
    }
}

fn reference<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::Element(resource)] = call.args else {
        return call.other_kind();
    };
    match named(*resource) {
        Some((ty, id)) => Val::Str(format!("{ty}/{id}").into()),
        None => Val::unknown("a resource has no id"),
    }
}

fn same_resource<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::Element(a), Val::Element(b)] = call.args else {
        return call.other_kind();
    };
    Val::Bool(a == b || named(*a).is_some_and(|a| Some(a) == named(*b)))
}

fn named(resource: Element<'_>) -> Option<(&'static str, String)> {
    let id = resource.get_str("id").filter(|id| !id.is_empty())?;
    Some((resource.resource_type()?.as_str(), id.into_owned()))
}
