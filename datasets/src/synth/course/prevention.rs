//! Screening: colorectal, breast, cervical, bone, infections; with the gaps of real panels.

use super::super::calendar::{Day, Moment};
use super::super::codes::labs::{
    BONE_T, CHLAMYDIA, FIT, HEPATITIS_C, HIV_TEST, HPV_TEST, STOOL_DNA,
};
use super::super::codes::named;
use super::super::codes::{Coded, procedures};
use super::super::health::Disease;
use super::super::person::Person;
use super::super::rng::Rng;
use super::super::write::observation::Group;
use super::super::write::report::{Report, Section};
use super::Course;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colon {
    Scope,
    Sigmoidoscopy,
    Fit,
    StoolDna,
    Ct,
    Nothing,
}

/// How a person screens, and the days settled in advance.
#[derive(Debug)]
pub(super) struct Prevention {
    colon: Colon,
    /// latest colonoscopy (or sigmoidoscopy), perhaps before the record
    pub(super) colonoscopy: Option<Day>,
    /// colonoscopy ordered after a positive stool test
    pub(super) second_colonoscopy: Option<Day>,
    pub(super) mammography: bool,
    cervix: bool,
    last_stool: Day,
    last_cervix: Day,
    last_bone: Day,
    hiv_tested: bool,
    hepatitis_tested: bool,
}

impl Prevention {
    pub(super) fn draw(person: &Person, rng: &mut Rng) -> Self {
        let age = person.age(person.last);
        let willing = 0.78 + 0.4 * (person.engagement - 0.5);
        let colon = match rng.unit() / willing.max(0.2) {
            ..0.80 => Colon::Scope,
            ..0.82 => Colon::Sigmoidoscopy,
            ..0.95 => Colon::Fit,
            ..0.98 => Colon::StoolDna,
            ..0.99 => Colon::Ct,
            _ => Colon::Nothing,
        };
        // Those just past 45 have mostly not begun.
        let begun = age >= 50.0 || (age >= 45.5 && rng.chance(0.4));
        let scoped = begun && matches!(colon, Colon::Scope | Colon::Sigmoidoscopy);
        let earliest = person.birth + (45.0 * 365.25) as i32;
        let years = if colon == Colon::Scope { 10.0 } else { 5.0 }
            + if rng.chance(0.08) { 4.0 } else { 0.0 };
        let latest = (person.last - 20).min(person.birth + (80.0 * 365.25) as i32);
        let from = earliest
            .max(person.last - (years * 365.25) as i32)
            .min(latest);
        let day = rng.between(from, latest);
        let never = Day::MIN / 2;
        Self {
            colon: if begun { colon } else { Colon::Nothing },
            colonoscopy: (scoped && latest > earliest).then_some(day),
            second_colonoscopy: None,
            mammography: rng.chance(0.66 + 0.3 * (person.engagement - 0.5)),
            cervix: rng.chance(0.86 + 0.3 * (person.engagement - 0.5)),
            last_stool: never,
            last_cervix: person.start - rng.between(0, 1500),
            last_bone: never,
            hiv_tested: rng.chance(0.3),
            hepatitis_tested: rng.chance(0.3),
        }
    }
}

impl Course<'_> {
    /// A colonoscopy before the recorded visits stands in the history as a procedure alone.
    pub(super) fn earlier_screening(&mut self) {
        if let Some(day) = self
            .prevention
            .colonoscopy
            .filter(|day| *day < self.person.start)
        {
            let code = self.scope_code();
            self.chart
                .procedure(code, Moment::at(day, 600), 40, 0, None);
        }
    }

    fn scope_code(&mut self) -> Coded {
        match self.prevention.colon {
            Colon::Sigmoidoscopy => procedures::SIGMOIDOSCOPY,
            _ if self.rng.chance(0.14) => procedures::COLONOSCOPY_RISK,
            _ => procedures::COLONOSCOPY,
        }
    }

    pub(super) fn colonoscopy(&mut self, at: Moment) {
        let code = self.scope_code();
        let reason = named("Screening for malignant neoplasm of colon");
        let encounter = self.ambulatory(at, 120, named("Endoscopy visit"), reason);
        self.blood_pressure(at, encounter);
        self.chart
            .procedure(code, at.plus(30), 40, encounter, Some(reason));
        self.chart.report(&Report {
            section: Section::Pathology,
            code: named("Colonoscopy report"),
            at: at.plus(80),
            encounter,
            order: 0,
            results: &[],
            conclusion: if self.rng.chance(0.3) {
                "Small polyp removed."
            } else {
                "No polyps."
            },
        });
    }

    pub(super) fn mammography(&mut self, at: Moment) {
        let reason = named("Screening for malignant neoplasm of breast");
        let encounter = self.ambulatory(at, 30, named("Imaging visit"), reason);
        let code = self
            .rng
            .pick(&procedures::MAMMOGRAPHY)
            .copied()
            .unwrap_or(reason);
        let order = self.chart.order(code, at, true, encounter, Some(reason));
        let conclusion = match self.rng.unit() {
            ..0.08 => "BI-RADS 0: additional views needed.",
            ..0.3 => "BI-RADS 2: benign.",
            _ => "BI-RADS 1: negative.",
        };
        self.chart.report(&Report {
            section: Section::Imaging,
            code,
            at: at.plus(25),
            encounter,
            order,
            results: &[],
            conclusion,
        });
    }

    /// Screening tests done or ordered at a yearly examination.
    pub(super) fn screening(&mut self, at: Moment, encounter: u32) {
        let age = self.person.age(at.day);
        let later = at.plus(30);
        if (45.0..76.0).contains(&age) {
            self.stool_tests(later, encounter);
        }
        if self.person.female && self.prevention.cervix && (21.0..66.0).contains(&age) {
            self.cervical(later, age, encounter);
        }
        if self.person.female
            && age >= 65.0
            && at.day - self.prevention.last_bone > 1500
            && self.rng.chance(0.35)
        {
            self.bone_density(later, encounter);
        }
        if (18.0..66.0).contains(&age) && !self.prevention.hiv_tested && self.rng.chance(0.2) {
            self.prevention.hiv_tested = true;
            self.chart.finding(
                &HIV_TEST,
                self.health.has(Disease::Hiv, at.day),
                later,
                encounter,
            );
        }
        if (18.0..80.0).contains(&age) && !self.prevention.hepatitis_tested && self.rng.chance(0.2)
        {
            self.prevention.hepatitis_tested = true;
            let positive = self.rng.chance(0.012);
            self.chart.finding(&HEPATITIS_C, positive, later, encounter);
        }
        if self.person.female && (16.0..25.0).contains(&age) && self.rng.chance(0.55) {
            let positive = self.rng.chance(0.04);
            self.chart.finding(&CHLAMYDIA, positive, later, encounter);
        }
    }

    fn stool_tests(&mut self, at: Moment, encounter: u32) {
        let since = at.day - self.prevention.last_stool;
        match self.prevention.colon {
            Colon::Fit if since > 330 && self.rng.chance(0.85) => {
                self.prevention.last_stool = at.day;
                let positive = self.rng.chance(0.05);
                self.chart.finding(&FIT, positive, at, encounter);
                if positive {
                    self.chart
                        .order(procedures::COLONOSCOPY_RISK, at, false, encounter, None);
                }
            }
            Colon::StoolDna if since > 1050 && self.rng.chance(0.85) => {
                self.prevention.last_stool = at.day;
                let positive = self.rng.chance(0.1);
                self.chart.finding(&STOOL_DNA, positive, at, encounter);
            }
            Colon::Ct if since > 1800 => {
                self.prevention.last_stool = at.day;
                self.imaging(
                    procedures::CT_COLON,
                    at,
                    encounter,
                    "No polyps of 6 mm or more.",
                );
            }
            _ => {}
        }
    }

    fn imaging(&mut self, code: Coded, at: Moment, encounter: u32, conclusion: &'static str) {
        let order = self.chart.order(code, at, true, encounter, None);
        self.chart.report(&Report {
            section: Section::Imaging,
            code,
            at,
            encounter,
            order,
            results: &[],
            conclusion,
        });
    }

    /// Cytology every three years; from 30 half of it together with HPV every five.
    fn cervical(&mut self, at: Moment, age: f64, encounter: u32) {
        let both = age >= 30.0 && self.person.engagement > 0.45;
        let wait = if both { 1780 } else { 1060 };
        if at.day - self.prevention.last_cervix < wait || !self.rng.chance(0.88) {
            return;
        }
        self.prevention.last_cervix = at.day;
        let mut results = [0; 1];
        let results: &[u32] = if both {
            let positive = self.rng.chance(0.08);
            results = [self.chart.finding(&HPV_TEST, positive, at, encounter)];
            &results
        } else {
            results.get(..0).unwrap_or(&[])
        };
        self.chart.report(&Report {
            section: Section::Pathology,
            code: procedures::PAP,
            at,
            encounter,
            order: 0,
            results,
            conclusion: "Negative for intraepithelial lesion or malignancy.",
        });
    }

    fn bone_density(&mut self, at: Moment, encounter: u32) {
        self.prevention.last_bone = at.day;
        let thin = self.health.has(Disease::Osteoporosis, at.day);
        let score = if thin { -2.9 } else { -1.2 } + 0.5 * self.rng.normal();
        let number = self
            .chart
            .measured(Group::Laboratory, &BONE_T, score, at, encounter);
        self.chart.report(&Report {
            section: Section::Imaging,
            code: procedures::DXA,
            at,
            encounter,
            order: 0,
            results: &[number],
            conclusion: if thin {
                "Osteoporosis."
            } else {
                "No osteoporosis."
            },
        });
    }
}
