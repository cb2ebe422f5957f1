//! Durations, differences and ages (CQL 1.5, §18 and appendix H).
//!
//! A duration counts whole periods gone by; a difference counts the boundaries crossed. Of values
//! not known to the precision asked, both give the range of what it can be.
//!
//! *Offsets.* Differences in days and coarser units count calendar days as written, those in hours
//! and finer count by the clock of the run. Durations are time gone by, so they go by the clock of
//! the run in all units: from midnight at -07:00 to the next midnight at -06:00 is no whole day
//! (test `DurationInDaysAA` of the official suite). In a zone whose clock changes, days and coarser
//! units go by what the clock there shows: from noon to noon is a day, also where it has 23 hours.
//! Hours and finer are those that went by.
//!
//! *Seconds.* "Seconds and milliseconds are considered a single precision with decimal semantics":
//! a second without milliseconds is a whole one, except where milliseconds are counted.

use super::compare::{by_one_clock, in_zone};
use super::date_time::{DAY, DateTime, Precision, civil_from_days, days_in_month};
use super::time_of_day::Time;
use super::zone::Zone;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Week,
    Of(Precision),
}

impl Unit {
    /// A unit of the clock, not of the calendar.
    fn of_clock(self) -> bool {
        matches!(self, Unit::Of(precision) if precision > Precision::Day)
    }
}

/// What it is counted between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// Of no time of day.
    Date(DateTime),
    /// Of a time of day that may be unknown.
    DateTime(DateTime),
    Time(Time),
}

/// The least and the most that a count can be.
pub type Counts = (i64, i64);

/// Whole periods from the first to the second, negative where it is earlier; `None` of what has none
/// between it.
pub fn duration(a: Moment, b: Moment, unit: Unit, zone: &Zone) -> Option<Counts> {
    Some(counted(ranges(a, b, unit, true, zone)?, unit, elapsed))
}

/// Boundaries crossed from the first to the second. See [`duration`].
pub fn difference(a: Moment, b: Moment, unit: Unit, zone: &Zone) -> Option<Counts> {
    Some(counted(ranges(a, b, unit, false, zone)?, unit, crossed))
}

/// Whole years from one date to another, as they are written: an age does not depend on the hour of
/// birth. Who was born on 29 February is a year older on 28 February of a common year (appendix H,
/// years, example 4.b).
pub fn years_between(born: DateTime, on: DateTime) -> Counts {
    let year = Unit::Of(Precision::Year);
    let [born, on] = [born, on].map(|d| Range::of(d.date_part(), year, true));
    counted([born, on], year, elapsed)
}

/// The first and last local millisecond that a value can be.
#[derive(Clone, Copy)]
struct Range {
    least: i64,
    most: i64,
}

impl Range {
    /// `whole_days`: dates, which have no time of day to be unknown.
    fn of(value: DateTime, unit: Unit, whole_days: bool) -> Range {
        let least = value.local_millis();
        let most = match value.precision {
            Precision::Second if unit != Unit::Of(Precision::Millisecond) => least,
            _ if whole_days => value.last_local_millis().div_euclid(DAY) * DAY,
            _ => value.last_local_millis(),
        };
        Range { least, most }
    }

    /// Hours that went by, where the clock of a zone may have changed: from instants.
    fn of_instants(value: DateTime, unit: Unit, zone: &Zone, offset: i64) -> Range {
        let least = value.earliest(zone) + offset;
        let most = match value.precision {
            Precision::Second if unit != Unit::Of(Precision::Millisecond) => least,
            _ => value.latest(zone) + offset,
        };
        Range { least, most }
    }

    fn of_time(value: Time, unit: Unit) -> Range {
        let least = i64::from(value.millis);
        let most = match value.precision {
            Precision::Second if unit != Unit::Of(Precision::Millisecond) => least,
            precision => least + precision.millis() - 1,
        };
        Range { least, most }
    }
}

/// Both operands as ranges of local time.
fn ranges(a: Moment, b: Moment, unit: Unit, elapsed: bool, zone: &Zone) -> Option<[Range; 2]> {
    let (a, b, whole_days) = match (a, b) {
        (Moment::Date(a), Moment::Date(b)) => (a, b, !unit.of_clock()),
        (Moment::DateTime(a) | Moment::Date(a), Moment::DateTime(b) | Moment::Date(b)) => {
            (a, b, false)
        }
        (Moment::Time(a), Moment::Time(b)) if unit.of_clock() => {
            return Some([Range::of_time(a, unit), Range::of_time(b, unit)]);
        }
        _ => return None,
    };
    if unit.of_clock() && !zone.is_fixed() {
        let offset = zone.offset_at(a.earliest(zone).min(b.earliest(zone)));
        let offset = i64::from(offset) * 60_000;
        return Some([a, b].map(|d| Range::of_instants(d, unit, zone, offset)));
    }
    let (a, b) = (a.with_zone(zone), b.with_zone(zone));
    // Two equal offsets are those of the clock of the zone only where it never changes.
    let (a, b) = if a.offset == b.offset && zone.is_fixed() {
        (a, b)
    } else if unit.of_clock() {
        by_one_clock(a, b, zone)
    } else if elapsed {
        (in_zone(a, zone), in_zone(b, zone))
    } else {
        (a, b)
    };
    Some([a, b].map(|d| Range::of(d, unit, whole_days)))
}

fn counted([a, b]: [Range; 2], unit: Unit, count: fn(i64, i64, Unit) -> i64) -> Counts {
    (count(a.most, b.least, unit), count(a.least, b.most, unit))
}

fn elapsed(from: i64, to: i64, unit: Unit) -> i64 {
    let months = || match from > to {
        true => -whole_months_back(from, to),
        false => whole_months(from, to),
    };
    let gone = to - from;
    match unit {
        Unit::Of(Precision::Year) => months() / 12,
        Unit::Of(Precision::Month) => months(),
        Unit::Week => gone / (7 * DAY),
        Unit::Of(precision) => gone / precision.millis(),
    }
}

fn crossed(from: i64, to: i64, unit: Unit) -> i64 {
    let tick = |local: i64| {
        let days = local.div_euclid(DAY);
        match unit {
            Unit::Of(precision @ (Precision::Year | Precision::Month)) => {
                let (year, month, _) = civil(local);
                if precision == Precision::Year {
                    year
                } else {
                    year * 12 + month
                }
            }
            // 1970-01-04 was a Sunday, the first day of a week.
            Unit::Week => (days - 3).div_euclid(7),
            Unit::Of(precision) => local.div_euclid(precision.millis()),
        }
    };
    tick(to) - tick(from)
}

/// Year, month and day of a local time.
fn civil(local: i64) -> (i64, i64, i64) {
    let days = i32::try_from(local.div_euclid(DAY)).unwrap_or(i32::MAX);
    let (year, month, day) = civil_from_days(days);
    (i64::from(year), i64::from(month), i64::from(day))
}

/// Whole months from one local time to a later one: the last counts when the day and time of day are
/// reached. A month without that day has its last day in its place, as where months are added
/// (appendix H, years, note to example 4.b): who was born on 29 February is a year older on 28
/// February of a common year, and from 31 January to 28 February is a month.
fn whole_months(from: i64, to: i64) -> i64 {
    let ((y1, m1, d1), (y2, m2, d2)) = (civil(from), civil(to));
    let (t1, t2) = (from.rem_euclid(DAY), to.rem_euclid(DAY));
    let last = i32::try_from(y2).ok().zip(u32::try_from(m2).ok());
    let last = last.map_or(d1, |(year, month)| i64::from(days_in_month(year, month)));
    (y2 - y1) * 12 + m2 - m1 - i64::from((d2, t2) < (d1.min(last), t1))
}

/// Whole months from one local time back to an earlier one, counted from the later as months are
/// subtracted (appendix H, scenarios 3, 4, 7 and 8): 29 February is no two years before 28 February,
/// which two years before was reached a day later.
fn whole_months_back(from: i64, to: i64) -> i64 {
    let ((y1, m1, d1), (y2, m2, d2)) = (civil(from), civil(to));
    let (t1, t2) = (from.rem_euclid(DAY), to.rem_euclid(DAY));
    (y1 - y2) * 12 + m1 - m2 - i64::from((d1, t1) < (d2, t2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> DateTime {
        DateTime::parse(text).unwrap()
    }

    #[test]
    fn ages() {
        let age = |born: &str, on: &str| match years_between(d(born), d(on)) {
            (least, most) if least == most => Some(least),
            _ => None,
        };
        assert_eq!(age("1950-06-15", "2025-06-14"), Some(74));
        assert_eq!(age("1950-06-15", "2025-06-15"), Some(75));
        // CQL 1.5 appendix H, years, example 4.b and its note.
        assert_eq!(age("2012-02-29", "2014-02-28"), Some(2));
        assert_eq!(age("2012-02-29", "2014-02-27"), Some(1));
        assert_eq!(age("2012-02-29", "2016-02-28"), Some(3));
        assert_eq!(age("2012-02-29", "2014-02-28T12:00:00Z"), Some(2));
        assert_eq!(age("2003-03-01", "2024-02-29"), Some(20));
        assert_eq!(age("2012-02", "2014-02-28"), Some(2));
        assert_eq!(age("2012-02", "2014-02-27"), None);
        assert_eq!(age("2014-06-15", "2014-01-01"), Some(0));
        assert_eq!(age("2014-02-28", "2012-02-29"), Some(-1));
        assert_eq!(years_between(d("1950"), d("2025-06-15")), (74, 75));
        assert_eq!(age("1950-06", "2025-12-31"), Some(75));
    }

    /// The offset that an instant is written with says nothing of the days that the clock there shows.
    #[test]
    fn of_instants_in_a_zone() {
        let ny = Zone::parse("America/New_York").unwrap();
        let at = |text: &str| Moment::DateTime(d(text));
        let (days, months) = (Unit::Of(Precision::Day), Unit::Of(Precision::Month));
        let count = |a: &str, b: &str, unit| duration(at(a), at(b), unit, &ny);
        for (noon, next, month) in [
            (
                "2025-03-08T17:00:00.000Z",
                "2025-03-09T16:00:00.000Z",
                "2025-04-08T16:00:00.000Z",
            ),
            (
                "2025-03-08T12:00:00.000-05:00",
                "2025-03-09T11:00:00.000-05:00",
                "2025-04-08T11:00:00.000-05:00",
            ),
            (
                "2025-03-08T12:00:00.000-05:00",
                "2025-03-09T12:00:00.000-04:00",
                "2025-04-08T12:00:00.000-04:00",
            ),
        ] {
            assert_eq!(count(noon, next, days), Some((1, 1)), "{noon} {next}");
            assert_eq!(count(noon, next, Unit::Week), Some((0, 0)));
            assert_eq!(count(noon, month, months), Some((1, 1)), "{noon} {month}");
            assert_eq!(count(noon, month, days), Some((31, 31)), "{noon} {month}");
        }
    }

    /// A day of 23 hours is a day of the calendar.
    #[test]
    fn over_a_change_of_the_clock() {
        let ny = Zone::parse("America/New_York").unwrap();
        let at = |text: &str| Moment::DateTime(d(text).with_zone(&ny));
        let (days, hours) = (Unit::Of(Precision::Day), Unit::Of(Precision::Hour));
        let (noon, next) = (at("2025-03-08T12:00:00.000"), at("2025-03-09T12:00:00.000"));
        assert_eq!(duration(noon, next, days, &ny), Some((1, 1)));
        assert_eq!(duration(noon, next, hours, &ny), Some((23, 23)));
        assert_eq!(difference(noon, next, hours, &ny), Some((23, 23)));
        assert_eq!(difference(noon, next, days, &ny), Some((1, 1)));
        let (first, second) = (
            at("2025-11-02T01:30:00-04:00"),
            at("2025-11-02T01:30:00-05:00"),
        );
        assert_eq!(duration(first, second, hours, &ny), Some((1, 1)));
        assert_eq!(duration(second, first, hours, &ny), Some((-1, -1)));
        // From the last of March back to its first hour: 31 days less an hour.
        let month = Moment::Date(d("2025-03"));
        assert_eq!(
            duration(month, at("2025-04-01T00:00:00.000"), hours, &ny),
            Some((0, 743))
        );
        // From a fixed offset nothing of this follows.
        let east = Zone::fixed(-300);
        assert_eq!(duration(noon, next, hours, &east), Some((23, 23)));
        assert_eq!(duration(noon, next, days, &east), Some((0, 0)));
    }
}
