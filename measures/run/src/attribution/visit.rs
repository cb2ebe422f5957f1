//! Which Encounters are visits, and when they were.

use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;
use measures::person::list;
use serde_json::Value;

use super::by::Attribution;
use super::directory::text;

/// What an Encounter is for attribution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Visit {
    /// It took place, from when to when.
    TookPlace(Span),
    /// Planned, cancelled or entered in error.
    No,
    /// Its status is `unknown`, missing, or none of FHIR's.
    Unclear,
    /// It took place, nobody says when.
    Undated,
}

/// When a visit was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// As it is given: its start, or its end where only that is.
    pub start: DateTime,
    /// First and last instant that it may have had, in milliseconds.
    pub bounds: (i64, i64),
}

/// By status and period.
pub(super) fn visit(encounter: &Value, zone: &Zone) -> Visit {
    let status = text(encounter, "status");
    let ended = match status.as_deref() {
        Some("finished") => true,
        Some("arrived" | "triaged" | "in-progress" | "onleave") => false,
        Some("planned" | "cancelled" | "entered-in-error") => return Visit::No,
        _ => return Visit::Unclear,
    };
    let period = encounter.get("period").unwrap_or(&Value::Null);
    let at = |end: &str| text(period, end).and_then(|t| DateTime::parse(&t));
    let (start, end) = match (at("start"), at("end"), text(period, "end").is_some()) {
        (Some(start), Some(end), _) => (start, end.latest(zone)),
        // One that goes on has no end yet.
        (Some(start), None, false) if !ended => (start, i64::MAX),
        (Some(start), None, _) => (start, start.latest(zone)),
        (None, Some(end), _) => (end, end.latest(zone)),
        (None, None, _) => return Visit::Undated,
    };
    let first = start.earliest(zone);
    Visit::TookPlace(Span {
        start,
        bounds: (first, end.max(first)),
    })
}

impl Span {
    /// Whether it has an instant in common with these, both included.
    pub(super) fn overlaps(&self, (first, last): (i64, i64)) -> bool {
        self.bounds.0 <= last && self.bounds.1 >= first
    }

    /// The day it began by the clock of the zone, to the precision given.
    pub(super) fn day(&self, zone: &Zone) -> String {
        match self.start.precision() > Precision::Day {
            true => zone
                .moment(self.start.earliest(zone))
                .date_part()
                .to_string(),
            false => self.start.to_string(),
        }
    }
}

/// The references of an Encounter that attribution goes by.
pub(super) fn references(kind: Attribution, encounter: &Value) -> Vec<&Value> {
    match kind {
        Attribution::Organization => encounter.get("serviceProvider").into_iter().collect(),
        Attribution::Location => list(encounter, "location")
            .filter_map(|l| l.get("location"))
            .collect(),
        Attribution::Practitioner => participants(encounter),
    }
}

/// Those who saw the patient: primary performers, else attenders, else others; nobody who only referred,
/// translated or came along.
fn participants(encounter: &Value) -> Vec<&Value> {
    let rank = |participant: &Value| {
        let types = list(participant, "type").flat_map(|t| list(t, "coding"));
        let codes: Vec<String> = types.filter_map(|c| text(c, "code")).collect();
        let has = |code: &str| codes.iter().any(|c| c == code);
        match () {
            () if has("PPRF") => 0,
            () if has("ATND") => 1,
            () if codes.is_empty() => 2,
            () if codes.iter().all(|c| NOT_SEEN.contains(&c.as_str())) => 3,
            () => 2,
        }
    };
    let all = list(encounter, "participant");
    let all = all.filter_map(|p| Some((rank(p), p.get("individual")?)));
    let all: Vec<(u8, &Value)> = all.filter(|(rank, _)| *rank < 3).collect();
    let best = all.iter().map(|(rank, _)| *rank).min();
    let chosen = all.into_iter().filter(|(rank, _)| Some(*rank) == best);
    chosen.map(|(_, individual)| individual).collect()
}

/// v3 ParticipationType and participant-type: referrer, escort, callback contact, translator, emergency
/// contact.
const NOT_SEEN: [&str; 5] = ["REF", "ESC", "CALLBCK", "translator", "emergency"];
