//! §19 Interval operators (CQL 1.5): `expand`, the intervals of one size (of a list), or the points
//! (of an interval), that intervals consist of.
//!
//! Boundaries more precise than `per` are cut to it; less precise ones give nothing. A last piece
//! that does not fit is left out. Numbers go by the last digit of `per`: `expand Interval[10, 10] per
//! 0.1` goes from 10.0 to 10.9. A boundary that is null gives null: a list to the end of time is of
//! no use.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::compare;
use crate::operators::date_compare;
use crate::operators::interval::{Bound, Edge, Span};
use crate::operators::interval_sets::{Per, coarsest, collapsed, distance_in, rebuilt, spans_of};
use crate::values::value::{PointType, Quantity, Val};
use engine_patient::system::compare::cut;
use engine_patient::system::date_arithmetic::step;
use engine_patient::system::date_time::Precision;

/// What is made of a piece: an interval, or its first point.
struct Pieces<'a> {
    points: bool,
    out: Vec<Val<'a>>,
    /// The end of the piece before.
    last: Option<Val<'a>>,
}

impl<'a> Pieces<'a> {
    /// Pieces that an earlier interval gave already are left out.
    fn push(&mut self, cx: &Cx<'a>, low: Val<'a>, high: Val<'a>) -> Result<(), Fault> {
        cx.charge(1)?;
        if let Some(last) = self.last
            && crate::operators::interval::order(cx, low, last, None)?.is_some_and(Ordering::is_le)
        {
            return Ok(());
        }
        cx.room(self.out.len())?;
        self.last = Some(high);
        let piece = if self.points {
            low
        } else {
            let span = Span {
                low: Bound::at(low),
                high: Bound::at(high),
                point: PointType::of(&low),
            };
            rebuilt(cx, span)?
        };
        self.out.push(piece);
        Ok(())
    }
}

/// `Expand`: of a list of intervals, or of one.
pub fn expand<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let (spans, points) = match args.first() {
        Some(Val::List(items)) => (spans_of(cx, items)?, false),
        Some(one @ Val::Interval(_)) => match Span::of(cx, *one)? {
            Some(span) => (vec![span], true),
            None => return Ok(Val::Null),
        },
        _ => return Ok(Val::Null),
    };
    let per = args.get(1).copied().unwrap_or(Val::Null);
    let unit = Quantity {
        value: Decimal::ONE,
        unit: "1",
    };
    let per = match Per::of(per, &spans) {
        Some(Per::Point(Some(precision))) => Per::Calendar(1, precision),
        Some(Per::Point(None)) => Per::Number(cx.keep(unit)?),
        Some(Per::Calendar(count, _)) if count <= 0 => return Ok(Val::Null),
        Some(Per::Number(q)) if q.value <= Decimal::ZERO => return Ok(Val::Null),
        Some(per) => per,
        None => return Ok(Val::Null),
    };
    let mut pieces = Pieces {
        points,
        out: vec![],
        last: None,
    };
    let joined = Per::Point(coarsest(&spans));
    for span in collapsed(cx, spans, joined)? {
        let (true, true) = (span.low.known, span.high.known) else {
            return Ok(Val::Null);
        };
        let (Edge::At(low), Edge::At(high)) = (span.low.least, span.high.least) else {
            return Ok(Val::Null);
        };
        let done = match per {
            Per::Calendar(count, precision) => {
                calendar(cx, &mut pieces, low, high, count, precision)?
            }
            Per::Number(per) => numbers(cx, &mut pieces, low, high, per)?,
            Per::Point(_) => false,
        };
        if !done {
            return Ok(Val::Null);
        }
    }
    cx.list(&pieces.out)
}

/// A date, date-time or time cut to a precision; `None` where it is not that precise.
fn cut_to<'a>(value: Val<'a>, precision: Precision) -> Option<Val<'a>> {
    match value {
        Val::Date(d) if d.precision >= precision => Some(Val::Date(cut(d, precision))),
        Val::DateTime(d) if d.precision >= precision => Some(Val::DateTime(cut(d, precision))),
        Val::Time(t) if t.precision >= precision => Some(Val::Time(t.cut(precision))),
        _ => None,
    }
}

fn stepped<'a>(value: Val<'a>, count: i64, precision: Precision) -> Option<Val<'a>> {
    match value {
        Val::Date(d) => step(d, count, precision).map(Val::Date),
        Val::DateTime(d) => step(d, count, precision).map(Val::DateTime),
        Val::Time(t) => t.step(count, precision).map(Val::Time),
        _ => None,
    }
}

fn calendar<'a>(
    cx: &Cx<'a>,
    pieces: &mut Pieces<'a>,
    low: Val<'a>,
    high: Val<'a>,
    count: i64,
    precision: Precision,
) -> Result<bool, Fault> {
    let (Some(start), Some(end)) = (cut_to(low, precision), cut_to(high, precision)) else {
        return Ok(true);
    };
    // Each piece is counted from the start, so that months do not lose their last days on the way.
    for i in 0i64.. {
        let Some((from, to)) = i
            .checked_mul(count)
            .and_then(|n| n.checked_add(count - 1).map(|last| (n, last)))
        else {
            break;
        };
        let (Some(from), Some(to)) = (
            stepped(start, from, precision),
            stepped(start, to, precision),
        ) else {
            break;
        };
        let fits = date_compare::order(&to, &end, None, cx.zone).flatten();
        if !fits.is_some_and(Ordering::is_le) {
            break;
        }
        pieces.push(cx, from, to)?;
    }
    Ok(true)
}

fn numbers<'a>(
    cx: &Cx<'a>,
    pieces: &mut Pieces<'a>,
    low: Val<'a>,
    high: Val<'a>,
    per: &Quantity<'a>,
) -> Result<bool, Fault> {
    let (low_value, high_value, per_value, unit) = match (low, high) {
        (Val::Quantity(a), Val::Quantity(b)) => {
            let plain = per.unit == "1" || per.unit.is_empty();
            let finer = !plain && cx.units.is_finer(a.unit, per.unit).unwrap_or(false);
            let unit = if finer { per.unit } else { a.unit };
            match (
                cx.units.convert(a.value, a.unit, unit),
                cx.units.convert(b.value, b.unit, unit),
                distance_in(cx, per, unit),
            ) {
                (Ok(low), Ok(high), Some(per)) => (low, high, per, Some(unit)),
                _ => return Ok(false),
            }
        }
        _ if per.unit != "1" && !per.unit.is_empty() => return Ok(false),
        _ => match (compare::number(&low), compare::number(&high)) {
            (Some(low), Some(high)) => (low, high, per.value, None),
            _ => return Ok(false),
        },
    };
    let per_value = per_value.normalize();
    let digits = per_value.scale();
    let grain = Decimal::new(1, digits);
    let whole = matches!(high, Val::Integer(_) | Val::Long(_));
    let start = low_value.trunc_with_scale(digits);
    let end = if whole && digits > 0 {
        // A whole number stands for all that begins with it.
        high_value
            .checked_add(Decimal::ONE - grain)
            .unwrap_or(high_value)
    } else {
        high_value.trunc_with_scale(digits)
    };
    let point = |number: Decimal| -> Out<'a> {
        let mut number = number;
        number.rescale(digits);
        match (low, unit) {
            (_, Some(unit)) => cx.quantity(number, unit),
            (Val::Integer(_), None) if digits == 0 => {
                Ok(number.to_i32().map_or(Val::Null, Val::Integer))
            }
            (Val::Long(_), None) if digits == 0 => Ok(number.to_i64().map_or(Val::Null, Val::Long)),
            _ => Ok(Val::Decimal(number)),
        }
    };
    let mut from = start;
    while let Some(after) = from.checked_add(per_value) {
        let to = after - grain;
        if to > end || after <= from {
            break;
        }
        pieces.push(cx, point(from)?, point(to)?)?;
        from = after;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing_dates::{point, run, show, span};

    #[test]
    fn expands() {
        // Of a list, then of the interval.
        let cases = [
            (
                "[1, 4]",
                "null",
                "{[1, 1]; [2, 2]; [3, 3]; [4, 4]}",
                "{1; 2; 3; 4}",
            ),
            ("[1, 4)", "1 1", "{[1, 1]; [2, 2]; [3, 3]}", "{1; 2; 3}"),
            ("[1, 5]", "2 1", "{[1, 2]; [3, 4]}", "{1; 3}"),
            (
                "[10.0, 12.5]",
                "1 1",
                "{[10, 10]; [11, 11]; [12, 12]}",
                "{10; 11; 12}",
            ),
            (
                "[10, 10]",
                "0.5 1",
                "{[10.0, 10.4]; [10.5, 10.9]}",
                "{10.0; 10.5}",
            ),
            (
                "[1 m, 2 m]",
                "50 cm",
                "{[100 cm, 149 cm]; [150 cm, 199 cm]}",
                "{100 cm; 150 cm}",
            ),
            (
                "[1 g, 2 g]",
                "null",
                "{[1 g, 1 g]; [2 g, 2 g]}",
                "{1 g; 2 g}",
            ),
            ("[1 g, 2 g]", "1 m", "null", "null"),
            ("[1, 4]", "1 g", "null", "null"),
            ("[1, 4]", "-1 1", "null", "null"),
            ("[1, 4]", "0 1", "null", "null"),
            ("[1, null]", "1 1", "null", "null"),
            ("[1, null)", "1 1", "null", "null"),
            (
                "[2147483646, 2147483647]",
                "1 1",
                "{[2147483646, 2147483646]; [2147483647, 2147483647]}",
                "{2147483646; 2147483647}",
            ),
            (
                "[2018-01-01D, 2018-01-05D]",
                "2 days",
                "{[2018-01-01D, 2018-01-02D]; [2018-01-03D, 2018-01-04D]}",
                "{2018-01-01D; 2018-01-03D}",
            ),
            (
                "[2018-01-01D, 2018-01-14D]",
                "1 week",
                "{[2018-01-01D, 2018-01-07D]; [2018-01-08D, 2018-01-14D]}",
                "{2018-01-01D; 2018-01-08D}",
            ),
            (
                "[2018-01-31D, 2018-03-01D]",
                "month",
                "{[2018-01D, 2018-01D]; [2018-02D, 2018-02D]; [2018-03D, 2018-03D]}",
                "{2018-01D; 2018-02D; 2018-03D}",
            ),
            (
                "[T10:00, T12:30)",
                "hour",
                "{[T10, T10]; [T11, T11]; [T12, T12]}",
                "{T10; T11; T12}",
            ),
            (
                "[T22:30, T23:30]",
                "hour",
                "{[T22, T22]; [T23, T23]}",
                "{T22; T23}",
            ),
            ("[T10, T10]", "minute", "{}", "{}"),
            ("[2018-01-01D, 2018-01-02D]", "hour", "{}", "{}"),
            (
                "[9999-12-30D, 9999-12-31D]",
                "day",
                "{[9999-12-30D, 9999-12-30D]; [9999-12-31D, 9999-12-31D]}",
                "{9999-12-30D; 9999-12-31D}",
            ),
            ("[2018-01-01D, 2018-01-02D]", "1 g", "null", "null"),
            (
                "[0001-01-01T00:00:00.000Z, 9999-12-31T00:00:00.000Z]",
                "null",
                "budget",
                "budget",
            ),
            ("null", "null", "{}", "null"),
        ];
        run(|cx| {
            for (interval, per, intervals, points) in cases {
                let per = match per {
                    "month" | "hour" | "minute" | "day" => point(cx, &format!("1 {per}")),
                    per => point(cx, per),
                };
                let one = span(cx, interval);
                cx.steps.set(1000);
                let list = cx.list(&[one]).unwrap_or(Val::Null);
                let extra = Extra::default();
                assert_eq!(
                    show(expand(cx, &[list, per], &extra)),
                    intervals,
                    "{interval}"
                );
                cx.steps.set(1000);
                assert_eq!(show(expand(cx, &[one, per], &extra)), points, "{interval}");
                cx.steps.set(1000);
            }
        });
    }

    #[test]
    fn a_piece_comes_once() {
        run(|cx| {
            let items = [span(cx, "[T10:00, T10:20]"), span(cx, "[T10:40, T11:10]")];
            let list = cx.list(&items).unwrap_or(Val::Null);
            let out = expand(cx, &[list, point(cx, "1 hour")], &Extra::default());
            assert_eq!(show(out), "{[T10, T10]; [T11, T11]}");
        });
    }
}
