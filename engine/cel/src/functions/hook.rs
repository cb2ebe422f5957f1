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

/// The types that `context.draftOrders` of CDS Hooks 2.0 holds.
pub(crate) const DRAFTS: &[&str] = &[
    "DeviceRequest",
    "MedicationRequest",
    "NutritionOrder",
    "ServiceRequest",
    "VisionPrescription",
];

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "draftOrders",
        params: &[P::DraftType],
        returns: R::Named,
        code: draft_orders,
        doc: "All orders of a type that are being written, without those not to do something \
         (`doNotPerform`) and those whose status says that they are over or taken back. They are not in the patient's record. Empty where the hook has no drafts; unknown where \
         one of the type could not be used, as another patient's.",
        example: "draftOrders(\"MedicationRequest\").exists(o, isDrug(o, \"warfarin\"))",
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
    let Some(hook) = &call.scene.context.call else {
        return Val::List(Arc::new([]));
    };
    if Name::of(ty).is_some_and(|ty| !hook.drafts.is_available(ty)) {
        return Val::unknown("not every draft could be used");
    }
    let drafts = hook.drafts.of_type_named(ty);
    let drafts = drafts.filter(|draft| HookCall::is_made(*draft));
    let wanted = drafts.filter(|draft| !selected || hook.is_selected(*draft));
    let told = wanted.filter_map(|draft| match is_to_do(draft) {
        Ok(true) => Some(Val::Element(draft)),
        Ok(false) => None,
        Err(reason) => Some(Val::Maybe(Arc::new(Val::Element(draft)), reason)),
    });
    Val::List(told.collect())
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
