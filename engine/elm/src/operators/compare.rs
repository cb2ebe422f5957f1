//! §12 comparison operators.
//!
//! `=` is null where it cannot be told; `~` is never null. Numbers of different types are promoted.
//! Two resources are equal when they are the same resource; other FHIR elements when all they hold is.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::fhir::fhir_children::is_primitive;
use crate::fhir::fhir_value::system_of_primitive;
use crate::operators::clinical::{codes_meet, concepts_meet};
use crate::operators::interval::{interval_equal, interval_equivalent};
use crate::operators::quantity;
use crate::values::value::{Code, Fhir, Tuple, Val, truth};
use engine_patient::record::{Element, Kind};
use engine_patient::system::compare as dates;
use engine_patient::system::date_time::DateTime;

/// The number of a value, as a decimal.
pub fn number(value: &Val<'_>) -> Option<Decimal> {
    match value {
        Val::Integer(i) => Some(Decimal::from(*i)),
        Val::Long(l) => Some(Decimal::from(*l)),
        Val::Decimal(d) => Some(*d),
        _ => None,
    }
}

/// The moment of a Date or DateTime; a Date is one at the zone of the run.
fn moment(cx: &Cx<'_>, value: &Val<'_>) -> Option<DateTime> {
    match value {
        Val::Date(d) => Some(d.with_zone(cx.zone)),
        Val::DateTime(d) => Some(*d),
        _ => None,
    }
}

/// A FHIR primitive as its system value; others as they are.
fn plain<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Fhir(fhir) if is_primitive(fhir.ty) => system_of_primitive(cx, &fhir),
        other => Ok(other),
    }
}

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
    if let (Some(a), Some(b)) = (number(&a), number(&b)) {
        return Ok(Some(a == b));
    }
    Ok(match (a, b) {
        (Val::Null, _) | (_, Val::Null) => None,
        (Val::Boolean(a), Val::Boolean(b)) => Some(a == b),
        (Val::String(a), Val::String(b)) => Some(a == b),
        (Val::Uncertain(_), _) | (_, Val::Uncertain(_)) => {
            let ((a1, a2), (b1, b2)) = (bounds(a), bounds(b));
            let apart = order(cx, a2, b1)? == Some(Ordering::Less)
                || order(cx, b2, a1)? == Some(Ordering::Less);
            if apart {
                Some(false)
            } else if equal(cx, a1, a2)? == Some(true) && equal(cx, b1, b2)? == Some(true) {
                equal(cx, a1, b1)?
            } else {
                None
            }
        }
        (Val::Date(a), Val::Date(b)) => dates::equal(a, b, cx.zone),
        (Val::Date(_) | Val::DateTime(_), Val::Date(_) | Val::DateTime(_)) => {
            match (moment(cx, &a), moment(cx, &b)) {
                (Some(a), Some(b)) => dates::equal(a, b, cx.zone),
                _ => None,
            }
        }
        (Val::Time(a), Val::Time(b)) => a.compare(b, None).map(Ordering::is_eq),
        (Val::Quantity(a), Val::Quantity(b)) => quantity::equal(cx, a, b),
        (Val::Quantity(a), other) if number(&other).is_some() => {
            number(&other).map(|n| a.unit == "1" && a.value == n)
        }
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
        _ => Some(false),
    })
}

/// Both bounds of a number, certain or not.
fn bounds(value: Val<'_>) -> (Val<'_>, Val<'_>) {
    match value {
        Val::Uncertain((low, high)) => (*low, *high),
        certain => (certain, certain),
    }
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
        (Val::Null, Val::Null) => true,
        (Val::Null, _) | (_, Val::Null) => false,
        (Val::String(a), Val::String(b)) => {
            cx.charge_text(a.len() + b.len())?;
            equivalent_texts(a, b)
        }
        (Val::Decimal(a), Val::Decimal(b)) => equivalent_decimals(a, b),
        (Val::Uncertain((a1, a2)), Val::Uncertain((b1, b2))) => {
            equivalent(cx, *a1, *b1)? && equivalent(cx, *a2, *b2)?
        }
        (Val::Date(a), Val::Date(b)) => dates::equal(a, b, cx.zone).unwrap_or(false),
        (Val::Date(_) | Val::DateTime(_), Val::Date(_) | Val::DateTime(_)) => {
            match (moment(cx, &a), moment(cx, &b)) {
                (Some(a), Some(b)) => dates::equal(a, b, cx.zone).unwrap_or(false),
                _ => false,
            }
        }
        (Val::Time(a), Val::Time(b)) => a.compare(b, None).is_some_and(Ordering::is_eq),
        (Val::Quantity(a), Val::Quantity(b)) => quantity::equivalent(cx, a, b),
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
        (a, b) => match (number(&a), number(&b)) {
            (Some(a), Some(b)) => equivalent_decimals(a, b),
            _ => equal(cx, a, b)? == Some(true),
        },
    })
}

/// Letter case and the kind and amount of white space do not matter.
fn equivalent_texts(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let normal = |text: &str| {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let edge = |at: Option<char>| at.is_some_and(char::is_whitespace);
        let (start, end) = (edge(lower.chars().next()), edge(lower.chars().last()));
        (start, words.join(" "), end)
    };
    normal(a) == normal(b)
}

/// Equal when both are rounded to the digits of the less precise; trailing zeros are no digits.
fn equivalent_decimals(a: Decimal, b: Decimal) -> bool {
    let (a, b) = (a.normalize(), b.normalize());
    let digits = a.scale().min(b.scale());
    a.round_dp(digits) == b.round_dp(digits)
}

/// Which comes first; null where it cannot be told.
pub fn order<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<Option<Ordering>, Fault> {
    if let (Some(a), Some(b)) = (number(&a), number(&b)) {
        return Ok(Some(a.cmp(&b)));
    }
    let (a, b) = (plain(cx, a)?, plain(cx, b)?);
    Ok(match (a, b) {
        (Val::Null, _) | (_, Val::Null) => None,
        (Val::String(a), Val::String(b)) => {
            cx.charge_text(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Val::Date(a), Val::Date(b)) => dates::compare(a, b, None, cx.zone),
        (Val::Date(_) | Val::DateTime(_), Val::Date(_) | Val::DateTime(_)) => {
            match (moment(cx, &a), moment(cx, &b)) {
                (Some(a), Some(b)) => dates::compare(a, b, None, cx.zone),
                _ => None,
            }
        }
        (Val::Time(a), Val::Time(b)) => a.compare(b, None),
        (Val::Quantity(a), Val::Quantity(b)) => quantity::compare(cx, a, b),
        (Val::Uncertain(_), _) | (_, Val::Uncertain(_)) => {
            let ((a1, a2), (b1, b2)) = (bounds(a), bounds(b));
            if order(cx, a2, b1)? == Some(Ordering::Less) {
                Some(Ordering::Less)
            } else if order(cx, a1, b2)? == Some(Ordering::Greater) {
                Some(Ordering::Greater)
            } else if equal(cx, a, b)? == Some(true) {
                Some(Ordering::Equal)
            } else {
                None
            }
        }
        (a, b) => match (number(&a), number(&b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => None,
        },
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

/// Whether all of `a` is at most all of `b`, where one of them is uncertain.
fn at_most<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<Option<bool>, Fault> {
    if let (Val::Uncertain(_), _) | (_, Val::Uncertain(_)) = (a, b) {
        let ((a1, a2), (b1, b2)) = (bounds(a), bounds(b));
        if order(cx, a2, b1)?.is_some_and(Ordering::is_le) {
            return Ok(Some(true));
        }
        if order(cx, a1, b2)?.is_some_and(Ordering::is_gt) {
            return Ok(Some(false));
        }
        return Ok(None);
    }
    Ok(order(cx, a, b)?.map(Ordering::is_le))
}

/// `Less`
pub fn less<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    Ok(truth(at_most(cx, b, a)?.map(|m| !m)))
}

/// `Greater`
pub fn greater<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    Ok(truth(at_most(cx, a, b)?.map(|m| !m)))
}

/// `LessOrEqual`
pub fn less_or_equal<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    at_most(cx, a, b).map(truth)
}

/// `GreaterOrEqual`
pub fn greater_or_equal<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    at_most(cx, b, a).map(truth)
}
