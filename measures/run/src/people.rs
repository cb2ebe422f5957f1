//! Who the patients of a list are, how to reach them, and who cares for them: what somebody needs to act
//! on the list. Read from the lake once the list is known, for those on it only. Patient data: it goes
//! into files, and nowhere else.

use std::collections::{HashMap, HashSet};

use engine_patient::system::zone::Zone;
use measures::person::{self, Person};
use measures::spreadsheet;

use crate::attribution::{Assigned, Attribution};
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

/// The patients of a list.
pub(crate) struct People {
    /// Cells, joined: a list may be of very many.
    persons: HashMap<String, Box<str>>,
    assigned: Assigned,
    zone: Zone,
}

impl People {
    /// Of these patients.
    pub async fn read(of: &PreparedJob, patients: &HashSet<String>) -> Result<People, RunError> {
        let asked = of.attribution(&KINDS, patients);
        let mut persons = HashMap::new();
        let assigned = Assigned::read(&asked, &mut |id, patient| {
            let cells = Person::of(patient).cells();
            let cells = cells.map(|c| spreadsheet::cell(&c.replace(BETWEEN, " ")).into_owned());
            let joined = cells.join(&BETWEEN.to_string());
            persons.insert(id.to_owned(), joined.into_boxed_str());
        })
        .await?;
        Ok(People {
            persons,
            assigned,
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
