//! Who is attributed to what, from the lake's Patients and Encounters.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use engine_patient::system::zone::Zone;
use engine_population::lake::Lake;
use measures::person::list;
use serde_json::Value;

use super::by::Attribution;
use super::directory::{Directory, Place, PlaceId, parsed};
use super::visit::{Span, Visit, references, visit};
use crate::error::RunError;
use crate::lake_rows::each_row;

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub lake: &'a Lake,
    pub threads: usize,
    /// Where dates without an offset are.
    pub zone: &'a Zone,
    /// First and last instant of the period.
    pub period: (i64, i64),
    /// To what.
    pub kinds: &'a [Attribution],
    /// Whom.
    pub patients: &'a HashSet<String>,
}

/// By what a patient is attributed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Means {
    Patient,
    Visits,
    Nothing,
}

/// Who is attributed to what.
pub(crate) struct Assigned {
    directory: Directory,
    kinds: Vec<Attribution>,
    of: HashMap<String, Own>,
    /// Encounters that took place, nobody says when.
    pub undated: u64,
    /// Encounters of which it is not clear whether they took place.
    pub unclear: u64,
}

#[derive(Default)]
struct Own {
    /// A place per kind, where the Patient names one.
    named: Vec<Option<PlaceId>>,
    /// The places of visits in the period, per kind.
    visits: Vec<Vec<Tally>>,
    /// The latest visit up to the end of the period.
    last: Option<Span>,
}

/// Visits of a patient to a place.
struct Tally {
    place: PlaceId,
    visits: u32,
    latest: i64,
}

impl Assigned {
    /// Reads it. `patient` is shown the Patient resources of those who are asked for.
    pub async fn read(
        asked: &Asked<'_>,
        patient: &mut (dyn FnMut(&str, &Value) + Send),
    ) -> Result<Assigned, RunError> {
        let mut assigned = Assigned {
            directory: Directory::read(asked.lake, asked.threads, asked.kinds).await?,
            kinds: asked.kinds.to_vec(),
            of: HashMap::new(),
            undated: 0,
            unclear: 0,
        };
        let sql = |ty: &str| {
            format!("SELECT patient_id, raw FROM resources WHERE resource_type = '{ty}'")
        };
        let (lake, threads) = (asked.lake, asked.threads);
        each_row(
            lake,
            threads,
            &sql("Patient"),
            &mut |[id, raw]: [&str; 2]| {
                if asked.patients.contains(id) {
                    let resource = parsed("Patient", raw)?;
                    assigned.patient(id, &resource);
                    patient(id, &resource);
                }
                Ok(())
            },
        )
        .await?;
        each_row(
            lake,
            threads,
            &sql("Encounter"),
            &mut |[id, raw]: [&str; 2]| {
                if asked.patients.contains(id) {
                    let encounter = parsed("Encounter", raw)?;
                    assigned.encounter(id, &encounter, asked.zone, asked.period);
                }
                Ok(())
            },
        )
        .await?;
        Ok(assigned)
    }

    #[cfg(test)]
    pub(super) fn of(directory: Directory, kinds: &[Attribution]) -> Self {
        Assigned {
            directory,
            kinds: kinds.to_vec(),
            of: HashMap::new(),
            undated: 0,
            unclear: 0,
        }
    }

    pub(super) fn patient(&mut self, id: &str, patient: &Value) {
        let mut named = vec![];
        for kind in &self.kinds {
            let managing = patient.get("managingOrganization");
            let managing = managing.filter(|_| *kind == Attribution::Organization);
            let practitioners = list(patient, "generalPractitioner");
            let mut all = managing.into_iter().chain(practitioners);
            named.push(match kind {
                Attribution::Location => None,
                kind => all.find_map(|r| self.directory.place_of(*kind, r, patient)),
            });
        }
        self.of.entry(id.to_owned()).or_default().named = named;
    }

    pub(super) fn encounter(
        &mut self,
        id: &str,
        encounter: &Value,
        zone: &Zone,
        period: (i64, i64),
    ) {
        let span = match visit(encounter, zone) {
            Visit::TookPlace(span) => span,
            Visit::No => return,
            Visit::Undated => {
                self.undated += 1;
                return;
            }
            Visit::Unclear => {
                self.unclear += 1;
                return;
            }
        };
        let own = self.of.entry(id.to_owned()).or_default();
        let start = span.bounds.0;
        if start <= period.1 && own.last.is_none_or(|last| last.bounds.0 < start) {
            own.last = Some(span);
        }
        if !span.overlaps(period) {
            return;
        }
        own.visits.resize_with(self.kinds.len(), Vec::new);
        for (kind, tallies) in self.kinds.iter().zip(&mut own.visits) {
            let mut places: Vec<PlaceId> = references(*kind, encounter)
                .into_iter()
                .filter_map(|r| self.directory.place_of(*kind, r, encounter))
                .collect();
            places.sort_unstable();
            places.dedup();
            for place in places {
                match tallies.iter_mut().find(|t| t.place == place) {
                    Some(tally) => {
                        tally.visits += 1;
                        tally.latest = tally.latest.max(start);
                    }
                    None => tallies.push(Tally {
                        place,
                        visits: 1,
                        latest: start,
                    }),
                }
            }
        }
    }

    /// The places of a patient, and by what; of organizations and practitioners it is one at most.
    pub fn places(&self, kind: Attribution, patient: &str) -> (Means, Vec<PlaceId>) {
        let nothing = (Means::Nothing, vec![]);
        let index = self.kinds.iter().position(|k| *k == kind);
        let (Some(index), Some(own)) = (index, self.of.get(patient)) else {
            return nothing;
        };
        if let Some(Some(place)) = own.named.get(index) {
            return (Means::Patient, vec![*place]);
        }
        let visits = own.visits.get(index).map_or(&[][..], Vec::as_slice);
        let places: Vec<PlaceId> = match kind {
            Attribution::Location => visits.iter().map(|t| t.place).collect(),
            _ => {
                let rank = |t: &&Tally| {
                    let reference = self.directory.reference(t.place);
                    (t.visits, t.latest, Reverse(reference.to_owned()))
                };
                visits
                    .iter()
                    .max_by_key(rank)
                    .map(|t| t.place)
                    .into_iter()
                    .collect()
            }
        };
        match places.is_empty() {
            true => nothing,
            false => (Means::Visits, places),
        }
    }

    /// A place, by the number that it has here.
    pub fn place(&self, id: PlaceId) -> Place {
        self.directory.place(id)
    }

    /// The day of the patient's latest visit up to the end of the period, also before its start.
    pub fn last_visit(&self, patient: &str, zone: &Zone) -> Option<String> {
        let last = self.of.get(patient)?.last?;
        Some(last.day(zone))
    }
}
