//! §16 Arithmetic operators, those about where values end: `MaxValue`, `MinValue`, `Successor`,
//! `Predecessor`, `HighBoundary`, `LowBoundary`, `Precision` (CQL 1.5, appendix B).

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::arithmetic::{decimal, operand};
use crate::operators::date_arithmetic;
use crate::operators::{datetime, quantity};
use crate::values::value::{PointType, Val};
use engine_patient::system::date_time::Precision;
use engine_patient::system::decimal;

/// `decimal::MAX` below zero.
const LEAST: Decimal = Decimal::from_parts(268_435_455, 1_042_612_833, 542_101_086, true, 8);

/// The least or greatest value of a point type; null of quantities and unknown types.
pub fn end_of<'a>(cx: &Cx<'a>, of: PointType, high: bool) -> Val<'a> {
    match (of, high) {
        (PointType::Integer, true) => Val::Integer(i32::MAX),
        (PointType::Integer, false) => Val::Integer(i32::MIN),
        (PointType::Long, true) => Val::Long(i64::MAX),
        (PointType::Long, false) => Val::Long(i64::MIN),
        (PointType::Decimal, true) => Val::Decimal(decimal::MAX),
        (PointType::Decimal, false) => Val::Decimal(LEAST),
        (PointType::Date | PointType::DateTime | PointType::Time, true) => datetime::max_of(cx, of),
        (PointType::Date | PointType::DateTime | PointType::Time, false) => {
            datetime::min_of(cx, of)
        }
        (PointType::Quantity | PointType::Unknown, _) => Val::Null,
    }
}

/// `MaxValue`: the type stands beside it.
pub fn max_value<'a>(cx: &Cx<'a>, _args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    Ok(end_of(cx, extra.point, true))
}

/// `MinValue`: the type stands beside it.
pub fn min_value<'a>(cx: &Cx<'a>, _args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    Ok(end_of(cx, extra.point, false))
}

/// The next number or quantity, `None` at the end of its type or of anything else.
fn neighbour<'a>(cx: &Cx<'a>, value: Val<'a>, up: bool) -> Result<Option<Val<'a>>, Fault> {
    let step = |value| {
        if up {
            decimal::add(value, decimal::STEP)
        } else {
            decimal::subtract(value, decimal::STEP)
        }
    };
    let by = if up { 1 } else { -1 };
    Ok(match value {
        Val::Integer(v) => v.checked_add(by).map(Val::Integer),
        Val::Long(v) => v.checked_add(i64::from(by)).map(Val::Long),
        Val::Decimal(v) => step(v).map(Val::Decimal),
        Val::Quantity(q) => match step(q.value) {
            Some(value) => Some(cx.quantity(value, q.unit)?),
            None => None,
        },
        _ => None,
    })
}

/// `Successor` of any value. The conformance suite has the end of a type as an error.
pub fn successor_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Date(_) | Val::DateTime(_) | Val::Time(_) => date_arithmetic::successor(cx, value),
        Val::Integer(_) | Val::Long(_) | Val::Decimal(_) | Val::Quantity(_) => {
            neighbour(cx, value, true)?.ok_or_else(|| {
                Fault::Raised("successor: the value is the greatest of its type".to_owned())
            })
        }
        _ => Ok(Val::Null),
    }
}

/// `Predecessor` of any value. See [`successor_of`].
pub fn predecessor_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Date(_) | Val::DateTime(_) | Val::Time(_) => date_arithmetic::predecessor(cx, value),
        Val::Integer(_) | Val::Long(_) | Val::Decimal(_) | Val::Quantity(_) => {
            neighbour(cx, value, false)?.ok_or_else(|| {
                Fault::Raised("predecessor: the value is the least of its type".to_owned())
            })
        }
        _ => Ok(Val::Null),
    }
}

/// `Successor`
pub fn successor<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    successor_of(cx, operand(args, 0))
}

/// `Predecessor`
pub fn predecessor<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    predecessor_of(cx, operand(args, 0))
}

/// Digits that are known: of a Decimal, those after the point.
fn digits(value: Val<'_>) -> Option<i32> {
    let of_date = |precision| match precision {
        Precision::Year => 4,
        Precision::Month => 6,
        Precision::Day => 8,
        Precision::Hour => 10,
        Precision::Minute => 12,
        Precision::Second => 14,
        Precision::Millisecond => 17,
    };
    match value {
        Val::Decimal(v) => i32::try_from(v.scale()).ok(),
        Val::Date(d) | Val::DateTime(d) => Some(of_date(d.precision())),
        // Those of a date-time without the eight of the day.
        Val::Time(t) => Some(of_date(t.precision) - 8),
        _ => None,
    }
}

/// `Precision`
pub fn precision<'a>(_cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(digits(operand(args, 0)).map_or(Val::Null, Val::Integer))
}

/// The Decimal furthest from zero (or nearest to it) that begins with the digits of `value`: they
/// are completed with nines (or zeros), as `HighBoundary(1.587, 8)` is 1.58799999.
fn completed(value: Decimal, places: u32, away: bool) -> Option<Decimal> {
    let size = value.abs();
    if places <= size.scale() {
        // Fewer digits are asked for than are known.
        return Some(size.trunc_with_scale(places));
    }
    let mut size = size;
    if away {
        let unit = Decimal::new(1, size.scale()) - Decimal::new(1, places);
        size = decimal::add(size, unit)?;
    }
    size.rescale(places);
    Some(size)
}

fn boundary<'a>(args: &[Val<'a>], high: bool) -> Out<'a> {
    let places = match operand(args, 1) {
        Val::Null => decimal::PLACES,
        Val::Integer(places) => match u32::try_from(places) {
            Ok(places) if places <= decimal::PLACES => places,
            _ => return Ok(Val::Null),
        },
        _ => return Ok(Val::Null),
    };
    let Some(value) = quantity::of_number(&operand(args, 0)) else {
        return Ok(Val::Null);
    };
    let negative = value.is_sign_negative() && !value.is_zero();
    // The digits belong to the size: of a negative number, the greatest completion is the smallest.
    let size = completed(value, places, high != negative);
    decimal(size.map(|size| {
        if negative {
            decimal::negate(size)
        } else {
            size
        }
    }))
}

fn is_temporal(value: &Val<'_>) -> bool {
    matches!(value, Val::Date(_) | Val::DateTime(_) | Val::Time(_))
}

/// `HighBoundary` (value, precision)
pub fn high_boundary<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    if is_temporal(&operand(args, 0)) {
        return date_arithmetic::high_boundary(cx, args);
    }
    boundary(args, true)
}

/// `LowBoundary` (value, precision)
pub fn low_boundary<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    if is_temporal(&operand(args, 0)) {
        return date_arithmetic::low_boundary(cx, args);
    }
    boundary(args, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::{read, run, show};

    #[test]
    fn ends_of_types() {
        let all = [
            (PointType::Integer, "-2147483648", "2147483647"),
            (
                PointType::Long,
                "-9223372036854775808L",
                "9223372036854775807L",
            ),
            (
                PointType::Decimal,
                "-99999999999999999999.99999999",
                "99999999999999999999.99999999",
            ),
            (PointType::Quantity, "null", "null"),
            (PointType::Date, "@0001-01-01", "@9999-12-31"),
            (
                PointType::DateTime,
                "@0001-01-01T00:00:00.000Z",
                "@9999-12-31T23:59:59.999Z",
            ),
            (PointType::Time, "@T00:00:00.000", "@T23:59:59.999"),
            (PointType::Unknown, "null", "null"),
        ];
        run(|cx| {
            for (of, least, most) in all {
                assert_eq!(show(end_of(cx, of, false)), least);
                assert_eq!(show(end_of(cx, of, true)), most);
            }
        });
    }

    #[test]
    fn neighbours() {
        run(|cx| {
            for (value, before, after) in [
                ("null", "null", "null"),
                ("0", "-1", "1"),
                ("1L", "0L", "2L"),
                ("1.0", "0.99999999", "1.00000001"),
                ("1.01", "1.00999999", "1.01000001"),
                ("1.0 'cm'", "0.99999999 'cm'", "1.00000001 'cm'"),
                ("2147483647", "2147483646", "error"),
                ("-2147483648", "error", "-2147483647"),
                ("9223372036854775807L", "9223372036854775806L", "error"),
            ] {
                let value = read(cx, value);
                let text = |out: Out<'_>| out.map_or("error".to_owned(), show);
                assert_eq!(text(predecessor_of(cx, value)), before);
                assert_eq!(text(successor_of(cx, value)), after);
            }
            assert!(successor_of(cx, Val::Decimal(decimal::MAX)).is_err());
            assert!(predecessor_of(cx, Val::Decimal(LEAST)).is_err());
        });
    }

    #[test]
    fn boundaries() {
        run(|cx| {
            for (value, places, low, high) in [
                ("1.587", "8", "1.58700000", "1.58799999"),
                ("1.587", "null", "1.58700000", "1.58799999"),
                ("1.587", "4", "1.5870", "1.5879"),
                ("1.587", "3", "1.587", "1.587"),
                ("1.587", "2", "1.58", "1.58"),
                ("-1.587", "8", "-1.58799999", "-1.58700000"),
                ("1", "2", "1.00", "1.99"),
                ("1.587", "9", "null", "null"),
                ("1.587", "-1", "null", "null"),
                ("null", "8", "null", "null"),
            ] {
                let args = [read(cx, value), read(cx, places)];
                let extra = Extra::default();
                assert_eq!(show(low_boundary(cx, &args, &extra).unwrap()), low);
                assert_eq!(show(high_boundary(cx, &args, &extra).unwrap()), high);
            }
        });
    }

    #[test]
    fn precisions() {
        run(|cx| {
            for (value, expected) in [
                ("1.58700", "5"),
                ("@2014", "4"),
                ("@2014-01-05T10:30:00.000Z", "17"),
                ("@T10:30", "4"),
                ("@T10:30:00.000", "9"),
                ("null", "null"),
            ] {
                let out = precision(cx, &[read(cx, value)], &Extra::default()).unwrap();
                assert_eq!(show(out), expected);
            }
        });
    }
}
