//! CQL's calendar units: `year` to `millisecond` (CQL 1.5, §12.1 "Equal" on time-valued quantities).

/// A unit of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CalendarUnit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl CalendarUnit {
    /// Of a word of CQL, such as `month` or `months`, or of the UCUM code of the same duration.
    pub fn of(unit: &str) -> Option<CalendarUnit> {
        Self::word(unit).or(match unit {
            "a" => Some(CalendarUnit::Year),
            "mo" => Some(CalendarUnit::Month),
            "wk" => Some(CalendarUnit::Week),
            "d" => Some(CalendarUnit::Day),
            "h" => Some(CalendarUnit::Hour),
            "min" => Some(CalendarUnit::Minute),
            "s" => Some(CalendarUnit::Second),
            "ms" => Some(CalendarUnit::Millisecond),
            _ => None,
        })
    }

    /// Of a word of CQL alone.
    pub fn word(unit: &str) -> Option<CalendarUnit> {
        Some(match unit {
            "year" | "years" => CalendarUnit::Year,
            "month" | "months" => CalendarUnit::Month,
            "week" | "weeks" => CalendarUnit::Week,
            "day" | "days" => CalendarUnit::Day,
            "hour" | "hours" => CalendarUnit::Hour,
            "minute" | "minutes" => CalendarUnit::Minute,
            "second" | "seconds" => CalendarUnit::Second,
            "millisecond" | "milliseconds" => CalendarUnit::Millisecond,
            _ => return None,
        })
    }
}

/// Months in a unit of calendar years or months: of no definite length.
pub fn months(unit: &str) -> Option<i128> {
    match CalendarUnit::word(unit) {
        Some(CalendarUnit::Year) => Some(12),
        Some(CalendarUnit::Month) => Some(1),
        _ => None,
    }
}

/// The UCUM code of a calendar unit of definite length; anything else as it is.
pub fn definite(unit: &str) -> &str {
    match CalendarUnit::word(unit) {
        Some(CalendarUnit::Week) => "wk",
        Some(CalendarUnit::Day) => "d",
        Some(CalendarUnit::Hour) => "h",
        Some(CalendarUnit::Minute) => "min",
        Some(CalendarUnit::Second) => "s",
        Some(CalendarUnit::Millisecond) => "ms",
        Some(CalendarUnit::Year | CalendarUnit::Month) | None => unit,
    }
}
