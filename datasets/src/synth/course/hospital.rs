//! Stays in hospital: admissions, readmissions and the infarction.

use super::super::calendar::Moment;
use super::super::codes::named;
use super::super::codes::problems as codes;
use super::super::codes::{Coded, drugs};
use super::super::health::Disease;
use super::super::write::encounter::{Class, Visit};
use super::Course;

const HOME: (&str, &str) = ("home", "Home");
const NURSING: (&str, &str) = ("snf", "Skilled nursing facility");
const REHAB: (&str, &str) = ("rehab", "Rehabilitation");

impl Course<'_> {
    /// An admission; `again` within 30 days of a discharge.
    pub(super) fn admission(&mut self, at: Moment, again: bool) {
        let reason = self.reason_to_admit(at.day);
        let nights = self.rng.between(2, 8);
        let (encounter, end) = self.stay(at, nights, reason, again);
        self.diagnosis(reason, at.plus(40), Some(nights + 20), encounter);
        self.ward(at, end, nights, encounter);
        if reason.display == codes::PNEUMONIA.display {
            self.meds.prescribe(&drugs::LEVOFLOXACIN, end, encounter, 0);
        }
    }

    /// The infarction of the health history, when it falls within the record.
    pub(super) fn infarction(&mut self, at: Moment) {
        let code = self
            .rng
            .pick(&codes::INFARCTION)
            .copied()
            .unwrap_or(codes::CHEST_PAIN);
        let nights = self.rng.between(2, 6).min(self.person.last - at.day);
        let (encounter, end) = self.stay(at, nights, code, false);
        let number = self.diagnosis(code, at.plus(40), Some(nights + 28), encounter);
        self.problems.set(Disease::Infarction, number);
        self.ward(at, end, nights, encounter);
        self.after_infarction(end, encounter, number);
    }

    fn reason_to_admit(&mut self, day: i32) -> Coded {
        match self.rng.unit() {
            ..0.55 if self.health.has(Disease::HeartFailure, day) => codes::HEART_FAILURE,
            ..0.6 if self.health.has(Disease::Copd, day) => codes::COPD,
            ..0.3 => codes::PNEUMONIA,
            ..0.45 => codes::SEPSIS,
            ..0.6 => codes::CELLULITIS,
            ..0.8 => codes::ABDOMINAL_PAIN,
            _ => codes::CHEST_PAIN,
        }
    }

    /// The inpatient encounter and the moment of discharge.
    pub(super) fn stay(
        &mut self,
        at: Moment,
        nights: i32,
        reason: Coded,
        again: bool,
    ) -> (u32, Moment) {
        let discharge = match (self.person.age(at.day), self.rng.unit()) {
            (75.0.., ..0.3) => NURSING,
            (65.0.., ..0.12) => REHAB,
            _ => HOME,
        };
        let end = Moment::at(
            (at.day + nights).min(self.person.last),
            660 + self.rng.below(240) as u16,
        );
        let end = end.max(at.plus(120));
        let encounter = self.chart.encounter(&Visit {
            class: Class::Inpatient,
            kind: named("Hospital admission"),
            reason,
            start: at,
            end,
            readmission: again,
            discharge: Some(discharge),
        });
        (encounter, end)
    }

    /// Vital signs and chemistry of each day on the ward.
    fn ward(&mut self, at: Moment, end: Moment, nights: i32, encounter: u32) {
        for day in 0..nights.min(6) {
            let morning = Moment::at(at.day + day, 360 + self.rng.below(90) as u16);
            let morning = if day == 0 { at.plus(30) } else { morning };
            if morning > end {
                break;
            }
            self.vitals(morning, encounter);
            if day % 2 == 0 {
                self.metabolic(morning.plus(10), encounter);
            }
        }
    }
}
