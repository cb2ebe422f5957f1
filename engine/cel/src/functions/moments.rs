//! When an element began and ended, as functions of dates, windows and order take it.

use std::borrow::Cow;

use engine_patient::fhir::clinical_time::{ClinicalTime, Unreadable, clinical_time, time_of};
use engine_patient::record::Element;
use engine_patient::system::date_time::DateTime;

/// When an element of whatever kind began and ended.
fn times(element: Element<'_>) -> ClinicalTime {
    match element.resource_type() {
        Some(ty) => clinical_time(ty.as_str(), element),
        None => time_of(element),
    }
}

/// When an element began, or why that cannot be told.
pub(super) fn start_of<'r>(element: Element<'_>) -> Result<DateTime, Cow<'r, str>> {
    let time = times(element);
    let missing = "the date of a resource is missing";
    time.start
        .ok_or_else(|| why(element, time.unreadable_start, missing))
}

/// When it ended, or why that cannot be told.
pub(super) fn end_of<'r>(element: Element<'_>) -> Result<DateTime, Cow<'r, str>> {
    let time = times(element);
    let missing = "the end date of a resource is missing";
    time.end
        .ok_or_else(|| why(element, time.unreadable_end, missing))
}

/// What is there and cannot be read is named with its resource type.
fn why<'r>(
    element: Element<'_>,
    unreadable: Option<Unreadable>,
    missing: &'static str,
) -> Cow<'r, str> {
    match (unreadable, element.resource_type()) {
        (Some(part), Some(ty)) => format!("`{}.{part}` cannot be read", ty.as_str()).into(),
        (Some(part), None) => format!("`{part}` cannot be read").into(),
        (None, _) => missing.into(),
    }
}
