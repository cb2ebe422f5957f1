//! Operators on values. An unknown operand makes the result unknown, with its reason.
//!
//! Numbers are decimals as CQL has them ([`engine_patient::system::decimal`]): 0.1 + 0.2 is 0.3.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::value::Val;
use engine_patient::system::compare::compare as compare_dates;
use engine_patient::system::date_arithmetic::{self, CalendarDuration};
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::decimal;
use engine_patient::system::zone::Zone;
use rust_decimal::Decimal;

/// Order comparisons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl Arithmetic {
    /// Whether the result is in the unit of both sides.
    pub fn keeps_units(self) -> bool {
        matches!(self, Arithmetic::Add | Arithmetic::Subtract)
    }
}

/// What two numbers are calculated with: `7 / 2` is 3, `7 / 2.0` is 3.5.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbers {
    Whole,
    Decimal,
}

const NOT_COMPARABLE: Val<'static> = Val::Unknown(std::borrow::Cow::Borrowed(
    "values of different kinds cannot be compared",
));

/// The reason two dates have no order.
pub(super) const IMPRECISE: &str = "a date is too imprecise to compare";

pub(super) fn compare(a: &Val<'_>, b: &Val<'_>, zone: &Zone) -> Result<Ordering, Val<'static>> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => Ok(a.cmp(b)),
        (Val::Str(a), Val::Str(b)) => Ok(a.cmp(b)),
        (Val::Bool(a), Val::Bool(b)) => Ok(a.cmp(b)),
        (Val::Time(a), Val::Time(b)) => {
            compare_dates(*a, *b, None, zone).ok_or(Val::unknown(IMPRECISE))
        }
        _ => {
            let numbers = a.number().zip(b.number());
            numbers.map(|(a, b)| a.cmp(&b)).ok_or(NOT_COMPARABLE)
        }
    }
}

/// Whichever of the two is unknown.
fn known<'r>(a: Val<'r>, b: Val<'r>) -> Result<(Val<'r>, Val<'r>), Val<'r>> {
    match (a, b) {
        (Val::Between(_, _, reason) | Val::Either(_, reason), _)
        | (_, Val::Between(_, _, reason) | Val::Either(_, reason)) => Err(Val::Unknown(reason)),
        (unknown @ Val::Unknown(_), _) | (_, unknown @ Val::Unknown(_)) => Err(unknown),
        pair => Ok(pair),
    }
}

/// The least and the most that a number can be, and why it is not one.
fn range<'v, 'r>(value: &'v Val<'r>) -> Option<(Decimal, Decimal, Option<&'v Cow<'r, str>>)> {
    match value {
        Val::Between(least, most, reason) => Some((*least, *most, Some(reason))),
        other => other.number().map(|n| (n, n, None)),
    }
}

/// A comparison with a number of which only bounds are known; `None` where both are known.
fn order_ranges<'r>(order: Order, a: &Val<'r>, b: &Val<'r>) -> Option<Val<'r>> {
    let ((a1, a2, a_why), (b1, b2, b_why)) = (range(a)?, range(b)?);
    let why = a_why.or(b_why)?;
    let (surely, surely_not) = match order {
        Order::Less => (a2 < b1, a1 >= b2),
        Order::LessOrEqual => (a2 <= b1, a1 > b2),
        Order::Greater => (a1 > b2, a2 <= b1),
        Order::GreaterOrEqual => (a1 >= b2, a2 < b1),
    };
    Some(match (surely, surely_not) {
        (true, _) => Val::Bool(true),
        (_, true) => Val::Bool(false),
        _ => Val::Unknown(why.clone()),
    })
}

pub(super) fn order<'r>(order: Order, a: Val<'r>, b: Val<'r>, zone: &Zone) -> Val<'r> {
    if let Some(told) = order_ranges(order, &a, &b) {
        return told;
    }
    let (a, b) = match known(a, b) {
        Ok(pair) => pair,
        Err(unknown) => return unknown,
    };
    if let (Val::Time(a), Val::Time(b)) = (&a, &b) {
        return order_times(order, *a, *b, zone).map_or(Val::unknown(IMPRECISE), Val::Bool);
    }
    match compare(&a, &b, zone) {
        Ok(found) => Val::Bool(match order {
            Order::Less => found.is_lt(),
            Order::LessOrEqual => found.is_le(),
            Order::Greater => found.is_gt(),
            Order::GreaterOrEqual => found.is_ge(),
        }),
        Err(unknown) => unknown,
    }
}

/// By the comparison of CQL. Of a day or coarser beside what that cannot tell from it, by the bounds of
/// what each can stand for: a whole day is not after its own last millisecond.
pub(super) fn order_times(order: Order, a: DateTime, b: DateTime, zone: &Zone) -> Option<bool> {
    let less = |a: DateTime, b: DateTime| {
        if let Some(found) = compare_dates(a, b, None, zone) {
            return Some(found.is_lt());
        }
        if a.precision.min(b.precision) > Precision::Day {
            return None;
        }
        match (
            a.latest(zone) < b.earliest(zone),
            a.earliest(zone) >= b.latest(zone),
        ) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    };
    match order {
        Order::Less => less(a, b),
        Order::Greater => less(b, a),
        Order::LessOrEqual => less(b, a).map(|l| !l),
        Order::GreaterOrEqual => less(a, b).map(|l| !l),
    }
}

pub(super) fn equal<'r>(a: Val<'r>, b: Val<'r>, zone: &Zone) -> Val<'r> {
    if let (Some((a1, a2, a_why)), Some((b1, b2, b_why))) = (range(&a), range(&b))
        && a_why.or(b_why).is_some()
        && (a2 < b1 || b2 < a1)
    {
        return Val::Bool(false);
    }
    match known(a, b) {
        Ok((a, b)) => match compare(&a, &b, zone) {
            Ok(found) => Val::Bool(found.is_eq()),
            Err(unknown) => unknown,
        },
        Err(unknown) => unknown,
    }
}

pub(super) fn arithmetic<'r>(
    op: Arithmetic,
    numbers: Numbers,
    a: Val<'r>,
    b: Val<'r>,
    zone: &Zone,
) -> Val<'r> {
    use Arithmetic::{Add, Divide, Modulo, Multiply, Subtract};
    let (a, b) = match known(a, b) {
        Ok(pair) => pair,
        Err(unknown) => return unknown,
    };
    match (op, a, b) {
        (_, Val::Int(a), Val::Int(b)) if numbers == Numbers::Whole => {
            let value = match op {
                Add => a.checked_add(b),
                Subtract => a.checked_sub(b),
                Multiply => a.checked_mul(b),
                Divide => a.checked_div(b),
                Modulo => a.checked_rem(b),
            };
            value.map_or(
                Val::unknown("division by zero, or a number too large"),
                Val::Int,
            )
        }
        (Add, Val::Time(t), Val::Duration(d)) | (Add, Val::Duration(d), Val::Time(t)) => {
            shift(t, d, zone)
        }
        (Subtract, Val::Time(t), Val::Duration(d)) => shift(t, d.negated(), zone),
        (Add, Val::Duration(a), Val::Duration(b)) => Val::Duration(a.and(b)),
        (Subtract, Val::Duration(a), Val::Duration(b)) => Val::Duration(a.and(b.negated())),
        (Add, Val::Str(a), Val::Str(b)) => Val::Str((a.into_owned() + &b).into()),
        (Add, Val::List(a), Val::List(b)) => Val::List(a.iter().chain(b.iter()).cloned().collect()),
        (_, a, b) => {
            let Some((a, b)) = a.number().zip(b.number()) else {
                return Val::unknown("these values cannot be calculated with");
            };
            let value = match op {
                Add => decimal::add(a, b),
                Subtract => decimal::subtract(a, b),
                Multiply => decimal::multiply(a, b),
                Divide => decimal::divide(a, b),
                Modulo => decimal::modulo(a, b),
            };
            value.map_or(
                Val::unknown("division by zero, or a number too large"),
                Val::Decimal,
            )
        }
    }
}

fn shift<'r>(time: DateTime, by: CalendarDuration, zone: &Zone) -> Val<'r> {
    date_arithmetic::plus_in(time, by, zone).map_or(
        Val::unknown("a date outside the years 1 to 9999"),
        Val::Time,
    )
}

pub(super) fn negate(value: Val<'_>) -> Val<'_> {
    match value {
        Val::Int(i) => i
            .checked_neg()
            .map_or(Val::unknown("a number too large"), Val::Int),
        Val::Decimal(d) => Val::Decimal(decimal::negate(d)),
        Val::Duration(d) => Val::Duration(d.negated()),
        Val::Between(least, most, reason) => {
            Val::Between(decimal::negate(most), decimal::negate(least), reason)
        }
        other => other,
    }
}
