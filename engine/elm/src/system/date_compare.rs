//! §18 Date and time operators (CQL 1.5): comparison, component by component, from the year (or the
//! hour) to a precision; unknown where the precision of a value ends before it is decided.
//!
//! *Offsets.* "Implementations should normalize to the timezone offset of the evaluation request
//! timestamp, but only when the comparison precision is hours, minutes, seconds, or milliseconds"
//! (After, Before, Same As …). So at the day or coarser each value counts with the date it is
//! written with: an encounter that ended at 23:00-05:00 ended that day, wherever the run takes
//! place. Without a precision the comparison goes to the finest one, so it normalizes.
//!
//! *Seconds and milliseconds.* §12 speaks of one decimal component, so that `T12:00:00` would be
//! `T12:00:00.000`; the official test suite expects null for each such pair (`DateTimeIncludedInNull`,
//! `ProperContainsTimeNull`). A second that is not known to the millisecond stays uncertain here.
//!
//! *Dates against date-times.* A date converts to a date-time of unknown time, in the zone of the
//! run (`ToDateTime`): it compares down to the day and is unknown beyond.

use std::cmp::Ordering;

use crate::operators::datetime::DAY;
use crate::values::value::{Time, Val};
use engine_patient::time::{DateTime, Precision, days_from_civil};

/// Which comes first, to `precision` or else to the finest precision of the two.
pub fn compare(
    a: DateTime,
    b: DateTime,
    precision: Option<Precision>,
    zone: i16,
) -> Option<Ordering> {
    // What measures ask most.
    if precision == Some(Precision::Day)
        && a.precision >= Precision::Day
        && b.precision >= Precision::Day
    {
        return Some(a.days.cmp(&b.days));
    }
    let (a, b) = match precision {
        Some(_) => (a, b),
        None => (whole_second(a), whole_second(b)),
    };
    let target = precision.unwrap_or(a.precision.max(b.precision));
    let (a, b) = if target > Precision::Day && a.offset != b.offset {
        (in_zone(a, zone), in_zone(b, zone))
    } else {
        (a, b)
    };
    let common = target.min(a.precision).min(b.precision);
    decided(ticks(a, common).cmp(&ticks(b, common)), common, target)
}

/// Which comes first of two times of day.
pub fn compare_time(a: Time, b: Time, precision: Option<Precision>) -> Option<Ordering> {
    let lift = |t: Time| match (precision, t.precision) {
        (None, Precision::Second) => Time {
            precision: Precision::Millisecond,
            ..t
        },
        _ => t,
    };
    let (a, b) = (lift(a), lift(b));
    let target = precision.unwrap_or(a.precision.max(b.precision));
    let common = target.min(a.precision).min(b.precision);
    let unit = millis_in(common);
    let ordering = (i64::from(a.millis) / unit).cmp(&(i64::from(b.millis) / unit));
    decided(ordering, common, target)
}

/// A second as the decimal it is: 10:00:05 is 10:00:05.000.
fn whole_second(value: DateTime) -> DateTime {
    match value.precision {
        Precision::Second => DateTime {
            precision: Precision::Millisecond,
            ..value
        },
        _ => value,
    }
}

/// An order found down to `common`: equal there leaves what is finer open.
fn decided(ordering: Ordering, common: Precision, target: Precision) -> Option<Ordering> {
    (ordering != Ordering::Equal || common == target).then_some(ordering)
}

/// The order of two values where both are dates, date-times or times; `None` where they are not.
pub fn order(
    a: &Val<'_>,
    b: &Val<'_>,
    precision: Option<Precision>,
    zone: i16,
) -> Option<Option<Ordering>> {
    match (a, b) {
        (Val::DateTime(a) | Val::Date(a), Val::DateTime(b) | Val::Date(b)) => {
            Some(compare(*a, *b, precision, zone))
        }
        (Val::Time(a), Val::Time(b)) => Some(compare_time(*a, *b, precision)),
        _ => None,
    }
}

/// `a = b`.
pub fn equal(a: DateTime, b: DateTime, zone: i16) -> Option<bool> {
    compare(a, b, None, zone).map(Ordering::is_eq)
}

/// `a ~ b`: false where the precisions differ.
pub fn equivalent(a: DateTime, b: DateTime, zone: i16) -> bool {
    equal(a, b, zone).unwrap_or(false)
}

/// The same instant at the offset of the run. A value without an hour has no instant to move.
pub(crate) fn in_zone(value: DateTime, zone: i16) -> DateTime {
    match value.offset {
        Some(offset) if offset != zone && value.precision > Precision::Day => {
            let local = local_millis(value) + (i64::from(zone) - i64::from(offset)) * 60_000;
            at_local(local, value, zone)
        }
        _ => value,
    }
}

/// Milliseconds from 1970-01-01T00:00 by the local clock.
pub(crate) fn local_millis(value: DateTime) -> i64 {
    i64::from(value.days) * DAY + i64::from(value.millis)
}

fn at_local(local: i64, like: DateTime, zone: i16) -> DateTime {
    DateTime {
        days: i32::try_from(local.div_euclid(DAY)).unwrap_or(like.days),
        millis: u32::try_from(local.rem_euclid(DAY)).unwrap_or(like.millis),
        precision: like.precision,
        offset: Some(zone),
    }
}

/// Milliseconds in a unit of the clock; of a day where it is none.
pub(crate) fn millis_in(precision: Precision) -> i64 {
    match precision {
        Precision::Hour => 3_600_000,
        Precision::Minute => 60_000,
        Precision::Second => 1000,
        Precision::Millisecond => 1,
        _ => DAY,
    }
}

/// A count that orders values cut to `precision`.
fn ticks(value: DateTime, precision: Precision) -> i64 {
    match precision {
        Precision::Year | Precision::Month | Precision::Day => {
            i64::from(cut_days(value, precision))
        }
        finer => local_millis(value).div_euclid(millis_in(finer)),
    }
}

/// The first day of the year or month, or the day.
fn cut_days(value: DateTime, precision: Precision) -> i32 {
    // Unknown fields stand at their least value already.
    if precision >= Precision::Day || value.precision <= precision {
        return value.days;
    }
    let (year, month, _) = value.civil();
    let month = if precision == Precision::Year {
        1
    } else {
        month
    };
    days_from_civil(year, month, 1)
}

/// The value known only to `precision`; itself where it is not known further.
pub fn cut(value: DateTime, precision: Precision) -> DateTime {
    if value.precision <= precision {
        return value;
    }
    let unit = millis_in(precision);
    let millis = i64::from(value.millis) / unit * unit;
    DateTime {
        days: cut_days(value, precision),
        millis: u32::try_from(millis).unwrap_or(0),
        precision,
        offset: value.offset,
    }
}

/// A time of day known only to `precision`.
pub fn cut_time(value: Time, precision: Precision) -> Time {
    if value.precision <= precision {
        return value;
    }
    let unit = millis_in(precision);
    let millis = i64::from(value.millis) / unit * unit;
    Time {
        millis: u32::try_from(millis).unwrap_or(0),
        precision,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use Ordering::{Equal, Greater, Less};
    use Precision::{Day, Hour, Millisecond, Month, Second, Year};

    fn d(text: &str) -> DateTime {
        let parsed = DateTime::parse(text).unwrap();
        crate::operators::datetime::to_date_time(parsed, 0)
    }

    #[test]
    fn to_a_precision() {
        let cases = [
            ("2004-11-10", "2004-10-10", Some(Year), Some(Equal)),
            ("2004-09-10", "2004-10-01", Some(Month), Some(Less)),
            ("2005-10-10", "2005-09", Some(Day), Some(Greater)),
            ("2014-12-20", "2014-12", Some(Day), None),
            ("2014-12-20", "2014-12", Some(Month), Some(Equal)),
            ("2014-12", "2014-12", Some(Day), None),
            ("2014-12", "2014-12", None, Some(Equal)),
            ("2014-12", "2014-12-01", None, None),
            ("2014", "2015-12-01", None, Some(Less)),
            (
                "2014-12-20T10:00:00Z",
                "2014-12-20T10:00:00.000Z",
                None,
                // Seconds and milliseconds are one decimal.
                Some(Equal),
            ),
            (
                "2014-12-20T10:00:00Z",
                "2014-12-20T10:00:00.900Z",
                Some(Second),
                Some(Equal),
            ),
            (
                "2014-12-20T10:00:00Z",
                "2014-12-20T10:00:00.900Z",
                Some(Millisecond),
                None,
            ),
            (
                "2014-12-20T10:00:01Z",
                "2014-12-20T10:00:00.900Z",
                None,
                Some(Greater),
            ),
        ];
        for (a, b, precision, expected) in cases {
            assert_eq!(
                compare(d(a), d(b), precision, 0),
                expected,
                "{a} {b} {precision:?}"
            );
            assert_eq!(
                compare(d(b), d(a), precision, 0),
                expected.map(Ordering::reverse),
                "{b} {a} {precision:?}"
            );
        }
    }

    #[test]
    fn offsets_count_below_the_day() {
        let cases = [
            // The same hour of the run's clock.
            (
                "2012-03-10T10:20:00.999+07:00",
                "2012-03-10T09:20:00.999+06:00",
                Some(Hour),
                Some(Equal),
            ),
            (
                "2012-03-10T10:20:00.999+07:00",
                "2012-03-10T10:20:00.999+06:00",
                Some(Hour),
                Some(Less),
            ),
            (
                "2012-03-10T10:20:00.999+07:00",
                "2012-03-10T09:20:00.999+06:00",
                None,
                Some(Equal),
            ),
            // The day as written.
            (
                "2022-02-22T00:00:00.000-05:00",
                "2022-02-22T04:59:00.000Z",
                Some(Day),
                Some(Equal),
            ),
            (
                "2024-12-31T23:00:00-05:00",
                "2024-12-31",
                Some(Day),
                Some(Equal),
            ),
            (
                "2024-12-31T23:00:00-05:00",
                "2025-01-01T03:00:00Z",
                Some(Day),
                Some(Less),
            ),
            (
                "2024-12-31T23:00:00-05:00",
                "2025-01-01T03:00:00Z",
                None,
                Some(Greater),
            ),
            // In the zone of the run it is the next day.
            ("2024-12-31T23:00:00-05:00", "2025-01-01", None, None),
            (
                "2024-12-31T23:00:00-05:00",
                "2024-12-31",
                None,
                Some(Greater),
            ),
        ];
        for (a, b, precision, expected) in cases {
            assert_eq!(
                compare(d(a), d(b), precision, 0),
                expected,
                "{a} {b} {precision:?}"
            );
        }
    }

    #[test]
    fn times_and_cuts() {
        let time = |millis, precision| Time { millis, precision };
        let noon = 43_200_000;
        let (a, b) = (time(noon, Second), time(noon + 1, Millisecond));
        assert_eq!(compare_time(a, b, None), Some(Less));
        assert_eq!(compare_time(a, b, Some(Second)), Some(Equal));
        assert_eq!(compare_time(a, b, Some(Hour)), Some(Equal));
        assert_eq!(cut_time(b, Hour), time(noon, Hour));
        assert_eq!(cut(d("2024-05-17T10:20:30.400Z"), Month), d("2024-05"));
        assert_eq!(cut(d("2024-05-17T10:20:30.400Z"), Year), d("2024"));
        assert_eq!(
            cut(d("2024-05-17T10:20:30.400Z"), Second),
            d("2024-05-17T10:20:30Z")
        );
        assert_eq!(cut(d("2024"), Second), d("2024"));
    }
}
