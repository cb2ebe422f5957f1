//! Codes and value sets.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::record::Element;
use engine_patient::system::codes;
use engine_patient::systems;
use engine_patient::terminology::ValueSet;

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "component",
        params: &[P::Element("Observation"), P::ValueSet],
        returns: R::Components,
        code: component,
        role: Role::Component,
        takes_unknown: true,
        doc: "The components of an Observation whose code is in the value set. Empty where there are none.",
        example: "Observation(\"bp\").exists(o, component(o, \"systolic\").exists(c, quantityIn(c.value, \"mm[Hg]\") < 140))",
        gives: "false",
    },
    FunctionInfo {
        name: "inValueSet",
        params: &[P::Concept, P::ValueSet],
        returns: R::Bool,
        code: in_value_set,
        role: Role::InValueSet,
        takes_unknown: true,
        doc: "Whether a code is in the value set (CQL InValueSet).",
        example: "Encounter().exists(e, inValueSet(e.type, \"visit\"))",
        gives: "true",
    },
];

const NO_SET: &str = "there is no such value set";

fn component<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let Some(set) = call.set else {
        return Val::unknown(NO_SET);
    };
    match call.args {
        [Val::Element(observation)] => components(*observation, set),
        [Val::Unknown(reason)] => Val::Unknown(reason.clone()),
        _ => Val::unknown("a code was expected"),
    }
}

/// The components of an Observation whose code is in a value set.
pub(super) fn components<'r>(observation: Element<'r>, set: &ValueSet) -> Val<'r> {
    let Some(components) = observation.get_named("component") else {
        return Val::List(Arc::new([]));
    };
    let has_code = |c: &Element<'r>| {
        c.get_named("code")
            .is_some_and(|code| codes::any_in(code, set))
    };
    let found: Vec<Val<'r>> = components
        .items()
        .filter(has_code)
        .map(Val::Element)
        .collect();
    if found.is_empty() {
        let codes = components.items().filter_map(|c| c.get_named("code"));
        let seen = systems::of_concepts(codes);
        let component = Name::of("Observation").map(|ty| (ty, "component.code"));
        let reason = component.and_then(|c| systems::mismatch(c, set, &seen));
        if let Some(reason) = reason {
            return Val::Unknown(reason.into());
        }
    }
    Val::List(found.into())
}

fn in_value_set<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let Some(set) = call.set else {
        return Val::unknown(NO_SET);
    };
    match call.args {
        [Val::Element(element)] => Val::Bool(codes::any_in(*element, set)),
        [Val::List(items)] => {
            let mut unknown = None;
            for item in items.iter() {
                match item.item() {
                    (Val::Element(e), None) if codes::any_in(*e, set) => return Val::Bool(true),
                    (Val::Element(e), Some(reason)) if codes::any_in(*e, set) => {
                        unknown = unknown.or(Some(reason));
                    }
                    (Val::Unknown(reason), _) => unknown = unknown.or(Some(reason)),
                    _ => {}
                }
            }
            unknown.map_or(Val::Bool(false), |reason| Val::Unknown(reason.clone()))
        }
        [Val::Unknown(reason) | Val::Between(_, _, reason)] => Val::Unknown(reason.clone()),
        _ => Val::unknown("a code was expected"),
    }
}
