//! One visit: its encounter, and what each kind of visit does.

use super::super::calendar::Moment;
use super::super::codes::{Coded, named, problems, procedures};
use super::super::health::Disease;
use super::super::write::condition::Diagnosis;
use super::super::write::encounter::{Class, Visit};
use super::Course;
use super::schedule::{Event, Item};

impl Course<'_> {
    pub(super) fn visit(&mut self, (day, event): Item) {
        let at = Moment::at(day, 480 + 15 * self.rng.below(33) as u16);
        match event {
            Event::Wellness => self.wellness(at),
            Event::WellChild => self.well_child(at),
            Event::Followup => self.followup(at),
            Event::Anticoagulation => self.anticoagulation(at),
            Event::Acute => self.acute(at),
            Event::Emergency => self.emergency(at),
            Event::Infarction => self.infarction(at),
            Event::Admission { again } => self.admission(at, again),
            Event::Prenatal { trimester } => self.prenatal(at, trimester),
            Event::Delivery => self.delivery(at),
            Event::Colonoscopy => self.colonoscopy(at),
            Event::Mammography => self.mammography(at),
            Event::Hospice => self.hospice(at),
        }
    }

    /// An ambulatory encounter of `minutes`.
    pub(super) fn ambulatory(
        &mut self,
        at: Moment,
        minutes: u16,
        kind: Coded,
        reason: Coded,
    ) -> u32 {
        self.chart.encounter(&Visit {
            class: Class::Ambulatory,
            kind,
            reason,
            start: at,
            end: at.plus(minutes),
            readmission: false,
            discharge: None,
        })
    }

    /// The diagnosis of a visit; a short illness is over after `days`.
    pub(super) fn diagnosis(
        &mut self,
        code: Coded,
        at: Moment,
        days: Option<i32>,
        encounter: u32,
    ) -> u32 {
        let abated = days
            .map(|days| at.day + days)
            .filter(|day| *day <= self.person.last);
        self.chart.condition(&Diagnosis {
            code,
            problem: false,
            onset: at.day,
            abated,
            recorded: at,
            encounter,
        })
    }

    /// The yearly examination of an adult.
    fn wellness(&mut self, at: Moment) {
        self.wellness_visits += 1;
        let kind = match (self.person.age(at.day) >= 65.0, self.wellness_visits) {
            (true, 1) => procedures::WELLNESS_FIRST,
            (true, _) => procedures::WELLNESS_NEXT,
            (false, _) => named("Annual physical examination"),
        };
        let encounter = self.ambulatory(at, 40, kind, problems::CHECKUP);
        self.list_problems(at, encounter);
        self.vitals(at, encounter);
        self.surveys(at, encounter);
        self.manage(at, encounter);
        self.checkup_labs(at, encounter);
        self.screening(at, encounter);
        self.vaccines(at, encounter);
        self.renew(at, encounter);
    }

    fn well_child(&mut self, at: Moment) {
        let encounter = self.ambulatory(at, 25, named("Well child visit"), problems::CHILD_CHECKUP);
        self.list_problems(at, encounter);
        self.vitals(at, encounter);
        if self.person.age(at.day) >= 12.0 {
            self.surveys(at, encounter);
        }
        self.manage(at, encounter);
        self.vaccines(at, encounter);
        self.renew(at, encounter);
    }

    /// A visit for the long-term diseases known by then.
    fn followup(&mut self, at: Moment) {
        let main = self.main_problem(at.day);
        let reason = main.map_or(named("Follow-up visit"), |(_, code)| code);
        let encounter = self.ambulatory(at, 25, named("Office visit, established patient"), reason);
        self.list_problems(at, encounter);
        self.vitals(at, encounter);
        if let Some((disease, code)) = main.filter(|_| self.rng.chance(0.35)) {
            self.chart.condition(&Diagnosis {
                code,
                problem: false,
                // The disease, not the visit, is what began then.
                onset: self.health.onset(disease).unwrap_or(at.day),
                abated: None,
                recorded: at,
                encounter,
            });
        }
        self.manage(at, encounter);
        self.disease_labs(at, encounter);
        self.mood_score(at, encounter);
        if self.rng.chance(0.7) {
            self.vaccines(at, encounter);
        }
        self.renew(at, encounter);
    }

    /// Everything a doctor does about the known diseases.
    fn manage(&mut self, at: Moment, encounter: u32) {
        self.manage_diabetes(at, encounter);
        self.manage_heart(at, encounter);
        self.manage_others(at, encounter);
    }

    fn anticoagulation(&mut self, at: Moment) {
        let encounter = self.ambulatory(
            at,
            15,
            named("Anticoagulation clinic visit"),
            problems::ANTICOAGULATION,
        );
        // Where no doctor's visit came first, the clinic starts the warfarin.
        self.list_problems(at, encounter);
        self.manage_fibrillation(at, encounter);
        self.inr(at, encounter);
    }

    fn hospice(&mut self, at: Moment) {
        let encounter = self.ambulatory(at, 45, procedures::HOSPICE, named("Hospice care"));
        self.chart
            .procedure(procedures::HOSPICE, at, 30, encounter, None);
    }

    /// What a follow-up visit is mostly about.
    fn main_problem(&mut self, day: i32) -> Option<(Disease, Coded)> {
        let known = [
            (Disease::Diabetes2, problems::DIABETES_2),
            (Disease::Diabetes1, problems::DIABETES_1),
            (Disease::HeartFailure, problems::HEART_FAILURE),
            (Disease::Fibrillation, problems::FIBRILLATION),
            (Disease::Hypertension, problems::HYPERTENSION),
            (Disease::Lipids, problems::LIPIDS),
            (Disease::Depression, problems::DEPRESSION),
            (Disease::Asthma, problems::ASTHMA),
            (Disease::Copd, problems::COPD),
            (Disease::Hypothyroid, problems::HYPOTHYROID),
        ];
        let weights = known.map(|(disease, _)| f64::from(u8::from(self.health.has(disease, day))));
        if weights.iter().sum::<f64>() < 1.0 {
            return None;
        }
        let at = self.rng.weighted(&weights);
        known.get(at).copied()
    }
}
