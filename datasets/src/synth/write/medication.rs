//! MedicationRequest.

use super::super::calendar::Moment;
use super::super::codes::drugs::Drug;
use super::super::codes::{Coded, RXNORM};
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::FOR_STATEMENT;

impl Chart<'_> {
    /// A prescription; `updated` is when its status became what it is.
    #[expect(clippy::too_many_arguments, reason = "one argument an element")]
    pub(in super::super) fn prescription(
        &mut self,
        drug: &'static Drug,
        status: &str,
        at: Moment,
        updated: Moment,
        encounter: u32,
        reason: u32,
        refills: u32,
    ) {
        let person = self.person;
        self.emit(Kind::MedicationRequest, "us-core-medicationrequest", &FOR_STATEMENT, updated, |e| {
            // The changed copy of a duplicate says that the prescription was put on hold.
            let status = if e.changed { "on-hold" } else { status };
            e.status(status);
            e.raw(",\"intent\":\"order\",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/medicationrequest-category\",\"code\":\"community\",\"display\":\"Community\"}],\"text\":\"Community\"}]");
            let coded = Coded { system: RXNORM, code: drug.rxcui, display: drug.name };
            e.main_code(",\"medicationCodeableConcept\":", coded, drug.name);
            e.subject(",\"subject\":");
            e.encounter(encounter);
            e.main_moment(",\"authoredOn\":", at);
            e.raw(",\"requester\":");
            shared::practitioner(e.out, person.organization, person.doctor);
            if reason > 0 {
                e.raw(",\"reasonReference\":[{\"reference\":\"Condition/");
                e.own_id("cond", reason);
                e.raw("\"}]");
            }
            e.raw(",\"dosageInstruction\":[{\"sequence\":1,\"text\":\"1 dose ");
            e.raw(match (drug.times, drug.period_days) {
                (_, 7) => "once a week",
                (1, _) => "once a day",
                (2, _) => "twice a day",
                (3, _) => "three times a day",
                _ => "four times a day",
            });
            e.raw(if drug.as_needed { " as needed" } else { "" });
            e.raw("\",\"timing\":{\"repeat\":{\"frequency\":");
            e.int(i64::from(drug.times));
            e.raw(",\"period\":");
            e.int(i64::from(drug.period_days));
            e.raw(",\"periodUnit\":\"d\"}},\"asNeededBoolean\":");
            e.raw(if drug.as_needed { "true" } else { "false" });
            e.raw(",\"doseAndRate\":[{\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/dose-rate-type\",\"code\":\"ordered\",\"display\":\"Ordered\"}]},\"doseQuantity\":{\"value\":1,\"unit\":\"dose\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{dose}\"}}]}],\"dispenseRequest\":{\"validityPeriod\":{\"start\":");
            e.date("", at.day);
            e.raw("},\"numberOfRepeatsAllowed\":");
            e.int(i64::from(refills));
            e.raw(",\"quantity\":{\"value\":");
            let doses = u32::from(drug.supply) * u32::from(drug.times) / u32::from(drug.period_days.max(1));
            e.int(i64::from(doses.max(1)));
            e.raw(",\"unit\":\"dose\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{dose}\"},\"expectedSupplyDuration\":{\"value\":");
            e.int(i64::from(drug.supply));
            e.raw(",\"unit\":\"days\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"d\"}}");
        });
    }
}
