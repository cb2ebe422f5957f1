//! Dates and times as FHIR and CQL have them: with a precision, and perhaps without an offset.
//!
//! A date given to the year stands for any instant of that year, so a comparison can be
//! uncertain: it is `None` then, never a guess (CQL 1.5, §22 and appendix H).

use std::fmt;

/// How much of a date-time is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Precision {
    /// `2024`
    Year,
    /// `2024-05`
    Month,
    /// `2024-05-01`
    Day,
    /// `2024-05-01T10` (CQL only)
    Hour,
    /// `2024-05-01T10:00`
    Minute,
    /// `2024-05-01T10:00:00`
    Second,
    /// `2024-05-01T10:00:00.000`
    Millisecond,
}

impl Precision {
    /// Milliseconds in a unit of the clock; of a day where it is none.
    pub fn millis(self) -> i64 {
        match self {
            Precision::Hour => 3_600_000,
            Precision::Minute => 60_000,
            Precision::Second => 1000,
            Precision::Millisecond => 1,
            Precision::Year | Precision::Month | Precision::Day => DAY,
        }
    }
}

/// A FHIR `date`, `dateTime` or `instant`: local fields, precision, and the offset if it was given.
/// Digits of a second after the third are not kept, as in CQL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DateTime {
    /// Days from 1970-01-01 of the local date; unknown fields stand at their least value.
    pub days: i32,
    /// Milliseconds of the local day.
    pub millis: u32,
    pub precision: Precision,
    /// Minutes east of UTC, where the text gave an offset.
    pub offset: Option<i16>,
}

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;

/// Days from 1970-01-01 of a date of the proleptic Gregorian calendar.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).unwrap_or(i32::MAX)
}

/// Year, month and day of a count of days from 1970-01-01.
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let small = |v: i64| u32::try_from(v).unwrap_or(0);
    (
        i32::try_from(year).unwrap_or(i32::MAX),
        small(month),
        small(day),
    )
}

/// Days of a month.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Milliseconds of the day down to a unit of the clock.
pub(super) fn cut_millis(millis: u32, precision: Precision) -> u32 {
    let unit = u32::try_from(precision.millis()).unwrap_or(1);
    millis / unit * unit
}

/// The last millisecond of the day that a value of this precision can be.
pub(super) fn last_milli(millis: u32, precision: Precision) -> u32 {
    let unit = u32::try_from(precision.millis()).unwrap_or(1);
    millis.saturating_add(unit - 1)
}

impl DateTime {
    /// A whole day.
    pub fn date(year: i32, month: u32, day: u32) -> Option<Self> {
        let valid = (1..=9999).contains(&year) && (1..=12).contains(&month);
        let valid = valid && day >= 1 && day <= days_in_month(year, month);
        valid.then(|| DateTime {
            days: days_from_civil(year, month, day),
            millis: 0,
            precision: Precision::Day,
            offset: None,
        })
    }

    /// An instant, seen at an offset of so many minutes east of UTC.
    pub fn from_utc_millis(utc: i64, offset: i16) -> Self {
        let local = utc.saturating_add(i64::from(offset) * 60_000);
        let days = i32::try_from(local.div_euclid(DAY)).unwrap_or(i32::MAX);
        let millis = u32::try_from(local.rem_euclid(DAY)).unwrap_or(0);
        let precision = Precision::Millisecond;
        DateTime {
            days,
            millis,
            precision,
            offset: Some(offset),
        }
    }

    /// Reads a FHIR `date`, `dateTime` or `instant`. `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let year = i32::try_from(digits(bytes, 0, 4)?).ok()?;
        let mut out = DateTime {
            days: 0,
            millis: 0,
            precision: Precision::Year,
            offset: None,
        };
        let (mut month, mut day) = (1, 1);
        let mut at = 4;
        if bytes.get(at) == Some(&b'-') {
            month = digits(bytes, at + 1, 2)?;
            out.precision = Precision::Month;
            at += 3;
            if bytes.get(at) == Some(&b'-') {
                day = digits(bytes, at + 1, 2)?;
                out.precision = Precision::Day;
                at += 3;
            }
        }
        if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        out.days = days_from_civil(year, month, day);
        if out.precision == Precision::Day && bytes.get(at) == Some(&b'T') {
            at = out.parse_time(bytes, at + 1)?;
        }
        (at == bytes.len()).then_some(out)
    }

    /// `hh:mm[:ss[.fff]][Z|±hh:mm]` from `at`; returns where it ends.
    fn parse_time(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        let hour = digits(bytes, at, 2)?;
        at += 2;
        let (mut minute, mut second, mut millis) = (0, 0, 0);
        self.precision = Precision::Hour;
        if bytes.get(at) == Some(&b':') {
            minute = digits(bytes, at + 1, 2)?;
            at += 3;
            self.precision = Precision::Minute;
            if bytes.get(at) == Some(&b':') {
                second = digits(bytes, at + 1, 2)?;
                at += 3;
                self.precision = Precision::Second;
                if bytes.get(at) == Some(&b'.') {
                    at += 1;
                    let from = at;
                    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
                        let weight = [100, 10, 1].get(at - from).copied().unwrap_or(0);
                        millis += u32::from(digit - b'0') * weight;
                        at += 1;
                    }
                    if at == from {
                        return None;
                    }
                    self.precision = Precision::Millisecond;
                }
            }
        }
        // A leap second counts as the last second before it.
        let second = if second == 60 { 59 } else { second };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        self.millis = ((hour * 60 + minute) * 60 + second) * 1000 + millis;
        match bytes.get(at) {
            Some(b'Z') => {
                self.offset = Some(0);
                at += 1;
            }
            Some(sign @ (b'+' | b'-')) => {
                let (hours, minutes) = (digits(bytes, at + 1, 2)?, digits(bytes, at + 4, 2)?);
                if bytes.get(at + 3) != Some(&b':') || hours > 14 || minutes > 59 {
                    return None;
                }
                let east = i16::try_from(hours * 60 + minutes).ok()?;
                self.offset = Some(if *sign == b'-' { -east } else { east });
                at += 6;
            }
            _ => {}
        }
        Some(at)
    }

    /// How much is known.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// The offset that was given, in minutes east of UTC.
    pub fn offset(self) -> Option<i16> {
        self.offset
    }

    /// Local year, month and day; unknown fields are 1.
    pub fn civil(self) -> (i32, u32, u32) {
        civil_from_days(self.days)
    }

    /// Milliseconds from 1970-01-01T00:00 by the local clock; of the first moment it can be.
    pub fn local_millis(self) -> i64 {
        i64::from(self.days) * DAY + i64::from(self.millis)
    }

    /// The last moment it can be by the local clock. See [`DateTime::local_millis`].
    pub fn last_local_millis(self) -> i64 {
        let (year, month, _) = self.civil();
        let width = match self.precision {
            Precision::Year => {
                let next = days_from_civil(year.saturating_add(1), 1, 1);
                i64::from(next - self.days) * DAY
            }
            Precision::Month => i64::from(days_in_month(year, month)) * DAY,
            finer => finer.millis(),
        };
        self.local_millis() + width - 1
    }

    /// The date as it is written, without its time.
    #[must_use]
    pub fn date_part(self) -> Self {
        DateTime {
            millis: 0,
            precision: self.precision.min(Precision::Day),
            offset: None,
            ..self
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}")?;
        if self.precision >= Precision::Month {
            write!(f, "-{month:02}")?;
        }
        if self.precision >= Precision::Day {
            write!(f, "-{day:02}")?;
        }
        if self.precision > Precision::Day {
            let (seconds, millis) = (self.millis / 1000, self.millis % 1000);
            write!(f, "T{:02}", seconds / 3600)?;
            if self.precision >= Precision::Minute {
                write!(f, ":{:02}", seconds / 60 % 60)?;
            }
            if self.precision >= Precision::Second {
                write!(f, ":{:02}", seconds % 60)?;
            }
            if self.precision >= Precision::Millisecond {
                write!(f, ".{millis:03}")?;
            }
            match self.offset {
                Some(0) => write!(f, "Z")?,
                Some(east) => {
                    let sign = if east < 0 { '-' } else { '+' };
                    let east = east.unsigned_abs();
                    write!(f, "{sign}{:02}:{:02}", east / 60, east % 60)?;
                }
                None => {}
            }
        }
        Ok(())
    }
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<u32> {
    let digits = bytes.get(from..from + count)?;
    digits.iter().try_fold(0u32, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'))
    })
}

/// An instant in microseconds from 1970-01-01T00:00Z: here the fourth to sixth digit of a second
/// count. UTC where no offset is given.
pub fn instant_micros(text: &str) -> Option<i64> {
    let moment = DateTime::parse(text)?;
    let millis = moment.local_millis() - i64::from(moment.offset.unwrap_or(0)) * 60_000;
    let fraction = text.split_once('.').map_or("", |(_, f)| f);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).skip(3);
    let extra = digits
        .zip([100, 10, 1])
        .map(|(digit, weight)| i64::from(digit - b'0') * weight);
    Some(millis * 1000 + extra.sum::<i64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> DateTime {
        DateTime::parse(text).unwrap()
    }

    #[test]
    fn parses_and_prints_the_same() {
        for text in [
            "2024",
            "2024-02",
            "2024-02-29",
            "1900-02-28",
            "2024-02-29T10:30Z",
            "2024-02-29T10:30:15+05:30",
            "2024-02-29T10:30:15.120-05:00",
            "2024-02-29T10:30:15.120",
            "0001-01-01",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(d(text).to_string(), text);
        }
        for text in [
            "",
            "24",
            "2024-",
            "2024-13",
            "2024-00",
            "2023-02-29",
            "1900-02-29",
            "2024-02-29T",
            "2024-02-29T24:00Z",
            "2024-02-29T10:60Z",
            "2024-1-1",
            "2024-02-29 10:00",
            "2024-02T10:00Z",
            "2024-02-29T10:00+15:00",
            "2024-02-29T10:00:00.Z",
            "2024-02-29x",
            "0000",
            "２０２４",
        ] {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
        assert_eq!(
            d("2024-01-01T00:00:00.123456Z").to_string(),
            "2024-01-01T00:00:00.123Z"
        );
    }

    #[test]
    fn days_go_both_ways() {
        for days in (-719_162..2_932_896).step_by(97) {
            let (y, m, day) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, day), days);
        }
    }
}
