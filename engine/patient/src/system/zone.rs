//! Where the clock of a run stands: the offset from UTC of what is given without one.
//!
//! *FHIR* (R4, §2.24.0.1, dateTime): "If hours and minutes are specified, a time zone SHALL be
//! populated", and of instants of a whole day there is none: a `date`, or a `dateTime` without a time,
//! says nothing of the zone it was meant in. *CQL* (1.5, §18 "DateTime"): "If timezoneOffset is not
//! specified, it is defaulted to the timezone offset of the evaluation request." CQL knows offsets
//! only; a place whose clock changes has two a year, so with a named zone each moment gets the offset
//! of that moment: the start of a period its own and the end its own.
//!
//! A rule for what a change of the clock makes unclear:
//! - a local time that comes twice (the clock goes back) is the first of the two, to the hour or finer;
//!   a day, month or year ends with the last;
//! - a local time that does not come (the clock goes forward) is read at the offset before the change,
//!   so 02:30 is 03:30 of the new time (RFC 5545, §3.3.5).
//!
//! Zones are those of the IANA database that is compiled in, never those of the machine: the same
//! inputs give the same bytes everywhere. Offsets are in whole minutes from -12:00 to +14:00, as the
//! places of today have them; the local mean times of before 1900 are cut to that, and no other is
//! read as a zone, so that what the lake prunes by (`lake/envelope.rs`) is wide enough. (Data may be
//! written with an offset down to -14:00: that is no zone, but part of an instant.)

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::date_time::{DAY, DateTime, Precision, civil_from_days};
use crate::finding::did_you_mean;

/// Minutes east of UTC of the places where a day begins first.
pub const EASTERNMOST: i16 = 14 * 60;
/// And of those where it ends last.
pub const WESTERNMOST: i16 = -12 * 60;

/// A fixed offset from UTC, or a place of the IANA database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(Clock);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Clock {
    /// Minutes east of UTC.
    Fixed(i16),
    Place(TimeZone),
}

/// UTC, where no zone is asked for.
pub static UTC: Zone = Zone::fixed(0);

impl Zone {
    /// So many minutes east of UTC, at all times.
    pub const fn fixed(minutes: i16) -> Self {
        Zone(Clock::Fixed(minutes))
    }

    /// `-05:00`, `Z`, or a name of the IANA database such as `America/New_York`, in any letter case.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        if let Some(minutes) = offset(text) {
            return Ok(Zone::fixed(minutes));
        }
        let all = TimeZoneDatabase::bundled();
        match all.get(text) {
            // `Etc/Unknown` is none.
            Ok(place) if !place.is_unknown() => Ok(Zone(Clock::Place(place))),
            _ => Err(ZoneError {
                near: nearest(text, &all),
            }),
        }
    }

    /// Whether its offset is the same at all times.
    pub fn is_fixed(&self) -> bool {
        matches!(self.0, Clock::Fixed(_))
    }

    /// Minutes east of UTC at an instant, in milliseconds from 1970-01-01T00:00Z.
    pub fn offset_at(&self, utc: i64) -> i16 {
        match &self.0 {
            Clock::Fixed(minutes) => *minutes,
            Clock::Place(place) => {
                // Timestamps end before the last day of the year 9999 does: the offset goes on.
                let (first, last) = (Timestamp::MIN, Timestamp::MAX);
                let utc = utc.clamp(first.as_millisecond() + 1, last.as_millisecond());
                let moment = Timestamp::from_millisecond(utc).unwrap_or(last);
                minutes(place.to_offset(moment))
            }
        }
    }

    /// Minutes east of UTC of a local time, in milliseconds from 1970-01-01T00:00 by the clock there.
    /// See the module for times that come twice or not at all. `last`: of twice the second.
    pub fn offset_of_local(&self, local: i64, last: bool) -> i16 {
        let place = match &self.0 {
            Clock::Fixed(minutes) => return *minutes,
            Clock::Place(place) => place,
        };
        // A year outside of -9999 to 9999 has the offset of the nearest moment inside.
        let end = match local < 0 {
            true => civil::DateTime::MIN,
            false => civil::DateTime::MAX,
        };
        let local = civil_of(local).unwrap_or(end);
        minutes(match place.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } => before,
            AmbiguousOffset::Fold { before, after } => match last {
                true => after,
                false => before,
            },
        })
    }

    /// An instant as the clock of the zone shows it.
    pub fn moment(&self, utc: i64) -> DateTime {
        DateTime::from_utc_millis(utc, self.offset_at(utc))
    }
}

/// Where a value stands that has no offset of its own.
impl DateTime {
    /// The first instant it can stand for, in milliseconds from 1970-01-01T00:00Z. `zone` is where it
    /// is taken to be where no offset was given.
    pub fn earliest(self, zone: &Zone) -> i64 {
        let local = self.local_millis();
        let offset = self
            .offset
            .unwrap_or_else(|| zone.offset_of_local(local, false));
        local - i64::from(offset) * 60_000
    }

    /// The last millisecond it can stand for. See [`DateTime::earliest`].
    pub fn latest(self, zone: &Zone) -> i64 {
        let local = self.last_local_millis();
        let day = self.precision <= Precision::Day;
        let offset = self
            .offset
            .unwrap_or_else(|| zone.offset_of_local(local, day));
        local - i64::from(offset) * 60_000
    }

    /// With an offset: its own, or that of the zone at that moment.
    #[must_use]
    pub fn with_zone(self, zone: &Zone) -> Self {
        let of_zone = || zone.offset_of_local(self.local_millis(), false);
        DateTime {
            offset: Some(self.offset.unwrap_or_else(of_zone)),
            ..self
        }
    }
}

/// Reads `±hh:mm` or `Z` as minutes east of UTC, within the offsets that there are.
fn offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let two = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<i16>().ok(),
        _ => None,
    };
    let east = two(hours)? * 60 + two(minutes).filter(|m| *m < 60)?;
    let east = match text.as_bytes().first()? {
        b'+' => east,
        b'-' => -east,
        _ => return None,
    };
    (WESTERNMOST..=EASTERNMOST).contains(&east).then_some(east)
}

/// In whole minutes, see the module.
fn minutes(offset: Offset) -> i16 {
    let minutes = i16::try_from(offset.seconds() / 60).unwrap_or(0);
    minutes.clamp(WESTERNMOST, EASTERNMOST)
}

fn civil_of(local: i64) -> Option<civil::DateTime> {
    let (year, month, day) = civil_from_days(i32::try_from(local.div_euclid(DAY)).ok()?);
    let millis = local.rem_euclid(DAY);
    let small = |n: i64| i8::try_from(n).ok();
    let nanos = i32::try_from(millis % 1000 * 1_000_000).ok()?;
    civil::DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        small(millis / 3_600_000)?,
        small(millis / 60_000 % 60)?,
        small(millis / 1000 % 60)?,
        nanos,
    )
    .ok()
}

/// The name that was meant: of the whole, or of its last part (`New York` is `America/New_York`).
fn nearest(text: &str, all: &TimeZoneDatabase) -> Option<String> {
    let names: Vec<String> = all.available().map(|n| n.as_str().to_owned()).collect();
    let spelled = text.trim().replace(' ', "_");
    let whole = did_you_mean(&spelled, names.iter().map(String::as_str));
    if let Some(name) = whole {
        return Some(name.to_owned());
    }
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let cities: Vec<String> = names.iter().map(|n| city(n)).collect();
    let near = did_you_mean(&city(&spelled), cities.iter().map(String::as_str))?;
    let at = cities.iter().position(|c| c == near)?;
    names.get(at).cloned()
}

impl fmt::Display for Zone {
    /// As it is written: `-05:00`, `America/New_York`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Clock::Fixed(east) => {
                let sign = if *east < 0 { '-' } else { '+' };
                let east = east.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", east / 60, east % 60)
            }
            Clock::Place(place) => f.write_str(place.iana_name().unwrap_or("UTC")),
        }
    }
}

/// What was written is neither an offset nor a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZoneError {
    /// A place that may have been meant.
    pub near: Option<String>,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write an offset such as -05:00 or +00:00, or a place such as America/New_York",
        )?;
        match &self.near {
            Some(name) => write!(f, "; did you mean {name}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ZoneError {}

#[cfg(test)]
#[path = "zone_tests.rs"]
mod tests;
