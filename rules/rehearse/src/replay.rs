//! The record of a patient as of each call, one after the other.
//!
//! Of what has one instant, a visit that begins comes first, then the charts that are opened, then all
//! that was recorded, then the drafts, and last the signed orders: an opened chart does not show what came
//! of the visit, an order is signed with what the same instant brought, and is no part of the record
//! itself. A record grows with time, so that each resource is taken over once however many calls there are.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::hook_call::HookCall;
use engine_patient::program::EvaluationError;
use engine_patient::record::{Element, PatientRecord, ResourceError};
use engine_patient::system::date_time::DateTime;

use crate::calls::{ORDERS, Planned, planned};
use crate::history::{Dating, draft, versions};
use crate::settings::Settings;
use rules::Hook;

/// A hook call of the past.
#[derive(Debug)]
pub struct Call {
    /// Of the patient's calls, from 1.
    pub number: u32,
    /// When.
    pub at: DateTime,
    /// Its hook.
    pub hook: Hook,
    /// The id of the visit.
    pub encounter: Option<String>,
    /// Who called, for people.
    pub clinician: Option<String>,
    /// Where.
    pub site: Option<String>,
    /// What a rule is told of it.
    pub context: EvaluationContext,
}

/// What comes before what, of one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    VisitBegins,
    ChartOpened,
    Recorded,
    Drafted,
    Signed,
}

struct Event<'r> {
    at: (i64, Order),
    resource: Element<'r>,
    json: Option<String>,
}

/// Makes every call of the period: `visit` gets it with the record as of then. Gives how resources were
/// dated; of a patient without a call, which visits and orders made none, and `None` where there are none of these
/// either.
///
/// # Errors
/// What `visit` gives; and our bugs.
pub fn replay(
    record: &PatientRecord,
    settings: &Settings,
    visit: &mut dyn FnMut(&Call, &PatientRecord) -> Result<(), EvaluationError>,
) -> Result<Option<Dating>, EvaluationError> {
    let mut dating = Dating::default();
    let calls = planned(record, settings, &mut dating);
    if calls.is_empty() {
        return Ok((dating != Dating::default()).then_some(dating));
    }
    let moments: Vec<i64> = calls.iter().map(|call| call.at).collect();
    let events = events(record, &moments, settings, &mut dating);
    let mut events = events.into_iter().peekable();
    let mut now = PatientRecord::new();
    for (number, planned) in (1..).zip(&calls) {
        let moment = (planned.at, order_of(planned.hook));
        let mut is_changed = false;
        while let Some(event) = events.next_if(|event| event.at < moment) {
            match &event.json {
                Some(json) => now.push(json).map_err(bug)?,
                None => now.append(event.resource).map(drop).map_err(bug)?,
            }
            is_changed = true;
        }
        if is_changed {
            now.seal();
        }
        visit(&call(number, planned, settings)?, &now)?;
    }
    Ok(Some(dating))
}

/// The record as it was known at a moment, all that this moment brought included; and how many resources
/// were not known yet.
///
/// # Errors
/// Our bugs.
pub fn record_as_of(
    record: &PatientRecord,
    at: i64,
    settings: &Settings,
    dating: &mut Dating,
) -> Result<(PatientRecord, usize), EvaluationError> {
    let mut then = PatientRecord::new();
    let mut later = 0;
    for resource in record.resources() {
        let Some(ty) = resource.resource_type() else {
            continue;
        };
        let all = versions(ty.as_str(), resource, &[at], settings, dating);
        // The last that had come by then.
        let mut all = all.into_iter().flatten();
        match all.rfind(|version| version.from <= at) {
            None => later += 1,
            Some(version) => match &version.json {
                Some(json) => then.push(json).map_err(bug)?,
                None => then.append(resource).map(drop).map_err(bug)?,
            },
        }
    }
    then.seal();
    Ok((then, later))
}

fn order_of(hook: Hook) -> Order {
    match hook {
        Hook::OrderSelect | Hook::OrderSign => Order::Drafted,
        // Of the others no call is planned.
        _ => Order::ChartOpened,
    }
}

fn events<'r>(
    record: &'r PatientRecord,
    calls: &[i64],
    settings: &Settings,
    dating: &mut Dating,
) -> Vec<Event<'r>> {
    let mut events = Vec::with_capacity(record.len() + 8);
    for resource in record.resources() {
        let Some(ty) = resource.resource_type() else {
            continue;
        };
        let mut first = match ty.as_str() {
            "Encounter" => Order::VisitBegins,
            ty if ORDERS.contains(&ty) => Order::Signed,
            _ => Order::Recorded,
        };
        let all = versions(ty.as_str(), resource, calls, settings, dating);
        for version in all.into_iter().flatten() {
            events.push(Event {
                at: (version.from, first),
                resource,
                json: version.json,
            });
            first = Order::Recorded;
        }
    }
    // Stable: the same record gives the same order.
    events.sort_by_key(|event| event.at);
    events
}

fn call(number: u32, planned: &Planned<'_>, settings: &Settings) -> Result<Call, EvaluationError> {
    let at = settings.zone.moment(planned.at);
    let mut drafts = PatientRecord::new();
    for order in &planned.orders {
        drafts.push(&draft(*order)).map_err(bug)?;
    }
    let selections = (planned.hook == Hook::OrderSelect).then(|| {
        let ids = drafts.resources().filter_map(|draft| {
            let ty = draft.resource_type()?;
            Some(format!("{}/{}", ty.as_str(), draft.get_str("id")?))
        });
        ids.collect()
    });
    let hook_call = HookCall {
        hook: planned.hook.as_str().into(),
        user: planned.user.as_deref().map(Arc::from),
        encounter: planned.encounter.as_deref().map(Arc::from),
        drafts,
        selections,
    };
    let mut context = EvaluationContext::at(at).with_call(Arc::new(hook_call));
    context.zone = settings.zone.clone();
    Ok(Call {
        number,
        at,
        hook: planned.hook,
        encounter: planned.encounter.clone(),
        clinician: planned.clinician.clone(),
        site: planned.site.clone(),
        context,
    })
}

/// What was in a record can be taken into another.
fn bug(error: ResourceError) -> EvaluationError {
    EvaluationError::Bug(format!("a resource of the past cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
