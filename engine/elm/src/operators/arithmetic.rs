//! §16 Arithmetic operators (CQL 1.5, appendix B).
//!
//! What overflows, or has no value such as a division by zero, is null. Operands of mixed types are
//! promoted: Integer, Long, Decimal, Quantity. Dates go to `datetime.rs`, quantities to
//! `quantity.rs`, boundaries and neighbours of values to `bounds.rs`.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::context::fault::{Fault, Out};
use crate::context::state::EvaluationState;
use crate::operators::date_arithmetic;
use crate::operators::operator::Attributes;
use crate::operators::quantity;
use crate::values::value::{Quantity, Val};
use engine_patient::system::decimal;
use engine_patient::system::exponentials;

/// The operand at this place. An operator is given as many as it takes (`Operator::takes`); one that may
/// be left out of the ELM is null.
pub(crate) fn operand<'a>(args: &[Val<'a>], at: usize) -> Val<'a> {
    args.get(at).copied().unwrap_or(Val::Null)
}

/// Two operands of one type.
enum Pair<'a> {
    Integer(i32, i32),
    Long(i64, i64),
    Decimal(Decimal, Decimal),
    Quantity(Quantity<'a>, Quantity<'a>),
}

/// Both promoted to the wider of their types; `None` where one is null or no number.
fn pair<'a>(a: Val<'a>, b: Val<'a>) -> Option<Pair<'a>> {
    Some(match (a, b) {
        (Val::Integer(a), Val::Integer(b)) => Pair::Integer(a, b),
        (Val::Integer(a), Val::Long(b)) => Pair::Long(i64::from(a), b),
        (Val::Long(a), Val::Integer(b)) => Pair::Long(a, i64::from(b)),
        (Val::Long(a), Val::Long(b)) => Pair::Long(a, b),
        (Val::Quantity(_), _) | (_, Val::Quantity(_)) => {
            Pair::Quantity(quantity::of(a)?, quantity::of(b)?)
        }
        _ => Pair::Decimal(quantity::of_number(&a)?, quantity::of_number(&b)?),
    })
}

fn integer<'a>(value: Option<i32>) -> Out<'a> {
    Ok(value.map_or(Val::Null, Val::Integer))
}

fn long<'a>(value: Option<i64>) -> Out<'a> {
    Ok(value.map_or(Val::Null, Val::Long))
}

pub(crate) fn decimal<'a>(value: Option<Decimal>) -> Out<'a> {
    Ok(value.map_or(Val::Null, Val::Decimal))
}

/// The order of two plain numbers.
fn numeric_order(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    Some(quantity::of_number(a)?.cmp(&quantity::of_number(b)?))
}

/// Bounds of an operand: of a plain one, twice itself.
fn bounds<'a>(value: Val<'a>) -> (Val<'a>, Val<'a>) {
    match value {
        Val::Uncertain(pair) => *pair,
        plain => (plain, plain),
    }
}

/// A number between two bounds: a plain one where they meet.
pub(crate) fn between<'a>(cx: &EvaluationState<'a>, low: Val<'a>, high: Val<'a>) -> Out<'a> {
    if numeric_order(&low, &high) == Some(Ordering::Equal) {
        return Ok(low);
    }
    cx.uncertain(low, high)
}

/// An operator that goes only up or only down in each operand has its least and greatest value where
/// the operands have theirs (CQL 1.5, appendix H).
fn corners<'a>(
    cx: &EvaluationState<'a>,
    a: Val<'a>,
    b: Val<'a>,
    operator: fn(&EvaluationState<'a>, Val<'a>, Val<'a>) -> Out<'a>,
) -> Out<'a> {
    let ((a0, a1), (b0, b1)) = (bounds(a), bounds(b));
    let mut range: Option<(Val<'a>, Val<'a>)> = None;
    for (x, y) in [(a0, b0), (a0, b1), (a1, b0), (a1, b1)] {
        let value = operator(cx, x, y)?;
        if quantity::of_number(&value).is_none() {
            return Ok(Val::Null);
        }
        let (low, high) = range.unwrap_or((value, value));
        range = Some((
            if numeric_order(&value, &low) == Some(Ordering::Less) {
                value
            } else {
                low
            },
            if numeric_order(&value, &high) == Some(Ordering::Greater) {
                value
            } else {
                high
            },
        ));
    }
    match range {
        Some((low, high)) => between(cx, low, high),
        None => Ok(Val::Null),
    }
}

fn is_uncertain(a: &Val<'_>, b: &Val<'_>) -> bool {
    matches!(a, Val::Uncertain(_)) || matches!(b, Val::Uncertain(_))
}

/// Whether zero may be what a divisor is.
fn may_be_zero(value: Val<'_>) -> bool {
    let (low, high) = bounds(value);
    match (quantity::of_number(&low), quantity::of_number(&high)) {
        (Some(low), Some(high)) => low <= Decimal::ZERO && high >= Decimal::ZERO,
        _ => true,
    }
}

/// `a + b` of any operands.
pub fn sum<'a>(cx: &EvaluationState<'a>, a: Val<'a>, b: Val<'a>) -> Out<'a> {
    match (a, b) {
        (Val::Date(_) | Val::DateTime(_) | Val::Time(_), Val::Quantity(q)) => {
            return date_arithmetic::plus(cx, a, q, 1);
        }
        _ if is_uncertain(&a, &b) => return corners(cx, a, b, sum),
        _ => {}
    }
    match pair(a, b) {
        Some(Pair::Integer(a, b)) => integer(a.checked_add(b)),
        Some(Pair::Long(a, b)) => long(a.checked_add(b)),
        Some(Pair::Decimal(a, b)) => decimal(decimal::add(a, b)),
        Some(Pair::Quantity(a, b)) => quantity::add(cx, &a, &b),
        None => Ok(Val::Null),
    }
}

/// `Add`
pub fn add<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    sum(cx, operand(args, 0), operand(args, 1))
}

/// `a - b` of any operands.
pub fn difference<'a>(cx: &EvaluationState<'a>, a: Val<'a>, b: Val<'a>) -> Out<'a> {
    match (a, b) {
        (Val::Date(_) | Val::DateTime(_) | Val::Time(_), Val::Quantity(q)) => {
            return date_arithmetic::plus(cx, a, q, -1);
        }
        _ if is_uncertain(&a, &b) => return corners(cx, a, b, difference),
        _ => {}
    }
    match pair(a, b) {
        Some(Pair::Integer(a, b)) => integer(a.checked_sub(b)),
        Some(Pair::Long(a, b)) => long(a.checked_sub(b)),
        Some(Pair::Decimal(a, b)) => decimal(decimal::subtract(a, b)),
        Some(Pair::Quantity(a, b)) => quantity::subtract(cx, &a, &b),
        None => Ok(Val::Null),
    }
}

/// `Subtract`
pub fn subtract<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    difference(cx, operand(args, 0), operand(args, 1))
}

/// `a * b` of any operands.
pub fn product<'a>(cx: &EvaluationState<'a>, a: Val<'a>, b: Val<'a>) -> Out<'a> {
    if is_uncertain(&a, &b) {
        return corners(cx, a, b, product);
    }
    match pair(a, b) {
        Some(Pair::Integer(a, b)) => integer(a.checked_mul(b)),
        Some(Pair::Long(a, b)) => long(a.checked_mul(b)),
        Some(Pair::Decimal(a, b)) => decimal(decimal::multiply(a, b)),
        Some(Pair::Quantity(a, b)) => quantity::multiply(cx, &a, &b),
        None => Ok(Val::Null),
    }
}

/// `Multiply`
pub fn multiply<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    product(cx, operand(args, 0), operand(args, 1))
}

/// `a / b` of any operands: of integers too a Decimal.
pub fn quotient<'a>(cx: &EvaluationState<'a>, a: Val<'a>, b: Val<'a>) -> Out<'a> {
    if is_uncertain(&a, &b) {
        if may_be_zero(b) {
            return Ok(Val::Null);
        }
        return corners(cx, a, b, quotient);
    }
    match pair(a, b) {
        Some(Pair::Integer(a, b)) => decimal(decimal::divide(a.into(), b.into())),
        Some(Pair::Long(a, b)) => decimal(decimal::divide(a.into(), b.into())),
        Some(Pair::Decimal(a, b)) => decimal(decimal::divide(a, b)),
        Some(Pair::Quantity(a, b)) => quantity::divide(cx, &a, &b),
        None => Ok(Val::Null),
    }
}

/// `Divide`
pub fn divide<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    quotient(cx, operand(args, 0), operand(args, 1))
}

fn whole_quotient<'a>(cx: &EvaluationState<'a>, a: Val<'a>, b: Val<'a>) -> Out<'a> {
    if matches!(b, Val::Uncertain(_)) {
        // The conformance suite has this as an error; a divisor that is known is none.
        return Err(Fault::Raised("div: the divisor is uncertain".to_owned()));
    }
    if is_uncertain(&a, &b) {
        if may_be_zero(b) {
            return Ok(Val::Null);
        }
        return corners(cx, a, b, whole_quotient);
    }
    match pair(a, b) {
        Some(Pair::Integer(a, b)) => integer(a.checked_div(b)),
        Some(Pair::Long(a, b)) => long(a.checked_div(b)),
        Some(Pair::Decimal(a, b)) => decimal(decimal::truncated_divide(a, b)),
        Some(Pair::Quantity(a, b)) => quantity::truncated_divide(cx, &a, &b),
        None => Ok(Val::Null),
    }
}

/// `TruncatedDivide`
pub fn truncated_divide<'a>(
    cx: &EvaluationState<'a>,
    args: &[Val<'a>],
    _extra: &Attributes,
) -> Out<'a> {
    whole_quotient(cx, operand(args, 0), operand(args, 1))
}

/// `Modulo`
pub fn modulo<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    match pair(operand(args, 0), operand(args, 1)) {
        // The remainder of the least integer by -1 is zero, though the quotient overflows.
        Some(Pair::Integer(_, -1)) => integer(Some(0)),
        Some(Pair::Long(_, -1)) => long(Some(0)),
        Some(Pair::Integer(a, b)) => integer(a.checked_rem(b)),
        Some(Pair::Long(a, b)) => long(a.checked_rem(b)),
        Some(Pair::Decimal(a, b)) => decimal(decimal::modulo(a, b)),
        Some(Pair::Quantity(a, b)) => quantity::modulo(cx, &a, &b),
        None => Ok(Val::Null),
    }
}

fn absolute<'a>(cx: &EvaluationState<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Integer(v) => integer(v.checked_abs()),
        Val::Long(v) => long(v.checked_abs()),
        Val::Decimal(v) => decimal(Some(v.abs())),
        Val::Quantity(q) => quantity::abs(cx, q),
        Val::Uncertain(&(low, high)) => {
            let (x, y) = (absolute(cx, low)?, absolute(cx, high)?);
            let (least, most) = match numeric_order(&x, &y) {
                None => return Ok(Val::Null),
                Some(Ordering::Greater) => (y, x),
                Some(_) => (x, y),
            };
            let least = match least {
                _ if !may_be_zero(value) => least,
                Val::Integer(_) => Val::Integer(0),
                Val::Long(_) => Val::Long(0),
                _ => Val::Decimal(Decimal::ZERO),
            };
            between(cx, least, most)
        }
        _ => Ok(Val::Null),
    }
}

/// `Abs`
pub fn abs<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    absolute(cx, operand(args, 0))
}

fn opposite<'a>(cx: &EvaluationState<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Integer(v) => integer(v.checked_neg()),
        Val::Long(v) => long(v.checked_neg()),
        Val::Decimal(v) => decimal(Some(decimal::negate(v))),
        Val::Quantity(q) => quantity::negate(cx, q),
        Val::Uncertain(&(low, high)) => {
            let (x, y) = (opposite(cx, high)?, opposite(cx, low)?);
            match numeric_order(&x, &y) {
                None => Ok(Val::Null),
                Some(_) => between(cx, x, y),
            }
        }
        _ => Ok(Val::Null),
    }
}

/// `Negate`
pub fn negate<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    opposite(cx, operand(args, 0))
}

/// A Decimal to an Integer by a rounding that keeps order, so that it goes through bounds too.
fn to_whole<'a>(
    cx: &EvaluationState<'a>,
    value: Val<'a>,
    rounding: fn(&Decimal) -> Decimal,
) -> Out<'a> {
    if let Val::Uncertain(&(low, high)) = value {
        let (x, y) = (to_whole(cx, low, rounding)?, to_whole(cx, high, rounding)?);
        return match numeric_order(&x, &y) {
            None => Ok(Val::Null),
            Some(_) => between(cx, x, y),
        };
    }
    integer(quantity::of_number(&value).and_then(|v| decimal::integer(rounding(&v))))
}

/// `Ceiling`
pub fn ceiling<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    to_whole(cx, operand(args, 0), Decimal::ceil)
}

/// `Floor`
pub fn floor<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    to_whole(cx, operand(args, 0), Decimal::floor)
}

/// `Truncate`
pub fn truncate<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    to_whole(cx, operand(args, 0), Decimal::trunc)
}

/// `value` rounded half away from zero; a negative precision is of tens, hundreds and so on.
fn rounded(value: Decimal, precision: i32) -> Option<Decimal> {
    let places = precision.unsigned_abs();
    if precision >= 0 {
        return decimal::fit(decimal::round(value, places));
    }
    let Some(ten) = decimal::ten_i128(places).filter(|_| places <= 21) else {
        return Some(Decimal::ZERO);
    };
    let ten = Decimal::from_i128_with_scale(ten, 0);
    decimal::fit(decimal::round(value.checked_div(ten)?, 0).checked_mul(ten)?)
}

/// `Round` (value, precision)
pub fn round<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    let precision = match operand(args, 1) {
        Val::Integer(precision) => precision,
        Val::Null => 0,
        _ => return Ok(Val::Null),
    };
    match operand(args, 0) {
        Val::Quantity(q) => match rounded(q.value, precision) {
            Some(value) => cx.quantity(value, q.unit),
            None => Ok(Val::Null),
        },
        Val::Uncertain(&(low, high)) => {
            let end = |v| quantity::of_number(&v).and_then(|v| rounded(v, precision));
            match (end(low), end(high)) {
                (Some(low), Some(high)) => between(cx, Val::Decimal(low), Val::Decimal(high)),
                _ => Ok(Val::Null),
            }
        }
        value => decimal(quantity::of_number(&value).and_then(|v| rounded(v, precision))),
    }
}

/// `Exp`. The conformance suite has an overflow here as an error.
pub fn exp<'a>(_cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    match quantity::of_number(&operand(args, 0)) {
        None => Ok(Val::Null),
        Some(value) => match exponentials::exp(value) {
            None => Err(Fault::Raised("Exp: the result is out of range".to_owned())),
            result => decimal(result),
        },
    }
}

/// `Ln`. The conformance suite has that of zero as an error, that of a negative number as null.
pub fn ln<'a>(_cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    match quantity::of_number(&operand(args, 0)) {
        Some(value) if value.is_zero() => {
            Err(Fault::Raised("Ln: zero has no logarithm".to_owned()))
        }
        value => decimal(value.and_then(exponentials::ln)),
    }
}

/// `Log` (value, base)
pub fn log<'a>(_cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    let value = quantity::of_number(&operand(args, 0));
    let base = quantity::of_number(&operand(args, 1));
    decimal(value.zip(base).and_then(|(v, b)| exponentials::log(v, b)))
}

/// `Power`. Of integers it is one, except for a negative exponent, which makes it a Decimal.
pub fn power<'a>(_cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    match pair(operand(args, 0), operand(args, 1)) {
        Some(Pair::Integer(a, b)) => match u32::try_from(b) {
            Ok(b) => integer(a.checked_pow(b)),
            Err(_) => decimal(exponentials::power(a.into(), b.into())),
        },
        Some(Pair::Long(a, b)) => match u64::try_from(b) {
            // Of a great exponent, only these have powers that fit; parity is kept.
            Ok(b) => {
                let small = if matches!(a, -1..=1) {
                    b % 2 + 2 * u64::from(b > 1)
                } else {
                    b
                };
                long(u32::try_from(small).ok().and_then(|b| a.checked_pow(b)))
            }
            Err(_) => decimal(exponentials::power(a.into(), b.into())),
        },
        Some(Pair::Decimal(a, b)) => decimal(exponentials::power(a, b)),
        Some(Pair::Quantity(..)) | None => Ok(Val::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::{read, run, show};

    type Operator = for<'a> fn(&EvaluationState<'a>, &[Val<'a>], &Attributes) -> Out<'a>;

    fn check(operator: Operator, cases: &[(&str, &str)]) {
        run(|cx| {
            for (operands, expected) in cases {
                let args: Vec<Val<'_>> = operands.split(", ").map(|text| read(cx, text)).collect();
                let got = match operator(cx, &args, &Attributes::default()) {
                    Ok(value) => show(value),
                    Err(Fault::Raised(_)) => "error".to_owned(),
                    Err(fault) => panic!("{fault}"),
                };
                assert_eq!(got, *expected, "{operands}");
            }
        });
    }

    #[test]
    fn sums_and_differences() {
        check(
            add,
            &[
                ("1, null", "null"),
                ("1, 1", "2"),
                ("1L, 2", "3L"),
                ("1, 2.0", "3.0"),
                ("1L, 2.5", "3.5"),
                ("1 'm', 2 'cm'", "102 'cm'"),
                ("1, 2 '1'", "3 '1'"),
                ("2147483647, 1", "null"),
                ("9223372036854775807L, 1", "null"),
                ("99999999999999999999.99999999, 0.00000001", "null"),
                ("1..3, 2", "3..5"),
                ("1..3, 2..5", "3..8"),
                ("1..2147483647, 1", "null"),
            ],
        );
        check(
            subtract,
            &[
                ("1, 1", "0"),
                ("1.0, 2.0", "-1.0"),
                ("-2147483648, 1", "null"),
                ("1 'cm', 2 'cm'", "-1 'cm'"),
                ("1..3, 2..5", "-4..1"),
                ("10, 2..5", "5..8"),
                ("1 'cm', 2 'g'", "null"),
            ],
        );
    }

    #[test]
    fn products_and_quotients() {
        check(
            multiply,
            &[
                ("1, null", "null"),
                ("2L, 3L", "6L"),
                ("1, 2.0", "2.0"),
                ("1.0 'cm', 2.0 'cm'", "2.00 'cm2'"),
                ("65536, 65536", "null"),
                ("65536L, 65536", "4294967296L"),
                ("-2..3, 4..5", "-10..15"),
                ("2, 3..3", "6"),
            ],
        );
        check(
            divide,
            &[
                ("1, 0", "null"),
                ("0, 1", "0"),
                ("1, 1", "1"),
                ("1L, 4L", "0.25"),
                ("10, 3", "3.33333333"),
                ("1 'g/cm3', 1 'g/cm3'", "1 '1'"),
                ("10, 5.0", "2"),
                ("10 'mg', 4", "2.5 'mg'"),
                ("10..20, 4", "2.5..5"),
                ("10, 0..4", "null"),
            ],
        );
        check(
            truncated_divide,
            &[
                ("2, 1", "2"),
                ("2, 0", "null"),
                ("10L, 3L", "3L"),
                ("10.1, 3.1", "3"),
                ("10.1, 0.0", "null"),
                ("-10, 3", "-3"),
                ("10.1, -3.1", "-3"),
                ("10, 5.0", "2"),
                ("-2147483648, -1", "null"),
                ("10.0 'g', 5.0 'g'", "2 'g'"),
                ("10.0 'g', 0.0 'g'", "null"),
                ("10..21, 4", "2..5"),
                ("10..21, 0", "null"),
                ("10..21, 4..5", "error"),
            ],
        );
        check(
            modulo,
            &[
                ("1, null", "null"),
                ("10, 3", "1"),
                ("-10, 3", "-1"),
                ("4L, 2L", "0L"),
                ("10, 3.0", "1.0"),
                ("3.5, 3", "0.5"),
                ("1, 0", "null"),
                ("-2147483648, -1", "0"),
                ("10.0 'g', 0.0 'g'", "null"),
                ("3.5 'cm', 3 'cm'", "0.5 'cm'"),
            ],
        );
    }

    #[test]
    fn signs() {
        check(
            abs,
            &[
                ("null", "null"),
                ("-1.0", "1.0"),
                ("-1L", "1L"),
                ("-2147483648", "null"),
                ("-1.0 'cm'", "1.0 'cm'"),
                ("-3..2", "0..3"),
                ("-3..-2", "2..3"),
            ],
        );
        check(
            negate,
            &[
                ("0", "0"),
                ("0.0", "0.0"),
                ("-1L", "1L"),
                ("-2147483648", "null"),
                ("-9223372036854775808L", "null"),
                ("3 'cm'", "-3 'cm'"),
                ("-3..2", "-2..3"),
            ],
        );
    }

    #[test]
    fn whole_numbers() {
        check(
            ceiling,
            &[
                ("null", "null"),
                ("1.0", "1"),
                ("1.1", "2"),
                ("-0.1", "0"),
                ("-1.1", "-1"),
                ("2147483647.2", "null"),
                ("-2147483648.2", "-2147483648"),
                ("-2147483649.2", "null"),
                ("7", "7"),
            ],
        );
        check(
            floor,
            &[
                ("1.1", "1"),
                ("-1.1", "-2"),
                ("2147483647.2", "2147483647"),
                ("2147483648.2", "null"),
                ("-2147483648.2", "null"),
            ],
        );
        check(
            truncate,
            &[
                ("0.1", "0"),
                ("1.9", "1"),
                ("-1.9", "-1"),
                ("1.5..2.5", "1..2"),
            ],
        );
        check(
            round,
            &[
                ("null", "null"),
                ("1", "1"),
                ("0.5", "1"),
                ("-0.5", "-1"),
                ("-0.4", "0"),
                ("3.14159, 3", "3.142"),
                ("3.14159, null", "3"),
                ("3.14159, 30", "3.14159"),
                ("155.0, -1", "160"),
                ("155.0, -3", "0"),
                ("155.0, -2147483648", "0"),
                ("2.54 'cm'", "3 'cm'"),
            ],
        );
    }

    #[test]
    fn functions() {
        check(
            exp,
            &[
                ("null", "null"),
                ("0", "1"),
                ("1L", "2.71828183"),
                ("1000.0", "error"),
            ],
        );
        check(
            ln,
            &[
                ("null", "null"),
                ("0", "error"),
                ("0.0", "error"),
                ("-1", "null"),
                ("1", "0"),
            ],
        );
        check(
            log,
            &[
                ("null, null", "null"),
                ("1, null", "null"),
                ("1, 1", "null"),
                ("0, 2", "null"),
                ("1L, 100L", "0"),
                ("16, 2", "4"),
                ("0.125, 2", "-3"),
            ],
        );
        check(
            power,
            &[
                ("null, 2", "null"),
                ("0, 0", "1"),
                ("-2, 2", "4"),
                ("2, -2", "0.25"),
                ("2.0, -2", "0.25"),
                ("2L, 3L", "8L"),
                ("2, 31", "null"),
                ("2, 30", "1073741824"),
                ("0, -1", "null"),
                ("2L, 63", "null"),
                ("-1L, 4294967297L", "-1L"),
                ("-1L, 4294967296L", "1L"),
                ("0L, 4294967296L", "0L"),
                ("0L, 0L", "1L"),
                ("-1L, 1L", "-1L"),
                ("2.0, 30.0", "1073741824"),
            ],
        );
    }
}
