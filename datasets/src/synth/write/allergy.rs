//! AllergyIntolerance.

use super::super::calendar::Moment;
use super::super::codes::{Coded, RXNORM};
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{Defect, FOR_EVENT};

impl Chart<'_> {
    /// An active drug allergy, by ingredient.
    pub(in super::super) fn allergy(
        &mut self,
        allergen: (&'static str, &'static str, &'static str),
        at: Moment,
        severe: bool,
    ) {
        let (code, display, reaction) = allergen;
        let person = self.person;
        self.emit(Kind::AllergyIntolerance, "us-core-allergyintolerance", &FOR_EVENT, at, |e| {
            let error = e.has(Defect::EnteredInError);
            // ait-2: an allergy entered in error has no clinical status.
            if !error {
                e.raw(",\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical\",\"code\":\"active\",\"display\":\"Active\"}]}");
            }
            e.raw(",\"verificationStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification\",\"code\":\"");
            e.raw(if error { "entered-in-error" } else { "confirmed" });
            e.raw("\"}]},\"type\":\"allergy\",\"category\":[\"medication\"],\"criticality\":\"");
            e.raw(if severe { "high" } else { "low" });
            e.raw("\"");
            e.main_code(",\"code\":", Coded { system: RXNORM, code, display }, display);
            e.subject(",\"patient\":");
            e.main_date(",\"recordedDate\":", at.day);
            e.raw(",\"recorder\":");
            shared::practitioner(e.out, person.organization, person.doctor);
            e.raw(",\"reaction\":[{\"manifestation\":[{\"text\":");
            e.string(reaction);
            e.raw(if severe { "}],\"severity\":\"severe\"}]" } else { "}],\"severity\":\"mild\"}]" });
        });
    }
}
