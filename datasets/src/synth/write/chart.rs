//! The chart of one patient: numbers the resources, draws their defects, hands lines to the sink.

use super::super::ResourceSink;
use super::super::calendar::{Moment, push_moment};
use super::super::person::Person;
use super::super::rng::Rng;
use super::defect::{self, Defect};
use super::entry::Entry;

/// Resource types of a patient with the prefix of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Patient,
    Coverage,
    Encounter,
    Condition,
    Observation,
    MedicationRequest,
    Immunization,
    Procedure,
    AllergyIntolerance,
    DiagnosticReport,
    ServiceRequest,
}

impl Kind {
    const COUNT: usize = 11;

    fn name(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::Coverage => "Coverage",
            Self::Encounter => "Encounter",
            Self::Condition => "Condition",
            Self::Observation => "Observation",
            Self::MedicationRequest => "MedicationRequest",
            Self::Immunization => "Immunization",
            Self::Procedure => "Procedure",
            Self::AllergyIntolerance => "AllergyIntolerance",
            Self::DiagnosticReport => "DiagnosticReport",
            Self::ServiceRequest => "ServiceRequest",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Patient => "",
            Self::Coverage => "cov",
            Self::Encounter => "enc",
            Self::Condition => "cond",
            Self::Observation => "obs",
            Self::MedicationRequest => "med",
            Self::Immunization => "imm",
            Self::Procedure => "proc",
            Self::AllergyIntolerance => "alg",
            Self::DiagnosticReport => "rep",
            Self::ServiceRequest => "srv",
        }
    }
}

pub(in super::super) struct Chart<'a> {
    pub(in super::super) person: &'a Person,
    sink: &'a mut dyn ResourceSink,
    line: String,
    counts: [u32; Kind::COUNT],
    dirty: f64,
    defects: Rng,
}

impl<'a> Chart<'a> {
    pub(in super::super) fn new(
        person: &'a Person,
        dirty: f64,
        defects: Rng,
        sink: &'a mut dyn ResourceSink,
    ) -> Self {
        Self {
            person,
            sink,
            line: String::with_capacity(4096),
            counts: [0; Kind::COUNT],
            dirty,
            defects,
        }
    }

    /// The number the next resource of `kind` will get.
    pub(in super::super) fn next_number(&self, kind: Kind) -> u32 {
        self.counts.get(kind as usize).copied().unwrap_or(0) + 1
    }

    /// Writes one resource (two lines for the duplicate defects) and returns its number.
    ///
    /// `body` may run twice and draws no random numbers, so that a duplicate says the same.
    pub(in super::super) fn emit(
        &mut self,
        kind: Kind,
        profile: &str,
        applicable: &[Defect],
        at: Moment,
        body: impl Fn(&mut Entry<'_>),
    ) -> u32 {
        let number = self.next_number(kind);
        if let Some(count) = self.counts.get_mut(kind as usize) {
            *count = number;
        }
        let defect = defect::draw(&mut self.defects, self.dirty, applicable);
        self.write(kind, number, profile, defect, at.plus(20), false, &body);
        match defect {
            // The buffer still holds the line.
            Some(Defect::DuplicateExact) => self.sink.write(kind.name(), &self.line),
            Some(Defect::DuplicateOlder) => {
                self.write(kind, number, profile, defect, at.plus(5), true, &body);
            }
            Some(Defect::DuplicateNewer) => {
                self.write(kind, number, profile, defect, at.plus(60), true, &body);
            }
            _ => {}
        }
        number
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the two copies of a duplicate differ in the last ones"
    )]
    fn write(
        &mut self,
        kind: Kind,
        number: u32,
        profile: &str,
        defect: Option<Defect>,
        updated: Moment,
        changed: bool,
        body: &impl Fn(&mut Entry<'_>),
    ) {
        self.line.clear();
        let mut entry = Entry {
            out: &mut self.line,
            pid: &self.person.id,
            defect,
            changed,
        };
        entry.raw("{\"resourceType\":\"");
        entry.raw(kind.name());
        entry.raw("\",\"id\":\"");
        if kind == Kind::Patient {
            entry.raw(&self.person.id);
        } else {
            entry.own_id(kind.prefix(), number);
        }
        entry.raw("\",\"meta\":{\"versionId\":\"");
        entry.raw(if defect == Some(Defect::DuplicateNewer) && changed {
            "2"
        } else {
            "1"
        });
        entry.raw("\",\"lastUpdated\":\"");
        push_moment(entry.out, updated);
        if profile.is_empty() {
            entry.raw("\"}");
        } else {
            entry.raw("\",\"profile\":[\"http://hl7.org/fhir/us/core/StructureDefinition/");
            entry.raw(profile);
            entry.raw("\"]}");
        }
        // Patient has extensions of its own and adds the unknown one there.
        if defect == Some(Defect::ExtensionUnknown) && kind != Kind::Patient {
            entry.raw(",\"extension\":[{\"url\":\"https://ehr.example.org/fhir/StructureDefinition/import-batch\",\"valueString\":\"b-17\"}]");
        }
        body(&mut entry);
        entry.raw("}");
        self.sink.write(kind.name(), &self.line);
    }
}
