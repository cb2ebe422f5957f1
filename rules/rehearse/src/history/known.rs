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

pub(super) fn known_from(
    ty: &str,
    resource: Element<'_>,
    settings: &Settings,
    dating: &mut Dating,
) -> i64 {
    let mut written = recorded::element(ty).and_then(|element| date(resource, element));
    if written.is_none() && settings.last_updated {
        let meta = resource.get_named("meta");
        written = meta.and_then(|meta| date(meta, "lastUpdated"));
    }
    if let Some(at) = written {
        dating.recorded += 1;
        return instant(at, &settings.zone);
    }
    let time = clinical_time(ty, resource);
    let at = match recorded::is_told_at_end(ty) {
        true => time.end.or(time.start),
        false => time.start,
    };
    match at {
        Some(at) => {
            dating.clinical += 1;
            match ty {
                // A visit is there as it begins, whatever is known of the time: its chart is opened.
                "Encounter" => at.earliest(&settings.zone),
                _ => instant(at, &settings.zone),
            }
        }
        None => {
            dating.undated += 1;
            ALWAYS
        }
    }
}
