//! Equality and order. Dates and times without an offset are taken as if in UTC.

use std::cmp::Ordering;

use rust_decimal::prelude::ToPrimitive;

use super::ast::Operator;
use super::expr::Comparison;
use super::item::{Item, Scalar, Stop, failed};
use engine_patient::record::{Element, Kind};
use engine_patient::system::compare as dates;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;

/// A time of day, as the same time of one certain day.
pub(super) fn time_of_day(text: &str) -> Option<DateTime> {
    let time = DateTime::parse(&format!("1970-01-01T{text}"))?;
    time.offset().is_none().then_some(time)
}

/// Whether a comparison holds; `None` where it gives nothing.
pub(super) fn holds(
    operator: Operator,
    how: Comparison,
    left: &[Item<'_>],
    right: &[Item<'_>],
) -> Result<Option<bool>, Stop> {
    if left.is_empty() || right.is_empty() {
        return Ok(None);
    }
    Ok(match (operator, left, right) {
        (Operator::Equal, ..) => all_equal(how, left, right),
        (Operator::NotEqual, ..) => all_equal(how, left, right).map(|same| !same),
        (_, [left], [right]) => order(how, left, right).map(|o| match operator {
            Operator::Less => o.is_lt(),
            Operator::LessOrEqual => o.is_le(),
            Operator::Greater => o.is_gt(),
            _ => o.is_ge(),
        }),
        _ => return failed("several values as an operand of a comparison"),
    })
}

/// Both as moments, where both are.
fn moments(how: Comparison, a: &Item<'_>, b: &Item<'_>) -> Option<(DateTime, DateTime)> {
    let parse = |item: &Item<'_>| match how {
        Comparison::Moment => DateTime::parse(&item.text()?),
        Comparison::Time => time_of_day(&item.text()?),
        Comparison::Other => None,
    };
    Some((parse(a)?, parse(b)?))
}

/// `None` where the precision of a date does not tell.
pub(super) fn equal(how: Comparison, a: &Item<'_>, b: &Item<'_>) -> Option<bool> {
    if let Some((a, b)) = moments(how, a, b) {
        return dates::equal(a, b, &UTC);
    }
    Some(match (a.scalar(), b.scalar()) {
        (Some(Scalar::Bool(a)), Some(Scalar::Bool(b))) => a == b,
        (Some(Scalar::Text(a)), Some(Scalar::Text(b))) => a == b,
        (Some(a), Some(b)) => numbers(&a, &b) == Some(Ordering::Equal),
        (None, None) => match (a, b) {
            (Item::Element(a), Item::Element(b)) => same(*a, *b),
            _ => false,
        },
        _ => false,
    })
}

/// Collections are equal when they are as long and equal one by one.
fn all_equal(how: Comparison, left: &[Item<'_>], right: &[Item<'_>]) -> Option<bool> {
    if left.len() != right.len() {
        return Some(false);
    }
    let mut all = Some(true);
    for (a, b) in left.iter().zip(right) {
        match equal(how, a, b) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}

/// `None` where there is no order: values of different kinds, or a precision that does not tell.
fn order(how: Comparison, a: &Item<'_>, b: &Item<'_>) -> Option<Ordering> {
    if how != Comparison::Other {
        let (a, b) = moments(how, a, b)?;
        return dates::compare(a, b, None, &UTC);
    }
    match (a.scalar()?, b.scalar()?) {
        (Scalar::Text(a), Scalar::Text(b)) => Some(a.cmp(&b)),
        (a, b) => numbers(&a, &b),
    }
}

fn numbers(a: &Scalar<'_>, b: &Scalar<'_>) -> Option<Ordering> {
    let decimal = |s: &Scalar<'_>| match s {
        Scalar::Int(i) => Some((*i).into()),
        Scalar::Decimal(d) => Some(*d),
        _ => None,
    };
    let double = |s: &Scalar<'_>| match s {
        Scalar::Int(i) => i.to_f64(),
        Scalar::Decimal(d) => d.to_f64(),
        Scalar::Double(d) => Some(*d),
        _ => None,
    };
    match (a, b) {
        (Scalar::Int(a), Scalar::Int(b)) => Some(a.cmp(b)),
        _ => match (decimal(a), decimal(b)) {
            (Some(a), Some(b)) => Some(rust_decimal::Decimal::cmp(&a, &b)),
            _ => double(a)?.partial_cmp(&double(b)?),
        },
    }
}

/// Whether two elements have the same content. The parser bounds the depth.
fn same(a: Element<'_>, b: Element<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::Object, Kind::Object) => {
            let all = a.children().all(|x| {
                let mut others = b.children();
                others.any(|y| x.name() == y.name() && x.property() == y.property() && same(x, y))
            });
            all && a.children().count() == b.children().count()
        }
        (Kind::Array, Kind::Array) => {
            a.children().count() == b.children().count()
                && a.children().zip(b.children()).all(|(x, y)| same(x, y))
        }
        (Kind::Object | Kind::Array, _) | (_, Kind::Object | Kind::Array) => false,
        (Kind::Null, Kind::Null) => true,
        _ => equal(Comparison::Other, &Item::Element(a), &Item::Element(b)) == Some(true),
    }
}
