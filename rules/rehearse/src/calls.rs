//! The hook calls that the history of a patient would have made.
//!
//! - `patient-view`: one for each visit, at its start. What was planned, cancelled or entered in error
//!   opened no chart.
//! - `order-sign`: one for all orders with one `authoredOn` and one visit. They are sent as drafts and are
//!   no part of the record then; what was authored in the same instant for another visit neither. What
//!   nobody signed, was entered in error, or is not to be done (`doNotPerform`), had no call.
//! - `order-select`: the same, just before, all of its drafts selected. When a clinician picked which of
//!   them first, no chart tells.
//!
//! A day without a time stands for its end, of visits and orders alike. A month or a year is no moment: no
//! call. Whatever had no call, and may have been in the period, is counted in [`Dating`].

use std::collections::{BTreeMap, HashMap};

use engine_patient::fhir::clinical_time::clinical_time;
use engine_patient::medication::is_to_do;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::{is_entered_in_error, reference_target};
use engine_patient::system::date_time::{DateTime, Precision};

use crate::history::{Dating, instant, is_imprecise};
use crate::settings::Settings;
use rules::Hook;

/// Types whose resources are orders.
pub const ORDERS: [&str; 2] = ["MedicationRequest", "ServiceRequest"];

/// A call that is to be made.
#[derive(Debug)]
pub struct Planned<'r> {
    /// Milliseconds from 1970-01-01T00:00Z.
    pub at: i64,
    /// Its hook.
    pub hook: Hook,
    /// The id of the visit.
    pub encounter: Option<String>,
    /// Who calls, as `Type/id`: who requests the first order, or takes part in the visit.
    pub user: Option<String>,
    /// The same for people: a name where the chart has one.
    pub clinician: Option<String>,
    /// Where: the organization of the visit, or its location.
    pub site: Option<String>,
    /// What is to be signed.
    pub orders: Vec<Element<'r>>,
}

/// The calls within the period, ascending in time.
pub fn planned<'r>(
    record: &'r PatientRecord,
    settings: &Settings,
    dating: &mut Dating,
) -> Vec<Planned<'r>> {
    let mut calls = vec![];
    if settings.has(Hook::PatientView) {
        visits(record, settings, dating, &mut calls);
    }
    if settings.has(Hook::OrderSelect) || settings.has(Hook::OrderSign) {
        orders(record, settings, dating, &mut calls);
    }
    // Stable: of one instant first the visits, each by its id, then the orders.
    calls.sort_by_key(|call| call.at);
    calls
}

fn within(at: i64, settings: &Settings) -> bool {
    (settings.period.0..=settings.period.1).contains(&at)
}

/// Whether some moment that a date stands for is in the period.
fn may_be_within(at: DateTime, settings: &Settings) -> bool {
    let (first, last) = settings.period;
    at.earliest(&settings.zone) <= last && at.latest(&settings.zone) >= first
}

fn visits<'r>(
    record: &'r PatientRecord,
    settings: &Settings,
    dating: &mut Dating,
    calls: &mut Vec<Planned<'r>>,
) {
    for visit in record.of_type_named("Encounter") {
        let start = clinical_time("Encounter", visit).start;
        if start.is_some_and(|start| !may_be_within(start, settings)) {
            continue;
        }
        let status = visit.get_str("status").unwrap_or_default();
        let counted = match &*status {
            "entered-in-error" => Err(&mut dating.visits_in_error),
            "planned" | "cancelled" => Err(&mut dating.no_visit),
            _ => match start {
                None => Err(&mut dating.undated_visits),
                Some(start) if is_imprecise(start) => Err(&mut dating.imprecise_visits),
                Some(start) => Ok(start),
            },
        };
        let start = match counted {
            Ok(start) => start,
            Err(count) => {
                *count += 1;
                continue;
            }
        };
        let at = instant(start, &settings.zone);
        if !within(at, settings) {
            continue;
        }
        dating.at_day_end += u64::from(start.precision() == Precision::Day);
        let individuals = visit.get_named("participant").into_iter();
        let individuals = individuals
            .flat_map(Element::items)
            .filter_map(|participant| participant.get_named("individual"));
        let clinician = individuals.into_iter().find(|individual| {
            let target = target(*individual);
            target.is_none_or(|(ty, _)| ty.starts_with("Practitioner"))
        });
        calls.push(Planned {
            at,
            hook: Hook::PatientView,
            encounter: visit.get_str("id").map(|id| id.into_owned()),
            user: clinician.and_then(user),
            clinician: clinician.and_then(name),
            site: site(visit),
            orders: vec![],
        });
    }
}

/// Whether somebody signed it: a draft, a plan, and what others ordered elsewhere had no call.
fn is_signed(order: Element<'_>) -> bool {
    let status = order.get_str("status").unwrap_or_default();
    let intent = order.get_str("intent").unwrap_or_default();
    let reported = order
        .get_named("reportedBoolean")
        .and_then(Element::as_bool)
        == Some(true)
        || order.get_named("reportedReference").is_some();
    !reported
        && status != "draft"
        && !matches!(&*intent, "proposal" | "plan" | "option" | "directive")
}

fn orders<'r>(
    record: &'r PatientRecord,
    settings: &Settings,
    dating: &mut Dating,
    calls: &mut Vec<Planned<'r>>,
) {
    let mut groups: BTreeMap<(i64, Option<String>), Vec<Element<'r>>> = BTreeMap::new();
    for ty in ORDERS {
        for order in record.of_type_named(ty) {
            let authored = crate::history::date(order, "authoredOn");
            if authored.is_some_and(|authored| !may_be_within(authored, settings)) {
                continue;
            }
            let counted = match authored {
                _ if is_entered_in_error(order) => Err(&mut dating.orders_in_error),
                _ if !is_signed(order) => Err(&mut dating.unsigned),
                // Where that cannot be read, it may be one.
                _ if is_to_do(order) == Ok(false) => Err(&mut dating.not_to_do),
                None => Err(&mut dating.undated_orders),
                Some(authored) if is_imprecise(authored) => Err(&mut dating.imprecise_orders),
                Some(authored) => Ok(authored),
            };
            let authored = match counted {
                Ok(authored) => authored,
                Err(count) => {
                    *count += 1;
                    continue;
                }
            };
            let at = instant(authored, &settings.zone);
            if !within(at, settings) {
                continue;
            }
            dating.at_day_end += u64::from(authored.precision() == Precision::Day);
            let visit = order.get_named("encounter").and_then(target);
            let visit = visit.filter(|(ty, _)| ty == "Encounter").map(|(_, id)| id);
            groups.entry((at, visit)).or_default().push(order);
        }
    }
    let visits = record.of_type_named("Encounter");
    let visits = visits.filter_map(|visit| Some((visit.get_str("id")?.into_owned(), visit)));
    let visits: HashMap<String, Element<'r>> = visits.collect();
    for ((at, encounter), orders) in groups {
        let requesters = orders.iter().filter_map(|o| o.get_named("requester"));
        let requester = requesters.into_iter().next();
        let visit = encounter.as_deref().and_then(|id| visits.get(id).copied());
        for hook in [Hook::OrderSelect, Hook::OrderSign] {
            if !settings.has(hook) {
                continue;
            }
            calls.push(Planned {
                at,
                hook,
                encounter: encounter.clone(),
                user: requester.and_then(user),
                clinician: requester.and_then(name),
                site: visit.and_then(site),
                orders: orders.clone(),
            });
        }
    }
}

/// Type and id of a Reference, where it is a literal one.
fn target(reference: Element<'_>) -> Option<(String, String)> {
    let text = reference.get_str("reference")?;
    let (ty, id) = reference_target(&text)?;
    Some((ty.to_owned(), id.to_owned()))
}

fn user(reference: Element<'_>) -> Option<String> {
    target(reference).map(|(ty, id)| format!("{ty}/{id}"))
}

/// What a Reference is called: its display, with its target where there is one.
fn name(reference: Element<'_>) -> Option<String> {
    let display = reference.get_str("display").map(|d| d.into_owned());
    match (user(reference), display) {
        (Some(user), Some(display)) => Some(format!("{display} ({user})")),
        (user, display) => user.or(display),
    }
}

fn site(visit: Element<'_>) -> Option<String> {
    if let Some(found) = visit.get_named("serviceProvider").and_then(name) {
        return Some(found);
    }
    let locations = visit.get_named("location")?;
    let mut locations = locations.items().filter_map(|l| l.get_named("location"));
    locations.find_map(name)
}
