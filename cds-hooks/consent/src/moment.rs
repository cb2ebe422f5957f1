//! Periods of Consents, and when a resource was.

use engine_patient::fhir::clinical_time::{ClinicalTime, clinical_time, time_of};
use engine_patient::record::Element;
use engine_patient::system::truth::Truth;
use engine_patient::system::zone::Zone;

use crate::read::Reader;

/// From the first to the last millisecond, both inclusive; a side without a bound is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    first: i64,
    last: i64,
}

/// A Period of a Consent; `None` where it cannot be read.
pub(crate) type Period = Option<Span>;

impl Span {
    /// Any time at all.
    pub(crate) const EVER: Span = Span {
        first: i64::MIN,
        last: i64::MAX,
    };

    /// Both bounds where they can be read. A bound that is a day ends with the day (FHIR R4, "Period").
    fn of(time: &ClinicalTime, zone: &Zone) -> Option<Span> {
        let unreadable = time.unreadable_start.or(time.unreadable_end);
        let first = time.start.map_or(i64::MIN, |at| at.earliest(zone));
        let last = time.end.map_or(i64::MAX, |at| at.latest(zone));
        (unreadable.is_none() && first <= last).then_some(Span { first, last })
    }

    /// A `dateTime`: all that it may stand for.
    pub(crate) fn of_date_time(element: Element<'_>, zone: &Zone) -> Option<Span> {
        let time = time_of(element);
        let is_point = time.start.is_some() && time.start == time.end;
        is_point.then(|| Span::of(&time, zone)).flatten()
    }

    /// A Period; what is wrong with it is told.
    pub(crate) fn read(period: Element<'_>, place: &str, reader: &mut Reader<'_>) -> Period {
        if !reader.knows(period, &["start", "end"], place) {
            return None;
        }
        let span = Span::of(&time_of(period), reader.zone);
        if span.is_none() {
            reader.flaw(place, "cannot be read");
        }
        span
    }

    pub(crate) fn has(self, at: i64) -> bool {
        (self.first..=self.last).contains(&at)
    }

    /// Whether it is over before the other begins.
    pub(crate) fn is_before(self, other: Span) -> bool {
        self.last < other.first
    }

    /// Whether the other lies in it: as a whole, not at all, or perhaps.
    pub(crate) fn covers(self, other: Span) -> Truth {
        if self.is_before(other) || other.is_before(self) {
            return Truth::False;
        }
        match self.first <= other.first && other.last <= self.last {
            true => Truth::True,
            false => Truth::Unknown,
        }
    }
}

/// When a resource was; `None` where it does not say, or not so that it can be read.
pub(crate) fn of_resource(ty: &str, resource: Element<'_>, zone: &Zone) -> Option<Span> {
    let time = clinical_time(ty, resource);
    let said = time.start.is_some() || time.end.is_some();
    said.then(|| Span::of(&time, zone)).flatten()
}
