//! Codes and value sets.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::record::Element;
use engine_patient::system::codes;
use engine_patient::systems;
use engine_patient::terminology::ValueSet;

use super::row::Function;
use crate::value::Val;

/// `inValueSet` and `component`.
pub(crate) fn with_value_set<'r>(function: Function, value: Val<'r>, set: &ValueSet) -> Val<'r> {
    match value {
        Val::Element(element) if function == Function::Component => {
            let Some(components) = element.get_named("component") else {
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
        Val::Element(element) => Val::Bool(codes::any_in(element, set)),
        Val::List(items) => {
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
        Val::Unknown(reason) | Val::Between(_, _, reason) => Val::Unknown(reason),
        _ => Val::unknown("a code was expected"),
    }
}
