//! Adding calendar durations to dates and times, and the boundaries of what a value can be (CQL 1.5,
//! §18 and §16; FHIRPath, §6.6.7).
//!
//! A duration finer than the value is known is first converted to the value's precision, without its
//! remainder: "`DateTime(2014) - 24 months` results in `DateTime(2012)`". For that a year has 365
//! days, a month 30. Decimals are dropped, except of seconds: "for precisions above seconds, any
//! decimal portion of the time-valued quantity is ignored".
//!
//! A date-time keeps its offset, as it does in CQL: in a zone whose clock changes, six months after
//! midnight of winter time is midnight of winter time too.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::compare::cut;
use super::date_time::{
    DAY, DateTime, Precision, civil_from_days, days_from_civil, days_in_month, last_milli,
};
use super::units::CalendarUnit;
use super::zone::Zone;

/// A duration in calendar units: a month is a month, whatever its length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CalendarDuration {
    /// Months; a year is twelve.
    pub months: i32,
    /// Days; a week is seven.
    pub days: i32,
    /// Milliseconds.
    pub millis: i64,
}

impl CalendarDuration {
    /// So many months.
    pub fn months(months: i32) -> Self {
        CalendarDuration {
            months,
            ..Self::default()
        }
    }

    /// So many days.
    pub fn days(days: i32) -> Self {
        CalendarDuration {
            days,
            ..Self::default()
        }
    }

    /// So many milliseconds.
    pub fn millis(millis: i64) -> Self {
        CalendarDuration {
            millis,
            ..Self::default()
        }
    }

    /// So many of a calendar unit; `None` where there is no room for the count.
    pub fn of(value: Decimal, unit: CalendarUnit) -> Option<Self> {
        let whole = || value.trunc().to_i64();
        let small = |count: i64| i32::try_from(count).ok();
        Some(match unit {
            CalendarUnit::Year => Self::months(small(whole()?.checked_mul(12)?)?),
            CalendarUnit::Month => Self::months(small(whole()?)?),
            CalendarUnit::Week => Self::days(small(whole()?.checked_mul(7)?)?),
            CalendarUnit::Day => Self::days(small(whole()?)?),
            CalendarUnit::Hour => Self::millis(whole()?.checked_mul(Precision::Hour.millis())?),
            CalendarUnit::Minute => Self::millis(whole()?.checked_mul(Precision::Minute.millis())?),
            CalendarUnit::Second => {
                let millis = value.checked_mul(Decimal::from(1000))?;
                Self::millis(millis.trunc().to_i64()?)
            }
            CalendarUnit::Millisecond => Self::millis(whole()?),
        })
    }

    /// The same backwards.
    #[must_use]
    pub fn negated(self) -> Self {
        CalendarDuration {
            months: self.months.saturating_neg(),
            days: self.days.saturating_neg(),
            millis: self.millis.saturating_neg(),
        }
    }

    /// Both, one after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        CalendarDuration {
            months: self.months.saturating_add(other.months),
            days: self.days.saturating_add(other.days),
            millis: self.millis.saturating_add(other.millis),
        }
    }

    /// Converted to what a value of this precision can take, each part for itself. `None` where there
    /// is no room for it.
    fn at(self, precision: Precision) -> Option<Self> {
        let days_of_millis = i32::try_from(self.millis / DAY).ok();
        Some(match precision {
            Precision::Year => {
                let years = self.months / 12 + self.days / 365 + days_of_millis? / 365;
                Self::months(years.checked_mul(12)?)
            }
            Precision::Month => {
                let months = self.months.checked_add(self.days / 30)?;
                Self::months(months.checked_add(days_of_millis? / 30)?)
            }
            Precision::Day => CalendarDuration {
                days: self.days.checked_add(days_of_millis?)?,
                millis: 0,
                ..self
            },
            clock => {
                let unit = clock.millis();
                CalendarDuration {
                    millis: self.millis / unit * unit,
                    ..self
                }
            }
        })
    }
}

/// A date or date-time so much later: months first, and a day past the end of the month becomes its
/// last day; then days; then the clock. `None` when the result lies outside the years 1 to 9999.
pub fn plus(value: DateTime, duration: CalendarDuration) -> Option<DateTime> {
    let duration = duration.at(value.precision)?;
    let (year, month, day) = value.civil();
    let months = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(duration.months);
    let year = i32::try_from(months.div_euclid(12)).ok()?;
    let month = u32::try_from(months.rem_euclid(12)).ok()? + 1;
    if !(1..=9999).contains(&year) {
        return None;
    }
    let day = day.min(days_in_month(year, month));
    let millis = i64::from(value.millis).checked_add(duration.millis)?;
    let days = i64::from(days_from_civil(year, month, day)) + i64::from(duration.days);
    let days = i32::try_from(days + millis.div_euclid(DAY)).ok()?;
    let in_range = (1..=9999).contains(&civil_from_days(days).0);
    in_range.then_some(DateTime {
        days,
        millis: u32::try_from(millis.rem_euclid(DAY)).ok()?,
        ..value
    })
}

/// The same in a zone. What has the offset of a named place, as a moment of the evaluation or the border of
/// a period has, has that of the place again after months and days: half a year before the end of a June
/// day in New York is the end of a December day there, not an hour before it. CQL knows fixed offsets
/// only, and with these nothing differs from [`plus`].
pub fn plus_in(value: DateTime, duration: CalendarDuration, zone: &Zone) -> Option<DateTime> {
    let clock = CalendarDuration::millis(duration.millis);
    let of_place = |offset| offset == zone.offset_at(value.earliest(zone));
    if zone.is_fixed() || duration == clock || !value.offset.is_some_and(of_place) {
        return plus(value, duration);
    }
    let calendar = CalendarDuration {
        millis: 0,
        ..duration
    };
    let moved = plus(value, calendar)?;
    let offset = Some(zone.offset_of_local(moved.local_millis(), false));
    plus(DateTime { offset, ..moved }, clock)
}

/// So many units of `precision` later; `None` out of range.
pub fn step(value: DateTime, count: i64, precision: Precision) -> Option<DateTime> {
    let small = |count: i64| i32::try_from(count).ok();
    plus(
        value,
        match precision {
            Precision::Year => CalendarDuration::months(small(count.checked_mul(12)?)?),
            Precision::Month => CalendarDuration::months(small(count)?),
            Precision::Day => CalendarDuration::days(small(count)?),
            clock => CalendarDuration::millis(count.checked_mul(clock.millis())?),
        },
    )
}

/// The first or last moment of a precision that the value can be.
pub fn boundary(value: DateTime, precision: Precision, high: bool) -> DateTime {
    let mut out = DateTime {
        precision: Precision::Millisecond,
        ..value
    };
    if high {
        let (year, month, _) = value.civil();
        match value.precision {
            Precision::Year => out.days = days_from_civil(year, 12, 31),
            Precision::Month => out.days = days_from_civil(year, month, days_in_month(year, month)),
            _ => {}
        }
        out.millis = last_milli(value.millis, value.precision);
    }
    cut(out, precision)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> DateTime {
        DateTime::parse(text).unwrap()
    }

    #[test]
    fn calendar_arithmetic() {
        let months = CalendarDuration::months;
        let days = CalendarDuration::days;
        let cases = [
            ("2024-01-31", months(1), Some("2024-02-29")),
            ("2024-02-29", months(-12), Some("2023-02-28")),
            ("2024", months(6), Some("2024")),
            ("2024", months(-18), Some("2023")),
            ("2014", days(735), Some("2016")),
            ("2014", days(364), Some("2014")),
            ("2014-06", days(-33), Some("2014-05")),
            ("2014-06", months(1).and(days(30)), Some("2014-08")),
            ("9999-12-31", days(1), None),
            ("2024-01-31", months(1).and(days(1)), Some("2024-03-01")),
            (
                "2024-12-31T23:00:00Z",
                CalendarDuration::millis(7_200_000),
                Some("2025-01-01T01:00:00Z"),
            ),
            // As in CQL, the offset stays.
            (
                "2025-01-01T00:00:00-05:00",
                months(6),
                Some("2025-07-01T00:00:00-05:00"),
            ),
        ];
        for (value, duration, expected) in cases {
            let found = plus(d(value), duration).map(|d| d.to_string());
            assert_eq!(found.as_deref(), expected, "{value} {duration:?}");
        }
    }

    #[test]
    fn boundaries() {
        let of = |text: &str, high| boundary(d(text), Precision::Millisecond, high).to_string();
        assert_eq!(of("2024", true), "2024-12-31T23:59:59.999");
        assert_eq!(of("2024-02", true), "2024-02-29T23:59:59.999");
        assert_eq!(of("2024-02-03T10:00Z", true), "2024-02-03T10:00:59.999Z");
        assert_eq!(of("2024-02", false), "2024-02-01T00:00:00.000");
    }
}
