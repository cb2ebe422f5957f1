//! §23 clinical operators: membership of codes in value sets and code systems.

use crate::context::fault::{Fault, Out};
use crate::context::state::EvaluationState;
use crate::fhir::elements::known;
use crate::fhir::values::system_value;
use crate::operators::operator::Attributes;
use crate::values::value::{Code, Concept, Val, truth};
use engine_patient::system::codes;
use engine_patient::terminology::code_key;

/// Whether a code, concept or string is in a value set; null where the value set was not loaded.
/// A list is in it where one of its items is (`AnyInValueSet`).
pub fn in_value_set<'a>(cx: &EvaluationState<'a>, code: Val<'a>, set: Val<'a>) -> Out<'a> {
    if code.is_null() {
        // §23.5: a null code is in no value set.
        return Ok(Val::Boolean(false));
    }
    let Val::ValueSet(set) = set else {
        return Ok(Val::Null);
    };
    let name = set.name;
    let Some(set) = set.set else {
        cx.metrics.value_sets.set(cx.metrics.value_sets.get() + 1);
        cx.doubtful_set(name, false);
        return Ok(Val::Null);
    };
    let found = member(cx, code, &|key| set.contains(key), &|text| {
        // A string without a system: of whatever system.
        set.entries().iter().any(|c| &*c.code == text)
    })?;
    if found == Some(false) && !set.completeness().is_trusted() {
        cx.doubtful_set(name, true);
    }
    Ok(truth(found))
}

fn member<'a>(
    cx: &EvaluationState<'a>,
    code: Val<'a>,
    by_key: &dyn Fn(i64) -> bool,
    by_text: &dyn Fn(&str) -> bool,
) -> Result<Option<bool>, Fault> {
    Ok(match code {
        Val::Null => Some(false),
        Val::Code(code) => Some(by_key(code.key)),
        Val::Concept(concept) => Some(concept.codes.iter().any(|c| by_key(c.key))),
        Val::String(text) => Some(by_text(text)),
        Val::List(items) => {
            cx.charge(items.len())?;
            let mut found = Some(false);
            for item in items {
                match cx.nest(|| member(cx, *item, by_key, by_text))? {
                    Some(true) => return Ok(Some(true)),
                    Some(false) => {}
                    None => found = None,
                }
            }
            found
        }
        Val::Fhir(fhir) if fhir.ty == known().coding => {
            let key = fhir.element().and_then(codes::coding_key);
            Some(key.is_some_and(by_key))
        }
        Val::Fhir(fhir) if fhir.ty == known().concept => {
            let codings = fhir.element().and_then(|e| e.get_named("coding"));
            let mut codings = codings
                .into_iter()
                .flat_map(engine_patient::record::Element::items);
            Some(codings.any(|c| codes::coding_key(c).is_some_and(by_key)))
        }
        Val::Fhir(_) => match system_value(cx, code)? {
            Val::String(text) => Some(by_text(text)),
            _ => None,
        },
        _ => None,
    })
}

/// Whether a code is of a code system (`InCodeSystem`): its system is the code system's. The codes of
/// the system themselves are rarely in a package, so a code of it counts as one.
pub fn in_code_system<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    let [code, Val::CodeSystem(system)] = args else {
        return Ok(Val::Null);
    };
    let of = |code: &Code<'_>| code.system == Some(system.id);
    Ok(match code {
        Val::Null => Val::Boolean(false),
        Val::Code(code) => Val::Boolean(of(code)),
        Val::Concept(concept) => Val::Boolean(concept.codes.iter().any(of)),
        Val::List(items) => {
            cx.charge(items.len())?;
            let any = items.iter().any(|item| match item {
                Val::Code(code) => of(code),
                Val::Concept(concept) => concept.codes.iter().any(of),
                _ => false,
            });
            Val::Boolean(any)
        }
        _ => Val::Null,
    })
}

/// `ExpandValueSet`: its codes, in the order of system and code.
pub fn expand_value_set<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    let Some(Val::ValueSet(set)) = args.first() else {
        return Ok(Val::Null);
    };
    let name = set.name;
    let Some(set) = set.set else {
        cx.metrics.value_sets.set(cx.metrics.value_sets.get() + 1);
        cx.doubtful_set(name, false);
        return Ok(Val::Null);
    };
    if !set.completeness().is_trusted() {
        cx.doubtful_set(name, true);
    }
    let mut codes = Vec::with_capacity(set.len());
    for code in set.entries() {
        let code = Code {
            code: Some(&code.code),
            system: Some(&code.system),
            version: code.version.as_deref(),
            display: code.display.as_deref(),
            key: code_key(&code.system, &code.code),
        };
        codes.push(Val::Code(cx.keep(code)?));
    }
    cx.list(&codes)
}

/// Whether two concepts share a code (`~`).
pub fn concepts_meet(a: &Concept<'_>, b: &Concept<'_>) -> bool {
    a.codes
        .iter()
        .any(|code| b.codes.iter().any(|other| codes_meet(code, other)))
}

/// Whether two codes are the same code of the same system (`~`).
pub fn codes_meet(a: &Code<'_>, b: &Code<'_>) -> bool {
    a.key == b.key && a.code == b.code
}
