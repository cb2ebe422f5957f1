//! What one Patient or Encounter says of where a patient belongs. Needs nothing of other resources of
//! the patient, so that many are read at once.

use std::collections::HashSet;
use std::sync::Arc;

use engine_patient::system::zone::Zone;
use measures::person::{At, list};
use serde_json::Value;

use super::assigned::{Asked, OfPatient};
use super::by::Attribution;
use super::directory::{Directory, Found, Lead, Targets};
use super::stored::parsed;
use super::visit::{Span, Visit, references, visit};
use crate::error::RunError;

/// What a resource says.
pub(super) struct Said {
    pub what: What,
    /// Per kind that is asked for.
    pub kinds: Vec<OfKind>,
}

/// What says it.
pub(super) enum What {
    Patient,
    /// One that began before the period ended. It has places only where it overlaps the period.
    Visit(Span),
    /// An Encounter that does not count.
    NoVisit,
}

/// The places of a kind.
#[derive(Default)]
pub(super) struct OfKind {
    pub found: Vec<Found>,
    pub unused: Unused,
}

/// What attribution does not go by.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Unused {
    /// Encounters that took place, nobody says when.
    pub undated: u64,
    /// Encounters of which it is not clear whether they took place.
    pub unclear: u64,
    /// References that do not say to what type of resource they are, where several are allowed.
    pub untyped: u64,
    /// Locations of Encounters that were planned or reserved.
    pub absent: u64,
}

impl Unused {
    pub(super) fn add(&mut self, more: Unused) {
        self.undated += more.undated;
        self.unclear += more.unclear;
        self.untyped += more.untyped;
        self.absent += more.absent;
    }
}

/// The elements that are read of a Patient.
const PATIENT: [&str; 3] = ["managingOrganization", "generalPractitioner", "contained"];

/// The elements that are read of an Encounter.
const ENCOUNTER: [&str; 6] = [
    "status",
    "period",
    "serviceProvider",
    "participant",
    "location",
    "contained",
];

/// Reads resources of those who are asked for.
pub(super) struct Reader {
    directory: Arc<Directory>,
    kinds: Vec<Attribution>,
    patients: Arc<HashSet<String>>,
    zone: Zone,
    period: (i64, i64),
    at: i64,
    person: Option<OfPatient>,
    of_patient: Vec<&'static str>,
}

/// The patient, what the resource says, and what is made of a Patient.
pub(super) type Read = (String, Said, Option<Box<str>>);

impl Reader {
    pub(super) fn new(
        directory: Arc<Directory>,
        asked: &Asked<'_>,
        person: Option<(OfPatient, &'static [&'static str])>,
    ) -> Reader {
        let (person, more) = person.unzip();
        let of_patient = PATIENT.iter().chain(more.unwrap_or_default());
        Reader {
            directory,
            kinds: asked.kinds.to_vec(),
            patients: Arc::clone(asked.patients),
            zone: asked.zone.clone(),
            period: asked.period,
            at: asked.at,
            person,
            of_patient: of_patient.copied().collect(),
        }
    }

    #[cfg(test)]
    pub(super) fn of(directory: Arc<Directory>, kinds: &[Attribution], period: (i64, i64)) -> Self {
        Reader {
            directory,
            kinds: kinds.to_vec(),
            patients: Arc::default(),
            zone: engine_patient::system::zone::UTC.clone(),
            period,
            at: period.1,
            person: None,
            of_patient: PATIENT.to_vec(),
        }
    }

    /// Nothing for a resource of somebody else, and one that says nothing.
    pub(super) fn read(&self, ty: &str, id: &str, raw: &str) -> Result<Option<Read>, RunError> {
        if !self.patients.contains(id) {
            return Ok(None);
        }
        if ty == "Patient" {
            let patient = parsed(ty, raw, &self.of_patient)?;
            let person = self.person.as_ref().map(|make| make(&patient));
            return Ok(Some((id.to_owned(), self.patient(&patient), person)));
        }
        let said = self.encounter(&parsed(ty, raw, &ENCOUNTER)?);
        Ok(said.map(|said| (id.to_owned(), said, None)))
    }

    pub(super) fn patient(&self, patient: &Value) -> Said {
        let of_kind = |kind: &Attribution| {
            let managing = patient.get("managingOrganization");
            let managing = managing.filter(|_| *kind == Attribution::Organization);
            let managing = managing.map(|reference| (reference, Targets::One));
            // A practitioner, a role or an organization.
            let general = list(patient, "generalPractitioner");
            let general = general
                .filter(|_| *kind != Attribution::Location)
                .map(|reference| (reference, Targets::Several));
            let mut own = OfKind::default();
            for reference in managing.into_iter().chain(general) {
                self.follow(*kind, reference, patient, &mut own);
                if !own.found.is_empty() {
                    break;
                }
            }
            own
        };
        Said {
            what: What::Patient,
            kinds: self.kinds.iter().map(of_kind).collect(),
        }
    }

    pub(super) fn encounter(&self, encounter: &Value) -> Option<Said> {
        let none = Unused::default();
        let span = match visit(encounter, &self.zone) {
            Visit::TookPlace(span) => span,
            Visit::No => return None,
            Visit::Undated => return Some(self.unused(Unused { undated: 1, ..none })),
            Visit::Unclear => return Some(self.unused(Unused { unclear: 1, ..none })),
        };
        if span.bounds.0 > self.period.1 {
            return None;
        }
        let of_kind = |kind: &Attribution| {
            let mut own = OfKind::default();
            let (all, absent) = references(*kind, encounter);
            own.unused.absent = absent;
            for reference in all {
                self.follow(*kind, reference, encounter, &mut own);
            }
            own
        };
        let kinds = self.kinds.iter().filter(|_| span.overlaps(self.period));
        Some(Said {
            what: What::Visit(span),
            kinds: kinds.map(of_kind).collect(),
        })
    }

    /// An Encounter that counts for no kind.
    fn unused(&self, unused: Unused) -> Said {
        let of_kind = |_: &Attribution| OfKind {
            found: vec![],
            unused,
        };
        Said {
            what: What::NoVisit,
            kinds: self.kinds.iter().map(of_kind).collect(),
        }
    }

    fn follow(
        &self,
        kind: Attribution,
        reference: (&Value, Targets),
        holder: &Value,
        own: &mut OfKind,
    ) {
        let at = At {
            instant: self.at,
            zone: &self.zone,
        };
        match self.directory.find(kind, reference, holder, at) {
            Lead::To(found) => own.found.push(found),
            Lead::Unknown => own.unused.untyped += 1,
            Lead::Elsewhere => {}
        }
    }
}
