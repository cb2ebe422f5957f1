//! Which Encounters are visits, and when they were.

use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;
use measures::person::list;
use serde_json::Value;

use super::by::Attribution;
use super::directory::{Targets, text};

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
    /// Whether it began later: of the same start the one that is given more exactly, then by its
    /// characters, so that no order of rows decides.
    pub(super) fn is_later(&self, than: &Span) -> bool {
        let order = |span: &Span| {
            let start = span.start;
            (span.bounds.0, start.precision(), start.to_string())
        };
        match self.bounds.0 == than.bounds.0 {
            true => order(self) > order(than),
            false => self.bounds.0 > than.bounds.0,
        }
    }

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

/// The references of an Encounter that attribution goes by, and how many locations the patient was not
/// at.
pub(super) fn references(kind: Attribution, encounter: &Value) -> (Vec<(&Value, Targets)>, u64) {
    let of_one = |reference| (reference, Targets::One);
    match kind {
        Attribution::Organization => {
            let provider = encounter.get("serviceProvider").into_iter();
            (provider.map(of_one).collect(), 0)
        }
        Attribution::Location => {
            let (absent, there): (Vec<&Value>, Vec<&Value>) = list(encounter, "location")
                .filter(|l| l.get("location").is_some())
                .partition(|l| {
                    let status = text(l, "status");
                    matches!(status.as_deref(), Some("planned" | "reserved"))
                });
            let there = there.iter().filter_map(|l| l.get("location"));
            (there.map(of_one).collect(), absent.len() as u64)
        }
        // It may be a relative.
        Attribution::Practitioner => {
            let all = participants(encounter).into_iter();
            (all.map(|p| (p, Targets::Several)).collect(), 0)
        }
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
