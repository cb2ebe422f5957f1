//! §19 Interval operators (CQL 1.5): how intervals and points lie to each other. The operators that
//! §18 defines on dates and times too (`After`, `Before`, `SameAs` …) take points and intervals in
//! either place: a point counts as the interval of itself.

use std::cmp::Ordering;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::bounds::{predecessor_of, successor_of};
use crate::operators::compare;
use crate::operators::date_arithmetic::neighbour;
use crate::operators::date_compare;
use crate::operators::interval::{Bound, Edge, Span, is_nothing, order, order_edges};
use crate::values::value::{Interval, Val, truth};
use engine_patient::system::date_arithmetic::step;
use engine_patient::system::date_time::Precision;

type Told = Result<Option<bool>, Fault>;

pub(crate) fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// How two boundaries lie, whatever they are within what is known.
fn lies<'a>(
    cx: &Cx<'a>,
    a: Bound<'a>,
    b: Bound<'a>,
    precision: Option<Precision>,
    wanted: fn(Ordering) -> bool,
) -> Told {
    let first = order_edges(cx, a.most, b.least, precision)?;
    if a.known && b.known {
        return Ok(first.map(wanted));
    }
    if first.is_some_and(wanted) {
        return Ok(Some(true));
    }
    let last = order_edges(cx, a.least, b.most, precision)?;
    Ok(if last.is_some_and(|o| !wanted(o)) {
        Some(false)
    } else {
        None
    })
}

/// `a <= b`
pub(crate) fn at_most<'a>(cx: &Cx<'a>, a: Bound<'a>, b: Bound<'a>, p: Option<Precision>) -> Told {
    lies(cx, a, b, p, Ordering::is_le)
}

/// `a < b`
pub(crate) fn below<'a>(cx: &Cx<'a>, a: Bound<'a>, b: Bound<'a>, p: Option<Precision>) -> Told {
    lies(cx, a, b, p, Ordering::is_lt)
}

/// `a = b`
fn same<'a>(cx: &Cx<'a>, a: Bound<'a>, b: Bound<'a>, p: Option<Precision>) -> Told {
    let first = order_edges(cx, a.most, b.least, p)?;
    if a.known && b.known {
        return Ok(first.map(Ordering::is_eq));
    }
    let apart = first == Some(Ordering::Less)
        || order_edges(cx, a.least, b.most, p)? == Some(Ordering::Greater);
    Ok(if apart { Some(false) } else { None })
}

/// The point after an edge, at a precision or else at its own; `None` after the last.
pub(crate) fn next<'a>(
    cx: &Cx<'a>,
    edge: Edge<'a>,
    precision: Option<Precision>,
) -> Result<Option<Edge<'a>>, Fault> {
    let Edge::At(value) = edge else {
        // After the least value of a type there is room for anything, as far as we ask.
        return Ok(matches!(edge, Edge::Min).then_some(edge));
    };
    Ok(match (value, precision) {
        (Val::Date(d), Some(p)) => step(d, 1, p.min(d.precision)).map(|d| Edge::At(Val::Date(d))),
        (Val::DateTime(d), Some(p)) => {
            step(d, 1, p.min(d.precision)).map(|d| Edge::At(Val::DateTime(d)))
        }
        (Val::Time(t), Some(p)) => t
            .step(1, p.min(t.precision))
            .map(|t| Edge::At(Val::Time(t))),
        (Val::Date(_) | Val::DateTime(_) | Val::Time(_), None) => neighbour(value, 1).map(Edge::At),
        (other, _) => match successor_of(cx, other) {
            Ok(next) => Some(Edge::At(next)),
            Err(Fault::Raised(_)) => None,
            Err(budget) => return Err(budget),
        },
    })
}

/// Whether `start` comes immediately after `end`.
pub(crate) fn follows<'a>(
    cx: &Cx<'a>,
    end: Bound<'a>,
    start: Bound<'a>,
    precision: Option<Precision>,
) -> Told {
    // Where `end` is less precise than asked, `start` may lie within it.
    if end.known && start.known && order_edges(cx, end.most, start.least, precision)?.is_none() {
        return Ok(None);
    }
    let Some(least) = next(cx, end.least, precision)? else {
        return Ok(Some(false));
    };
    let most = next(cx, end.most, precision)?.unwrap_or(Edge::Max);
    let after = Bound {
        least,
        most,
        known: end.known,
    };
    same(cx, after, start, precision)
}

type Relation = for<'a> fn(&Cx<'a>, &Span<'a>, &Span<'a>, Option<Precision>) -> Told;

/// A relation of two intervals or points; null where one is.
fn relate<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra, relation: Relation) -> Out<'a> {
    let [a, b] = args else {
        return Ok(Val::Null);
    };
    match (Span::of(cx, *a)?, Span::of(cx, *b)?) {
        (Some(a), Some(b)) => relation(cx, &a, &b, extra.precision).map(truth),
        _ => Ok(Val::Null),
    }
}

/// The same for operators that measures ask mostly of two dates or times.
fn relate_points<'a>(
    cx: &Cx<'a>,
    args: &[Val<'a>],
    extra: &Extra,
    of_points: fn(Ordering) -> bool,
    relation: Relation,
) -> Out<'a> {
    if let [a, b] = args
        && let Some(told) = date_compare::order(a, b, extra.precision, cx.zone)
    {
        return Ok(truth(told.map(of_points)));
    }
    relate(cx, args, extra, relation)
}

/// `After`: the first starts after the second ends.
pub fn after<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate_points(cx, args, extra, Ordering::is_gt, |cx, a, b, p| {
        below(cx, b.high, a.low, p)
    })
}

/// `Before`: the first ends before the second starts.
pub fn before<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate_points(cx, args, extra, Ordering::is_lt, |cx, a, b, p| {
        below(cx, a.high, b.low, p)
    })
}

/// `SameOrAfter`: the first starts when the second ends or later.
pub fn same_or_after<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate_points(cx, args, extra, Ordering::is_ge, |cx, a, b, p| {
        at_most(cx, b.high, a.low, p)
    })
}

/// `SameOrBefore`: the first ends when the second starts or earlier.
pub fn same_or_before<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate_points(cx, args, extra, Ordering::is_le, |cx, a, b, p| {
        at_most(cx, a.high, b.low, p)
    })
}

fn same_span<'a>(cx: &Cx<'a>, a: &Span<'a>, b: &Span<'a>, p: Option<Precision>) -> Told {
    match same(cx, a.low, b.low, p)? {
        Some(false) => Ok(Some(false)),
        low => Ok(and(low, same(cx, a.high, b.high, p)?)),
    }
}

/// `SameAs`: both start and end together.
pub fn same_as<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate_points(cx, args, extra, Ordering::is_eq, same_span)
}

/// `a = b` of intervals.
pub fn interval_equal<'a>(cx: &Cx<'a>, a: &Interval<'a>, b: &Interval<'a>) -> Told {
    if is_nothing(a) || is_nothing(b) {
        return Ok(None);
    }
    let (a, b) = (Span::of_interval(cx, a)?, Span::of_interval(cx, b)?);
    same_span(cx, &a, &b, None)
}

/// `a ~ b` of intervals: unknown boundaries are equivalent to each other.
pub fn interval_equivalent<'a>(
    cx: &Cx<'a>,
    a: &Interval<'a>,
    b: &Interval<'a>,
) -> Result<bool, Fault> {
    if is_nothing(a) || is_nothing(b) {
        return Ok(is_nothing(a) && is_nothing(b));
    }
    let (a, b) = (Span::of_interval(cx, a)?, Span::of_interval(cx, b)?);
    Ok(equivalent_bounds(cx, a.low, b.low)? && equivalent_bounds(cx, a.high, b.high)?)
}

fn equivalent_bounds<'a>(cx: &Cx<'a>, a: Bound<'a>, b: Bound<'a>) -> Result<bool, Fault> {
    match (a.known, b.known) {
        (false, false) => Ok(true),
        (true, true) => match (a.least, b.least) {
            (Edge::At(a), Edge::At(b)) => compare::equivalent_points(cx, a, b),
            (a, b) => Ok(order_edges(cx, a, b, None)? == Some(Ordering::Equal)),
        },
        _ => Ok(false),
    }
}

/// `Contains`: the point lies in the interval. Comparison with an open boundary is exclusive, so
/// that to the day, an interval that ends before midnight does not contain the day that begins then.
pub fn contains<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (interval, point) = match args {
        [Val::Interval(interval), point] if !is_nothing(interval) => (*interval, *point),
        // In nothing there is no point.
        _ => return Ok(Val::Boolean(false)),
    };
    if point.is_null() {
        return Ok(Val::Null);
    }
    if interval.low.is_null()
        && interval.high.is_null()
        && interval.low_closed
        && interval.high_closed
    {
        // By the text of §19 this contains all points; the official suite has it contain none
        // (`TestInNullBoundaries`), though it includes all intervals.
        return Ok(Val::Boolean(false));
    }
    let precision = extra.precision;
    let from = match (interval.low, interval.low_closed) {
        (Val::Null, true) => Some(true),
        (Val::Null, false) => {
            let low = Span::of_interval(cx, interval)?.low;
            at_most(cx, low, Bound::at(point), precision)?
        }
        (low, true) => order(cx, low, point, precision)?.map(Ordering::is_le),
        (low, false) => order(cx, low, point, precision)?.map(Ordering::is_lt),
    };
    if from == Some(false) {
        return Ok(Val::Boolean(false));
    }
    let to = match (interval.high, interval.high_closed) {
        (Val::Null, true) => Some(true),
        (Val::Null, false) => {
            let high = Span::of_interval(cx, interval)?.high;
            at_most(cx, Bound::at(point), high, precision)?
        }
        (high, true) => order(cx, point, high, precision)?.map(Ordering::is_le),
        (high, false) => order(cx, point, high, precision)?.map(Ordering::is_lt),
    };
    Ok(truth(and(from, to)))
}

/// The operands the other way round.
fn swapped<'a>(args: &[Val<'a>]) -> [Val<'a>; 2] {
    match args {
        [a, b] => [*b, *a],
        _ => [Val::Null, Val::Null],
    }
}

/// `In`
pub fn in_<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match args.first() {
        None | Some(Val::Null) => Ok(Val::Null),
        Some(_) => contains(cx, &swapped(args), extra),
    }
}

/// `ProperContains`: the point lies between start and end.
pub fn proper_contains<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match args {
        [Val::Interval(interval), _] if !is_nothing(interval) => {
            relate(cx, args, extra, |cx, a, b, p| {
                match below(cx, a.low, b.low, p)? {
                    Some(false) => Ok(Some(false)),
                    from => Ok(and(from, below(cx, b.high, a.high, p)?)),
                }
            })
        }
        _ => Ok(Val::Boolean(false)),
    }
}

fn spans<'a>(cx: &Cx<'a>, a: &Span<'a>, b: &Span<'a>, p: Option<Precision>) -> Told {
    match at_most(cx, a.low, b.low, p)? {
        Some(false) => Ok(Some(false)),
        from => Ok(and(from, at_most(cx, b.high, a.high, p)?)),
    }
}

/// `Includes`: the second, interval or point, lies in the first.
pub fn includes<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match args {
        [Val::Interval(_), Val::Interval(_)] => relate(cx, args, extra, spans),
        [Val::Interval(_), point] if !point.is_null() => contains(cx, args, extra),
        _ => Ok(Val::Null),
    }
}

/// `IncludedIn`
pub fn included_in<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    includes(cx, &swapped(args), extra)
}

/// `ProperIncludes`: and they are not the same.
pub fn proper_includes<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match args {
        [Val::Interval(_), Val::Interval(_)] => {
            relate(cx, args, extra, |cx, a, b, p| match spans(cx, a, b, p)? {
                Some(false) => Ok(Some(false)),
                in_it => Ok(and(in_it, same_span(cx, a, b, p)?.map(|s| !s))),
            })
        }
        [Val::Interval(_), point] if !point.is_null() => proper_contains(cx, args, extra),
        _ => Ok(Val::Null),
    }
}

/// `Meets`: one ends immediately before the other starts.
pub fn meets<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, |cx, a, b, p| {
        match follows(cx, a.high, b.low, p)? {
            Some(true) => Ok(Some(true)),
            before => Ok(or(before, follows(cx, b.high, a.low, p)?)),
        }
    })
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    and(a.map(|a| !a), b.map(|b| !b)).map(|neither| !neither)
}

/// `MeetsBefore`: the first ends immediately before the second starts.
pub fn meets_before<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, |cx, a, b, p| follows(cx, a.high, b.low, p))
}

/// `MeetsAfter`: the first starts immediately after the second ends.
pub fn meets_after<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, |cx, a, b, p| follows(cx, b.high, a.low, p))
}

pub(crate) fn overlap<'a>(cx: &Cx<'a>, a: &Span<'a>, b: &Span<'a>, p: Option<Precision>) -> Told {
    match at_most(cx, a.low, b.high, p)? {
        Some(false) => Ok(Some(false)),
        from => Ok(and(from, at_most(cx, b.low, a.high, p)?)),
    }
}

/// `Overlaps`: they share a point.
pub fn overlaps<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, overlap)
}

/// `OverlapsBefore`: the first starts before the second does, and ends in it or later.
pub fn overlaps_before<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, |cx, a, b, p| {
        let starts = below(cx, a.low, b.low, p)?;
        Ok(and(starts, at_most(cx, b.low, a.high, p)?))
    })
}

/// `OverlapsAfter`: the first ends after the second does, and starts in it or earlier.
pub fn overlaps_after<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, |cx, a, b, p| {
        let ends = below(cx, b.high, a.high, p)?;
        Ok(and(ends, at_most(cx, a.low, b.high, p)?))
    })
}

/// `Starts`: they start together, and the first ends no later.
pub fn starts<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, |cx, a, b, p| {
        let starts = same(cx, a.low, b.low, p)?;
        Ok(and(starts, at_most(cx, a.high, b.high, p)?))
    })
}

/// `Ends`: they end together, and the first starts no earlier.
pub fn ends<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    relate(cx, args, extra, |cx, a, b, p| {
        let ends = same(cx, a.high, b.high, p)?;
        Ok(and(ends, at_most(cx, b.low, a.low, p)?))
    })
}

/// The point before an edge; an error of the first.
pub(crate) fn previous<'a>(cx: &Cx<'a>, edge: Edge<'a>) -> Result<Edge<'a>, Fault> {
    match edge {
        Edge::At(value) => predecessor_of(cx, value).map(Edge::At),
        end => Ok(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::list;
    use crate::tests::testing_dates::{precision, run, show, span};

    type Operator = for<'a> fn(&Cx<'a>, &[Val<'a>], &Extra) -> Out<'a>;

    fn operator(name: &str) -> Operator {
        match name {
            "after" => after,
            "before" => before,
            "same" => same_as,
            "same or after" => same_or_after,
            "same or before" => same_or_before,
            "contains" => contains,
            "in" => in_,
            "proper contains" => proper_contains,
            "proper in" => list::proper_in,
            "includes" => includes,
            "in all" => included_in,
            "proper includes" => proper_includes,
            "proper in all" => list::proper_included_in,
            "meets" => meets,
            "meets before" => meets_before,
            "meets after" => meets_after,
            "overlaps" => overlaps,
            "overlaps before" => overlaps_before,
            "overlaps after" => overlaps_after,
            "starts" => starts,
            "ends" => ends,
            other => panic!("{other}"),
        }
    }

    /// `left | operator | right | precision | expected`
    fn check(cases: &str) {
        run(|cx| {
            for case in cases.lines().filter(|line| !line.trim().is_empty()) {
                let mut parts = case.split('|').map(str::trim);
                let mut part = || parts.next().unwrap_or_default();
                let (left, name, right) = (part(), part(), part());
                let extra = Extra {
                    precision: precision(part()),
                    ..Extra::default()
                };
                let args = [span(cx, left), span(cx, right)];
                let told = operator(name)(cx, &args, &extra);
                assert_eq!(show(told), part(), "{case}");
            }
        });
    }

    #[test]
    fn numbers() {
        check(
            "[11, 20] | after | [1, 10] | | true
             12 | after | [1, 10] | | true
             [11, 20] | after | 12 | | false
             null | after | [1, 10] | | null
             [1, 10] | before | [11, 20] | | true
             [1, 10) | before | [10, 20] | | true
             9 | before | [1, 10] | | false
             2.5 | same or after | [1.666, 2.50000001] | | false
             2.5 | same or after | [1.666, 2.50000001) | | true
             [1, 10] | same | [1, 11) | | true
             [1, 10] | meets | [11, 20] | | true
             [1, 10) | meets | [10, 20] | | true
             [1, 10] | meets | [10, 20] | | false
             [3.01, 5.00000001] | meets before | [5.00000002, 8.50] | | true
             [11, 20] | meets after | [1, 10] | | true
             [1, 2147483647] | meets | [-5, 3] | | false
             [4, 10) | overlaps | (9, 20] | | false
             [4, 11) | overlaps | (9, 20] | | true
             [4, 10] | overlaps before | (4, 10] | | true
             (3, 10] | overlaps before | [4, 10] | | false
             [4, 11) | overlaps after | [4, 10) | | true
             [4, 10] | overlaps after | [4, 11) | | false
             [4, 10] | starts | [4, 15] | | true
             [1, 10] | starts | [4, 10] | | false
             [4, 10] | ends | [1, 10] | | true
             [1, 10] | proper includes | [1, 10] | | false
             [1, 10] | proper includes | [4, 10] | | true
             [4, 15] | proper in all | [1, 10] | | false
             1 | proper in | [1, 10] | | false
             5 | in | [1, 10] | | true
             [1, 10] | contains | 10 | | true
             [1, 10) | contains | 10 | | false
             [1, 10] | contains | null | | null
             null | contains | 5 | | false
             [1, 10] | includes | null | | null
             [1.0 g, 10.0 g] | contains | 2.0 g | | true
             [1.0 g, 10.0 g] | contains | 2.0 m | | null",
        );
    }

    #[test]
    fn null_boundaries() {
        check(
            "[null, 5] | contains | 10 | | false
             [null, 5] | contains | -2147483648 | | true
             [1, null) | contains | 0 | | false
             [1, null) | contains | 1 | | true
             [1, null) | contains | 2 | | null
             (null, 5] | contains | 5 | | true
             (null, 5] | contains | 6 | | false
             (null, 5] | before | [10, 20] | | true
             [7, null) | before | 5 | | false
             [1, null) | before | 5 | | null
             (null, 5] | meets | (null, 15) | | null
             (null, 5] | meets before | (null, 25] | | null
             (null, 5] | meets after | [11, null) | | false
             [1, 10] | overlaps | [5, null) | | true
             [1, 10] | same | [1, null) | | null
             [1, 10] | same | [2, null) | | false
             [null, null] | overlaps | [1, 10] | | null
             [null, null] | starts | [1, 10] | | null
             [1, 10] | ends | (null, null) | | null
             5 | in | integer [null, null] | | false
             [1, 10] | proper in all | integer [null, null] | | true
             integer (null, null) | overlaps | integer [null, null] | | true
             integer (null, null) | includes | [1, 10] | | null
             [null, 5 g] | contains | -7 g | | true
             [null, 5 g] | overlaps before | [1 g, 9 g] | | true
             [2024-01-01D, null] | includes | [2024-05-01D, 9999-12-31D] | | true
             [2024-01-01D, null) | contains | 2023-12-31D | day | false",
        );
    }

    #[test]
    fn dates() {
        check(
            "[2012-01-07, 2012-01-14] | meets | [2012-01-15, 2012-01-25] | | true
             [2012-01-07, 2012-01-14] | meets | [2012-01-20, 2012-01-25] | | false
             [2012-01, 2012-02] | meets | [2012-02-20, 2012-04] | | null
             [2012-01-07T10:00:00.000Z, 2012-01-14T23:00:00.000Z] | meets | [2012-01-15T01:00:00.000Z, 2012-02-01T00:00:00.000Z] | day | true
             [2012-01-07T10:00:00.000Z, 2012-01-14T23:00:00.000Z] | meets | [2012-01-15T01:00:00.000Z, 2012-02-01T00:00:00.000Z] | | false
             [2012-01-07, 2012-01] | meets before | [2012-02-01, 2012-03] | day | null
             [2012-01-07, 2012-01] | meets before | [2012-03-01, 2012-03] | day | false
             [2012-01-07, 9999-12-31D] | meets | [2012-01-01, 2012-01-03] | | false
             [2012-02-25, 2012-03-26] | overlaps | [2012-01-10, 2012-02] | | null
             [@2012, 2013-03] | overlaps | [2012-02, 2013-02] | | true
             [2017-09-01T00:00:00Z, 2017-09-01T00:00:00Z] | in all | [2017-09-01T00:00:00.000Z, 2017-12-30T23:59:59.999Z] | | true
             [2017-09-01T00:00:00Z, 2017-09-01T00:00:00Z] | in all | [2017-09-01T00:00:00.000Z, 2017-12-30T23:59:59.999Z] | millisecond | null
             [2017-09-01T00:00:00Z, 2017-09-01T00:00:00Z] | in all | [2017-09-01T00:00:00.000Z, 2017-12-30T23:59:59.999Z] | day | true
             [T12:00:00.000, T21:59:59.999] | proper contains | T12:00:00.001 | | true
             [T12:00:00.001, T21:59:59.999] | proper contains | T12:00:00 | | false
             [T12:00:00.001, T21:59:59.999] | proper contains | T12:00:00 | second | false
             [T12:00:00.000, T21:59:59.999] | proper contains | T12:00:01 | second | true
             [2012-12-01D, 2013-12-01D] | same or after | 2012-12-15D | month | true
             [2012-12-01D, 2013-12-01D] | same or after | 2012-12-15D | | false
             2024-12-31T23:00:00-05:00 | in | [2024-01-01T00:00:00.000Z, 2024-12-31T23:59:59.999Z] | day | true
             2024-12-31T23:00:00-05:00 | in | [2024-01-01T00:00:00.000Z, 2024-12-31T23:59:59.999Z] | | false
             2025-01-01D | in | [2024-01-01T00:00:00.000Z, 2025-01-01T00:00:00.000Z) | day | false
             2024-12-31D | in | [2024-01-01T00:00:00.000Z, 2025-01-01T00:00:00.000Z) | day | true
             2024-06 | in | [2024-01-01, 2024-12-31] | day | true
             @2024 | in | [2024-01-01, 2024-12-31] | day | null
             2024-06-01 | after | 2024-05-31D | day | true
             2024-06-01 | same | 2024-06-01D | | true",
        );
    }

    #[test]
    fn equality() {
        run(|cx| {
            let both = |a: &str, b: &str| match (span(cx, a), span(cx, b)) {
                (Val::Interval(a), Val::Interval(b)) => {
                    (interval_equal(cx, a, b), interval_equivalent(cx, a, b))
                }
                _ => panic!("{a} {b}"),
            };
            assert_eq!(both("[1, 10]", "[1, 11)"), (Ok(Some(true)), Ok(true)));
            assert_eq!(both("[1, 10]", "[2, 10]"), (Ok(Some(false)), Ok(false)));
            assert_eq!(both("[1, 10]", "(null, null)"), (Ok(None), Ok(false)));
            assert_eq!(both("[1, null)", "[1, null)"), (Ok(None), Ok(true)));
            assert_eq!(
                both("[1, null]", "[1, 2147483647]"),
                (Ok(Some(true)), Ok(true))
            );
            assert_eq!(both("[1, null)", "[2, null)"), (Ok(Some(false)), Ok(false)));
            assert_eq!(
                both("[@2012, @2013]", "[2012-01, @2013]"),
                (Ok(None), Ok(false))
            );
        });
    }
}
