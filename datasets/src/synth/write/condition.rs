//! Condition.

use super::super::calendar::Day;
use super::super::calendar::Moment;
use super::super::codes::Coded;
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{Defect, FOR_STATEMENT, for_code};

/// What a Condition says.
pub(in super::super) struct Diagnosis {
    pub(in super::super) code: Coded,
    /// problem list item; otherwise the diagnosis of a visit
    pub(in super::super) problem: bool,
    pub(in super::super) onset: Day,
    pub(in super::super) abated: Option<Day>,
    pub(in super::super) recorded: Moment,
    pub(in super::super) encounter: u32,
}

impl Chart<'_> {
    pub(in super::super) fn condition(&mut self, diagnosis: &Diagnosis) -> u32 {
        let person = self.person;
        let profile = if diagnosis.problem {
            "us-core-condition-problems-health-concerns"
        } else {
            "us-core-condition-encounter-diagnosis"
        };
        // What changes the record last: a resolved problem is updated when it is resolved.
        let updated = match diagnosis.abated {
            Some(day) if day > diagnosis.recorded.day => Moment::at(day, 720),
            _ => diagnosis.recorded,
        };
        self.emit(Kind::Condition, profile, for_code(&FOR_STATEMENT, diagnosis.code), updated, |e| {
            // con-5: a condition entered in error has no clinical status.
            if !e.has(Defect::EnteredInError) {
                e.raw(",\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"");
                e.raw(match (diagnosis.abated.is_some(), e.changed) {
                    (true, _) => "resolved\",\"display\":\"Resolved",
                    // The changed copy must not claim an end it has no date for.
                    (false, true) => "recurrence\",\"display\":\"Recurrence",
                    (false, false) => "active\",\"display\":\"Active",
                });
                e.raw("\"}]}");
            }
            e.raw(",\"verificationStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-ver-status\",\"code\":\"");
            let verified = if e.has(Defect::EnteredInError) {
                "entered-in-error\",\"display\":\"Entered in Error"
            } else if e.changed {
                "provisional\",\"display\":\"Provisional"
            } else {
                "confirmed\",\"display\":\"Confirmed"
            };
            e.raw(verified);
            e.raw("\"}]},\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-category\",\"code\":\"");
            e.raw(if diagnosis.problem {
                "problem-list-item\",\"display\":\"Problem List Item\"}],\"text\":\"Problem List Item\"}]"
            } else {
                "encounter-diagnosis\",\"display\":\"Encounter Diagnosis\"}],\"text\":\"Encounter Diagnosis\"}]"
            });
            e.main_code(",\"code\":", diagnosis.code, diagnosis.code.display);
            e.subject(",\"subject\":");
            e.encounter(diagnosis.encounter);
            e.main_moment(",\"onsetDateTime\":", Moment::at(diagnosis.onset, 540));
            if let Some(day) = diagnosis.abated {
                e.moment(",\"abatementDateTime\":", Moment::at(day, 720));
            }
            e.date(",\"recordedDate\":", diagnosis.recorded.day);
            e.raw(",\"recorder\":");
            shared::practitioner(e.out, person.organization, person.doctor);
        })
    }
}
