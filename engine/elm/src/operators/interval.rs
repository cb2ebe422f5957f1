//! §19 Interval operators (CQL 1.5): the selector, the boundaries and what is measured of them.
//! Relations stand in `interval_relations`, sets in `interval_sets` and `interval_expand`.
//!
//! *Null boundaries* ("Interval values"). A closed one is the least or greatest value of the point
//! type. An open one is unknown: anywhere between that end of the type and the other boundary. So a
//! comparison can still be decided: `Interval[1, null)` does not contain 0, whatever its end.
//!
//! An interval whose boundaries are both null and of no type counts as null itself, as the official
//! suite has it (`TestPointFromNull`, `TestCollapseNull`).

use std::cmp::Ordering;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::bounds::{end_of, predecessor_of, successor_of};
use crate::operators::date_compare;
use crate::operators::{arithmetic, compare};
use crate::values::value::{Interval, PointType, Quantity, Val};
use engine_patient::system::date_time::Precision;

/// A point, or an end of its type.
#[derive(Clone, Copy)]
pub(crate) enum Edge<'a> {
    Min,
    At(Val<'a>),
    Max,
}

/// A boundary, included: one point where it is known, else anything from `least` to `most`.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a> {
    pub least: Edge<'a>,
    pub most: Edge<'a>,
    pub known: bool,
}

impl<'a> Bound<'a> {
    pub fn at(value: Val<'a>) -> Self {
        Self::known(Edge::At(value))
    }

    pub fn known(edge: Edge<'a>) -> Self {
        Bound {
            least: edge,
            most: edge,
            known: true,
        }
    }
}

/// Both boundaries of an interval, included; of a point, itself twice.
#[derive(Clone, Copy)]
pub(crate) struct Span<'a> {
    pub low: Bound<'a>,
    pub high: Bound<'a>,
    pub point: PointType,
}

impl<'a> Span<'a> {
    /// `None` of null, and of an interval that counts as null.
    pub fn of(cx: &Cx<'a>, value: Val<'a>) -> Result<Option<Self>, Fault> {
        match value {
            Val::Null => Ok(None),
            Val::Interval(interval) if is_nothing(interval) => Ok(None),
            Val::Interval(interval) => Self::of_interval(cx, interval).map(Some),
            point => Ok(Some(Span {
                low: Bound::at(point),
                high: Bound::at(point),
                point: PointType::of(&point),
            })),
        }
    }

    pub fn of_interval(cx: &Cx<'a>, interval: &Interval<'a>) -> Result<Self, Fault> {
        let low = match (interval.low, interval.low_closed) {
            (Val::Null, true) => Some(Edge::Min),
            (Val::Null, false) => None,
            (value, true) => Some(Edge::At(value)),
            (value, false) => Some(Edge::At(successor_of(cx, value)?)),
        };
        let high = match (interval.high, interval.high_closed) {
            (Val::Null, true) => Some(Edge::Max),
            (Val::Null, false) => None,
            (value, true) => Some(Edge::At(value)),
            (value, false) => Some(Edge::At(predecessor_of(cx, value)?)),
        };
        let unknown = |least, most| Bound {
            least,
            most,
            known: false,
        };
        Ok(Span {
            low: low.map_or_else(
                || unknown(Edge::Min, high.unwrap_or(Edge::Max)),
                Bound::known,
            ),
            high: high.map_or_else(
                || unknown(low.unwrap_or(Edge::Min), Edge::Max),
                Bound::known,
            ),
            point: interval.point,
        })
    }
}

/// Whether an interval counts as null: nothing is known of it, not even its type.
pub(crate) fn is_nothing(interval: &Interval<'_>) -> bool {
    interval.low.is_null() && interval.high.is_null() && interval.point == PointType::Unknown
}

/// Which of two points comes first, to a precision where they are dates or times.
pub(crate) fn order<'a>(
    cx: &Cx<'a>,
    a: Val<'a>,
    b: Val<'a>,
    precision: Option<Precision>,
) -> Result<Option<Ordering>, Fault> {
    match date_compare::order(&a, &b, precision, cx.zone) {
        Some(told) => Ok(told),
        None => compare::order(cx, a, b),
    }
}

/// Which of two edges comes first. The end of a type equals its least or greatest value; a quantity
/// has no such value that could be written in its unit.
pub(crate) fn order_edges<'a>(
    cx: &Cx<'a>,
    a: Edge<'a>,
    b: Edge<'a>,
    precision: Option<Precision>,
) -> Result<Option<Ordering>, Fault> {
    match (a, b) {
        (Edge::At(a), Edge::At(b)) => order(cx, a, b, precision),
        (Edge::Min, Edge::Min) | (Edge::Max, Edge::Max) => Ok(Some(Ordering::Equal)),
        (Edge::Min, Edge::Max) => Ok(Some(Ordering::Less)),
        (Edge::Max, Edge::Min) => Ok(Some(Ordering::Greater)),
        (Edge::Min, Edge::At(value)) => match end_of(cx, PointType::of(&value), false) {
            Val::Null => Ok(Some(Ordering::Less)),
            least => order(cx, least, value, precision),
        },
        (Edge::Max, Edge::At(value)) => match end_of(cx, PointType::of(&value), true) {
            Val::Null => Ok(Some(Ordering::Greater)),
            most => order(cx, most, value, precision),
        },
        (a, b) => Ok(order_edges(cx, b, a, precision)?.map(Ordering::reverse)),
    }
}

/// `Interval`: an error where it ends before it starts, as far as can be told.
pub fn make<'a>(
    cx: &Cx<'a>,
    low: Val<'a>,
    high: Val<'a>,
    low_closed: bool,
    high_closed: bool,
) -> Out<'a> {
    if !low.is_null() && !high.is_null() {
        let start = if low_closed {
            low
        } else {
            successor_of(cx, low)?
        };
        let end = if high_closed {
            high
        } else {
            predecessor_of(cx, high)?
        };
        if order(cx, start, end, None)? == Some(Ordering::Greater) {
            return Err(Fault::Raised(
                "an interval ends before it starts".to_owned(),
            ));
        }
    }
    cx.interval(low, high, low_closed, high_closed)
}

fn first<'a>(args: &[Val<'a>]) -> Option<&'a Interval<'a>> {
    match args.first() {
        Some(Val::Interval(interval)) if !is_nothing(interval) => Some(interval),
        _ => None,
    }
}

/// The end of a type; of quantities, in a unit.
fn end_in<'a>(cx: &Cx<'a>, of: PointType, high: bool, unit: &'a str) -> Out<'a> {
    match (of, end_of(cx, PointType::Decimal, high)) {
        (PointType::Quantity, Val::Decimal(value)) => cx.quantity(value, unit),
        _ => Ok(end_of(cx, of, high)),
    }
}

/// A boundary that is null and closed: the end of the type, for quantities in the unit of the other
/// boundary.
fn end_beside<'a>(cx: &Cx<'a>, interval: &Interval<'a>, high: bool) -> Out<'a> {
    let unit = match (interval.low, interval.high) {
        (Val::Quantity(Quantity { unit, .. }), _) | (_, Val::Quantity(Quantity { unit, .. })) => {
            unit
        }
        _ => "1",
    };
    end_in(cx, interval.point, high, unit)
}

/// `Start`: null where it is unknown.
pub fn start<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    match first(args) {
        None => Ok(Val::Null),
        Some(interval) => match (interval.low, interval.low_closed) {
            (Val::Null, true) => end_beside(cx, interval, false),
            (value, true) => Ok(value),
            (Val::Null, false) => Ok(Val::Null),
            (value, false) => successor_of(cx, value),
        },
    }
}

/// `End`: null where it is unknown.
pub fn end<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    match first(args) {
        None => Ok(Val::Null),
        Some(interval) => match (interval.high, interval.high_closed) {
            (Val::Null, true) => end_beside(cx, interval, true),
            (value, true) => Ok(value),
            (Val::Null, false) => Ok(Val::Null),
            (value, false) => predecessor_of(cx, value),
        },
    }
}

/// `PointFrom`: an error of an interval of more than one point.
pub fn point_from<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (start, end) = (start(cx, args, extra)?, end(cx, args, extra)?);
    match order(cx, start, end, None)? {
        Some(Ordering::Equal) => Ok(start),
        Some(_) => Err(Fault::Raised(
            "point from an interval of more than one point".to_owned(),
        )),
        None => Ok(Val::Null),
    }
}

/// `Width`: not defined of dates and times.
pub fn width<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let Some(interval) = first(args) else {
        return Ok(Val::Null);
    };
    if matches!(
        interval.point,
        PointType::Date | PointType::DateTime | PointType::Time
    ) {
        return Err(Fault::Raised(
            "width and size are not defined of intervals of dates or times".to_owned(),
        ));
    }
    let (start, end) = (start(cx, args, extra)?, end(cx, args, extra)?);
    arithmetic::subtract(cx, &[end, start], &Extra::default())
}

/// `Size`: the width and one step of the point type.
pub fn size<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let width = width(cx, args, extra)?;
    // Of a number, the step is the distance to its successor.
    let step = match width {
        Val::Null => return Ok(Val::Null),
        Val::Integer(_) => Val::Integer(1),
        Val::Long(_) => Val::Long(1),
        Val::Decimal(_) => Val::Decimal(rust_decimal::Decimal::new(1, 8)),
        Val::Quantity(q) => cx.quantity(rust_decimal::Decimal::new(1, 8), q.unit)?,
        _ => return Ok(Val::Null),
    };
    arithmetic::add(cx, &[width, step], &Extra::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing_dates::{point, run, show, span};

    #[test]
    fn boundaries() {
        let cases = [
            ("[1, 10]", "1", "10"),
            ("(1, 10)", "2", "9"),
            ("[1, null)", "1", "null"),
            ("[null, 5]", "-2147483648", "5"),
            ("[1 g, null]", "1 g", "99999999999999999999.99999999 g"),
            ("(2024-01-01, 2024-02-01)", "2024-01-02", "2024-01-31"),
            (
                "[2024-01-01, null]",
                "2024-01-01",
                "9999-12-31T23:59:59.999Z",
            ),
            ("[null, 2024-01-01D]", "0001-01-01D", "2024-01-01D"),
            (
                "date [null, null]",
                "0001-01-01T00:00:00.000Z",
                "9999-12-31T23:59:59.999Z",
            ),
            ("[null, null]", "null", "null"),
            ("null", "null", "null"),
        ];
        run(|cx| {
            for (interval, first, last) in cases {
                let args = [span(cx, interval)];
                let extra = Extra::default();
                assert_eq!(show(start(cx, &args, &extra)), first, "{interval}");
                assert_eq!(show(end(cx, &args, &extra)), last, "{interval}");
            }
        });
    }

    #[test]
    fn ends_of_types() {
        run(|cx| {
            assert_eq!(
                show(end_in(cx, PointType::Integer, false, "1")),
                "-2147483648"
            );
            assert_eq!(
                show(end_in(cx, PointType::Quantity, true, "1")),
                "99999999999999999999.99999999 1"
            );
            assert_eq!(show(end_in(cx, PointType::Date, false, "1")), "0001-01-01D");
            assert_eq!(
                show(end_in(cx, PointType::Time, true, "1")),
                "T23:59:59.999"
            );
            assert_eq!(show(end_in(cx, PointType::Unknown, false, "1")), "null");
        });
    }

    #[test]
    fn selector() {
        let cases = [
            ("1", "10", true, true, "[1, 10]"),
            ("5", "3", true, true, "raised"),
            ("5", "5", true, false, "raised"),
            ("5", "6", true, false, "[5, 6)"),
            ("5", "6", false, false, "raised"),
            ("5", "null", true, false, "[5, null)"),
            ("2024-02D", "2024-01-31D", true, true, "raised"),
            (
                "2024-01-31D",
                "2024-01D",
                true,
                true,
                "[2024-01-31D, 2024-01D]",
            ),
        ];
        run(|cx| {
            for (low, high, low_closed, high_closed, expected) in cases {
                let made = make(cx, point(cx, low), point(cx, high), low_closed, high_closed);
                assert_eq!(show(made), expected, "{low} {high}");
            }
        });
    }

    #[test]
    fn measures() {
        let cases = [
            ("[1, 1]", "1", "0", "1"),
            ("[4, 15)", "raised", "10", "11"),
            ("[4.0, 15.0]", "raised", "11.0", "11.00000001"),
            ("[1 g, 3 g]", "raised", "2 g", "2.00000001 g"),
            ("[1, null)", "null", "null", "null"),
            ("[2024-01-01, 2024-01-01]", "2024-01-01", "raised", "raised"),
            ("[null, null]", "null", "null", "null"),
        ];
        run(|cx| {
            for (interval, one, wide, big) in cases {
                let args = [span(cx, interval)];
                let extra = Extra::default();
                assert_eq!(show(point_from(cx, &args, &extra)), one, "{interval}");
                assert_eq!(show(width(cx, &args, &extra)), wide, "{interval}");
                assert_eq!(show(size(cx, &args, &extra)), big, "{interval}");
            }
        });
    }
}
