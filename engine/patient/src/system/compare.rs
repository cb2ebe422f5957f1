//! Which of two dates comes first: component by component, from the year to a precision; unknown where
//! the precision of a value ends before it is decided (CQL 1.5, §18; FHIRPath, §6.2).
//!
//! *Offsets.* "Implementations should normalize to the timezone offset of the evaluation request
//! timestamp, but only when the comparison precision is hours, minutes, seconds, or milliseconds"
//! (After, Before, Same As …). So at the day or coarser each value counts with the date it is
//! written with: an encounter that ended at 23:00-05:00 ended that day, wherever the run takes
//! place. Without a precision the comparison goes to the finest one, so it normalizes. That is to one
//! offset for both: in a zone whose clock changed between the two, to the offset of the earlier, so
//! that the hour that comes twice has an order. Beside a day, a month or a year a moment counts by the
//! clock of the zone at that moment.
//!
//! *Seconds and milliseconds.* §12 speaks of one decimal component, so that `T12:00:00` would be
//! `T12:00:00.000`; the official test suite expects null for each such pair (`DateTimeIncludedInNull`,
//! `ProperContainsTimeNull`). A second that is not known to the millisecond stays uncertain here.
//!
//! *Dates against date-times.* A date converts to a date-time of unknown time, in the zone of the
//! run (`ToDateTime`): it compares down to the day and is unknown beyond.

use std::cmp::Ordering;

use super::date_time::{DAY, DateTime, Precision, cut_millis, days_from_civil};
use super::zone::Zone;

/// Which comes first, to `precision` or else to the finest precision of the two.
pub fn compare(
    a: DateTime,
    b: DateTime,
    precision: Option<Precision>,
    zone: &Zone,
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
    let (a, b) = if target > Precision::Day && (a.offset != b.offset || !zone.is_fixed()) {
        by_one_clock(a, b, zone)
    } else {
        (a, b)
    };
    let common = target.min(a.precision).min(b.precision);
    decided(ticks(a, common).cmp(&ticks(b, common)), common, target)
}

/// `a = b`.
pub fn equal(a: DateTime, b: DateTime, zone: &Zone) -> Option<bool> {
    compare(a, b, None, zone).map(Ordering::is_eq)
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
pub(super) fn decided(
    ordering: Ordering,
    common: Precision,
    target: Precision,
) -> Option<Ordering> {
    (ordering != Ordering::Equal || common == target).then_some(ordering)
}

/// Both as the clock of the zone shows them; see the module for a clock that changed in between.
pub(super) fn by_one_clock(a: DateTime, b: DateTime, zone: &Zone) -> (DateTime, DateTime) {
    let of_clock = |d: DateTime| d.precision > Precision::Day;
    if zone.is_fixed() || !of_clock(a) || !of_clock(b) {
        return (in_zone(a, zone), in_zone(b, zone));
    }
    let (a, b) = (a.with_zone(zone), b.with_zone(zone));
    let one = Zone::fixed(zone.offset_at(a.earliest(zone).min(b.earliest(zone))));
    (in_zone(a, &one), in_zone(b, &one))
}

/// The same instant as the clock of the zone shows it. A value without an hour has no instant to
/// move.
pub fn in_zone(value: DateTime, zone: &Zone) -> DateTime {
    match value.offset {
        Some(offset) if value.precision > Precision::Day => {
            let utc = value.local_millis() - i64::from(offset) * 60_000;
            let here = zone.offset_at(utc);
            if here == offset {
                return value;
            }
            let local = utc + i64::from(here) * 60_000;
            DateTime {
                days: i32::try_from(local.div_euclid(DAY)).unwrap_or(value.days),
                millis: u32::try_from(local.rem_euclid(DAY)).unwrap_or(value.millis),
                precision: value.precision,
                offset: Some(here),
            }
        }
        _ => value,
    }
}

/// A count that orders values cut to `precision`.
fn ticks(value: DateTime, precision: Precision) -> i64 {
    match precision {
        Precision::Year | Precision::Month | Precision::Day => {
            i64::from(cut_days(value, precision))
        }
        finer => value.local_millis().div_euclid(finer.millis()),
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
    DateTime {
        days: cut_days(value, precision),
        millis: cut_millis(value.millis, precision),
        precision,
        offset: value.offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::zone::UTC;
    use Ordering::{Equal, Greater, Less};
    use Precision::{Day, Hour, Millisecond, Month, Second, Year};

    fn d(text: &str) -> DateTime {
        DateTime::parse(text).unwrap().with_zone(&UTC)
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
                compare(d(a), d(b), precision, &UTC),
                expected,
                "{a} {b} {precision:?}"
            );
            assert_eq!(
                compare(d(b), d(a), precision, &UTC),
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
                compare(d(a), d(b), precision, &UTC),
                expected,
                "{a} {b} {precision:?}"
            );
        }
    }

    #[test]
    fn cuts() {
        assert_eq!(cut(d("2024-05-17T10:20:30.400Z"), Month), d("2024-05"));
        assert_eq!(cut(d("2024-05-17T10:20:30.400Z"), Year), d("2024"));
        assert_eq!(
            cut(d("2024-05-17T10:20:30.400Z"), Second),
            d("2024-05-17T10:20:30Z")
        );
        assert_eq!(cut(d("2024"), Second), d("2024"));
    }

    /// Over a change of the clock the order is that of the instants, and a day is one of the place.
    #[test]
    fn a_place_has_two_offsets() {
        let ny = Zone::parse("America/New_York").unwrap();
        let p = |text: &str| DateTime::parse(text).unwrap().with_zone(&ny);
        let cases = [
            ("2025-06-30", "2025-07-01T03:30:00Z", None, None),
            ("2025-07-01", "2025-07-01T03:30:00Z", None, Some(Greater)),
            ("2025-01-01", "2025-01-01T04:30:00Z", None, Some(Greater)),
            // As winter time is written all year by some systems: it is April there already.
            ("2025-03", "2025-03-31T23:30:00-05:00", None, Some(Less)),
            ("2025-03", "2025-03-31T23:30:00-05:00", Some(Day), None),
            (
                "2025-11-02T01:30:00-04:00",
                "2025-11-02T01:30:00-05:00",
                None,
                Some(Less),
            ),
            (
                "2025-11-02T01:30:00",
                "2025-11-02T01:30:00-04:00",
                None,
                Some(Equal),
            ),
            (
                "2025-11-02T01:30:00-04:00",
                "2025-11-02T01:30:00-05:00",
                Some(Hour),
                Some(Less),
            ),
            (
                "2025-11-02T01:59:00-04:00",
                "2025-11-02T01:01:00-05:00",
                None,
                Some(Less),
            ),
            (
                "2025-03-09T01:59:59-05:00",
                "2025-03-09T03:00:00-04:00",
                None,
                Some(Less),
            ),
        ];
        for (a, b, precision, expected) in cases {
            assert_eq!(compare(p(a), p(b), precision, &ny), expected, "{a} {b}");
            let back = expected.map(Ordering::reverse);
            assert_eq!(compare(p(b), p(a), precision, &ny), back, "{b} {a}");
        }
    }

    #[test]
    fn without_an_offset_the_zone_decides() {
        let p = |text: &str| DateTime::parse(text).unwrap();
        use Ordering::{Equal, Greater, Less};
        let cases = [
            ("2024", "2024", Some(Equal)),
            ("2024", "2025", Some(Less)),
            ("2024", "2024-05", None),
            ("2024-05-01", "2024-05-01T10:00:00Z", None),
            ("2024-05-02", "2024-05-01T10:00:00Z", Some(Greater)),
            (
                "2024-05-01T10:00:00Z",
                "2024-05-01T10:00:00.000Z",
                Some(Equal),
            ),
            (
                "2024-05-01T10:00:00Z",
                "2024-05-01T12:00:00+02:00",
                Some(Equal),
            ),
            (
                "2024-05-01T10:00:00Z",
                "2024-05-01T10:00:00+02:00",
                Some(Greater),
            ),
        ];
        for (a, b, expected) in cases {
            assert_eq!(compare(p(a), p(b), None, &UTC), expected, "{a} {b}");
            assert_eq!(
                compare(p(b), p(a), None, &UTC),
                expected.map(Ordering::reverse),
                "{b} {a}"
            );
        }
        // Without an offset the zone decides.
        assert_eq!(
            compare(
                p("2024-05-01"),
                p("2024-05-01T23:30:00-05:00"),
                None,
                &Zone::fixed(-300)
            ),
            None
        );
        assert_eq!(
            compare(p("2024-05-01"), p("2024-05-01T23:30:00-05:00"), None, &UTC),
            Some(Less)
        );
    }
}
