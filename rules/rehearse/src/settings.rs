//! What a rehearsal is told.

use engine_patient::system::date_time::days_from_civil;
use engine_patient::system::zone::Zone;
use rules::Hook;

/// The hooks that can be replayed.
pub const HOOKS: [Hook; 3] = [Hook::PatientView, Hook::OrderSelect, Hook::OrderSign];

/// A request that is ended now, and does not say when, is taken to have been active for so many days where
/// nothing else is said.
pub const ACTIVE_DAYS: u32 = 30;

/// What decides which calls there are, and what was known at each.
#[derive(Clone, Debug)]
pub struct Settings {
    /// First and last millisecond of the period that is replayed, from 1970-01-01T00:00Z.
    pub period: (i64, i64),
    /// Where dates, and date-times without an offset, are taken to be.
    pub zone: Zone,
    /// The hooks that are replayed.
    pub hooks: Vec<Hook>,
    /// `meta.lastUpdated` is when a resource was recorded, where it has no other date of that: not so in a
    /// bulk export, whose resources bear the moment of the export.
    pub last_updated: bool,
    /// A request that is ended now, and does not say when, is taken to have been active for so many days.
    pub assumed_days: u32,
}

impl Settings {
    /// Days of the period by the calendar, begun ones whole: some have 23 or 25 hours.
    pub fn days(&self) -> u64 {
        let day = |millis| {
            let (year, month, day) = self.zone.moment(millis).civil();
            i64::from(days_from_civil(year, month, day))
        };
        let between = day(self.period.1) - day(self.period.0);
        u64::try_from(between).unwrap_or(0) + 1
    }

    /// Whether calls of a hook are replayed.
    pub fn has(&self, hook: Hook) -> bool {
        self.hooks.contains(&hook)
    }
}

/// Milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

#[cfg(test)]
mod tests {
    use engine_patient::system::date_time::DateTime;

    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (first, last, expected) in [
            // The clock goes back, and forward.
            ("2025-11-01", "2025-11-30", 30),
            ("2025-03-01", "2025-03-31", 31),
            ("2025-01-01", "2025-12-31", 365),
            ("2025-11-02", "2025-11-02", 1),
        ] {
            let zone = Zone::parse("America/New_York").unwrap();
            let day = |text| DateTime::parse(text).unwrap();
            let settings = Settings {
                period: (day(first).earliest(&zone), day(last).latest(&zone)),
                zone: zone.clone(),
                hooks: vec![],
                last_updated: false,
                assumed_days: ACTIVE_DAYS,
            };
            assert_eq!(settings.days(), expected, "{first}..{last}");
        }
    }
}
