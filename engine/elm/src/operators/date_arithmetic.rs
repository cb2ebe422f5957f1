//! §18 Date and time operators (CQL 1.5): adding and subtracting calendar durations; successor and
//! predecessor; the precision of a value and its boundaries (§16). See
//! [`engine_patient::system::date_arithmetic`].

use crate::context::fault::{Fault, Out};
use crate::context::state::EvaluationState;
use crate::values::value::{Quantity, Val};
use engine_patient::system::date_arithmetic::{self, CalendarDuration, step};
use engine_patient::system::date_time::Precision;
use engine_patient::system::units::CalendarUnit;

fn out_of_range() -> Fault {
    Fault::Raised("date and time arithmetic leaves the years 1 to 9999".to_owned())
}

/// `v + q` (`sign` 1) or `v - q` (`sign` -1) of a date, date-time or time. Null where the unit is no
/// duration; an error where the result is not in the years 1 to 9999. Times go round the clock.
pub fn plus<'a>(cx: &EvaluationState<'a>, v: Val<'a>, q: &Quantity<'_>, sign: i32) -> Out<'a> {
    let Some(unit) = CalendarUnit::of(q.unit) else {
        return Ok(Val::Null);
    };
    let value = if sign < 0 { -q.value } else { q.value };
    let duration = CalendarDuration::of(value, unit).ok_or_else(out_of_range)?;
    let shifted = |d| date_arithmetic::plus_in(d, duration, cx.zone).ok_or_else(out_of_range);
    match v {
        Val::Date(d) => shifted(d).map(Val::Date),
        Val::DateTime(d) => shifted(d).map(Val::DateTime),
        // A time has no days to add to.
        Val::Time(_) if unit < CalendarUnit::Hour => Ok(Val::Null),
        Val::Time(t) => Ok(Val::Time(t.plus(duration.millis))),
        _ => Ok(Val::Null),
    }
}

/// The next or previous date, date-time or time at its own precision; `None` where there is none.
pub(crate) fn neighbour<'a>(v: Val<'a>, count: i64) -> Option<Val<'a>> {
    match v {
        Val::Date(d) => step(d, count, d.precision).map(Val::Date),
        Val::DateTime(d) => step(d, count, d.precision).map(Val::DateTime),
        Val::Time(t) => t.step(count, t.precision).map(Val::Time),
        _ => Some(Val::Null),
    }
}

/// The successor of a date, date-time or time; an error of the greatest.
pub fn successor<'a>(_cx: &EvaluationState<'a>, v: Val<'a>) -> Out<'a> {
    neighbour(v, 1)
        .ok_or_else(|| Fault::Raised("the greatest date or time has no successor".to_owned()))
}

/// The predecessor of a date, date-time or time; an error of the least.
pub fn predecessor<'a>(_cx: &EvaluationState<'a>, v: Val<'a>) -> Out<'a> {
    neighbour(v, -1)
        .ok_or_else(|| Fault::Raised("the least date or time has no predecessor".to_owned()))
}

/// The precision of so many digits.
fn precision_of(digits: i64, time: bool) -> Option<Precision> {
    Some(match if time { digits.checked_add(8)? } else { digits } {
        4 if !time => Precision::Year,
        6 if !time => Precision::Month,
        8 if !time => Precision::Day,
        10 => Precision::Hour,
        12 => Precision::Minute,
        14 => Precision::Second,
        17 => Precision::Millisecond,
        _ => return None,
    })
}

/// `HighBoundary` of a date, date-time or time: value, digits (null: all).
pub fn high_boundary<'a>(_cx: &EvaluationState<'a>, args: &[Val<'a>]) -> Out<'a> {
    Ok(boundary(args, true))
}

/// `LowBoundary` of a date, date-time or time: value, digits (null: all).
pub fn low_boundary<'a>(_cx: &EvaluationState<'a>, args: &[Val<'a>]) -> Out<'a> {
    Ok(boundary(args, false))
}

fn boundary<'a>(args: &[Val<'a>], high: bool) -> Val<'a> {
    let value = args.first().copied().unwrap_or(Val::Null);
    let (finest, time) = match value {
        Val::Date(_) => (Precision::Day, false),
        Val::DateTime(_) => (Precision::Millisecond, false),
        Val::Time(_) => (Precision::Millisecond, true),
        _ => return Val::Null,
    };
    let precision = match args.get(1) {
        None | Some(Val::Null) => Some(finest),
        Some(Val::Integer(digits)) => precision_of(i64::from(*digits), time),
        Some(Val::Long(digits)) => precision_of(*digits, time),
        _ => None,
    };
    let Some(precision) = precision.filter(|p| *p <= finest) else {
        return Val::Null;
    };
    match value {
        Val::Date(d) => Val::Date(date_arithmetic::boundary(d, precision, high)),
        Val::DateTime(d) => Val::DateTime(date_arithmetic::boundary(d, precision, high)),
        Val::Time(t) => Val::Time(t.boundary(precision, high)),
        _ => Val::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing_dates::{at, run, show};

    #[test]
    fn adds_calendar_durations() {
        let cases = [
            ("2005-05-10", "10", "months", "2006-03-10"),
            ("2012-02-29", "1", "year", "2013-02-28"),
            ("2005-10-10", "5", "a", "2010-10-10"),
            ("2018-05-23", "52", "weeks", "2019-05-22"),
            ("2005-05-10", "25", "hours", "2005-05-11"),
            ("2005-05-10", "5", "h", "2005-05-10"),
            ("2014D", "25", "months", "2016D"),
            ("2014", "735", "days", "2016"),
            ("2014", "364", "days", "2014"),
            ("2014-06D", "-33", "days", "2014-05D"),
            ("2016-05", "-31535999", "seconds", "2015-05"),
            ("2014", "2.9", "years", "2016"),
            (
                "2024-01-01T10:00:00.000Z",
                "1.5",
                "s",
                "2024-01-01T10:00:01.500Z",
            ),
            (
                "2024-01-01T10:00:00.000Z",
                "1.5",
                "hours",
                "2024-01-01T11:00:00.000Z",
            ),
            (
                "2024-01-01T10:00:00Z",
                "1.5",
                "seconds",
                "2024-01-01T10:00:01Z",
            ),
            (
                "2016-06-10T05:05:05.005-04:00",
                "-6",
                "milliseconds",
                "2016-06-10T05:05:04.999-04:00",
            ),
            ("T15:59:59.999", "1", "minute", "T16:00:59.999"),
            ("T15:59:59.999", "300", "minutes", "T20:59:59.999"),
            ("T23:00:00.000", "2", "hours", "T01:00:00.000"),
            ("T01:00:00.000", "-2", "hours", "T23:00:00.000"),
            ("T01:00:00.000", "1", "day", "null"),
            ("2005-10-10", "1", "g", "null"),
            ("2005-10-10", "-2005", "years", "raised"),
            ("9999-12-31", "1", "day", "raised"),
            (
                "2005-10-10",
                "79228162514264337593543950335",
                "years",
                "raised",
            ),
            (
                "2005-10-10",
                "79228162514264337593543950335",
                "seconds",
                "raised",
            ),
            (
                "2005-10-10T10:00:00.000Z",
                "9223372036854775807",
                "ms",
                "raised",
            ),
        ];
        run(|cx| {
            for (value, amount, unit, expected) in cases {
                let value_of = amount.parse().unwrap_or_default();
                let q = Quantity {
                    value: value_of,
                    unit,
                };
                assert_eq!(
                    show(plus(cx, at(value), &q, 1)),
                    expected,
                    "{value} {amount} {unit}"
                );
                let q = Quantity {
                    value: -value_of,
                    unit,
                };
                assert_eq!(
                    show(plus(cx, at(value), &q, -1)),
                    expected,
                    "{value} {amount} {unit}"
                );
            }
        });
    }

    #[test]
    fn neighbours() {
        let cases = [
            ("2000-01-01", "2000-01-02", "1999-12-31"),
            ("2000D", "2001D", "1999D"),
            ("2000-12", "2001-01", "2000-11"),
            (
                "2000-01-01T00:00Z",
                "2000-01-01T00:01Z",
                "1999-12-31T23:59Z",
            ),
            ("T12:00:00.000", "T12:00:00.001", "T11:59:59.999"),
            ("T23", "raised", "T22"),
            ("T23:59:59.999", "raised", "T23:59:59.998"),
            ("T00:00:00.000", "T00:00:00.001", "raised"),
            (
                "9999-12-31T23:59:59.999Z",
                "raised",
                "9999-12-31T23:59:59.998Z",
            ),
            ("0001-01-01D", "0001-01-02D", "raised"),
            ("9999D", "raised", "9998D"),
        ];
        run(|cx| {
            for (value, after, before) in cases {
                assert_eq!(show(successor(cx, at(value))), after, "{value}");
                assert_eq!(show(predecessor(cx, at(value))), before, "{value}");
            }
        });
    }

    #[test]
    fn boundaries_and_precision() {
        let cases = [
            (
                "2014-01-01T08Z",
                17,
                "2014-01-01T08:00:00.000Z",
                "2014-01-01T08:59:59.999Z",
            ),
            ("2014D", 6, "2014-01D", "2014-12D"),
            ("2014D", 8, "2014-01-01D", "2014-12-31D"),
            ("2016-02D", 8, "2016-02-01D", "2016-02-29D"),
            ("2016-02", 10, "2016-02-01T00Z", "2016-02-29T23Z"),
            ("2016-02-03D", 4, "2016D", "2016D"),
            ("T10:30", 9, "T10:30:00.000", "T10:30:59.999"),
            ("T10:30", 2, "T10", "T10"),
            ("2014D", 10, "null", "null"),
            ("2014", 5, "null", "null"),
            ("T10:30", 17, "null", "null"),
            ("T10:30", -8, "null", "null"),
        ];
        run(|cx| {
            for (value, digits, low, high) in cases {
                let args = [at(value), Val::Integer(digits)];
                assert_eq!(show(low_boundary(cx, &args)), low, "{value}");
                assert_eq!(show(high_boundary(cx, &args)), high, "{value}");
            }
            assert_eq!(show(high_boundary(cx, &[at("2014D")])), "2014-12-31D");
        });
    }
}
