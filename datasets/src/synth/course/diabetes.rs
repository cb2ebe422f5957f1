//! Diabetes: HbA1c as an autoregressive process around a mean that treatment lowers, and the
//! treatment that follows it: metformin, a second agent, a third, insulin.

use super::super::calendar::{Day, Moment};
use super::super::codes::drugs;
use super::super::codes::drugs::Drug;
use super::super::health::{Disease, Health};
use super::super::person::Person;
use super::super::rng::Rng;
use super::Course;

#[derive(Debug)]
pub(super) struct Sugar {
    /// HbA1c without treatment (percent)
    base: f64,
    /// deviation from the mean, carried from measurement to measurement
    deviation: f64,
    /// last measured value
    last: f64,
    steps: usize,
    changed: Day,
    started: bool,
    /// no HbA1c after this day: the patients without one in the last year
    pub(super) no_test_after: Day,
}

/// How much each step lowers HbA1c in someone who takes it.
const EFFECTS: [f64; 5] = [0.0, 1.1, 1.9, 2.4, 3.4];

impl Sugar {
    pub(super) fn draw(person: &Person, health: &Health, rng: &mut Rng) -> Self {
        let diabetic = health.onset(Disease::Diabetes2).is_some()
            || health.onset(Disease::Diabetes1).is_some();
        let base = if diabetic {
            // Three in ten answer badly to whatever is prescribed.
            let resistant = if rng.chance(0.3) { 2.5 } else { 0.0 };
            9.0 + resistant + 1.25 * rng.normal() + 0.8 * (1.0 - person.adherence)
        } else {
            5.35 + 0.03 * (person.bmi - 28.0).max(0.0) + 0.25 * rng.normal()
        };
        let gap = diabetic && rng.chance(0.16 + 0.04 * (0.5 - person.engagement));
        Self {
            base: base.max(4.6),
            deviation: 0.0,
            last: base,
            steps: 0,
            changed: Day::MIN / 2,
            started: false,
            no_test_after: if gap {
                person.last - 366 - rng.between(0, 200)
            } else {
                Day::MAX
            },
        }
    }

    /// The next measured HbA1c.
    pub(super) fn measure(&mut self, person: &Person, diabetic: bool, rng: &mut Rng) -> f64 {
        let effect = EFFECTS.get(self.steps).copied().unwrap_or(0.0);
        let floor = if diabetic { 6.0 } else { 4.6 };
        let mean = (self.base - effect * person.adherence).max(floor);
        let spread = if diabetic { 0.42 } else { 0.12 };
        self.deviation = 0.55 * self.deviation + spread * rng.normal();
        self.last = (mean + self.deviation).clamp(4.4, 14.5);
        self.last
    }

    pub(super) fn poorly_controlled(&self) -> bool {
        self.last > 8.0
    }
}

impl Course<'_> {
    pub(super) fn diabetic(&self, day: Day) -> bool {
        self.health.has(Disease::Diabetes2, day) || self.health.has(Disease::Diabetes1, day)
    }

    /// Starts or steps up the treatment at a visit.
    pub(super) fn manage_diabetes(&mut self, at: Moment, encounter: u32) {
        if let Some(onset) = self
            .health
            .onset(Disease::Diabetes1)
            .filter(|onset| *onset <= at.day)
        {
            if !self.sugar.started {
                self.sugar.started = true;
                self.sugar.steps = 3;
                self.sugar.changed = onset;
                let reason = self.problems.number(Disease::Diabetes1);
                self.meds.start(&drugs::GLARGINE, at, encounter, reason);
                self.meds.start(&drugs::LISPRO, at, encounter, reason);
            }
            return;
        }
        let Some(onset) = self
            .health
            .onset(Disease::Diabetes2)
            .filter(|onset| *onset <= at.day)
        else {
            return;
        };
        if !self.sugar.started {
            self.sugar.started = true;
            // Mild disease starts with diet alone.
            if self.sugar.base > 6.9 || self.rng.chance(0.5) {
                self.step_up_sugar(at, encounter);
            }
            // A diabetic of many years has been stepped up before the record begins.
            let earlier = ((at.day - onset) / 700).clamp(0, 3);
            for _ in 0..earlier {
                let effect = EFFECTS.get(self.sugar.steps).copied().unwrap_or(0.0);
                if self.sugar.base - effect * self.person.adherence > 7.6 && self.rng.chance(0.45) {
                    self.step_up_sugar(at, encounter);
                }
            }
            return;
        }
        let settled = at.day - self.sugar.changed > 85;
        if settled && self.sugar.last > 7.5 && self.sugar.steps < 4 && self.rng.chance(0.33) {
            self.step_up_sugar(at, encounter);
        }
    }

    fn step_up_sugar(&mut self, at: Moment, encounter: u32) {
        let reason = self.problems.number(Disease::Diabetes2);
        self.sugar.changed = at.day;
        self.sugar.steps = (self.sugar.steps + 1).min(4);
        let weak_kidney = self.filtration(at.day) < 30.0;
        match self.sugar.steps {
            1 if weak_kidney => self.meds.start(&drugs::SITAGLIPTIN, at, encounter, reason),
            1 => self.meds.start(&drugs::METFORMIN, at, encounter, reason),
            2 => {
                if self.meds.taking(&drugs::METFORMIN) && self.rng.chance(0.7) {
                    self.meds.stop(&drugs::METFORMIN, at);
                    self.meds
                        .start(&drugs::METFORMIN_1000, at, encounter, reason);
                }
                self.add_agent(at, encounter, reason);
            }
            3 => self.add_agent(at, encounter, reason),
            _ => self.meds.start(&drugs::GLARGINE, at, encounter, reason),
        }
    }

    /// A second or third agent, of a class not yet taken.
    fn add_agent(&mut self, at: Moment, encounter: u32, reason: u32) {
        let agents: [(&'static Drug, f64); 7] = [
            (&drugs::EMPAGLIFLOZIN, 0.24),
            (&drugs::DAPAGLIFLOZIN, 0.08),
            (&drugs::SEMAGLUTIDE, 0.22),
            (&drugs::LIRAGLUTIDE, 0.06),
            (&drugs::SITAGLIPTIN, 0.16),
            (&drugs::GLIPIZIDE, 0.14),
            (&drugs::GLIMEPIRIDE, 0.10),
        ];
        // Two drugs of one class stand next to each other in the table.
        let taken = agents.map(|(drug, _)| self.meds.taking(drug));
        let [a, b, c, d, e, f, g] = taken;
        let class = [
            a || b,
            a || b,
            c || d || e,
            c || d || e,
            c || d || e,
            f || g,
            f || g,
        ];
        let mut weights = agents.map(|(_, weight)| weight);
        for (weight, blocked) in weights.iter_mut().zip(class) {
            if blocked {
                *weight = 0.0;
            }
        }
        let at_index = self.rng.weighted(&weights);
        if let Some((drug, _)) = agents.get(at_index) {
            self.meds.start(drug, at, encounter, reason);
        }
    }
}
