//! Gaps in care, from result rows: per patient (or resource) and proportion, what is left to do.
//!
//! | Status | |
//! |---|---|
//! | open | in the denominator, not excluded, and the numerator is not met; where a lower rate is better, that it **is** met |
//! | closed | the same, the other way round |
//! | not applicable | not in the initial population or denominator, or excluded, or excepted: `reason` says which |
//! | could not be evaluated | something that would decide could not be told: `reason` says what |
//!
//! Nothing is inferred from what could not be told: a gap is open, closed or not applicable only where
//! deciding the unknown one way or the other would not change that.

mod bundle;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use engine_patient::program::PopulationIndex;
use engine_patient::system::truth::Truth;

pub use bundle::{MeasureGaps, gaps_bundle};
use serde::Deserialize;

use crate::improvement_direction::Direction;
use crate::package::{Basis, GroupDefinition, PopulationCode as Code, Scoring};
use crate::result::Improvement;
use crate::structure::MeasureStructure;
use crate::subject::{Membership, Subject, SubjectGroup};

/// What is left to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GapStatus {
    /// Something is.
    Open,
    /// Nothing is.
    Closed,
    /// The measure is not about them.
    NotApplicable,
    /// It could not be told.
    NotEvaluable,
}

impl GapStatus {
    /// In tables, and where DEQM has a code, that code.
    pub fn as_str(self) -> &'static str {
        match self {
            GapStatus::Open => "open-gap",
            GapStatus::Closed => "closed-gap",
            GapStatus::NotApplicable => "not-applicable",
            GapStatus::NotEvaluable => "could-not-be-evaluated",
        }
    }
}

/// A line of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GapRow {
    /// Index of the measure's group.
    pub group: usize,
    /// The patient's id.
    pub patient: String,
    /// The resource it is about, where the basis is one.
    pub resource: Option<String>,
    /// What is left to do.
    pub status: GapStatus,
    /// Why it is open, not applicable or could not be evaluated.
    pub reason: Option<Arc<str>>,
    /// When it is due, if the measure tells.
    pub due: Option<String>,
    /// The latest of what the measure looks for, if the measure tells.
    pub evidence: Option<Evidence>,
}

/// The latest resource that a criterion looks for.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
pub struct Evidence {
    /// `Observation/1`
    pub resource: String,
    /// Its display, text or code.
    pub code: Option<String>,
    /// As written.
    pub date: Option<String>,
    /// With its unit.
    pub value: Option<String>,
    /// That it was not done, as it says itself.
    pub negated: Option<String>,
}

/// The heading of [`GapRow::cells`].
pub const HEADING: [&str; 10] = [
    "measure",
    "version",
    "group",
    "patient_id",
    "resource",
    "status",
    "reason",
    "due",
    "better",
    "better_source",
];

impl GapRow {
    /// For CSV or JSON.
    pub fn cells(&self, structure: &MeasureStructure) -> [String; 10] {
        let direction = structure.directions.get(self.group);
        let group = structure.groups.get(self.group);
        let [better, source] = direction.map_or([""; 2], Direction::cells);
        let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
        [
            structure.name.to_string(),
            structure.artifact.version.to_string(),
            group.map_or_else(String::new, |g| g.name(self.group)),
            self.patient.clone(),
            text(self.resource.as_deref()),
            self.status.as_str().to_owned(),
            text(self.reason.as_deref()),
            text(self.due.as_deref()),
            better.to_owned(),
            source.to_owned(),
        ]
    }
}

/// A patient's gaps of a measure, group by group, by the directions of its structure. Whether those are
/// settled ([`MeasureStructure::is_settled`]) is for the caller to ask; groups that are no proportions have none. Of a
/// resource basis one line per resource, and one about the patient where there is none.
pub fn gaps(structure: &MeasureStructure, subject: &Subject) -> Vec<GapRow> {
    let mut out = vec![];
    for (index, (group, own)) in structure.groups.iter().zip(&subject.groups).enumerate() {
        if group.scoring != Scoring::Proportion {
            continue;
        }
        let due = group
            .position(Code::Numerator)
            .and_then(|i| i.get(&own.populations)?.value.clone());
        // A row that says something else is none of ours.
        let evidence: Option<Evidence> = subject
            .evidence
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok());
        let row = |resource: Option<String>, (status, reason): Judged| GapRow {
            group: index,
            patient: subject.patient.clone(),
            resource,
            status,
            reason,
            due: due.clone(),
            evidence: evidence.clone(),
        };
        if group.basis == Basis::Boolean {
            let judged = judge(group, |i| i.get(&own.populations).cloned());
            out.push(row(None, judged));
            continue;
        }
        let mut ids: Vec<&str> = own.members.iter().map(|m| m.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let before = out.len();
        for id in ids {
            let of = |i: PopulationIndex| member(own, i, id);
            out.push(row(Some(id.to_owned()), judge(group, of)));
        }
        // An initial population that could not be told may have members that no row names.
        let unnamed = group
            .position(Code::InitialPopulation)
            .and_then(|i| i.get(&own.populations))
            .filter(|m| m.outcome == Truth::Unknown);
        match (unnamed, out.len() == before) {
            (Some(m), _) => {
                out.push(row(None, (GapStatus::NotEvaluable, m.reason.clone())));
            }
            (None, true) => {
                let nobody = judge(group, |i| {
                    let whole = i.get(&own.populations)?;
                    Some(whole.clone())
                });
                out.push(row(None, nobody));
            }
            (None, false) => {}
        }
    }
    out
}

fn member(own: &SubjectGroup, population: PopulationIndex, id: &str) -> Option<Membership> {
    let mut of = own.members.iter().filter(|m| m.population == population);
    of.find(|m| m.id == id).map(|m| Membership {
        outcome: m.outcome,
        count: u64::from(m.counted),
        reason: m.reason.clone(),
        value: None,
    })
}

type Judged = (GapStatus, Option<Arc<str>>);

fn judge(group: &GroupDefinition, of: impl Fn(PopulationIndex) -> Option<Membership>) -> Judged {
    let state = |code: Code| group.position(code).and_then(&of).unwrap_or_default();
    let out = |code: Code| (GapStatus::NotApplicable, Some(Arc::from(code.as_str())));
    let no = |code: Code| {
        let population = code.as_str().replace('-', " ");
        let reason = format!("not in the {population}");
        (GapStatus::NotApplicable, Some(reason.into()))
    };
    let unknown = |m: Membership| (GapStatus::NotEvaluable, m.reason);
    for code in [Code::InitialPopulation, Code::Denominator] {
        let within = state(code);
        match within.outcome {
            Truth::True => {}
            Truth::False => return no(code),
            Truth::Unknown => return unknown(within),
        }
    }
    let excluded = state(Code::DenominatorExclusion);
    if excluded.outcome == Truth::True {
        return out(Code::DenominatorExclusion);
    }
    let numerator = state(Code::Numerator);
    let removed = state(Code::NumeratorExclusion);
    // A numerator may be counted and in doubt all the same.
    let met = match (numerator.count > 0, removed.outcome) {
        (true, Truth::True) => Truth::False,
        (true, Truth::Unknown) => Truth::Unknown,
        (_, _) => numerator.outcome,
    };
    let exception = state(Code::DenominatorException);
    if exception.outcome == Truth::True {
        return out(Code::DenominatorException);
    }
    // What is not said is taken as increase; `direction` tells so wherever gaps are shown.
    let good = match group.improvement_notation {
        Some(Improvement::Decrease) => !met,
        Some(Improvement::Increase) | None => met,
    };
    match good {
        _ if excluded.outcome == Truth::Unknown => unknown(excluded),
        Truth::Unknown if removed.outcome == Truth::Unknown => unknown(removed),
        Truth::Unknown => unknown(numerator),
        _ if exception.outcome == Truth::Unknown => unknown(exception),
        Truth::True => (GapStatus::Closed, None),
        // By the measure's own word for it.
        Truth::False => (
            GapStatus::Open,
            Some(Arc::from(match group.improvement_notation {
                Some(Improvement::Decrease) => "in the numerator, and lower is better",
                Some(Improvement::Increase) | None => "not in the numerator",
            })),
        ),
    }
}
