//! §12 comparison operators on values without parts: numbers, strings, dates, quantities. Numbers of
//! different types are promoted. Values of all types are compared in `equality`.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::fhir::fhir_children::is_primitive;
use crate::fhir::fhir_value::system_of_primitive;
use crate::operators::quantity;
use crate::values::value::{Val, truth};
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
pub(crate) fn plain<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Fhir(fhir) if is_primitive(fhir.ty) => system_of_primitive(cx, &fhir),
        other => Ok(other),
    }
}

/// Both bounds of a number, certain or not.
fn bounds(value: Val<'_>) -> (Val<'_>, Val<'_>) {
    match value {
        Val::Uncertain((low, high)) => (*low, *high),
        certain => (certain, certain),
    }
}

/// `a = b` of values without parts: null where it cannot be told.
pub fn equal_points<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<Option<bool>, Fault> {
    let (a, b) = (plain(cx, a)?, plain(cx, b)?);
    if let (Some(a), Some(b)) = (number(&a), number(&b)) {
        return Ok(Some(a == b));
    }
    Ok(match (a, b) {
        (Val::Null, _) | (_, Val::Null) => None,
        (Val::Boolean(a), Val::Boolean(b)) => Some(a == b),
        (Val::String(a), Val::String(b)) => {
            cx.charge_text(a.len().min(b.len()))?;
            Some(a == b)
        }
        (Val::Uncertain(_), _) | (_, Val::Uncertain(_)) => {
            let ((a1, a2), (b1, b2)) = (bounds(a), bounds(b));
            let apart = order(cx, a2, b1)? == Some(Ordering::Less)
                || order(cx, b2, a1)? == Some(Ordering::Less);
            if apart {
                Some(false)
            } else if equal_points(cx, a1, a2)? == Some(true)
                && equal_points(cx, b1, b2)? == Some(true)
            {
                equal_points(cx, a1, b1)?
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
        _ => Some(false),
    })
}

/// `a ~ b` of values without parts: never null.
pub fn equivalent_points<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<bool, Fault> {
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
            equivalent_points(cx, *a1, *b1)? && equivalent_points(cx, *a2, *b2)?
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
        (a, b) => match (number(&a), number(&b)) {
            (Some(a), Some(b)) => equivalent_decimals(a, b),
            _ => equal_points(cx, a, b)? == Some(true),
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
            } else if equal_points(cx, a, b)? == Some(true) {
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
