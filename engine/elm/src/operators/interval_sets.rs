//! §19 Interval operators (CQL 1.5): union, intersection, difference, and `collapse`.
//!
//! Results have closed boundaries. Where it cannot be told which of two boundaries counts: an unknown
//! one gives an unknown one; of two dates of different precision the less precise, within which the
//! right one lies.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::compare;
use crate::operators::interval::{Bound, Edge, Span, order_edges};
use crate::operators::interval_relations::{at_most, below, follows, next, overlap, previous};
use crate::operators::merge_sort::merge_sort;
use crate::values::value::{Interval, PointType, Quantity, Val};
use engine_patient::system::compare::cut;
use engine_patient::system::date_arithmetic::step;
use engine_patient::system::date_time::Precision;
use engine_patient::system::units::CalendarUnit;

/// Two intervals; null where one of them is.
fn both<'a>(cx: &Cx<'a>, args: &[Val<'a>]) -> Result<Option<(Span<'a>, Span<'a>)>, Fault> {
    let [a @ Val::Interval(_), b @ Val::Interval(_)] = args else {
        return Ok(None);
    };
    Ok(Span::of(cx, *a)?.zip(Span::of(cx, *b)?))
}

/// A boundary as an interval keeps it, and whether it is closed.
fn kept<'a>(bound: Bound<'a>) -> (Val<'a>, bool) {
    match bound.least {
        _ if !bound.known => (Val::Null, false),
        Edge::At(value) => (value, true),
        Edge::Min | Edge::Max => (Val::Null, true),
    }
}

/// An interval of such boundaries.
pub(crate) fn rebuilt<'a>(cx: &Cx<'a>, span: Span<'a>) -> Out<'a> {
    let ((low, low_closed), (high, high_closed)) = (kept(span.low), kept(span.high));
    let interval = Interval {
        low,
        high,
        low_closed,
        high_closed,
        point: span.point,
    };
    cx.keep(interval).map(Val::Interval)
}

fn precision_of(bound: Bound<'_>) -> Option<Precision> {
    match bound.least {
        Edge::At(Val::Date(d) | Val::DateTime(d)) => Some(d.precision),
        Edge::At(Val::Time(t)) => Some(t.precision),
        _ => None,
    }
}

/// The earlier (or later) of two boundaries.
fn pick<'a>(cx: &Cx<'a>, a: Bound<'a>, b: Bound<'a>, earlier: bool) -> Result<Bound<'a>, Fault> {
    let a_first = match at_most(cx, a, b, None)? {
        None => at_most(cx, b, a, None)?.and_then(|b_first| b_first.then_some(false)),
        told => told,
    };
    Ok(match a_first {
        Some(a_first) if a_first == earlier => a,
        Some(_) => b,
        None if !a.known => a,
        None if !b.known => b,
        None if precision_of(b) < precision_of(a) => b,
        None => a,
    })
}

/// `Union`: null where they neither overlap nor meet.
pub fn union<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Some((a, b)) = both(cx, args)? else {
        return Ok(Val::Null);
    };
    let joined = overlap(cx, &a, &b, None)? == Some(true)
        || follows(cx, a.high, b.low, None)? == Some(true)
        || follows(cx, b.high, a.low, None)? == Some(true);
    if !joined {
        return Ok(Val::Null);
    }
    let low = pick(cx, a.low, b.low, true)?;
    let high = pick(cx, a.high, b.high, false)?;
    rebuilt(cx, Span { low, high, ..a })
}

/// `Intersect`: null where they do not overlap.
pub fn intersect<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Some((a, b)) = both(cx, args)? else {
        return Ok(Val::Null);
    };
    if overlap(cx, &a, &b, None)? != Some(true) {
        return Ok(Val::Null);
    }
    let low = pick(cx, a.low, b.low, false)?;
    let high = pick(cx, a.high, b.high, true)?;
    rebuilt(cx, Span { low, high, ..a })
}

/// `Except`: what of the first does not overlap the second; null where that is no one interval.
pub fn except<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Some((a, b)) = both(cx, args)? else {
        return Ok(Val::Null);
    };
    match overlap(cx, &a, &b, None)? {
        Some(false) => return Ok(args.first().copied().unwrap_or(Val::Null)),
        None => return Ok(Val::Null),
        Some(true) => {}
    }
    let starts_before = below(cx, a.low, b.low, None)?;
    let ends_after = below(cx, b.high, a.high, None)?;
    match (starts_before, ends_after) {
        (Some(true), Some(false)) => {
            let high = Bound::known(previous(cx, b.low.least)?);
            rebuilt(cx, Span { high, ..a })
        }
        (Some(false), Some(true)) => match next(cx, b.high.most, None)? {
            Some(low) => {
                let low = Bound::known(low);
                rebuilt(cx, Span { low, ..a })
            }
            None => Ok(Val::Null),
        },
        _ => Ok(Val::Null),
    }
}

/// How far apart intervals may lie to collapse.
#[derive(Clone, Copy)]
pub(crate) enum Per<'a> {
    /// They must meet, at this precision where they are of dates or times.
    Point(Option<Precision>),
    /// So many units of a precision.
    Calendar(i64, Precision),
    /// A number, or a quantity.
    Number(&'a Quantity<'a>),
}

impl<'a> Per<'a> {
    /// The `per` operand. `None` where it does not go with the points.
    pub fn of(per: Val<'a>, spans: &[Span<'a>]) -> Option<Per<'a>> {
        let dates = spans.iter().any(|s| {
            matches!(
                s.point,
                PointType::Date | PointType::DateTime | PointType::Time
            )
        });
        match per {
            Val::Null => Some(Per::Point(coarsest(spans))),
            Val::Quantity(q) if dates => {
                let count = q.value.trunc().to_i64()?;
                let (count, precision) = match CalendarUnit::of(q.unit)? {
                    CalendarUnit::Year => (count, Precision::Year),
                    CalendarUnit::Month => (count, Precision::Month),
                    CalendarUnit::Week => (count.checked_mul(7)?, Precision::Day),
                    CalendarUnit::Day => (count, Precision::Day),
                    CalendarUnit::Hour => (count, Precision::Hour),
                    CalendarUnit::Minute => (count, Precision::Minute),
                    CalendarUnit::Second => (count, Precision::Second),
                    CalendarUnit::Millisecond => (count, Precision::Millisecond),
                };
                Some(Per::Calendar(count, precision))
            }
            Val::Quantity(q) => Some(Per::Number(q)),
            _ => None,
        }
    }
}

/// The coarsest precision of all boundaries; `None` where they are no dates or times.
pub(crate) fn coarsest(spans: &[Span<'_>]) -> Option<Precision> {
    let bounds = spans.iter().flat_map(|s| [s.low, s.high]);
    bounds.filter_map(precision_of).min()
}

/// The intervals of a list that are not null.
pub(crate) fn spans_of<'a>(cx: &Cx<'a>, items: &[Val<'a>]) -> Result<Vec<Span<'a>>, Fault> {
    cx.charge(items.len())?;
    let mut spans = Vec::with_capacity(items.len());
    for item in items {
        if let Val::Interval(_) = item
            && let Some(span) = Span::of(cx, *item)?
        {
            spans.push(span);
        }
    }
    Ok(spans)
}

/// `Collapse`: the intervals, those that overlap or meet made one.
pub fn collapse<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Some(Val::List(items)) = args.first() else {
        return Ok(Val::Null);
    };
    let spans = spans_of(cx, items)?;
    let per = args.get(1).copied().unwrap_or(Val::Null);
    let Some(per) = Per::of(per, &spans) else {
        return Ok(Val::Null);
    };
    let mut out = vec![];
    for span in collapsed(cx, spans, per)? {
        out.push(rebuilt(cx, span)?);
    }
    cx.list(&out)
}

pub(crate) fn collapsed<'a>(
    cx: &Cx<'a>,
    spans: Vec<Span<'a>>,
    per: Per<'a>,
) -> Result<Vec<Span<'a>>, Fault> {
    let mut out: Vec<Span<'a>> = vec![];
    for span in by_start(cx, spans)? {
        cx.charge(1)?;
        match out.last_mut() {
            Some(last) if reaches(cx, last.high, span.low, per)? => {
                last.high = pick(cx, last.high, span.high, false)?;
            }
            _ => out.push(span),
        }
    }
    Ok(out)
}

/// Whether an interval that starts at `start` joins one that ends at `end`.
fn reaches<'a>(cx: &Cx<'a>, end: Bound<'a>, start: Bound<'a>, per: Per<'a>) -> Result<bool, Fault> {
    let precision = match per {
        Per::Point(precision) => {
            return Ok(at_most(cx, start, end, precision)? == Some(true)
                || follows(cx, end, start, precision)? == Some(true));
        }
        Per::Calendar(_, precision) => Some(precision),
        Per::Number(_) => None,
    };
    let reach = Bound {
        least: moved(cx, end.least, per)?,
        most: moved(cx, end.most, per)?,
        known: end.known,
    };
    Ok(at_most(cx, start, reach, precision)? == Some(true))
}

/// An edge moved on by `per`; the end of its type where there is no such point.
fn moved<'a>(cx: &Cx<'a>, edge: Edge<'a>, per: Per<'a>) -> Result<Edge<'a>, Fault> {
    let Edge::At(value) = edge else {
        return Ok(edge);
    };
    let to = match (value, per) {
        (Val::Date(d), Per::Calendar(count, p)) => step(cut(d, p), count, p).map(Val::Date),
        (Val::DateTime(d), Per::Calendar(count, p)) => step(cut(d, p), count, p).map(Val::DateTime),
        (Val::Time(t), Per::Calendar(count, p)) => t.cut(p).step(count, p).map(Val::Time),
        (Val::Quantity(q), Per::Number(per)) => {
            let Some(distance) = distance_in(cx, per, q.unit) else {
                return Ok(edge);
            };
            match q.value.checked_add(distance) {
                Some(sum) => Some(cx.quantity(sum, q.unit)?),
                None => None,
            }
        }
        (number, Per::Number(per)) => match compare::number(&number) {
            Some(number) => number.checked_add(per.value).map(Val::Decimal),
            None => return Ok(edge),
        },
        _ => return Ok(edge),
    };
    Ok(to.map_or(Edge::Max, Edge::At))
}

/// A distance in a unit; without one, it is in that unit.
pub(crate) fn distance_in(cx: &Cx<'_>, per: &Quantity<'_>, unit: &str) -> Option<Decimal> {
    if per.unit == "1" || per.unit.is_empty() {
        return Some(per.value);
    }
    cx.units.convert(per.value, per.unit, unit).ok()
}

/// Sorted by start. Starts that cannot be ordered keep the order of the list.
fn by_start<'a>(cx: &Cx<'a>, mut spans: Vec<Span<'a>>) -> Result<Vec<Span<'a>>, Fault> {
    merge_sort(&mut spans, |a, b| {
        cx.charge(1)?;
        starts_after(cx, a, b)
    })?;
    Ok(spans)
}

/// Whether `a` starts after `b`; by its first instant where the precision does not tell.
fn starts_after<'a>(cx: &Cx<'a>, a: &Span<'a>, b: &Span<'a>) -> Result<bool, Fault> {
    let told = order_edges(cx, a.low.least, b.low.least, None)?;
    Ok(match (told, a.low.least, b.low.least) {
        (Some(told), _, _) => told == Ordering::Greater,
        (
            None,
            Edge::At(Val::Date(a) | Val::DateTime(a)),
            Edge::At(Val::Date(b) | Val::DateTime(b)),
        ) => a.earliest(cx.zone) > b.earliest(cx.zone),
        (None, Edge::At(Val::Time(a)), Edge::At(Val::Time(b))) => a.millis > b.millis,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing_dates::{point, run, show, span};

    #[test]
    fn of_two() {
        let cases = [
            ("[1, 10]", "[4, 15]", "[1, 15]", "[4, 10]", "[1, 3]"),
            ("[4, 15]", "[1, 10]", "[1, 15]", "[4, 10]", "[11, 15]"),
            ("[1, 10)", "[10, 15)", "[1, 14]", "null", "[1, 10)"),
            ("[1, 10]", "[44, 50]", "null", "null", "[1, 10]"),
            ("[1, 10]", "[3, 7]", "[1, 10]", "[3, 7]", "null"),
            ("[3, 7]", "[1, 10]", "[1, 10]", "[3, 7]", "null"),
            (
                "[1.0, 10.0]",
                "[4.0, 10.0]",
                "[1.0, 10.0]",
                "[4.0, 10.0]",
                "[1.0, 3.99999999]",
            ),
            // Where the second ends is not known: at 5 or later.
            ("[1, 10]", "[5, null)", "[1, null)", "[5, null)", "null"),
            ("[1, 10]", "[5, null]", "[1, null]", "[5, 10]", "[1, 4]"),
            ("[1, 10]", "(null, null)", "null", "null", "null"),
            (
                "[2012-01-05, 2012-01-15]",
                "[2012-01-07, 2012-01-15]",
                "[2012-01-05, 2012-01-15]",
                "[2012-01-07, 2012-01-15]",
                "[2012-01-05, 2012-01-06]",
            ),
            (
                "[@2012, @2013]",
                "[2012-02, @2015]",
                "[2012, 2015]",
                "[2012, 2013]",
                "null",
            ),
            (
                "[T08:59:59.999, T11:59:59.999]",
                "[T05:59:59.999, T10:59:59.999]",
                "[T05:59:59.999, T11:59:59.999]",
                "[T08:59:59.999, T10:59:59.999]",
                "[T11:00:00.000, T11:59:59.999]",
            ),
        ];
        run(|cx| {
            for (a, b, one, shared, rest) in cases {
                let args = [span(cx, a), span(cx, b)];
                let extra = Extra::default();
                assert_eq!(show(union(cx, &args, &extra)), one, "{a} union {b}");
                assert_eq!(
                    show(intersect(cx, &args, &extra)),
                    shared,
                    "{a} intersect {b}"
                );
                assert_eq!(show(except(cx, &args, &extra)), rest, "{a} except {b}");
            }
        });
    }

    #[test]
    fn collapses() {
        let cases: &[(&[&str], &str, &str)] = &[
            (
                &["[1, 5]", "[3, 7]", "[12, 19]", "[7, 10]"],
                "null",
                "{[1, 10]; [12, 19]}",
            ),
            (&["[4, 6]", "[7, 8]"], "null", "{[4, 8]}"),
            (&["[4.0, 6.0]", "[6.00000001, 8.0]"], "null", "{[4.0, 8.0]}"),
            (
                &["[4.0, 6.0]", "[6.00000002, 8.0]"],
                "null",
                "{[4.0, 6.0]; [6.00000002, 8.0]}",
            ),
            (&["[1, 2]", "[4, 5]", "[8, 9]"], "2 1", "{[1, 5]; [8, 9]}"),
            (&["[1 g, 2 g]", "[4 g, 5 g]"], "2 g", "{[1 g, 5 g]}"),
            (
                &["[1, 9]", "null", "[2, 3]", "(null, null)"],
                "null",
                "{[1, 9]}",
            ),
            (&["(null, null)"], "null", "{}"),
            (&[], "null", "{}"),
            (
                &["[5, null]", "[1, 3]", "[7, 9]"],
                "null",
                "{[1, 3]; [5, null]}",
            ),
            (
                &["[2012-01-16, 2012-05-25]", "[2012-01-01, 2012-01-15]"],
                "null",
                "{[2012-01-01, 2012-05-25]}",
            ),
            (
                &[
                    "[2012-01-01D, 2012-01-05D]",
                    "[2012-01-06D, 2012-01-09D]",
                    "[2012-01-11D, 2012-01-12D]",
                ],
                "1 day",
                "{[2012-01-01D, 2012-01-09D]; [2012-01-11D, 2012-01-12D]}",
            ),
            // At the day, though a day and two hours lie between.
            (
                &[
                    "[2012-01-01T10:00:00.000Z, 2012-01-01T20:00:00.000Z]",
                    "[2012-01-02T22:00:00.000Z, 2012-01-02T23:00:00.000Z]",
                    "[2012-01-04T01:00:00.000Z, 2012-01-04T02:00:00.000Z]",
                ],
                "1 day",
                "{[2012-01-01T10:00:00.000Z, 2012-01-02T23:00:00.000Z]; [2012-01-04T01:00:00.000Z, 2012-01-04T02:00:00.000Z]}",
            ),
            // The coarsest precision is the day.
            (
                &[
                    "[2012-01-01T10:00:00.000Z, 2012-01-01T20:00:00.000Z]",
                    "[2012-01-02, 2012-01-03]",
                ],
                "null",
                "{[2012-01-01T10:00:00.000Z, 2012-01-03]}",
            ),
            (
                &[
                    "[T01:59:59.999, T10:59:59.999]",
                    "[T11:00:00.000, T15:59:59.999]",
                ],
                "null",
                "{[T01:59:59.999, T15:59:59.999]}",
            ),
            (
                &["[2012-03, 2012-04]", "[@2012, @2012]", "[2012-01, 2012-02]"],
                "1 g",
                "null",
            ),
        ];
        run(|cx| {
            for (items, per, expected) in cases {
                let items: Vec<Val<'_>> = items.iter().map(|i| span(cx, i)).collect();
                let args = [Val::List(&items), point(cx, per)];
                // A list lives as long as the arena.
                let list = cx.list(&items).unwrap_or(Val::Null);
                let out = collapse(cx, &[list, args[1]], &Extra::default());
                assert_eq!(show(out), *expected, "{expected}");
            }
        });
    }

    #[test]
    fn sorting_takes_any_order() {
        run(|cx| {
            // Years and months that cannot be ordered among each other.
            let texts = [
                "@2012",
                "2012-05",
                "2012-01",
                "2011-12",
                "@2012",
                "2012-03-04",
                "2012-03",
            ];
            let mut items = vec![];
            for a in texts {
                for b in texts {
                    if let Ok(interval) = cx.interval(point(cx, a), point(cx, b), true, true) {
                        items.push(interval);
                    }
                }
            }
            let list = cx.list(&items).unwrap_or(Val::Null);
            assert!(show(collapse(cx, &[list], &Extra::default())).starts_with('{'));
        });
    }
}
