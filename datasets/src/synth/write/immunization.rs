//! Immunization.

use super::super::calendar::Moment;
use super::super::codes::vaccines::Vaccine;
use super::super::codes::{CVX, Coded};
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::FOR_EVENT;

impl Chart<'_> {
    pub(in super::super) fn immunization(&mut self, vaccine: Vaccine, at: Moment, encounter: u32) {
        let (code, display) = vaccine;
        let person = self.person;
        self.emit(Kind::Immunization, "us-core-immunization", &FOR_EVENT, at, |e| {
            e.status("completed");
            e.main_code(",\"vaccineCode\":", Coded { system: CVX, code, display }, display);
            e.subject(",\"patient\":");
            e.encounter(encounter);
            e.main_moment(",\"occurrenceDateTime\":", at);
            e.raw(",\"primarySource\":true,\"location\":");
            shared::location(e.out, person.organization, false);
            e.raw(",\"lotNumber\":\"LOT");
            e.int(i64::from(at.day / 30));
            e.raw("\",\"site\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActSite\",\"code\":\"LA\",\"display\":\"left arm\"}]},\"route\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration\",\"code\":\"IM\",\"display\":\"Injection, intramuscular\"}]},\"performer\":[{\"actor\":");
            shared::practitioner(e.out, person.organization, person.doctor);
            e.raw("}]");
        });
    }
}
