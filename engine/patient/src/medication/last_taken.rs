//! Whether a patient took it lately: for what has to be washed out.
//!
//! Few records say when a drug was last taken. What they do say puts it between two dates: it was taken when it
//! began, and not later than something that is known to have come after. The answer is unknown only where the
//! limit that is asked for lies between the two.

use rust_decimal::Decimal;

use super::drug::type_of;
use super::standing::{Reason, Told, begun, code, date, is_one_of};
use super::taken::{bounds_end, is_taken, period, was_taken};
use crate::fhir::clinical_time::clinical_time;
use crate::fhir::names::Name;
use crate::fhir::reading::{Reading, date_at};
use crate::now::Now;
use crate::record::Element;
use crate::system::date_arithmetic::{CalendarDuration, plus_in};
use crate::system::date_time::DateTime;
use crate::system::day_rule::is_after;
use crate::system::units::{CalendarUnit, written};
use crate::system::zone::Zone;

const REQUEST: &str = "MedicationRequest";
const STATEMENT: &str = "MedicationStatement";
const ADMINISTRATION: &str = "MedicationAdministration";
const DISPENSE: &str = "MedicationDispense";

/// When something was last taken that is over: on the one date or later, on the other or before. A date that
/// is not known says nothing.
#[derive(Clone, Copy, Default, Debug)]
struct Last {
    not_before: Option<DateTime>,
    not_after: Option<DateTime>,
}

fn is_past(now: Now<'_>, date: DateTime) -> bool {
    is_after(date, now.at, now.zone) == Some(false)
}

/// On the date that is given as the end. One that is still to come is that of a plan: what is over by now ended
/// earlier.
fn ended(now: Now<'_>, start: Option<DateTime>, end: DateTime) -> Last {
    match is_past(now, end) {
        true => Last {
            not_before: Some(end),
            not_after: Some(end),
        },
        false => Last {
            not_before: start,
            not_after: None,
        },
    }
}

/// Whether the patient took it after a limit and not after a moment, as far as a MedicationRequest,
/// MedicationStatement, MedicationAdministration or MedicationDispense tells.
///
/// # Errors
/// Why it cannot be told.
pub fn taken_since(resource: Element<'_>, limit: DateTime, now: Now<'_>) -> Told {
    let ty = type_of(resource);
    if is_taken(resource, now) == Ok(true) {
        return Ok(true);
    }
    let last = match ty {
        ADMINISTRATION => administered(resource, now)?,
        DISPENSE => handed_over(resource, now)?,
        REQUEST if was_taken(resource, now)? => Some(ordered(resource, now)?),
        STATEMENT if was_taken(resource, now)? => Some(stated(resource, now)?),
        _ => None,
    };
    let Some(last) = last else { return Ok(false) };
    let after = |date: Option<DateTime>| date.and_then(|date| is_after(date, limit, now.zone));
    match (after(last.not_before), after(last.not_after)) {
        (Some(true), _) => Ok(true),
        (_, Some(false)) => Ok(false),
        _ => Err(format!("a {ty} that is over does not say when it was last taken").into()),
    }
}

/// Of a request: by the end of its dosages, else by its supply, else before it was known to be over.
fn ordered(request: Element<'_>, now: Now<'_>) -> Result<Last, Reason> {
    let authored = date("MedicationRequest.authoredOn", request, "authoredOn")?;
    let updated = updated(request);
    if let Some(end) = bounds_end(request, now.zone)? {
        return Ok(planned(request, authored, end, updated, now));
    }
    let over = Last {
        not_before: authored,
        not_after: updated,
    };
    let supply = request.get_named("dispenseRequest");
    let one = supply.and_then(|supply| amount(supply, "expectedSupplyDuration", None));
    let (Some(supply), Some(authored), Some(one)) = (supply, authored, one) else {
        return Ok(over);
    };
    let later = |date, fills| {
        one.times(fills)
            .and_then(|long| plus_in(date, long, now.zone))
    };
    let fills = supply.get_named("numberOfRepeatsAllowed");
    let fills = fills.and_then(|repeats| repeats.as_decimal()?.checked_add(Decimal::ONE));
    let validity = supply.get_named("validityPeriod");
    let path = "MedicationRequest.dispenseRequest.validityPeriod";
    let last_fill = validity.map(|period| date(path, period, "end"));
    let used_up = match last_fill.transpose()?.flatten() {
        Some(last_fill) => later(last_fill, Decimal::ONE),
        None => fills.and_then(|fills| later(authored, fills)),
    };
    // One that was stopped may have been before its first supply was used up.
    let first_used_up = later(authored, Decimal::ONE).filter(|end| is_past(now, *end));
    let first_used_up = first_used_up.filter(|_| is_one_of(request, "status", &["completed"]));
    Ok(Last {
        not_before: first_used_up.or(Some(authored)),
        not_after: earlier(used_up, over.not_after, now.zone),
    })
}

/// Of a request whose dosages have an end: that is when it was last taken, unless it was over before. One that is
/// active was not; one that is completed or stopped was not where it was still changed after that end, or says
/// nothing of changes: who stops an order writes the end of its dosages. One on hold may have been at any time.
fn planned(
    request: Element<'_>,
    authored: Option<DateTime>,
    end: DateTime,
    updated: Option<DateTime>,
    now: Now<'_>,
) -> Last {
    let planned = ended(now, authored, end);
    if is_one_of(request, "status", &["active"]) {
        return planned;
    }
    let not_after = earlier(planned.not_after, updated, now.zone);
    let over = is_one_of(request, "status", &["completed", "stopped"]);
    let reached = over && not_after == planned.not_after;
    Last {
        not_before: if reached {
            planned.not_before
        } else {
            authored
        },
        not_after,
    }
}

/// Of a statement: by its period, else before it was known to be over.
fn stated(statement: Element<'_>, now: Now<'_>) -> Result<Last, Reason> {
    let time = period(statement);
    if time.unreadable_end.is_some() {
        return Err("`MedicationStatement.effective` cannot be read".into());
    }
    if let Some(end) = time.end {
        return Ok(ended(now, time.start, end));
    }
    let asserted = date(
        "MedicationStatement.dateAsserted",
        statement,
        "dateAsserted",
    )?;
    Ok(Last {
        not_before: time.start,
        not_after: earlier(asserted, updated(statement), now.zone),
    })
}

/// Of an administration: when it was given; `None` where it was not.
fn administered(given: Element<'_>, now: Now<'_>) -> Result<Option<Last>, Reason> {
    const PATH: &str = "MedicationAdministration.effective";
    let yes = ["completed", "in-progress", "stopped", "on-hold"];
    if !code(ADMINISTRATION, given, "status", &yes, &["unknown"])? {
        return Ok(None);
    }
    let time = clinical_time(ADMINISTRATION, given);
    if time.unreadable_start.is_some() || time.unreadable_end.is_some() {
        return Err(format!("`{PATH}` cannot be read").into());
    }
    let Some(start) = time.start.or(time.end) else {
        return Err(format!("`{PATH}` is missing").into());
    };
    if !begun(PATH, start, now)? {
        return Ok(None);
    }
    Ok(Some(match time.end {
        _ if is_one_of(given, "status", &["in-progress"]) => Last {
            not_before: Some(now.at),
            not_after: None,
        },
        Some(end) => ended(now, Some(start), end),
        None => Last {
            not_before: Some(start),
            not_after: updated(given),
        },
    }))
}

/// Of a dispense: until its supply was used up; `None` where it was not handed over. When it was written
/// down says nothing: it is taken later.
fn handed_over(dispense: Element<'_>, now: Now<'_>) -> Result<Option<Last>, Reason> {
    const PATH: &str = "MedicationDispense.whenHandedOver";
    let handed = date(PATH, dispense, "whenHandedOver")?;
    let yes = ["completed", "in-progress", "on-hold", "stopped"];
    if !code(DISPENSE, dispense, "status", &yes, &["unknown"])? {
        return Ok(None);
    }
    let Some(handed) = handed else {
        return match is_one_of(dispense, "status", &["in-progress", "on-hold"]) {
            true => Ok(None),
            false => Err(format!("`{PATH}` is missing").into()),
        };
    };
    if !begun(PATH, handed, now)? {
        return Ok(None);
    }
    let lasts = amount(dispense, "daysSupply", Some(CalendarUnit::Day));
    let lasts = lasts.and_then(|long| long.times(Decimal::ONE));
    let end = lasts.and_then(|long| plus_in(handed, long, now.zone));
    Ok(Some(match end {
        // There is some left: it is taken still.
        Some(end) if !is_past(now, end) => Last {
            not_before: Some(now.at),
            not_after: None,
        },
        Some(end) => ended(now, Some(handed), end),
        None => Last {
            not_before: Some(handed),
            not_after: None,
        },
    }))
}

/// What is over was over when that was written.
fn updated(resource: Element<'_>) -> Option<DateTime> {
    let meta = resource.get_named("meta")?;
    match date_at(meta, Name::of("lastUpdated")?, "instant") {
        Reading::Value(at) => Some(at),
        Reading::Absent | Reading::Unreadable => None,
    }
}

fn earlier(a: Option<DateTime>, b: Option<DateTime>, zone: &Zone) -> Option<DateTime> {
    match (a, b) {
        (Some(a), Some(b)) if b.latest(zone) < a.latest(zone) => Some(b),
        (a, b) => a.or(b),
    }
}

/// How long something lasts.
#[derive(Clone, Copy)]
struct Amount(Decimal, CalendarUnit);

impl Amount {
    /// As often; a part of a day counts whole.
    fn times(self, often: Decimal) -> Option<CalendarDuration> {
        CalendarDuration::of(self.0.checked_mul(often)?.ceil(), self.1)
    }
}

/// A Quantity of time, in its code, else in what its unit says, else in the unit that the element is of.
fn amount(parent: Element<'_>, element: &str, own: Option<CalendarUnit>) -> Option<Amount> {
    let quantity = parent.get_named(element)?;
    if quantity.get_named("comparator").is_some() {
        return None;
    }
    let value = quantity.get_named("value")?.as_decimal()?;
    let text = |name| quantity.get_str(name);
    let unit = match text("code").or_else(|| text("unit")) {
        None => own?,
        Some(unit) => unit_of_time(&unit)?,
    };
    Some(Amount(value, unit))
}

fn unit_of_time(unit: &str) -> Option<CalendarUnit> {
    CalendarUnit::of(unit).or_else(|| CalendarUnit::of(&written::meant(unit)?))
}
