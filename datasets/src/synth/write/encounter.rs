//! Encounter.

use super::super::calendar::Moment;
use super::super::codes::Coded;
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{Defect, FOR_VISIT};

/// v3-ActCode class of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Class {
    Ambulatory,
    Emergency,
    Inpatient,
}

/// What an Encounter says.
pub(in super::super) struct Visit {
    pub(in super::super) class: Class,
    pub(in super::super) kind: Coded,
    pub(in super::super) reason: Coded,
    pub(in super::super) start: Moment,
    pub(in super::super) end: Moment,
    /// admission within 30 days of a discharge
    pub(in super::super) readmission: bool,
    /// discharge disposition code and display, for inpatient stays
    pub(in super::super) discharge: Option<(&'static str, &'static str)>,
}

impl Chart<'_> {
    pub(in super::super) fn encounter(&mut self, visit: &Visit) -> u32 {
        let person = self.person;
        let updated = visit.end;
        self.emit(Kind::Encounter, "us-core-encounter", &FOR_VISIT, updated, |e| {
            e.raw(",\"identifier\":[{\"use\":\"official\",\"system\":\"https://hospital.example.org/visit\",\"value\":\"V");
            e.int(i64::from(visit.start.day));
            e.raw("-");
            let pid = e.pid;
            e.raw(pid);
            e.raw("\"}]");
            e.status("finished");
            e.raw(",\"class\":{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":");
            e.raw(match visit.class {
                Class::Ambulatory => "\"AMB\",\"display\":\"ambulatory\"}",
                Class::Emergency => "\"EMER\",\"display\":\"emergency\"}",
                Class::Inpatient => "\"IMP\",\"display\":\"inpatient encounter\"}",
            });
            e.raw(",\"type\":[");
            e.concept(visit.kind);
            e.raw("]");
            e.subject(",\"subject\":");
            e.raw(",\"participant\":[{\"type\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ParticipationType\",\"code\":\"PPRF\",\"display\":\"primary performer\"}]}],\"individual\":");
            shared::practitioner(e.out, person.organization, person.doctor);
            e.raw("}]");
            if !e.has(Defect::DateMissing) {
                e.raw(",\"period\":{");
                e.main_moment("\"start\":", visit.start);
                e.moment(",\"end\":", visit.end);
                e.raw("}");
            }
            e.raw(",\"reasonCode\":[");
            e.concept(visit.reason);
            e.raw("]");
            if let Some((code, display)) = visit.discharge {
                e.raw(",\"hospitalization\":{");
                if visit.readmission {
                    e.raw("\"reAdmission\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0092\",\"code\":\"R\",\"display\":\"Re-admission\"}]},");
                }
                e.raw("\"admitSource\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/admit-source\",\"code\":\"emd\",\"display\":\"From accident/emergency department\"}]},\"dischargeDisposition\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/discharge-disposition\",\"code\":\"");
                e.raw(code);
                e.raw("\",\"display\":\"");
                e.raw(display);
                e.raw("\"}]}}");
            }
            e.raw(",\"location\":[{\"location\":");
            shared::location(e.out, person.organization, visit.class != Class::Ambulatory);
            e.raw("}],\"serviceProvider\":");
            shared::organization(e.out, person.organization);
        })
    }
}
