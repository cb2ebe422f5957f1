//! The other long-term diseases: lungs, mood, thyroid, bones, stomach, joints, HIV; and the surveys
//! of the yearly examination.

use super::super::calendar::{Day, Moment};
use super::super::codes::drugs;
use super::super::codes::drugs::Drug;
use super::super::codes::labs::{GAD7, PHQ2, PHQ9};
use super::super::health::Disease;
use super::super::rng::Rng;
use super::super::write::observation::Group;
use super::Course;

#[derive(Debug)]
pub(super) struct Mood {
    /// PHQ-9 without treatment in a depression
    score: f64,
    treated: u8,
    last: Day,
    /// diseases whose treatment has been started, by position in the list below
    started: u32,
}

impl Mood {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        Self {
            score: 14.0 + 4.5 * rng.normal(),
            treated: 0,
            last: Day::MIN / 2,
            started: 0,
        }
    }

    /// True once for each disease: when its treatment is to be started.
    fn begins(&mut self, disease: Disease) -> bool {
        let bit = 1u32 << (disease as u32);
        let fresh = self.started & bit == 0;
        self.started |= bit;
        fresh
    }
}

impl Course<'_> {
    pub(super) fn manage_others(&mut self, at: Moment, encounter: u32) {
        for disease in [
            Disease::Depression,
            Disease::Anxiety,
            Disease::Asthma,
            Disease::Copd,
            Disease::Osteoporosis,
            Disease::Hypothyroid,
            Disease::Reflux,
            Disease::Arthritis,
            Disease::Gout,
            Disease::Hiv,
        ] {
            if self.health.has(disease, at.day) && self.mood.begins(disease) {
                let reason = self.problems.number(disease);
                self.begin(disease, at, encounter, reason);
            }
        }
        let age = self.person.age(at.day);
        if self.person.female && (18.0..41.0).contains(&age) && self.rng.chance(0.06) {
            self.meds.start(&drugs::CONTRACEPTIVE, at, encounter, 0);
        } else if self.meds.taking(&drugs::CONTRACEPTIVE) && (age > 45.0 || self.rng.chance(0.08)) {
            self.meds.stop(&drugs::CONTRACEPTIVE, at);
        }
    }

    fn begin(&mut self, disease: Disease, at: Moment, encounter: u32, reason: u32) {
        let give = |course: &mut Self, drug: &'static Drug, share: f64| {
            if course.rng.chance(share) {
                course.meds.start(drug, at, encounter, reason);
            }
        };
        match disease {
            Disease::Depression => {
                let drug: &'static Drug = match self.rng.unit() {
                    ..0.32 => &drugs::SERTRALINE,
                    ..0.54 => &drugs::ESCITALOPRAM,
                    ..0.64 => &drugs::CITALOPRAM,
                    ..0.76 => &drugs::FLUOXETINE,
                    ..0.86 => &drugs::BUPROPION,
                    _ => &drugs::VENLAFAXINE,
                };
                if self.rng.chance(0.75) {
                    self.mood.treated = 1;
                    give(self, drug, 1.0);
                }
                give(self, &drugs::TRAZODONE, 0.14);
            }
            Disease::Anxiety => {
                give(self, &drugs::ESCITALOPRAM, 0.3);
                give(self, &drugs::ZOLPIDEM, 0.12);
            }
            Disease::Asthma => {
                give(self, &drugs::ALBUTEROL, 0.9);
                give(self, &drugs::FLUTICASONE_SALMETEROL, 0.35);
                give(self, &drugs::MONTELUKAST, 0.2);
            }
            Disease::Copd => {
                give(self, &drugs::ALBUTEROL, 0.85);
                give(self, &drugs::TIOTROPIUM, 0.6);
                give(self, &drugs::FLUTICASONE_SALMETEROL, 0.45);
            }
            Disease::Osteoporosis => give(self, &drugs::ALENDRONATE, 0.55),
            Disease::Hypothyroid => give(self, &drugs::LEVOTHYROXINE, 0.95),
            Disease::Reflux => {
                let drug: &'static Drug = if self.rng.chance(0.6) {
                    &drugs::OMEPRAZOLE
                } else {
                    &drugs::PANTOPRAZOLE
                };
                give(self, drug, 0.7);
            }
            Disease::Arthritis => {
                give(self, &drugs::MELOXICAM, 0.28);
                give(self, &drugs::ACETAMINOPHEN, 0.3);
                give(self, &drugs::GABAPENTIN, 0.1);
            }
            Disease::Gout => {
                give(self, &drugs::ALLOPURINOL, 0.6);
                give(self, &drugs::COLCHICINE, 0.3);
            }
            Disease::Hiv => give(self, &drugs::BICTEGRAVIR, 0.92),
            _ => {}
        }
    }

    /// Depression screening, anxiety and smoking status at a yearly examination.
    pub(super) fn surveys(&mut self, at: Moment, encounter: u32) {
        let at = at.plus(5);
        let adult = self.person.age(at.day) >= 18.0;
        if adult {
            self.chart.smoking(self.person.smoking, at, encounter);
        }
        let depressed = self.health.has(Disease::Depression, at.day);
        if self.rng.chance(0.8) {
            let short = if depressed { 2.4 } else { 0.6 } + 1.1 * self.rng.normal();
            let short = short.clamp(0.0, 6.0).round();
            self.chart
                .measured(Group::Survey, &PHQ2, short, at, encounter);
            if short >= 3.0 || depressed {
                self.mood_score(at, encounter);
            }
        }
        if adult && (self.health.has(Disease::Anxiety, at.day) || self.rng.chance(0.15)) {
            let base = if self.health.has(Disease::Anxiety, at.day) {
                9.0
            } else {
                2.5
            };
            let score = (base + 3.0 * self.rng.normal()).clamp(0.0, 21.0).round();
            self.chart
                .measured(Group::Survey, &GAD7, score, at, encounter);
        }
    }

    /// PHQ-9 in a depression, at most every two months.
    pub(super) fn mood_score(&mut self, at: Moment, encounter: u32) {
        let depressed = self.health.has(Disease::Depression, at.day);
        if !depressed && at.day - self.mood.last > 300 && self.rng.chance(0.95) {
            return;
        }
        if at.day - self.mood.last < 60 || (!depressed && self.mood.score < 8.0) {
            return;
        }
        self.mood.last = at.day;
        let relief = if self.mood.treated > 0 {
            7.5 * self.person.adherence
        } else {
            0.0
        };
        let base = if depressed {
            self.mood.score - relief
        } else {
            5.0
        };
        let score = (base + 3.0 * self.rng.normal()).clamp(0.0, 27.0).round();
        self.chart
            .measured(Group::Survey, &PHQ9, score, at, encounter);
    }
}
