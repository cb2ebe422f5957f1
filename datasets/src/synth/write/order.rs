//! ServiceRequest.

use super::super::calendar::Moment;
use super::super::codes::Coded;
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{FOR_EVENT, for_code};

impl Chart<'_> {
    /// An order for a test or a referral.
    pub(in super::super) fn order(
        &mut self,
        code: Coded,
        at: Moment,
        done: bool,
        encounter: u32,
        reason: Option<Coded>,
    ) -> u32 {
        let person = self.person;
        self.emit(Kind::ServiceRequest, "us-core-servicerequest", for_code(&FOR_EVENT, code), at, |e| {
            e.raw(",\"identifier\":[{\"system\":\"https://hospital.example.org/order\",\"value\":\"O");
            e.int(i64::from(at.day));
            e.raw("-");
            let pid = e.pid;
            e.raw(pid);
            e.raw("\"}]");
            e.status(if done { "completed" } else { "active" });
            e.raw(",\"intent\":\"order\",\"priority\":\"routine\"");
            e.main_code(",\"code\":", code, code.display);
            e.subject(",\"subject\":");
            e.encounter(encounter);
            e.moment(",\"occurrenceDateTime\":", at);
            e.main_moment(",\"authoredOn\":", at);
            e.raw(",\"requester\":");
            shared::practitioner(e.out, person.organization, person.doctor);
            e.raw(",\"performer\":[");
            shared::organization(e.out, person.organization);
            e.raw("]");
            if let Some(reason) = reason {
                e.raw(",\"reasonCode\":[");
                e.concept(reason);
                e.raw("]");
            }
        })
    }
}
