//! Laboratory tests: when they are due, their values, and the order and report around them.

use super::super::calendar::{Day, Moment};
use super::super::codes::drugs::Drug;
use super::super::codes::labs::{A1C, ALBUMIN_RATIO, CREATININE, EGFR, INR, LDL, Lab, POTASSIUM};
use super::super::codes::{Coded, drugs, procedures};
use super::super::health::Disease;
use super::super::write::entry::loinc;
use super::super::write::observation::Group;
use super::super::write::report::{Report, Section};
use super::Course;

/// Short courses that raise the INR.
const INTERACTING: [&Drug; 5] = [
    &drugs::TRIMETHOPRIM_SULFA,
    &drugs::FLUCONAZOLE,
    &drugs::CLARITHROMYCIN,
    &drugs::CIPROFLOXACIN,
    &drugs::LEVOFLOXACIN,
];

/// Day of the last test of each kind.
#[derive(Debug)]
pub(super) struct LastTests {
    a1c: Day,
    lipids: Day,
    metabolic: Day,
    albumin: Day,
}

impl Default for LastTests {
    fn default() -> Self {
        let never = Day::MIN / 2;
        Self {
            a1c: never,
            lipids: never,
            metabolic: never,
            albumin: never,
        }
    }
}

impl Course<'_> {
    /// Tests of a visit for long-term disease.
    pub(super) fn disease_labs(&mut self, at: Moment, encounter: u32) {
        let day = at.day;
        if self.diabetic(day) {
            self.diabetes_labs(at, encounter);
        }
        let kidneys = self.diabetic(day)
            || self.health.has(Disease::Kidney, day)
            || self.health.has(Disease::HeartFailure, day)
            || self.health.has(Disease::Hypertension, day);
        let often =
            self.health.has(Disease::Kidney, day) || self.health.has(Disease::HeartFailure, day);
        if kidneys
            && day - self.labs.metabolic > if often { 80 } else { 165 }
            && self.rng.chance(0.85)
        {
            self.metabolic(at, encounter);
        }
        let lipids = self.diabetic(day)
            || self.health.has(Disease::Lipids, day)
            || self.health.has(Disease::Infarction, day);
        if lipids && day - self.labs.lipids > 300 && self.rng.chance(0.8) {
            self.lipids(at, encounter);
        }
    }

    /// Tests of a yearly examination.
    pub(super) fn checkup_labs(&mut self, at: Moment, encounter: u32) {
        self.disease_labs(at, encounter);
        let age = self.person.age(at.day);
        if age >= 35.0 && at.day - self.labs.lipids > 600 && self.rng.chance(0.6) {
            self.lipids(at, encounter);
        }
        if age >= 35.0 && at.day - self.labs.metabolic > 330 && self.rng.chance(0.6) {
            self.metabolic(at, encounter);
        }
        let screened =
            (35.0..71.0).contains(&age) && self.person.bmi >= 25.0 && !self.diabetic(at.day);
        if screened && at.day - self.labs.a1c > 900 && self.rng.chance(0.55) {
            self.labs.a1c = at.day;
            let value = self
                .sugar
                .measure(self.person, false, &mut self.rng)
                .min(6.4);
            let number = self.result(&A1C, value, at, encounter);
            self.lab_report(loinc(A1C.code, A1C.display), &[number], at, encounter);
        }
    }

    fn diabetes_labs(&mut self, at: Moment, encounter: u32) {
        let day = at.day;
        let wait = if self.sugar.poorly_controlled() {
            80
        } else {
            150
        };
        // In the last year everyone without the gap has one, however late in it.
        let closing = day > self.person.last - 366 && self.labs.a1c <= self.person.last - 366;
        let mut results = [0; 2];
        let mut count = 0;
        let due = day - self.labs.a1c > wait && self.rng.chance(0.85);
        if day < self.sugar.no_test_after && (due || closing) {
            self.labs.a1c = day;
            let value = self.sugar.measure(self.person, true, &mut self.rng);
            let number = self.result(&A1C, value, at, encounter);
            if let Some(slot) = results.get_mut(count) {
                *slot = number;
                count += 1;
            }
        }
        // Where the urine test is forgotten, it is forgotten every year.
        let asked = self.person.engagement > 0.3;
        if asked && day - self.labs.albumin > 330 && self.rng.chance(0.6) {
            self.labs.albumin = day;
            let damaged = self.health.has(Disease::Kidney, day);
            let typical = if damaged { 140.0 } else { 14.0 };
            let value = (typical * (0.9 * self.rng.normal()).exp()).clamp(3.0, 3500.0);
            let number = self.result(&ALBUMIN_RATIO, value, at, encounter);
            if let Some(slot) = results.get_mut(count) {
                *slot = number;
                count += 1;
            }
        }
        if count > 0 {
            let results = results.get(..count).unwrap_or(&[]);
            self.lab_report(procedures::PANEL_DIABETES, results, at, encounter);
        }
    }

    /// Creatinine, eGFR (CKD-EPI 2021 read backwards) and potassium.
    pub(super) fn metabolic(&mut self, at: Moment, encounter: u32) {
        self.labs.metabolic = at.day;
        let filtration =
            (self.filtration(at.day) * (1.0 + 0.05 * self.rng.normal())).clamp(5.0, 138.0);
        let (kappa, alpha, sex) = if self.person.female {
            (0.7, 0.241, 1.012)
        } else {
            (0.9, 0.302, 1.0)
        };
        let top = 142.0 * 0.9938_f64.powf(self.person.age(at.day)) * sex;
        let ratio = top / filtration;
        let creatinine = kappa
            * if ratio > 1.0 {
                ratio.powf(1.0 / 1.2)
            } else {
                ratio.powf(1.0 / alpha)
            };
        let creatinine = creatinine.max(0.35);
        let retained = if self.meds.taking(&drugs::SPIRONOLACTONE) {
            0.35
        } else {
            0.0
        } + if filtration < 45.0 { 0.3 } else { 0.0 }
            - if self.meds.taking(&drugs::FUROSEMIDE) {
                0.2
            } else {
                0.0
            };
        let potassium = (4.2 + retained + 0.33 * self.rng.normal()).clamp(2.8, 6.6);
        let numbers = [
            self.result(&CREATININE, creatinine, at, encounter),
            self.result(&EGFR, filtration, at, encounter),
            self.result(&POTASSIUM, potassium, at, encounter),
        ];
        self.lab_report(procedures::PANEL_METABOLIC, &numbers, at, encounter);
    }

    fn lipids(&mut self, at: Moment, encounter: u32) {
        self.labs.lipids = at.day;
        let value = self.ldl_now();
        let number = self.result(&LDL, value, at, encounter);
        self.lab_report(procedures::PANEL_LIPID, &[number], at, encounter);
    }

    /// INR under warfarin; high after an interacting antibiotic or with amiodarone.
    pub(super) fn inr(&mut self, at: Moment, encounter: u32) {
        let shift = if self.meds.taking(&drugs::AMIODARONE) {
            0.35
        } else {
            0.0
        } + if self.meds.recent(&INTERACTING, at.day - 16) {
            1.9
        } else {
            0.0
        };
        let value = (2.45 + shift + 0.5 * self.rng.normal()).clamp(1.0, 8.0);
        self.result(&INR, value, at, encounter);
    }

    fn result(&mut self, lab: &'static Lab, value: f64, at: Moment, encounter: u32) -> u32 {
        self.chart
            .measured(Group::Laboratory, lab, value, at.plus(30), encounter)
    }

    /// The order (for half of the tests: the rest is ordered on paper) and the report.
    fn lab_report(&mut self, code: Coded, results: &[u32], at: Moment, encounter: u32) {
        let order = if self.rng.chance(0.5) {
            self.chart.order(code, at.plus(10), true, encounter, None)
        } else {
            0
        };
        self.chart.report(&Report {
            section: Section::Laboratory,
            code,
            at: at.plus(30),
            encounter,
            order,
            results,
            conclusion: "",
        });
    }
}
