//! When resources began and ended, and which of them by that.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use engine_patient::fhir::clinical_time::{ClinicalTime, Unreadable, clinical_time, time_of};
use engine_patient::record::Element;
use engine_patient::system::compare::compare;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;

use crate::operators::IMPRECISE;
use crate::value::Val;

/// When an element of whatever kind began and ended.
fn times(element: Element<'_>) -> ClinicalTime {
    match element.resource_type() {
        Some(ty) => clinical_time(ty.as_str(), element),
        None => time_of(element),
    }
}

pub(super) fn moment(value: Val<'_>, start: bool) -> Val<'_> {
    match value {
        Val::Element(element) => {
            let part = if start {
                start_of(element)
            } else {
                end_of(element)
            };
            part.map_or_else(Val::Unknown, Val::Time)
        }
        Val::Time(time) => Val::Time(time),
        _ => Val::unknown("this value has no date"),
    }
}

/// When an element began, or why that cannot be told.
fn start_of<'r>(element: Element<'_>) -> Result<DateTime, Cow<'r, str>> {
    let time = times(element);
    let missing = "the date of a resource is missing";
    time.start
        .ok_or_else(|| why(element, time.unreadable_start, missing))
}

/// When it ended, or why that cannot be told.
fn end_of<'r>(element: Element<'_>) -> Result<DateTime, Cow<'r, str>> {
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

pub(super) fn during<'r>(items: &[Val<'r>], from: DateTime, to: DateTime, zone: &Zone) -> Val<'r> {
    let mut kept = vec![];
    for item in items {
        let (value, _) = item.item();
        let Val::Element(element) = value else {
            // Of a resource that is not known the date is not either.
            kept.extend(
                value
                    .why_unknown()
                    .map(|reason| Val::Unknown(reason.clone())),
            );
            continue;
        };
        let perhaps = |reason| Val::Maybe(Arc::new(value.clone()), reason);
        let start = match start_of(*element) {
            Ok(start) => start,
            Err(reason) => {
                kept.push(perhaps(reason));
                continue;
            }
        };
        let (after, before) = (
            compare(start, from, None, zone),
            compare(start, to, None, zone),
        );
        match (after.map(Ordering::is_ge), before.map(Ordering::is_le)) {
            (Some(false), _) | (_, Some(false)) => {}
            (Some(true), Some(true)) => kept.push(item.clone()),
            _ => kept.push(perhaps(IMPRECISE.into())),
        }
    }
    Val::List(kept.into())
}

/// The resource that began last (`Greater`) or first (`Less`).
pub(super) fn extreme<'r>(items: &[Val<'r>], wanted: Ordering, zone: &Zone) -> Val<'r> {
    let mut best: Option<(Element<'r>, DateTime, &Val<'r>)> = None;
    let mut dated = vec![];
    for item in items {
        let (value, _) = item.item();
        let Val::Element(element) = value else {
            if let Some(reason) = value.why_unknown() {
                return Val::Unknown(reason.clone());
            }
            continue;
        };
        let start = match start_of(*element) {
            Ok(start) => start,
            Err(reason) => return Val::Unknown(reason),
        };
        dated.push(start);
        let better = match best {
            None => true,
            Some((other, time, _)) => {
                // By the first instant they can stand for; whether that is certain is asked below.
                let by_time = start.earliest(zone).cmp(&time.earliest(zone));
                let by_id = || element.get_str("id").cmp(&other.get_str("id"));
                by_time.then_with(by_id) == wanted
            }
        };
        if better {
            best = Some((*element, start, item));
        }
    }
    let Some((element, time, item)) = best else {
        return Val::unknown("there is none to take the date of");
    };
    // Of a resource that may not be in the list: it would be the one.
    if let (_, Some(reason)) = item.item() {
        return Val::Unknown(reason.clone());
    }
    let certain = |other: &DateTime| matches!(compare(time, *other, None, zone), Some(o) if o == wanted || o.is_eq());
    if dated.iter().all(certain) {
        Val::Element(element)
    } else {
        Val::unknown(IMPRECISE)
    }
}
