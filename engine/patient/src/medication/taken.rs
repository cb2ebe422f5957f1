//! Whether a patient takes what a request or statement is for.

use super::drug::type_of;
use super::standing::{Reason, Told, all, begun, code, date, goes_on, is_one_of, not_flagged};
use crate::fhir::clinical_time::{ClinicalTime, time_of};
use crate::now::Now;
use crate::record::Element;
use crate::system::date_time::DateTime;
use crate::system::zone::Zone;

const REQUEST: &str = "MedicationRequest";
const STATEMENT: &str = "MedicationStatement";
/// Intents of a request for what is taken: what is proposed or an option is not. A plan gives nobody an
/// authority, and is taken all the same: US Core writes with it, and with `reported[x]`, what a patient takes
/// that was ordered elsewhere or by nobody, and its list of active medications is of the intents `order` and
/// `plan` (<https://hl7.org/fhir/us/core/medication-list.html>).
const ORDERS: [&str; 6] = [
    "plan",
    "order",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
];

/// Whether the patient takes it at a moment, as far as a MedicationRequest or MedicationStatement tells.
///
/// A request: active, an order or a plan, not one not to take it, written by then and not over. It is over when
/// every dosage has an end (`timing.repeat.boundsPeriod`) and the last is past. The time to dispense it
/// (`dispenseRequest.validityPeriod`) says nothing of when it is taken: a prescription that cannot be
/// filled any more is of a drug that may be at home.
///
/// What is written with a date of which only the month or the year is known is so, unless all of that is to
/// come: it is there. In a call what is dated ahead by more than clocks differ cannot be told ([`Now`]).
///
/// A statement: active or intended, begun by then and not over; a completed or stopped one within the
/// period that it gives.
///
/// # Errors
/// Why it cannot be told.
pub fn is_taken(resource: Element<'_>, now: Now<'_>) -> Told {
    match kind(resource) {
        Some(Kind::Request) => all([
            is_in_force(resource),
            written(resource, now),
            lasts(resource, now),
        ]),
        Some(Kind::Statement) => statement_is_taken(resource, now),
        None => Ok(false),
    }
}

/// Whether a request is active, and orders something: whenever it is asked.
fn is_in_force(request: Element<'_>) -> Told {
    all([
        code(REQUEST, request, "status", &["active"], &["unknown"]),
        is_ordered(request),
    ])
}

/// Whether [`is_taken`] can say of it at some moment that it is taken, or that it cannot tell.
pub(super) fn may_be_taken(resource: Element<'_>) -> bool {
    match kind(resource) {
        Some(Kind::Request) => !matches!(is_in_force(resource), Ok(false)),
        Some(Kind::Statement) => true,
        None => false,
    }
}

/// Whether the patient took it at any time up to a moment, or was to: whatever became of it since.
///
/// # Errors
/// Why it cannot be told.
pub fn was_taken(resource: Element<'_>, now: Now<'_>) -> Told {
    match kind(resource) {
        Some(Kind::Request) => all([
            code(
                REQUEST,
                resource,
                "status",
                &["active", "on-hold", "completed", "stopped"],
                &["unknown"],
            ),
            is_ordered(resource),
            written(resource, now),
        ]),
        Some(Kind::Statement) => {
            let taken = ["active", "completed", "stopped", "on-hold"];
            let status = code(STATEMENT, resource, "status", &taken, &["unknown"]);
            all([status, started(&period(resource), now)])
        }
        None => Ok(false),
    }
}

/// Whether a request is for something that is taken: no proposal or option, and not an order not to give it.
fn is_ordered(request: Element<'_>) -> Told {
    all([
        code(REQUEST, request, "intent", &ORDERS, &[]),
        is_to_do(request),
    ])
}

/// Whether an order is to do what it says, and not to leave it (`doNotPerform`).
///
/// # Errors
/// Why it cannot be told.
pub fn is_to_do(order: Element<'_>) -> Told {
    not_flagged(type_of(order), order, "doNotPerform")
}

enum Kind {
    Request,
    Statement,
}

fn kind(resource: Element<'_>) -> Option<Kind> {
    match resource.resource_type()?.as_str() {
        REQUEST => Some(Kind::Request),
        STATEMENT => Some(Kind::Statement),
        _ => None,
    }
}

fn written(request: Element<'_>, now: Now<'_>) -> Told {
    const PATH: &str = "MedicationRequest.authoredOn";
    match date(PATH, request, "authoredOn")? {
        Some(authored) => begun(PATH, authored, now),
        None => Ok(true),
    }
}

/// Whether a request is not over.
fn lasts(request: Element<'_>, now: Now<'_>) -> Told {
    let Some(ends) = ends(request)? else {
        return Ok(true);
    };
    // One that goes on is enough.
    let over = all(ends.into_iter().map(|end| {
        let told = goes_on(BOUNDS, end, now.at, now.zone)?;
        Ok(!told)
    }))?;
    Ok(!over)
}

const BOUNDS: &str = "MedicationRequest.dosageInstruction.timing.repeat.bounds";

/// The ends of all dosages; `None` where one has none.
fn ends(request: Element<'_>) -> Result<Option<Vec<DateTime>>, Reason> {
    let dosages = request.get_named("dosageInstruction");
    let mut ends = vec![];
    let mut open = false;
    for dosage in dosages.into_iter().flat_map(Element::items) {
        let bounds = dosage.path(&["timing", "repeat", "boundsPeriod"]);
        let end = bounds.map(|bounds| date(BOUNDS, bounds, "end"));
        match end.transpose()?.flatten() {
            Some(end) => ends.push(end),
            None => open = true,
        }
    }
    Ok((!open && !ends.is_empty()).then_some(ends))
}

/// When the last of all dosages ends.
pub(super) fn bounds_end(request: Element<'_>, zone: &Zone) -> Result<Option<DateTime>, Reason> {
    let ends = ends(request)?.into_iter().flatten();
    Ok(ends.max_by_key(|end| end.latest(zone)))
}

fn statement_is_taken(statement: Element<'_>, now: Now<'_>) -> Told {
    let time = period(statement);
    let yes = ["active", "intended"];
    let going = code(STATEMENT, statement, "status", &yes, &["unknown"]);
    let past = code(
        STATEMENT,
        statement,
        "status",
        &["completed", "stopped"],
        &[],
    );
    let status = match (going, past) {
        // Over by now; then it went on, if it says from when to when.
        (_, Ok(true)) => Ok(time.start.is_some() && time.end.is_some()),
        (going, _) => going,
    };
    let started = match started(&time, now) {
        // It says itself that it is to come.
        Err(_) if is_one_of(statement, "status", &["intended"]) => Ok(false),
        told => told,
    };
    all([status, started, not_over(&time, now)])
}

/// When a statement says that it was taken: of a single date only that it had begun.
pub(super) fn period(statement: Element<'_>) -> ClinicalTime {
    if let Some(period) = statement.get_named("effectivePeriod") {
        return time_of(period);
    }
    let point = statement.get_named("effectiveDateTime").map(time_of);
    let point = point.unwrap_or_default();
    ClinicalTime {
        end: None,
        unreadable_end: None,
        ..point
    }
}

const EFFECTIVE: &str = "MedicationStatement.effective";

fn started(time: &ClinicalTime, now: Now<'_>) -> Told {
    match (time.start, time.unreadable_start) {
        (_, Some(_)) => Err(format!("`{EFFECTIVE}` cannot be read").into()),
        (Some(start), None) => begun(EFFECTIVE, start, now),
        (None, None) => Ok(true),
    }
}

fn not_over(time: &ClinicalTime, now: Now<'_>) -> Told {
    match (time.end, time.unreadable_end) {
        (_, Some(_)) => Err(format!("`{EFFECTIVE}` cannot be read").into()),
        (Some(end), None) => goes_on(EFFECTIVE, end, now.at, now.zone),
        (None, None) => Ok(true),
    }
}
