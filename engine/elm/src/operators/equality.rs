//! §12 comparison operators: `Equal`, `NotEqual`, `Equivalent` of values of all types.
//!
//! `=` is null where it cannot be told; `~` is never null. Two resources are equal when they are the
//! same resource; other FHIR elements when all they hold is.

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::clinical::{codes_meet, concepts_meet};
use crate::operators::compare::{equal_points, equivalent_points, plain};
use crate::operators::interval_relations::{interval_equal, interval_equivalent};
use crate::operators::quantity;
use crate::values::value::{Code, Fhir, Tuple, Val, truth};
use engine_patient::record::{Element, Kind};

/// `a = b`: null where it cannot be told.
pub fn equal<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<Option<bool>, Fault> {
    if let (Val::String(a), Val::String(b)) = (a, b) {
        cx.charge_text(a.len().min(b.len()))?;
        return Ok(Some(a == b));
    }
    if let (Val::Fhir(a), Val::Fhir(b)) = (&a, &b)
        && let Some(told) = same_place(a, b)
    {
        return Ok(Some(told));
    }
    let (a, b) = (plain(cx, a)?, plain(cx, b)?);
    Ok(match (a, b) {
        (Val::Ratio(a), Val::Ratio(b)) => and(
            quantity::equal(cx, &a.numerator, &b.numerator),
            quantity::equal(cx, &a.denominator, &b.denominator),
        ),
        (Val::Code(a), Val::Code(b)) => equal_codes(a, b),
        (Val::Concept(a), Val::Concept(b)) => {
            let mut told = equal_texts(a.display, b.display);
            if a.codes.len() != b.codes.len() {
                return Ok(Some(false));
            }
            for (a, b) in a.codes.iter().zip(b.codes) {
                told = and(told, equal_codes(a, b));
            }
            told
        }
        (Val::ValueSet(a), Val::ValueSet(b)) => Some(a.id == b.id && a.version == b.version),
        (Val::CodeSystem(a), Val::CodeSystem(b)) => Some(a.id == b.id && a.version == b.version),
        (Val::Interval(a), Val::Interval(b)) => cx.nest(|| interval_equal(cx, a, b))?,
        (Val::List(a), Val::List(b)) => return cx.nest(|| equal_lists(cx, a, b)),
        (Val::Tuple(a), Val::Tuple(b)) => return cx.nest(|| equal_tuples(cx, a, b)),
        (Val::Fhir(a), Val::Fhir(b)) => return equal_elements(cx, &a, &b).map(Some),
        (a, b) => return equal_points(cx, a, b),
    })
}

/// Three-valued and.
fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn equal_texts(a: Option<&str>, b: Option<&str>) -> Option<bool> {
    match (a, b) {
        (None, None) => Some(true),
        (Some(a), Some(b)) => Some(a == b),
        _ => None,
    }
}

fn equal_codes(a: &Code<'_>, b: &Code<'_>) -> Option<bool> {
    let parts = [
        equal_texts(a.code, b.code),
        equal_texts(a.system, b.system),
        equal_texts(a.version, b.version),
        equal_texts(a.display, b.display),
    ];
    parts.into_iter().fold(Some(true), and)
}

/// Two elements of a list or tuple: two nulls are equal.
fn equal_parts<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<Option<bool>, Fault> {
    if a.is_null() && b.is_null() {
        return Ok(Some(true));
    }
    equal(cx, a, b)
}

fn equal_lists<'a>(cx: &Cx<'a>, a: &[Val<'a>], b: &[Val<'a>]) -> Result<Option<bool>, Fault> {
    if a.len() != b.len() {
        return Ok(Some(false));
    }
    cx.charge(a.len())?;
    let mut told = Some(true);
    for (a, b) in a.iter().zip(b) {
        told = and(told, equal_parts(cx, *a, *b)?);
        if told == Some(false) {
            break;
        }
    }
    Ok(told)
}

/// By name, in the order of the first: what is not equal, or unknown, decides there and then, as the
/// official suite has it.
fn equal_tuples<'a>(cx: &Cx<'a>, a: &Tuple<'a>, b: &Tuple<'a>) -> Result<Option<bool>, Fault> {
    if a.names.len() != b.names.len() {
        return Ok(Some(false));
    }
    cx.charge(a.names.len())?;
    for (name, value) in a.names.iter().zip(a.values) {
        let Some(other) = b.get(name) else {
            return Ok(Some(false));
        };
        let told = equal_parts(cx, *value, other)?;
        if told != Some(true) {
            return Ok(told);
        }
    }
    Ok(Some(true))
}

/// Whether two FHIR values are the same by where they stand; `None` where their content tells.
fn same_place(a: &Fhir<'_>, b: &Fhir<'_>) -> Option<bool> {
    if !std::ptr::eq(a.record, b.record) {
        return None;
    }
    if a.index == b.index && a.shadow == b.shadow {
        // A primitive without a value equals nothing.
        return a.element().map(|_| true);
    }
    let resource = |f: &Fhir<'_>| f.record.is_root(f.index);
    (resource(a) && resource(b)).then_some(false)
}

/// Whether two complex elements hold the same.
fn equal_elements<'a>(cx: &Cx<'a>, a: &Fhir<'a>, b: &Fhir<'a>) -> Result<bool, Fault> {
    match (a.element(), b.element()) {
        (Some(x), Some(y)) => equal_json(cx, x, y),
        (None, None) => match (a.shadow(), b.shadow()) {
            (Some(x), Some(y)) => equal_json(cx, x, y),
            _ => Ok(false),
        },
        _ => Ok(false),
    }
}

fn equal_json<'a>(cx: &Cx<'a>, a: Element<'a>, b: Element<'a>) -> Result<bool, Fault> {
    cx.charge(1)?;
    if a.kind() != b.kind() {
        return Ok(false);
    }
    match a.kind() {
        Kind::Object => {
            if a.children().count() != b.children().count() {
                return Ok(false);
            }
            for child in a.children() {
                let Some(other) = b.get_named(&child.property()) else {
                    return Ok(false);
                };
                if !equal_json(cx, child, other)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Kind::Array => {
            let (mut x, mut y) = (a.children(), b.children());
            loop {
                match (x.next(), y.next()) {
                    (None, None) => return Ok(true),
                    (Some(x), Some(y)) if equal_json(cx, x, y)? => {}
                    _ => return Ok(false),
                }
            }
        }
        Kind::Number => Ok(a.raw() == b.raw() || a.as_decimal() == b.as_decimal()),
        _ => Ok(a.as_str() == b.as_str()),
    }
}

/// `a ~ b`: never null.
pub fn equivalent<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<bool, Fault> {
    if let (Val::Fhir(a), Val::Fhir(b)) = (&a, &b)
        && let Some(told) = same_place(a, b)
    {
        return Ok(told);
    }
    let (a, b) = (plain(cx, a)?, plain(cx, b)?);
    Ok(match (a, b) {
        (Val::Ratio(a), Val::Ratio(b)) => quantity::equivalent_ratios(cx, a, b),
        (Val::Code(a), Val::Code(b)) => codes_meet(a, b),
        (Val::Concept(a), Val::Concept(b)) => concepts_meet(a, b),
        (Val::Concept(concept), Val::Code(code)) | (Val::Code(code), Val::Concept(concept)) => {
            concept.codes.iter().any(|c| codes_meet(c, code))
        }
        (Val::ValueSet(a), Val::ValueSet(b)) => match (a.set, b.set) {
            (Some(x), Some(y)) => x.keys() == y.keys(),
            _ => a.id == b.id && a.version == b.version,
        },
        (Val::Interval(a), Val::Interval(b)) => cx.nest(|| interval_equivalent(cx, a, b))?,
        (Val::List(a), Val::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            cx.charge(a.len())?;
            for (a, b) in a.iter().zip(b) {
                if !cx.nest(|| equivalent(cx, *a, *b))? {
                    return Ok(false);
                }
            }
            true
        }
        (Val::Tuple(a), Val::Tuple(b)) => {
            if a.names.len() != b.names.len() {
                return Ok(false);
            }
            cx.charge(a.names.len())?;
            for (name, value) in a.names.iter().zip(a.values) {
                let Some(other) = b.get(name) else {
                    return Ok(false);
                };
                if !cx.nest(|| equivalent(cx, *value, other))? {
                    return Ok(false);
                }
            }
            true
        }
        (Val::Fhir(a), Val::Fhir(b)) => equal_elements(cx, &a, &b)?,
        (Val::CodeSystem(a), Val::CodeSystem(b)) => a.id == b.id && a.version == b.version,
        (a, b) => return equivalent_points(cx, a, b),
    })
}

fn pair<'a>(args: &[Val<'a>]) -> (Val<'a>, Val<'a>) {
    match args {
        [a, b] => (*a, *b),
        _ => (Val::Null, Val::Null),
    }
}

/// `Equal`
pub fn op_equal<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    equal(cx, a, b).map(truth)
}

/// `NotEqual`
pub fn op_not_equal<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    Ok(truth(equal(cx, a, b)?.map(|e| !e)))
}

/// `Equivalent`
pub fn op_equivalent<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    equivalent(cx, a, b).map(Val::Boolean)
}
