//! Procedure.

use super::super::calendar::Moment;
use super::super::codes::Coded;
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{Defect, FOR_EVENT};

impl Chart<'_> {
    /// A procedure that took `minutes`.
    pub(in super::super) fn procedure(
        &mut self,
        code: Coded,
        at: Moment,
        minutes: u16,
        encounter: u32,
        reason: Option<Coded>,
    ) {
        let person = self.person;
        self.emit(
            Kind::Procedure,
            "us-core-procedure",
            &FOR_EVENT,
            at.plus(minutes),
            |e| {
                e.status("completed");
                e.main_code(",\"code\":", code, code.display);
                e.subject(",\"subject\":");
                e.encounter(encounter);
                if !e.has(Defect::DateMissing) {
                    e.raw(",\"performedPeriod\":{");
                    e.main_moment("\"start\":", at);
                    e.moment(",\"end\":", at.plus(minutes));
                    e.raw("}");
                }
                e.raw(",\"performer\":[{\"actor\":");
                shared::practitioner(e.out, person.organization, person.doctor);
                e.raw("}],\"location\":");
                shared::location(e.out, person.organization, true);
                if let Some(reason) = reason {
                    e.raw(",\"reasonCode\":[");
                    e.concept(reason);
                    e.raw("]");
                }
            },
        );
    }
}
