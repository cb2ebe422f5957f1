//! Codes and value sets.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, Kind};
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
        doc: "Whether a code is in the value set (CQL InValueSet). Unknown where a code is of another kind than \
         FHIR has it, or, of an answer (`o.value`) and whatever else is no code of a resource itself, where \
         there is only a text.",
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
        [Val::Element(element)] => one(*element, set),
        [Val::List(items)] => {
            let mut unknown = None;
            for item in items.iter() {
                match item.item() {
                    (Val::Element(e), doubt) => match (one(*e, set), doubt) {
                        (Val::Bool(true), None) => return Val::Bool(true),
                        (Val::Bool(true), Some(reason)) => {
                            unknown = unknown.or_else(|| Some(reason.clone()));
                        }
                        (Val::Unknown(reason), _) => unknown = unknown.or(Some(reason)),
                        _ => {}
                    },
                    (Val::Unknown(reason), _) => {
                        unknown = unknown.or_else(|| Some(reason.clone()));
                    }
                    _ => {}
                }
            }
            unknown.map_or(Val::Bool(false), Val::Unknown)
        }
        [Val::Unknown(reason) | Val::Between(_, _, reason)] => Val::Unknown(reason.clone()),
        _ => Val::unknown("a code was expected"),
    }
}

/// Whether one of the codes of a concept is in the set; where none is, those that cannot be read may be.
fn one<'r>(concept: Element<'r>, set: &ValueSet) -> Val<'r> {
    match codes::any_in(concept, set) {
        true => Val::Bool(true),
        false if is_unreadable(concept) => Val::unknown("a code is not as FHIR has it"),
        false => Val::Bool(false),
    }
}

/// Whether something stands where FHIR has a code, and is of another kind.
fn is_unreadable(concept: Element<'_>) -> bool {
    let other = |coding: Element<'_>, name: &str| {
        let kind = coding.get_named(name).map(Element::kind);
        kind.is_some_and(|kind| !matches!(kind, Kind::String | Kind::Null))
    };
    let flawed = |coding: Element<'_>| match coding.kind() {
        Kind::Object => other(coding, "code") || other(coding, "system"),
        Kind::Null => false,
        _ => true,
    };
    match concept.get_named("coding") {
        Some(codings) => codings.items().any(flawed),
        // A Coding, or a plain code.
        None => concept.kind() != Kind::String && flawed(concept),
    }
}

/// Whether an answer, or one of several, has no code at all: it may be a text, which no set of codes holds.
pub(crate) fn is_without_code(value: &Val<'_>) -> bool {
    match value {
        Val::Element(element) => codes::keys(*element).next().is_none(),
        Val::List(items) => items.iter().any(|item| is_without_code(item.item().0)),
        _ => false,
    }
}
