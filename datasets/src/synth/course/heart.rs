//! Blood pressure, lipids, infarction, fibrillation and failure: the latent values and the
//! treatment in guideline steps. Some of the combinations interact, as they do in life: ACE
//! inhibitor with spironolactone, simvastatin with diltiazem or amlodipine, warfarin with amiodarone.

use super::super::calendar::{Day, Moment};
use super::super::codes::drugs;
use super::super::codes::drugs::Drug;
use super::super::codes::problems as codes;
use super::super::health::{Disease, Health};
use super::super::person::Person;
use super::super::rng::Rng;
use super::Course;

#[derive(Debug)]
pub(super) struct Heart {
    /// systolic pressure without treatment
    systolic: f64,
    pressure_steps: u8,
    pressure_changed: Day,
    high_readings: u8,
    /// LDL without treatment
    pub(super) ldl: f64,
    statin: Option<&'static Drug>,
    statin_tried: bool,
    statin_factor: f64,
    /// eGFR at the end of the record and its loss a year
    filtration: f64,
    loss: f64,
    fibrillation_started: bool,
    failure_started: bool,
    infarct_started: bool,
    /// the fibrillation is treated with warfarin: plans the visits to the anticoagulation clinic
    pub(super) warfarin: bool,
}

const ACE_OR_ARB: [&Drug; 3] = [
    &drugs::LISINOPRIL_10,
    &drugs::LISINOPRIL_20,
    &drugs::LOSARTAN,
];

impl Heart {
    pub(super) fn draw(person: &Person, health: &Health, rng: &mut Rng) -> Self {
        let age = person.age(person.last);
        let hypertension = health.onset(Disease::Hypertension).is_some();
        let systolic = if hypertension {
            151.0 + 10.0 * rng.normal()
        } else if age < 18.0 {
            92.0 + 1.4 * age + 4.0 * rng.normal()
        } else {
            115.0 + 0.2 * (age - 40.0).max(0.0) + 6.5 * rng.normal()
        };
        let ldl = if health.onset(Disease::LipidsFamilial).is_some() {
            225.0 + 20.0 * rng.normal()
        } else if health.onset(Disease::Lipids).is_some() {
            152.0 + 22.0 * rng.normal()
        } else {
            108.0 + 22.0 * rng.normal()
        };
        let kidney = health.onset(Disease::Kidney).is_some();
        let filtration = if kidney {
            (47.0 + 13.0 * rng.normal()).clamp(8.0, 68.0)
        } else {
            (112.0 - 0.75 * (age - 30.0).max(0.0) + 8.0 * rng.normal()).clamp(61.0, 130.0)
        };
        Self {
            systolic,
            pressure_steps: 0,
            pressure_changed: Day::MIN / 2,
            high_readings: 0,
            ldl: ldl.max(45.0),
            statin: None,
            statin_tried: false,
            statin_factor: 1.0,
            filtration,
            loss: if kidney { rng.range(0.8, 3.2) } else { 0.8 },
            fibrillation_started: false,
            failure_started: false,
            infarct_started: false,
            warfarin: health.onset(Disease::Fibrillation).is_some() && rng.chance(0.3),
        }
    }
}

impl Course<'_> {
    /// Latent eGFR on a day.
    pub(super) fn filtration(&self, day: Day) -> f64 {
        let years = f64::from(self.person.last - day) / 365.25;
        (self.heart.filtration + self.heart.loss * years).min(135.0)
    }

    /// LDL on a day, with the statin of that day.
    pub(super) fn ldl_now(&mut self) -> f64 {
        let factor = 1.0 - (1.0 - self.heart.statin_factor) * self.person.adherence;
        (self.heart.ldl * factor + 9.0 * self.rng.normal()).max(25.0)
    }

    /// A blood pressure reading; remembers whether it was high.
    pub(super) fn pressure_now(&mut self, day: Day) -> (f64, f64) {
        let age = self.person.age(day);
        let hypertension = self.health.has(Disease::Hypertension, day);
        let untreated = if self.health.onset(Disease::Hypertension).is_some() && !hypertension {
            self.heart.systolic - 16.0
        } else {
            self.heart.systolic
        };
        let effect = 10.5 * f64::from(self.heart.pressure_steps) * self.person.adherence;
        let systolic = ((untreated - effect).max(104.0_f64.min(untreated))
            + 8.0 * self.rng.normal())
        .clamp(78.0, 215.0);
        let ratio = if age < 60.0 { 0.63 } else { 0.57 };
        let diastolic = (systolic * ratio + 5.0 * self.rng.normal()).clamp(40.0, 120.0);
        if systolic >= 140.0 || diastolic >= 90.0 {
            self.heart.high_readings = self.heart.high_readings.saturating_add(1);
        } else {
            self.heart.high_readings = 0;
        }
        (systolic.round(), diastolic.round())
    }

    pub(super) fn manage_heart(&mut self, at: Moment, encounter: u32) {
        self.manage_pressure(at, encounter);
        self.manage_lipids(at, encounter);
        self.manage_failure(at, encounter);
        self.manage_fibrillation(at, encounter);
        if self.health.has(Disease::Infarction, at.day) && !self.heart.infarct_started {
            let reason = self.problems.number(Disease::Infarction);
            self.after_infarction(at, encounter, reason);
        }
    }

    fn manage_pressure(&mut self, at: Moment, encounter: u32) {
        let Some(onset) = self
            .health
            .onset(Disease::Hypertension)
            .filter(|onset| *onset <= at.day)
        else {
            return;
        };
        if self.heart.pressure_steps == 0 {
            if self.rng.chance(0.8) {
                self.step_up_pressure(at, encounter);
                let earlier = ((at.day - onset) / 600).clamp(0, 3);
                for _ in 0..earlier {
                    let now = self.heart.systolic
                        - 10.5 * f64::from(self.heart.pressure_steps) * self.person.adherence;
                    if now > 137.0 && self.rng.chance(0.5) {
                        self.step_up_pressure(at, encounter);
                    }
                }
            }
        } else if self.heart.high_readings >= 2
            && at.day - self.heart.pressure_changed > 28
            && self.heart.pressure_steps < 4
            && self.rng.chance(0.4)
        {
            self.step_up_pressure(at, encounter);
        }
    }

    fn step_up_pressure(&mut self, at: Moment, encounter: u32) {
        let reason = self.problems.number(Disease::Hypertension);
        self.heart.pressure_changed = at.day;
        self.heart.pressure_steps += 1;
        let blocked = self.meds.taking_any(&ACE_OR_ARB) || self.meds.taking(&drugs::SACUBITRIL);
        let drug: &'static Drug = match (self.heart.pressure_steps, self.rng.unit()) {
            (1, ..0.5) if !blocked => &drugs::LISINOPRIL_10,
            (1, ..0.7) if !blocked => &drugs::LOSARTAN,
            (1, ..0.88) => &drugs::AMLODIPINE,
            (1, _) => &drugs::HYDROCHLOROTHIAZIDE,
            (2, ..0.5) => &drugs::AMLODIPINE,
            (2, ..0.75) if !blocked => &drugs::LISINOPRIL_20,
            (2, _) => &drugs::HYDROCHLOROTHIAZIDE,
            (3, _) if !self.meds.taking(&drugs::HYDROCHLOROTHIAZIDE) => &drugs::CHLORTHALIDONE,
            (3, _) => &drugs::METOPROLOL,
            (_, ..0.55) => &drugs::SPIRONOLACTONE,
            _ => &drugs::METOPROLOL,
        };
        self.meds.start(drug, at, encounter, reason);
    }

    fn manage_lipids(&mut self, at: Moment, encounter: u32) {
        let age = self.person.age(at.day);
        if let Some(statin) = self.heart.statin {
            // Few stop for muscle pain; it is coded, so that measures can except them.
            if self.rng.chance(0.004) {
                self.meds.stop(statin, at);
                self.heart.statin = None;
                self.heart.statin_factor = 1.0;
                self.diagnosis(codes::MYALGIA, at, Some(30), encounter);
            }
            return;
        }
        if self.heart.statin_tried {
            return;
        }
        let known = self.health.has(Disease::Lipids, at.day)
            || self.health.has(Disease::LipidsFamilial, at.day);
        let diabetic = self.diabetic(at.day) && (40.0..76.0).contains(&age);
        let wanted = if known {
            0.6
        } else if diabetic {
            0.5
        } else {
            0.0
        };
        if wanted == 0.0 {
            return;
        }
        // The rest is offered again at a later visit, or declines for good.
        if !self.rng.chance(wanted) {
            self.heart.statin_tried = self.rng.chance(0.3);
            return;
        }
        let (drug, factor): (&'static Drug, f64) = match self.rng.unit() {
            ..0.3 => (&drugs::ATORVASTATIN_20, 0.58),
            ..0.5 => (&drugs::ATORVASTATIN_40, 0.52),
            ..0.64 => (&drugs::SIMVASTATIN_20, 0.64),
            ..0.72 => (&drugs::SIMVASTATIN_40, 0.6),
            ..0.84 => (&drugs::ROSUVASTATIN_10, 0.55),
            ..0.9 => (&drugs::ROSUVASTATIN_20, 0.48),
            _ => (&drugs::PRAVASTATIN, 0.68),
        };
        let reason = self.problems.number(Disease::Lipids);
        self.take_statin(drug, factor, at, encounter, reason);
    }

    fn take_statin(
        &mut self,
        drug: &'static Drug,
        factor: f64,
        at: Moment,
        encounter: u32,
        reason: u32,
    ) {
        if self.meds.allergic == Some("36567") {
            self.heart.statin_tried = true;
            return;
        }
        if let Some(old) = self.heart.statin {
            self.meds.stop(old, at);
        }
        self.heart.statin = Some(drug);
        self.heart.statin_tried = true;
        self.heart.statin_factor = factor;
        self.meds.start(drug, at, encounter, reason);
    }

    fn manage_failure(&mut self, at: Moment, encounter: u32) {
        if !self.health.has(Disease::HeartFailure, at.day) || self.heart.failure_started {
            return;
        }
        self.heart.failure_started = true;
        let reason = self.problems.number(Disease::HeartFailure);
        if self.rng.chance(0.75) {
            self.meds.start(&drugs::FUROSEMIDE, at, encounter, reason);
        }
        if !self.meds.taking(&drugs::METOPROLOL) {
            self.meds.start(&drugs::CARVEDILOL, at, encounter, reason);
        }
        if self.rng.chance(0.18) {
            // The ACE inhibitor is stopped as it must be, except in one of six.
            if self.rng.chance(0.84) {
                for drug in ACE_OR_ARB {
                    self.meds.stop(drug, at);
                }
            }
            self.meds.start(&drugs::SACUBITRIL, at, encounter, reason);
        } else if !self.meds.taking_any(&ACE_OR_ARB) {
            self.meds
                .start(&drugs::LISINOPRIL_10, at, encounter, reason);
        }
        if self.rng.chance(0.45) {
            self.meds
                .start(&drugs::SPIRONOLACTONE, at, encounter, reason);
        }
        if self.rng.chance(0.25) && !self.meds.taking(&drugs::EMPAGLIFLOZIN) {
            self.meds
                .start(&drugs::DAPAGLIFLOZIN, at, encounter, reason);
        }
    }

    pub(super) fn manage_fibrillation(&mut self, at: Moment, encounter: u32) {
        if !self.health.has(Disease::Fibrillation, at.day) || self.heart.fibrillation_started {
            return;
        }
        self.heart.fibrillation_started = true;
        let reason = self.problems.number(Disease::Fibrillation);
        if self.heart.warfarin {
            self.meds.start(&drugs::WARFARIN, at, encounter, reason);
        } else if self.rng.chance(0.9) {
            let drug: &'static Drug = if self.rng.chance(0.82) {
                &drugs::APIXABAN
            } else {
                &drugs::RIVAROXABAN
            };
            self.meds.start(drug, at, encounter, reason);
        }
        match self.rng.unit() {
            ..0.14 => self.meds.start(&drugs::DILTIAZEM, at, encounter, reason),
            ..0.28 => self.meds.start(&drugs::AMIODARONE, at, encounter, reason),
            ..0.36 => self.meds.start(&drugs::DIGOXIN, at, encounter, reason),
            _ if !self.meds.taking(&drugs::CARVEDILOL) => {
                self.meds.start(&drugs::METOPROLOL, at, encounter, reason)
            }
            _ => {}
        }
    }

    /// What is prescribed after an infarction.
    pub(super) fn after_infarction(&mut self, at: Moment, encounter: u32, reason: u32) {
        self.heart.infarct_started = true;
        self.meds.start(&drugs::ASPIRIN, at, encounter, reason);
        if !self.meds.taking(&drugs::CARVEDILOL) {
            self.meds.start(&drugs::METOPROLOL, at, encounter, reason);
        }
        if self.rng.chance(0.88) {
            let (drug, factor): (&'static Drug, f64) = if self.rng.chance(0.7) {
                (&drugs::ATORVASTATIN_80, 0.46)
            } else {
                (&drugs::ROSUVASTATIN_20, 0.48)
            };
            self.take_statin(drug, factor, at, encounter, reason);
        }
        let fresh = self
            .health
            .onset(Disease::Infarction)
            .is_some_and(|onset| at.day - onset < 365);
        if fresh && !self.heart.warfarin {
            self.meds.start(&drugs::CLOPIDOGREL, at, encounter, reason);
        }
        if self.rng.chance(0.5) {
            self.meds
                .start(&drugs::NITROGLYCERIN, at, encounter, reason);
        }
    }
}
