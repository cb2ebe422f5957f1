//! Vital signs of a visit.

use super::super::calendar::Moment;
use super::super::codes::labs::{BMI, BREATHS, HEIGHT, PULSE, TEMPERATURE, WEIGHT};
use super::super::write::observation::Group;
use super::Course;

impl Course<'_> {
    /// The usual set. Height is measured at each visit of a child, yearly in adults.
    pub(super) fn vitals(&mut self, at: Moment, encounter: u32) {
        let age = self.person.age(at.day);
        let (height, bmi) = self.body(age, at);
        if age >= 3.0 {
            self.blood_pressure(at, encounter);
        }
        let at = at.plus(3);
        if age < 18.0 || at.day - self.last_height > 330 {
            self.last_height = at.day;
            self.chart.measured(
                Group::Vital("us-core-body-height"),
                &HEIGHT,
                height,
                at,
                encounter,
            );
        }
        let metres = height / 100.0;
        self.chart.measured(
            Group::Vital("us-core-body-weight"),
            &WEIGHT,
            bmi * metres * metres,
            at,
            encounter,
        );
        if age >= 2.0 {
            self.chart
                .measured(Group::Vital("us-core-bmi"), &BMI, bmi, at, encounter);
        }
        let fast = if age < 6.0 { 35.0 - 4.0 * age } else { 0.0 };
        let pulse = 74.0 + fast + 9.0 * self.rng.normal();
        self.chart.measured(
            Group::Vital("us-core-heart-rate"),
            &PULSE,
            pulse,
            at,
            encounter,
        );
        if self.rng.chance(0.8) {
            let temperature = 36.8 + 0.25 * self.rng.normal();
            self.chart.measured(
                Group::Vital("us-core-body-temperature"),
                &TEMPERATURE,
                temperature,
                at,
                encounter,
            );
        }
        if self.rng.chance(0.8) {
            let breaths = 15.0 + fast / 3.0 + 1.7 * self.rng.normal();
            self.chart.measured(
                Group::Vital("us-core-respiratory-rate"),
                &BREATHS,
                breaths,
                at,
                encounter,
            );
        }
    }

    /// Blood pressure alone, as the heart model has it.
    pub(super) fn blood_pressure(&mut self, at: Moment, encounter: u32) {
        let (systolic, diastolic) = self.pressure_now(at.day);
        self.chart
            .pressure(systolic, diastolic, at.plus(2), encounter);
    }

    /// Height in cm and body mass index on a day; growth of children is a broken line.
    fn body(&mut self, age: f64, at: Moment) -> (f64, f64) {
        let noise = self.rng.normal();
        if age >= 18.0 {
            // Half a point of slow drift over the years of the record.
            let drift = f64::from(at.day - self.person.last) / 3650.0;
            return (self.person.height, self.person.bmi + drift + 0.25 * noise);
        }
        let size = self.person.height / 170.0;
        let height = match age {
            ..1.0 => 50.0 + 25.0 * age,
            ..13.0 => 75.0 + 6.7 * (age - 1.0),
            _ => 155.4 + 2.9 * (age - 13.0),
        };
        let heavy = (self.person.bmi - 28.0) * 0.025 * age.min(10.0);
        let bmi = match age {
            ..1.0 => 13.5 + 3.5 * age,
            ..6.0 => 17.0 - 0.3 * (age - 1.0),
            _ => 15.5 + 0.55 * (age - 6.0),
        };
        (height * size, (bmi + heavy + 0.2 * noise).max(12.5))
    }
}
