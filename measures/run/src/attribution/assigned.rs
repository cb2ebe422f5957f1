//! Who is attributed to what, from the lake's Patients and Encounters.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine_patient::system::zone::Zone;
use engine_population::lake::Lake;
use measures::person::At;
use serde_json::Value;

use super::by::Attribution;
use super::directory::Directory;
use super::places::{Place, PlaceId, Places};
use super::said::{Reader, Said, Unused, What};
use super::stored::of_patients;
use super::visit::Span;
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
    /// When names and the like hold.
    pub at: i64,
    /// To what.
    pub kinds: &'a [Attribution],
    /// Whom.
    pub patients: &'a Arc<HashSet<String>>,
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
    directory: Arc<Directory>,
    places: Places,
    kinds: Vec<Attribution>,
    of: HashMap<String, Own>,
    /// Per kind.
    unused: Vec<Unused>,
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

/// Makes a text of a Patient resource.
pub(crate) type OfPatient = Arc<dyn Fn(&Value) -> Box<str> + Send + Sync>;

/// What is made of Patients, by their ids.
pub(crate) type Persons = HashMap<String, Box<str>>;

impl Assigned {
    /// Reads it, for all kinds at once. Also gives what `person` makes of the Patient resources, from
    /// these elements of them.
    pub async fn read(
        asked: &Asked<'_>,
        person: Option<(OfPatient, &'static [&'static str])>,
    ) -> Result<(Assigned, Persons), RunError> {
        let (lake, threads, kinds) = (asked.lake, asked.threads, asked.kinds);
        let at = At {
            instant: asked.at,
            zone: asked.zone,
        };
        let directory = Arc::new(Directory::read(lake, threads, kinds, at).await?);
        let mut assigned = Assigned::of(Arc::clone(&directory), kinds);
        let mut persons = HashMap::new();
        if asked.patients.is_empty() {
            return Ok((assigned, persons));
        }
        let types = ["Patient", "Encounter"];
        let rows = of_patients(lake, threads, &types, asked.patients).await?;
        let reader = Reader::new(directory, asked, person);
        let make = move |[ty, id, raw]: [&str; 3]| reader.read(ty, id, raw);
        each_row(rows, make, &mut |(id, said, person)| {
            if let Some(person) = person {
                persons.insert(id.clone(), person);
            }
            assigned.add(id, said);
        })
        .await?;
        Ok((assigned, persons))
    }

    pub(super) fn of(directory: Arc<Directory>, kinds: &[Attribution]) -> Self {
        Assigned {
            directory,
            places: Places::default(),
            kinds: kinds.to_vec(),
            of: HashMap::new(),
            unused: vec![Unused::default(); kinds.len()],
        }
    }

    /// What a resource of a patient says; in any order.
    pub(super) fn add(&mut self, id: String, said: Said) {
        for (unused, more) in self.unused.iter_mut().zip(&said.kinds) {
            unused.add(more.unused);
        }
        match said.what {
            What::NoVisit => {}
            What::Patient => {
                let found = said.kinds.into_iter().map(|k| k.found.into_iter().next());
                let named = found.map(|found| self.places.id(found?)).collect();
                self.of.entry(id).or_default().named = named;
            }
            What::Visit(span) => {
                let own = self.of.entry(id).or_default();
                if own.last.as_ref().is_none_or(|last| span.is_later(last)) {
                    own.last = Some(span);
                }
                own.visits.resize_with(self.kinds.len(), Vec::new);
                for (kind, tallies) in said.kinds.into_iter().zip(&mut own.visits) {
                    let found = kind.found.into_iter();
                    let mut places: Vec<PlaceId> =
                        found.filter_map(|f| self.places.id(f)).collect();
                    places.sort_unstable();
                    places.dedup();
                    for place in places {
                        count(tallies, place, span.bounds.0);
                    }
                }
            }
        }
    }

    /// The places of a patient, and by what; of organizations and practitioners it is one at most.
    pub fn places(&self, kind: Attribution, patient: &str) -> (Means, Vec<PlaceId>) {
        let nothing = (Means::Nothing, vec![]);
        let (Some(index), Some(own)) = (self.index(kind), self.of.get(patient)) else {
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
                    let reference = self.places.reference(t.place);
                    (t.visits, t.latest, Reverse(reference.to_owned()))
                };
                let most = visits.iter().max_by_key(rank);
                most.map(|t| t.place).into_iter().collect()
            }
        };
        match places.is_empty() {
            true => nothing,
            false => (Means::Visits, places),
        }
    }

    /// What attribution to a kind does not go by.
    pub fn unused(&self, kind: Attribution) -> Unused {
        let unused = self.index(kind).and_then(|at| self.unused.get(at));
        unused.copied().unwrap_or_default()
    }

    fn index(&self, kind: Attribution) -> Option<usize> {
        self.kinds.iter().position(|k| *k == kind)
    }

    /// A place, by the number that it has here.
    pub fn place(&self, id: PlaceId) -> Place {
        self.places.place(id, &self.directory)
    }

    /// The day of the patient's latest visit up to the end of the period, also before its start.
    pub fn last_visit(&self, patient: &str, zone: &Zone) -> Option<String> {
        let last = self.of.get(patient)?.last?;
        Some(last.day(zone))
    }
}

fn count(tallies: &mut Vec<Tally>, place: PlaceId, start: i64) {
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
