//! Who the patients of a list are, how to reach them, and who cares for them: what somebody needs to act
//! on the list. Read from the lake once the list is known, for those on it only. Patient data: it goes
//! into files, and nowhere else.

use std::collections::HashSet;
use std::sync::Arc;

use engine_patient::system::zone::Zone;
use measures::person::{self, At, Person};
use measures::spreadsheet;

use crate::attribution::{Assigned, Attribution, OfPatient, Persons};
use crate::error::RunError;
use crate::prepared_job::PreparedJob;

/// The columns of [`People::cells`].
pub(crate) fn heading() -> Vec<&'static str> {
    let mut heading = person::HEADING.to_vec();
    heading.extend(CARE);
    heading
}

const CARE: [&str; 5] = [
    "practitioner",
    "practitioner_reference",
    "organization",
    "organization_reference",
    "last_visit",
];

const KINDS: [Attribution; 2] = [Attribution::Practitioner, Attribution::Organization];

/// Stands between cells that are kept as one text; FHIR's texts have no such character.
const BETWEEN: char = '\0';

/// The elements of a Patient that [`Person`] is of.
const ELEMENTS: &[&str] = &[
    "name",
    "birthDate",
    "deceasedBoolean",
    "deceasedDateTime",
    "identifier",
    "telecom",
    "contact",
];

/// The patients of a list.
pub(crate) struct People {
    /// Cells, joined: a list may be of very many.
    persons: Persons,
    /// Who cares for them.
    pub assigned: Assigned,
    /// Who they are.
    pub patients: Arc<HashSet<String>>,
    zone: Zone,
}

impl People {
    /// Of these patients, for a list.
    pub async fn read(of: &PreparedJob, patients: HashSet<String>) -> Result<People, RunError> {
        People::of(of, patients, &KINDS, true).await
    }

    /// The same where they are attributed, too, so that the lake is read once; `list` says whether there
    /// is a list.
    pub async fn attributed(
        of: &PreparedJob,
        patients: HashSet<String>,
        by: Option<Attribution>,
        list: bool,
    ) -> Result<People, RunError> {
        let for_list = KINDS.into_iter().filter(|kind| list && Some(*kind) != by);
        let kinds: Vec<Attribution> = by.into_iter().chain(for_list).collect();
        People::of(of, patients, &kinds, list).await
    }

    async fn of(
        of: &PreparedJob,
        patients: HashSet<String>,
        kinds: &[Attribution],
        list: bool,
    ) -> Result<People, RunError> {
        let patients = Arc::new(patients);
        let asked = of.attribution(kinds, &patients);
        let (instant, zone) = (asked.at, asked.zone.clone());
        let cells: OfPatient = Arc::new(move |patient| {
            let at = At {
                instant,
                zone: &zone,
            };
            let cells = Person::of(patient, at).cells();
            let cells = cells.map(|c| spreadsheet::cell(&c.replace(BETWEEN, " ")).into_owned());
            cells.join(&BETWEEN.to_string()).into_boxed_str()
        });
        let person = list.then_some((cells, ELEMENTS));
        let (assigned, persons) = Assigned::read(&asked, person).await?;
        Ok(People {
            persons,
            assigned,
            patients,
            zone: of.job.zone.clone(),
        })
    }

    /// As [`heading`]; empty where nothing is known.
    pub fn cells(&self, patient: &str) -> Vec<String> {
        let mut cells: Vec<String> = match self.persons.get(patient) {
            Some(joined) => joined.split(BETWEEN).map(str::to_owned).collect(),
            None => vec![String::new(); person::HEADING.len()],
        };
        for kind in KINDS {
            let (_, places) = self.assigned.places(kind, patient);
            let place = places.first().map(|id| self.assigned.place(*id));
            let (name, reference) = place.map(|p| (p.name, p.reference)).unwrap_or_default();
            cells.push(spreadsheet::cell(&name).into_owned());
            cells.push(spreadsheet::cell(&reference).into_owned());
        }
        let last = self.assigned.last_visit(patient, &self.zone);
        cells.push(last.unwrap_or_default());
        cells
    }
}
