//! Which long-term diseases a person has, and since when. Prevalence by age follows US survey
//! figures roughly; risks raise each other (obesity, diabetes, pressure, kidney, heart).

use super::calendar::Day;
use super::person::Person;
use super::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disease {
    Diabetes2,
    Diabetes1,
    Hypertension,
    Lipids,
    LipidsFamilial,
    Kidney,
    Infarction,
    Fibrillation,
    HeartFailure,
    Depression,
    Anxiety,
    Asthma,
    Copd,
    Osteoporosis,
    Hypothyroid,
    ColonCancer,
    Reflux,
    Arthritis,
    Obesity,
    Gout,
    Hiv,
}

const COUNT: usize = 21;

/// Onset day of each disease the person has by the end of the record.
#[derive(Debug)]
pub(super) struct Health {
    onsets: [Option<Day>; COUNT],
}

/// Share with the disease (percent) in the twenties, thirties, … seventies, eighties and older.
type Bands = [f64; 7];

const DIABETES: Bands = [1.2, 4.0, 9.0, 15.0, 20.0, 22.0, 20.0];
const HYPERTENSION: Bands = [4.0, 11.0, 23.0, 38.0, 52.0, 62.0, 68.0];
const LIPIDS: Bands = [3.0, 10.0, 21.0, 34.0, 44.0, 47.0, 42.0];
const KIDNEY: Bands = [0.4, 0.8, 1.8, 3.5, 7.5, 15.0, 25.0];
const INFARCTION: Bands = [0.05, 0.3, 1.4, 3.6, 6.2, 9.0, 11.0];
const FIBRILLATION: Bands = [0.05, 0.2, 0.6, 1.8, 4.8, 10.0, 16.0];
const FAILURE: Bands = [0.05, 0.15, 0.6, 1.4, 3.2, 6.5, 11.0];
const LUNG: Bands = [0.0, 0.3, 1.6, 3.8, 6.0, 8.0, 8.0];
const BONE: Bands = [0.0, 0.0, 0.5, 4.5, 14.0, 25.0, 33.0];
const THYROID: Bands = [1.5, 2.5, 4.0, 6.0, 8.0, 9.5, 10.0];
const ARTHRITIS: Bands = [0.5, 2.0, 6.0, 14.0, 22.0, 28.0, 30.0];
const GOUT: Bands = [0.2, 1.0, 2.0, 3.5, 5.0, 6.0, 6.0];
const COLON: Bands = [0.0, 0.02, 0.1, 0.3, 0.6, 1.0, 1.4];

impl Health {
    pub(super) fn draw(person: &Person, rng: &mut Rng) -> Self {
        let mut health = Self {
            onsets: [None; COUNT],
        };
        let age = person.age(person.last);
        let smoker = person.smoking > 0;
        let heavy = ((person.bmi - 29.0) / 10.0).clamp(-0.5, 1.6);
        if age >= 18.0 {
            let band = |bands: &Bands| band(bands, age);
            if health.roll(
                rng,
                person,
                Disease::Diabetes2,
                band(&DIABETES) * (1.0 + 0.6 * heavy),
                16.0,
                20.0,
            ) {
                health.roll(
                    rng,
                    person,
                    Disease::Hypertension,
                    band(&HYPERTENSION) * 1.45,
                    18.0,
                    22.0,
                );
                health.roll(
                    rng,
                    person,
                    Disease::Lipids,
                    band(&LIPIDS) * 1.6,
                    14.0,
                    22.0,
                );
                health.roll(rng, person, Disease::Kidney, band(&KIDNEY) * 2.2, 8.0, 30.0);
            } else {
                health.roll(rng, person, Disease::Diabetes1, 0.45, 30.0, 6.0);
                health.roll(
                    rng,
                    person,
                    Disease::Hypertension,
                    band(&HYPERTENSION) * (0.98 + 0.25 * heavy),
                    18.0,
                    22.0,
                );
                health.roll(rng, person, Disease::Lipids, band(&LIPIDS), 14.0, 22.0);
                health.roll(
                    rng,
                    person,
                    Disease::Kidney,
                    band(&KIDNEY) * 0.85,
                    8.0,
                    30.0,
                );
            }
            health.roll(rng, person, Disease::LipidsFamilial, 0.4, 20.0, 20.0);
            let strain = if health.onset(Disease::Hypertension).is_some() {
                1.35
            } else {
                0.6
            } * if smoker { 1.4 } else { 0.85 };
            let sex = if person.female { 0.7 } else { 1.35 };
            let infarct = health.roll(
                rng,
                person,
                Disease::Infarction,
                band(&INFARCTION) * strain * sex,
                12.0,
                35.0,
            );
            health.roll(
                rng,
                person,
                Disease::Fibrillation,
                band(&FIBRILLATION) * strain.min(1.4),
                8.0,
                40.0,
            );
            let failure = band(&FAILURE) * strain * if infarct { 3.0 } else { 0.85 };
            health.roll(rng, person, Disease::HeartFailure, failure, 6.0, 40.0);
            health.roll(
                rng,
                person,
                Disease::Depression,
                if person.female { 15.0 } else { 8.5 },
                15.0,
                16.0,
            );
            health.roll(
                rng,
                person,
                Disease::Anxiety,
                if person.female { 9.0 } else { 5.0 },
                12.0,
                16.0,
            );
            health.roll(
                rng,
                person,
                Disease::Copd,
                band(&LUNG) * if smoker { 2.4 } else { 0.3 },
                10.0,
                38.0,
            );
            health.roll(
                rng,
                person,
                Disease::Osteoporosis,
                band(&BONE) * if person.female { 1.0 } else { 0.12 },
                9.0,
                48.0,
            );
            health.roll(
                rng,
                person,
                Disease::Hypothyroid,
                band(&THYROID) * if person.female { 1.5 } else { 0.35 },
                15.0,
                20.0,
            );
            health.roll(rng, person, Disease::ColonCancer, band(&COLON), 6.0, 35.0);
            health.roll(rng, person, Disease::Reflux, 11.0, 12.0, 18.0);
            health.roll(
                rng,
                person,
                Disease::Arthritis,
                band(&ARTHRITIS) * (1.0 + 0.3 * heavy),
                10.0,
                35.0,
            );
            health.roll(
                rng,
                person,
                Disease::Gout,
                band(&GOUT) * if person.female { 0.5 } else { 1.6 },
                10.0,
                28.0,
            );
            health.roll(rng, person, Disease::Hiv, 0.4, 15.0, 18.0);
            if person.bmi >= 30.0 {
                // Not every obese person has it on the problem list.
                health.roll(rng, person, Disease::Obesity, 62.0, 12.0, 12.0);
            }
        }
        health.roll(
            rng,
            person,
            Disease::Asthma,
            if age < 18.0 { 8.0 } else { 7.5 },
            20.0,
            3.0,
        );
        health
    }

    /// Draws whether the person has the disease (`percent`) and how long (mean `years`, not before
    /// age `earliest`).
    fn roll(
        &mut self,
        rng: &mut Rng,
        person: &Person,
        disease: Disease,
        percent: f64,
        years: f64,
        earliest: f64,
    ) -> bool {
        let hit = rng.chance(percent / 100.0);
        let ago = rng.range(0.1, years * 1.4);
        let latest = person.last - 40;
        let first = person.birth + (earliest * 365.25) as i32;
        if !hit || first >= latest {
            return false;
        }
        let onset = (person.last - (ago * 365.25) as i32).clamp(first, latest);
        if let Some(slot) = self.onsets.get_mut(disease as usize) {
            *slot = Some(onset);
        }
        true
    }

    pub(super) fn onset(&self, disease: Disease) -> Option<Day> {
        self.onsets.get(disease as usize).copied().flatten()
    }

    /// Whether the disease is known on `day`.
    pub(super) fn has(&self, disease: Disease, day: Day) -> bool {
        self.onset(disease).is_some_and(|onset| onset <= day)
    }

    /// How many of the diseases that need regular visits are known on `day`.
    pub(super) fn burden(&self, day: Day) -> u32 {
        use Disease::*;
        [
            Diabetes2,
            Diabetes1,
            Hypertension,
            Lipids,
            Kidney,
            Infarction,
            Fibrillation,
            HeartFailure,
            Depression,
            Asthma,
            Copd,
            Hypothyroid,
            Hiv,
        ]
        .iter()
        .filter(|disease| self.has(**disease, day))
        .count() as u32
    }
}

fn band(bands: &Bands, age: f64) -> f64 {
    let at = ((age - 20.0).max(0.0) / 10.0) as usize;
    bands.get(at.min(6)).copied().unwrap_or(0.0)
}
