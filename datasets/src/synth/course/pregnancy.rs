//! Pregnancy: visits, tests and delivery.

use super::super::calendar::Moment;
use super::super::codes::labs::{HEPATITIS_C, HIV_TEST, PREGNANCY_TEST};
use super::super::codes::named;
use super::super::codes::problems as codes;
use super::super::codes::{drugs, vaccines};
use super::super::health::Disease;
use super::Course;

impl Course<'_> {
    pub(super) fn prenatal(&mut self, at: Moment, trimester: u8) {
        let diabetic = self.health.has(Disease::Diabetes2, at.day);
        let reason = match (diabetic, trimester) {
            (true, 1) => codes::DIABETES_PREGNANT[0],
            (true, 2) => codes::DIABETES_PREGNANT[1],
            (true, _) => codes::DIABETES_PREGNANT[2],
            (false, _) => codes::PREGNANCY,
        };
        let encounter = self.ambulatory(at, 20, named("Prenatal visit"), reason);
        self.vitals(at, encounter);
        // Pills are stopped at once; what else must not be taken is left to the rules to find.
        self.meds.stop(&drugs::CONTRACEPTIVE, at);
        if trimester == 1 {
            let onset = at.day - 30;
            self.chart
                .finding(&PREGNANCY_TEST, true, at.plus(5), encounter);
            let abated = Some(onset + 249).filter(|day| *day <= self.person.last);
            self.problem(reason, onset.max(self.person.birth), abated, at, encounter);
            self.chart.finding(&HIV_TEST, false, at.plus(30), encounter);
            self.chart
                .finding(&HEPATITIS_C, self.rng.chance(0.01), at.plus(30), encounter);
        }
        if trimester == 3 && self.shots.pregnancy_dose(at.day) && self.rng.chance(0.7) {
            self.chart
                .immunization(vaccines::TDAP, at.plus(15), encounter);
        }
    }

    pub(super) fn delivery(&mut self, at: Moment) {
        let nights = self.rng.between(1, 3);
        let (encounter, _) = self.stay(at, nights, codes::DELIVERY, false);
        self.vitals(at.plus(20), encounter);
        self.diagnosis(codes::DELIVERY, at.plus(60), Some(nights), encounter);
    }
}
