//! The day rule: before or after a moment, for people who count in days.
//!
//! By the comparison of CQL a date without a time cannot be told from a moment of its day. Here it counts
//! by the day then: it is neither before nor after that moment, so that a test of ten years ago to the
//! day is not of the last ten years, and one of today is. The same for a time that is not known to the
//! second. What is known to the month or the year only is told where all its days say the same.
//!
//! Days are those of the zone. Wherever CQL's comparison is known the answer is that of CQL; else it is
//! that of `Coalesce(x > limit, x > limit + 1 day)` and of `Coalesce(x < limit, x < limit - 1 day)`.

use super::compare::{compare, in_zone};
use super::date_time::{DAY, DateTime, Precision};
use super::zone::Zone;

/// Whether a value is after a limit, by the day where its time does not tell.
pub fn is_after(value: DateTime, limit: DateTime, zone: &Zone) -> Option<bool> {
    match compare(value, limit, None, zone) {
        Some(order) => Some(order.is_gt()),
        None => later(days(value, zone), days(limit, zone)),
    }
}

/// Whether a value is before a limit, by the day where its time does not tell.
pub fn is_before(value: DateTime, limit: DateTime, zone: &Zone) -> Option<bool> {
    match compare(value, limit, None, zone) {
        Some(order) => Some(order.is_lt()),
        None => later(days(limit, zone), days(value, zone)),
    }
}

/// Whether each of some days is after each of others; `None` where some are and some are not.
fn later(these: (i64, i64), those: (i64, i64)) -> Option<bool> {
    match (these.0 > those.1, these.1 <= those.0) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// The day of a date or a moment, as FHIR writes it, for people: of a moment the day that it is in this zone,
/// wherever it was written. Of a year or a month that.
pub fn written_day(time: DateTime, zone: &Zone) -> String {
    let timed = time.precision() > Precision::Day && time.offset().is_some();
    let here = match timed {
        true => zone.moment(time.earliest(zone)),
        false => time,
    };
    let text = here.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// The first and the last day that a value can be of.
fn days(value: DateTime, zone: &Zone) -> (i64, i64) {
    let here = in_zone(value.with_zone(zone), zone);
    let day = |millis: i64| millis.div_euclid(DAY);
    (day(here.local_millis()), day(here.last_local_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::date_arithmetic::{CalendarDuration, plus_in};

    fn d(text: &str) -> DateTime {
        DateTime::parse(text).unwrap()
    }

    #[test]
    fn days_count_where_times_do_not_tell() {
        let noon = "2025-12-31T12:00:00Z";
        for (value, limit, after, before) in [
            ("2025-12-31", noon, Some(false), Some(false)),
            ("2026-01-01", noon, Some(true), Some(false)),
            ("2025-12-30", noon, Some(false), Some(true)),
            ("2025-12-31T12:00:01Z", noon, Some(true), Some(false)),
            ("2025-12-31T12:00Z", noon, Some(false), Some(false)),
            // All of its days are on or before that day.
            ("2025-12", noon, Some(false), None),
            ("2025", noon, Some(false), None),
            ("2025-12", "2025-12-01T12:00:00Z", None, Some(false)),
            ("2025-12", "2025-12-15T12:00:00Z", None, None),
            // A limit without a time.
            (
                "2025-12-31T23:00:00Z",
                "2025-12-31",
                Some(false),
                Some(false),
            ),
            (
                "2026-01-01T00:00:00Z",
                "2025-12-31",
                Some(true),
                Some(false),
            ),
        ] {
            let zone = Zone::fixed(0);
            assert_eq!(
                is_after(d(value), d(limit), &zone),
                after,
                "{value} > {limit}"
            );
            assert_eq!(
                is_before(d(value), d(limit), &zone),
                before,
                "{value} < {limit}"
            );
        }
        // 31 December in Greenwich is 1 January in Tonga already.
        let tonga = Zone::fixed(13 * 60);
        assert_eq!(is_after(d("2026-01-01"), d(noon), &tonga), Some(false));
        assert_eq!(is_before(d("2026-01-01"), d(noon), &tonga), Some(false));
    }

    /// As the heading says it.
    #[test]
    fn it_is_the_comparison_of_the_next_day() {
        let values = [
            "2024",
            "2025",
            "2025-03",
            "2025-10",
            "2025-11",
            "2025-03-29",
            "2025-03-30",
            "2025-03-31",
            "2025-10-26",
            "2025-11-01",
            "2025-11-02",
            "2025-03-30T00:30:00Z",
            "2025-03-30T03:00:00+02:00",
            "2025-10-26T02:30:00",
            "2025-11-02T01:30:00-04:00",
            "2025-11-02T23:59:59.999Z",
        ];
        let limits = [
            "2025-03-30T12:00:00Z",
            "2025-10-26T00:30:00Z",
            "2025-11-02T05:59:59.999Z",
            "2025-10-31T23:59:59.999Z",
            "2025-12-31T23:59:59.999Z",
            "2025-01-01T00:00:00Z",
        ];
        for zone in [
            "+00:00",
            "-05:00",
            "+13:00",
            "America/New_York",
            "Europe/Berlin",
        ] {
            let zone = Zone::parse(zone).unwrap();
            for (value, limit) in values
                .iter()
                .flat_map(|v| limits.iter().map(move |l| (*v, *l)))
            {
                let limit_here = in_zone(d(limit), &zone);
                let by = |n| plus_in(limit_here, CalendarDuration::days(n), &zone).unwrap();
                let after = |l| compare(d(value), l, None, &zone).map(|o| o.is_gt());
                let before = |l| compare(d(value), l, None, &zone).map(|o| o.is_lt());
                assert_eq!(
                    is_after(d(value), limit_here, &zone),
                    after(limit_here).or_else(|| after(by(1))),
                    "{value} > {limit} {zone}"
                );
                assert_eq!(
                    is_before(d(value), limit_here, &zone),
                    before(limit_here).or_else(|| before(by(-1))),
                    "{value} < {limit} {zone}"
                );
            }
        }
    }
}
