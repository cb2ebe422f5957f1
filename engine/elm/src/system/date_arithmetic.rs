//! §18 Date and time operators (CQL 1.5): adding and subtracting calendar durations; successor and
//! predecessor; the precision of a value and its boundaries (§16).
//!
//! A duration finer than the value is known is first converted to the value's precision, without its
//! remainder: "`DateTime(2014) - 24 months` results in `DateTime(2012)`". For that a year has 365
//! days, a month 30. Decimals are dropped, except of seconds: "for precisions above seconds, any
//! decimal portion of the time-valued quantity is ignored".

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::context::cx::{Cx, Fault, Out};
use crate::operators::datetime::DAY;
use crate::system::date_compare::{cut, cut_time, millis_in};
use crate::system::units::CalendarUnit;
use crate::values::value::{Quantity, Time, Val};
use engine_patient::time::{CalendarDuration, DateTime, Precision, days_in_month};

/// A count of a unit that has a fixed relation to the next: months, days or milliseconds.
#[derive(Clone, Copy)]
enum Span {
    Months(i64),
    Days(i64),
    Millis(i64),
}

impl Span {
    /// `None` where the count is beyond 64 bits.
    fn of(value: Decimal, unit: CalendarUnit) -> Option<Span> {
        let whole = || value.trunc().to_i64();
        Some(match unit {
            CalendarUnit::Year => Span::Months(whole()?.checked_mul(12)?),
            CalendarUnit::Month => Span::Months(whole()?),
            CalendarUnit::Week => Span::Days(whole()?.checked_mul(7)?),
            CalendarUnit::Day => Span::Days(whole()?),
            CalendarUnit::Hour => Span::Millis(whole()?.checked_mul(millis_in(Precision::Hour))?),
            CalendarUnit::Minute => {
                Span::Millis(whole()?.checked_mul(millis_in(Precision::Minute))?)
            }
            CalendarUnit::Second => {
                let millis = value.checked_mul(Decimal::from(1000))?;
                Span::Millis(millis.trunc().to_i64()?)
            }
            CalendarUnit::Millisecond => Span::Millis(whole()?),
        })
    }

    /// Cut to what a value of this precision can take.
    fn at(self, precision: Precision) -> Span {
        match (precision, self) {
            (Precision::Year, Span::Months(months)) => Span::Months(months / 12 * 12),
            (Precision::Year, Span::Days(days)) => Span::Months(days / 365 * 12),
            (Precision::Month, Span::Days(days)) => Span::Months(days / 30),
            (Precision::Year | Precision::Month, Span::Millis(millis)) => {
                Span::Days(millis / DAY).at(precision)
            }
            (Precision::Day, Span::Millis(millis)) => Span::Days(millis / DAY),
            (clock, Span::Millis(millis)) => {
                let unit = millis_in(clock);
                Span::Millis(millis / unit * unit)
            }
            (_, whole) => whole,
        }
    }

    fn duration(self) -> Option<CalendarDuration> {
        let mut duration = CalendarDuration::default();
        match self {
            Span::Months(months) => duration.months = i32::try_from(months).ok()?,
            Span::Days(days) => duration.days = i32::try_from(days).ok()?,
            Span::Millis(millis) => duration.millis = millis,
        }
        Some(duration)
    }
}

fn out_of_range() -> Fault {
    Fault::Raised("date and time arithmetic leaves the years 1 to 9999".to_owned())
}

/// `v + q` (`sign` 1) or `v - q` (`sign` -1) of a date, date-time or time. Null where the unit is no
/// duration; an error where the result is not in the years 1 to 9999. Times go round the clock.
pub fn plus<'a>(_cx: &Cx<'a>, v: Val<'a>, q: &Quantity<'_>, sign: i32) -> Out<'a> {
    let Some(unit) = CalendarUnit::of(q.unit) else {
        return Ok(Val::Null);
    };
    let value = if sign < 0 { -q.value } else { q.value };
    let span = Span::of(value, unit).ok_or_else(out_of_range)?;
    match v {
        Val::Date(d) => shifted(d, span).map(Val::Date).ok_or_else(out_of_range),
        Val::DateTime(d) => shifted(d, span).map(Val::DateTime).ok_or_else(out_of_range),
        Val::Time(t) => Ok(match span.at(t.precision) {
            Span::Millis(millis) => {
                let sum = (i64::from(t.millis) + millis % DAY).rem_euclid(DAY);
                Val::Time(Time {
                    millis: u32::try_from(sum).unwrap_or(t.millis),
                    ..t
                })
            }
            // A time has no days to add to.
            _ => Val::Null,
        }),
        _ => Ok(Val::Null),
    }
}

fn shifted(value: DateTime, span: Span) -> Option<DateTime> {
    value.plus(span.at(value.precision).duration()?)
}

/// So many units of `precision` later; `None` out of range.
pub(crate) fn step(value: DateTime, count: i64, precision: Precision) -> Option<DateTime> {
    let span = match precision {
        Precision::Year => Span::Months(count.checked_mul(12)?),
        Precision::Month => Span::Months(count),
        Precision::Day => Span::Days(count),
        clock => Span::Millis(count.checked_mul(millis_in(clock))?),
    };
    shifted(value, span)
}

/// So many units of `precision` later on the same day; `None` past its ends.
pub(crate) fn step_time(value: Time, count: i64, precision: Precision) -> Option<Time> {
    let step = count.checked_mul(millis_in(precision))?;
    let millis = i64::from(value.millis).checked_add(step)?;
    let millis = u32::try_from(millis).ok().filter(|m| i64::from(*m) < DAY)?;
    Some(Time { millis, ..value })
}

/// The next or previous date, date-time or time at its own precision; `None` where there is none.
pub(crate) fn neighbour<'a>(v: Val<'a>, count: i64) -> Option<Val<'a>> {
    match v {
        Val::Date(d) => step(d, count, d.precision).map(Val::Date),
        Val::DateTime(d) => step(d, count, d.precision).map(Val::DateTime),
        Val::Time(t) => step_time(t, count, t.precision).map(Val::Time),
        _ => Some(Val::Null),
    }
}

/// The successor of a date, date-time or time; an error of the greatest.
pub fn successor<'a>(_cx: &Cx<'a>, v: Val<'a>) -> Out<'a> {
    neighbour(v, 1)
        .ok_or_else(|| Fault::Raised("the greatest date or time has no successor".to_owned()))
}

/// The predecessor of a date, date-time or time; an error of the least.
pub fn predecessor<'a>(_cx: &Cx<'a>, v: Val<'a>) -> Out<'a> {
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
pub fn high_boundary<'a>(_cx: &Cx<'a>, args: &[Val<'a>]) -> Out<'a> {
    Ok(boundary(args, true))
}

/// `LowBoundary` of a date, date-time or time: value, digits (null: all).
pub fn low_boundary<'a>(_cx: &Cx<'a>, args: &[Val<'a>]) -> Out<'a> {
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
        Val::Date(d) => Val::Date(edge(d, precision, high)),
        Val::DateTime(d) => Val::DateTime(edge(d, precision, high)),
        Val::Time(t) => Val::Time(edge_time(t, precision, high)),
        _ => Val::Null,
    }
}

/// The first or last moment of a precision that the value can be.
fn edge(value: DateTime, precision: Precision, high: bool) -> DateTime {
    let mut out = DateTime {
        precision: Precision::Millisecond,
        ..value
    };
    if high {
        let (year, month, _) = value.civil();
        match value.precision {
            Precision::Year => out.days = engine_patient::time::days_from_civil(year, 12, 31),
            Precision::Month => {
                let last = days_in_month(year, month);
                out.days = engine_patient::time::days_from_civil(year, month, last);
            }
            _ => {}
        }
        out.millis = last_milli(value.millis, value.precision);
    }
    cut(out, precision)
}

fn edge_time(value: Time, precision: Precision, high: bool) -> Time {
    let millis = if high {
        last_milli(value.millis, value.precision)
    } else {
        value.millis
    };
    let whole = Time {
        millis,
        precision: Precision::Millisecond,
    };
    cut_time(whole, precision)
}

/// The last millisecond of the day that a value of this precision can be.
fn last_milli(millis: u32, precision: Precision) -> u32 {
    let unit = u32::try_from(millis_in(precision)).unwrap_or(1);
    millis.saturating_add(unit - 1)
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
