//! What was done, ordered, left out: by its status.

use engine_patient::describe::described;
use engine_patient::record::Element;

use super::call::Call;
use super::filters::filters;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "completed",
        params: &[P::OneOrMany(&[
            "Procedure",
            "Observation",
            "DiagnosticReport",
            "Immunization",
            "Encounter",
            "MedicationAdministration",
            "MedicationDispense",
            "ServiceRequest",
            "QuestionnaireResponse",
            "CarePlan",
            "Communication",
            "Task",
        ])],
        returns: R::Filtered,
        code: completed,
        role: Role::Filter,
        doc: "Of a list what is done, of one resource whether it is: a Procedure, Immunization, \
         MedicationAdministration, MedicationDispense, ServiceRequest, CarePlan, Communication or Task \
         that is completed, an Encounter that is finished, an Observation or DiagnosticReport that is \
         final, amended, corrected or appended to, a QuestionnaireResponse that is completed or amended. \
         Unknown without a status.",
        example: "Procedure(\"colonoscopy\").completed().size()",
        gives: "2",
        ..PLAIN
    },
    FunctionInfo {
        name: "notDone",
        params: &[P::OneOrMany(&[
            "Procedure",
            "Immunization",
            "Communication",
            "MedicationAdministration",
        ])],
        returns: R::Filtered,
        code: not_done,
        role: Role::Filter,
        doc: "Of a list what is recorded as not done (status `not-done`), as where a patient declined; of \
         one resource whether it is. Unknown without a status.",
        example: "Immunization(\"influenza\").notDone().inLast(months(12)).exists()",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "ordered",
        params: &[P::OneOrMany(&[
            "ServiceRequest",
            "MedicationRequest",
            "DeviceRequest",
        ])],
        returns: R::Filtered,
        code: ordered,
        role: Role::Filter,
        doc: "Of a list what is ordered and not done yet, of one resource whether it is: status active or \
         on-hold, and an intent that is an order, not a proposal, plan or option. Unknown without a status \
         or an intent.",
        example: "ServiceRequest(\"hba1c\").ordered().inLast(months(3)).exists()",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "isFinal",
        params: &[P::Element("Observation")],
        returns: R::Bool,
        code: is_final,
        role: Role::IsFinal,
        doc: "Whether an Observation's status is final, amended or corrected. Unknown without a status.",
        example: "Observation(\"hba1c\").filter(o, isFinal(o)).size() > 0",
        gives: "true",
        ..PLAIN
    },
];

/// What says of a type that it is done.
fn done(ty: &str) -> &'static [&'static str] {
    match ty {
        "Observation" | "DiagnosticReport" => &["final", "amended", "corrected", "appended"],
        "Encounter" => &["finished"],
        "QuestionnaireResponse" => &["completed", "amended"],
        _ => &["completed"],
    }
}

/// Whether a resource says of itself that it is done, as `completed()` asks; of a type that is not done or left
/// undone, that nothing in it says otherwise.
pub fn is_done(resource: Element<'_>) -> bool {
    let Some(ty) = resource.resource_type() else {
        return false;
    };
    let negated = described(resource).is_none_or(|told| told.negated.is_some());
    let can_be_done = ROWS.iter().any(|row| {
        let takes = |p: &P| matches!(p, P::OneOrMany(types) if types.contains(&ty.as_str()));
        row.name == "completed" && row.params.iter().any(takes)
    });
    let status = resource.get_str("status").unwrap_or_default();
    !negated && (!can_be_done || done(ty.as_str()).contains(&&*status))
}

/// What says of an order that it waits to be done.
const WAITING: &[&str] = &["active", "on-hold"];

/// What says of an order that it is one.
const ORDERS: &[&str] = &[
    "order",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
];

fn completed<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    filters(call, |value| code_is(value, "status", done))
}

fn not_done<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    filters(call, |value| code_is(value, "status", |_| &["not-done"]))
}

fn ordered<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    filters(call, |value| {
        let waits = code_is(value, "status", |_| WAITING);
        let intent = code_is(value, "intent", |_| ORDERS);
        match (waits, intent) {
            (Val::Bool(false), _) | (_, Val::Bool(false)) => Val::Bool(false),
            (Val::Bool(true), intent) => intent,
            (unknown, _) => unknown,
        }
    })
}

fn is_final<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let finals = |_: &str| &["final", "amended", "corrected"] as &'static [&'static str];
    let first = call.args.first();
    first.map_or_else(|| call.other_kind(), |o| code_is(o, "status", finals))
}

/// Whether the code of an element is one of those that are wanted of its type.
fn code_is<'r>(
    value: &Val<'r>,
    element: &str,
    wanted: impl Fn(&str) -> &'static [&'static str],
) -> Val<'r> {
    let Val::Element(resource) = value else {
        return Val::unknown("this value has no status");
    };
    let ty = type_of(*resource);
    match resource.get_named(element) {
        Some(code) if code.as_str().is_none() => {
            Val::Unknown(format!("`{ty}.{element}` cannot be read").into())
        }
        Some(code) => Val::Bool(wanted(ty).iter().any(|w| code.is_str(w))),
        None => Val::Unknown(format!("`{ty}.{element}` is missing").into()),
    }
}

fn type_of(resource: Element<'_>) -> &'static str {
    resource
        .resource_type()
        .map_or("Resource", |ty| ty.as_str())
}
