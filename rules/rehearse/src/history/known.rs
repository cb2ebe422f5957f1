//! From which moment on a resource was known.

use engine_patient::fhir::clinical_time::clinical_time;
use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{Reading, date_at};
use engine_patient::record::Element;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;

use super::dating::Dating;
use super::recorded;
use crate::settings::Settings;

/// Before every call.
pub(super) const ALWAYS: i64 = i64::MIN;

/// The moment by which a date has passed: a date-time at once, a day, month or year at its end.
pub fn instant(at: DateTime, zone: &Zone) -> i64 {
    match at.precision() <= Precision::Day {
        true => at.latest(zone),
        false => at.earliest(zone),
    }
}

/// A date-time of a resource; `None` where it is absent or cannot be read.
pub(crate) fn date(parent: Element<'_>, element: &str) -> Option<DateTime> {
    match date_at(parent, Name::of(element)?, "dateTime") {
        Reading::Value(at) => Some(at),
        Reading::Absent | Reading::Unreadable => None,
    }
}

/// Whether a date is a month or a year: on which of its days, nobody knows.
pub(crate) fn is_imprecise(at: DateTime) -> bool {
    at.precision() < Precision::Day
}

/// Since when a resource was known.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// Since then it may have been known: it is in the record.
    pub from: i64,
    /// Since then it was known for sure: later than `from` where the date is a month or a year.
    pub sure: i64,
}

/// `calls`: the moments of all calls, ascending.
pub(super) fn known(
    ty: &str,
    resource: Element<'_>,
    calls: &[i64],
    settings: &Settings,
    dating: &mut Dating,
) -> Known {
    let zone = &settings.zone;
    let mut written = recorded::element(ty).and_then(|element| date(resource, element));
    if written.is_none() && settings.last_updated {
        let meta = resource.get_named("meta");
        written = meta.and_then(|meta| date(meta, "lastUpdated"));
    }
    let time = clinical_time(ty, resource);
    let happened = match recorded::is_told_at_end(ty) {
        true => time.end.or(time.start),
        false => time.start,
    };
    let at = match (written, happened) {
        (Some(at), _) => {
            dating.recorded += 1;
            at
        }
        (None, Some(at)) => {
            dating.clinical += 1;
            at
        }
        (None, None) => {
            dating.undated += 1;
            return Known {
                from: ALWAYS,
                sure: ALWAYS,
            };
        }
    };
    let sure = instant(at, zone);
    let has_call = has_call(calls, (at.earliest(zone), sure));
    if !is_imprecise(at) {
        dating.day_of_call += u64::from(has_call);
        return Known { from: sure, sure };
    }
    dating.imprecise += u64::from(has_call);
    // It was not known before it happened.
    let begun = [time.start, happened].into_iter().flatten();
    let begun = begun.map(|at| possible(at, zone));
    let from = begun.fold(at.earliest(zone), i64::max).min(sure);
    Known { from, sure }
}

/// The moment from which on a date may have passed.
pub(super) fn possible(at: DateTime, zone: &Zone) -> i64 {
    match is_imprecise(at) {
        true => at.earliest(zone),
        false => instant(at, zone),
    }
}

/// Whether there is a call from one moment to just before another.
pub(super) fn has_call(calls: &[i64], (from, to): (i64, i64)) -> bool {
    let next = calls.partition_point(|call| *call < from);
    calls.get(next).is_some_and(|call| *call < to)
}
