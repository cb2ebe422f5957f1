//! The moment that something is judged at, and what is dated after it.
//!
//! What a chart holds at the moment of a call has happened, whatever its date says: clocks differ by some
//! minutes, and a day without a zone begins elsewhere earlier. What is dated later than that is no part of
//! the chart for one who looks back at a period of the past; in a call it contradicts itself, and is not
//! known.

use crate::system::date_time::{DateTime, Precision};
use crate::system::zone::Zone;

/// How what is dated after the moment of evaluation is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ahead {
    /// Up to so many milliseconds after it something counts as of the moment: clocks differ.
    pub skew_ms: i64,
    /// Whether what is dated later still cannot be told (a call of now), or is not yet (a look back).
    pub is_unknown: bool,
}

/// What clocks may differ by in a call where nothing else is said: 15 minutes.
pub const SKEW_MS: i64 = 15 * 60_000;

impl Ahead {
    /// Of a call: see [`SKEW_MS`].
    pub const CALL: Ahead = Ahead {
        skew_ms: SKEW_MS,
        is_unknown: true,
    };

    /// Of a moment that is given, as in a test of a rule: clocks differ, and what is dated later is not yet.
    pub const GIVEN: Ahead = Ahead {
        skew_ms: SKEW_MS,
        is_unknown: false,
    };

    /// Of a moment of the past, with data that goes on after it: what is later is not yet.
    pub const PAST: Ahead = Ahead {
        skew_ms: 0,
        is_unknown: false,
    };
}

/// The moment of evaluation, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Now<'z> {
    /// The moment.
    pub at: DateTime,
    /// Where dates, and date-times without an offset, are taken to be.
    pub zone: &'z Zone,
    /// How what is dated after it is taken.
    pub ahead: Ahead,
}

/// Whether what has a date has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// It has.
    Yes,
    /// It has not.
    NotYet,
    /// It is dated after a moment at which it is there already.
    Ahead,
}

/// The first zone to begin a day: 14 hours before Greenwich does.
static FIRST: Zone = Zone::fixed(14 * 60);

impl<'z> Now<'z> {
    /// A moment of the past: see [`Ahead::PAST`].
    pub fn past(at: DateTime, zone: &'z Zone) -> Self {
        let ahead = Ahead::PAST;
        Now { at, zone, ahead }
    }

    /// Whether something of this date, that is there, has begun: a day counts from its start, and what is
    /// known to the month or year only may have begun at its first.
    pub fn begun(self, date: DateTime) -> Begun {
        let (from, at) = (date.earliest(self.zone), self.at.latest(self.zone));
        if from <= at {
            return Begun::Yes;
        }
        let Ahead {
            skew_ms,
            is_unknown,
        } = self.ahead;
        let limit = at.saturating_add(skew_ms);
        let is_day = date.precision() <= Precision::Day;
        // A day that has begun somewhere is today where the one who wrote it is.
        let elsewhere = is_unknown && is_day && date.earliest(&FIRST) <= limit;
        let skewed = !is_day && from <= limit;
        match (skewed || elsewhere, is_unknown) {
            (true, _) => Begun::Yes,
            (false, true) => Begun::Ahead,
            (false, false) => Begun::NotYet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::zone::UTC;

    #[test]
    fn what_is_there_has_begun_within_what_clocks_differ_by() {
        let at = DateTime::parse("2025-11-30T12:00:00Z").unwrap();
        let call = Now {
            at,
            zone: &UTC,
            ahead: Ahead::CALL,
        };
        let past = Now::past(at, &UTC);
        let ahead = Ahead::GIVEN;
        let given = Now { ahead, ..past };
        for (date, expected) in [
            ("2025-11-30T12:15:00Z", Begun::Yes),
            ("2025-11-30T12:15:01Z", Begun::NotYet),
            ("2025-12-01", Begun::NotYet),
            ("2025-12", Begun::NotYet),
        ] {
            let date = DateTime::parse(date).unwrap();
            assert_eq!(given.begun(date), expected, "{date}");
        }
        // The day after has not begun, at the last moment of a day either.
        let end = DateTime::parse("2025-11-30T23:59:59.999Z").unwrap();
        let after = DateTime::parse("2025-12-01").unwrap();
        assert_eq!(Now { at: end, ..given }.begun(after), Begun::NotYet);
        use Begun::{Ahead as After, NotYet, Yes};
        for (date, in_call, then) in [
            ("2025-11-30T11:59:59Z", Yes, Yes),
            ("2025-11-30T12:00:00Z", Yes, Yes),
            ("2025-11-30T12:07:00Z", Yes, NotYet),
            ("2025-11-30T14:15:00+02:00", Yes, NotYet),
            ("2025-11-30T12:15:00Z", Yes, NotYet),
            ("2025-11-30T12:15:01Z", After, NotYet),
            // An hour of another zone, taken for one of this.
            ("2025-11-30T14:00:00Z", After, NotYet),
            ("2025-11-30", Yes, Yes),
            // It is tomorrow in the Pacific already.
            ("2025-12-01", Yes, NotYet),
            ("2025-12-02", After, NotYet),
            ("2025-11", Yes, Yes),
            ("2025", Yes, Yes),
            ("2025-12", Yes, NotYet),
            ("2026", After, NotYet),
        ] {
            let date = DateTime::parse(date).unwrap();
            assert_eq!(
                (call.begun(date), past.begun(date)),
                (in_call, then),
                "{date}"
            );
        }
    }
}
