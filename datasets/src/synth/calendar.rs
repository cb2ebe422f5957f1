//! Days and minutes, and how they are written in FHIR.

/// Days since 1970-01-01.
pub(super) type Day = i32;

/// A civil date as days since 1970-01-01 (Howard Hinnant's algorithm).
pub(super) fn day_of(year: i32, month: u32, day: u32) -> Day {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let shifted = (month as i32 + 9) % 12;
    let doy = (153 * shifted + 2) / 5 + day as i32 - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// The civil date (year, month, day) of a day number.
pub(super) fn civil(day: Day) -> (i32, u32, u32) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let m = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    let year = yoe + era * 400 + i32::from(m <= 2);
    (year, m, d)
}

/// A local time: a day and the minute of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) day: Day,
    pub(super) minute: u16,
}

impl Moment {
    pub(super) fn at(day: Day, minute: u16) -> Self {
        Self { day, minute }
    }

    /// Later by `minutes`, but never on another day: what belongs to a visit stays on its date.
    pub(super) fn plus(self, minutes: u16) -> Self {
        Self {
            day: self.day,
            minute: (self.minute + minutes).min(23 * 60 + 59),
        }
    }
}

/// How much of a date is written; the dirty data cut it short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Full,
    Month,
    Year,
}

fn two(out: &mut String, value: u32) {
    out.push(char::from(b'0' + (value / 10 % 10) as u8));
    out.push(char::from(b'0' + (value % 10) as u8));
}

/// `2025-03-04`, `2025-03` or `2025`.
pub(super) fn push_date(out: &mut String, day: Day, precision: Precision) {
    let (year, month, dom) = civil(day);
    two(out, (year / 100) as u32);
    two(out, (year % 100) as u32);
    if precision == Precision::Year {
        return;
    }
    out.push('-');
    two(out, month);
    if precision == Precision::Month {
        return;
    }
    out.push('-');
    two(out, dom);
}

/// `2025-03-04T09:30:00-05:00`; every ninth day is written in UTC, as some senders do.
///
/// UTC only before 18:00 local time, so that the written date is the local date and never passes
/// the end of the history.
pub(super) fn push_moment(out: &mut String, moment: Moment) {
    let utc = moment.day % 9 == 0 && moment.minute < 18 * 60;
    let minute = if utc {
        moment.minute + 5 * 60
    } else {
        moment.minute
    };
    push_date(out, moment.day, Precision::Full);
    out.push('T');
    two(out, u32::from(minute / 60));
    out.push(':');
    two(out, u32::from(minute % 60));
    out.push_str(if utc { ":00Z" } else { ":00-05:00" });
}
