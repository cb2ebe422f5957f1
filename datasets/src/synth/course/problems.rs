//! The problem list: each long-term disease is entered at the first visit after its onset, with the
//! onset date the patient gives.

use super::super::calendar::Moment;
use super::super::codes::{Coded, problems as codes};
use super::super::health::Disease;
use super::super::write::condition::Diagnosis;
use super::Course;

/// Condition number of each disease on the list (0: not yet).
#[derive(Debug, Default)]
pub(super) struct ProblemList {
    numbers: [u32; 24],
}

const LIST: [(Disease, Coded); 20] = [
    (Disease::Diabetes2, codes::DIABETES_2),
    (Disease::Diabetes1, codes::DIABETES_1),
    (Disease::Hypertension, codes::HYPERTENSION),
    (Disease::Lipids, codes::LIPIDS),
    (Disease::LipidsFamilial, codes::LIPIDS_FAMILIAL),
    (Disease::Kidney, codes::KIDNEY),
    (Disease::Fibrillation, codes::FIBRILLATION),
    (Disease::HeartFailure, codes::HEART_FAILURE),
    (Disease::Depression, codes::DEPRESSION),
    (Disease::Anxiety, codes::ANXIETY),
    (Disease::Asthma, codes::ASTHMA),
    (Disease::Copd, codes::COPD),
    (Disease::Osteoporosis, codes::OSTEOPOROSIS),
    (Disease::Hypothyroid, codes::HYPOTHYROID),
    (Disease::ColonCancer, codes::COLON_CANCER),
    (Disease::Reflux, codes::REFLUX),
    (Disease::Arthritis, codes::ARTHRITIS),
    (Disease::Obesity, codes::OBESITY),
    (Disease::Gout, codes::GOUT),
    (Disease::Hiv, codes::HIV),
];

impl ProblemList {
    /// Condition number of a disease, 0 when it is not on the list.
    pub(super) fn number(&self, disease: Disease) -> u32 {
        self.numbers.get(disease as usize).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, disease: Disease, number: u32) {
        if let Some(slot) = self.numbers.get_mut(disease as usize) {
            *slot = number;
        }
    }
}

impl Course<'_> {
    /// Adds what is known by now.
    pub(super) fn list_problems(&mut self, at: Moment, encounter: u32) {
        self.list_old_infarction(at, encounter);
        for (disease, code) in LIST {
            let Some(onset) = self.health.onset(disease) else {
                continue;
            };
            if onset > at.day || self.problems.number(disease) > 0 {
                continue;
            }
            let code = self.refined(disease, code, at);
            // Depression and reflux pass in some; the rest stays.
            let passing = matches!(
                disease,
                Disease::Depression | Disease::Reflux | Disease::Anxiety
            );
            let abated = (passing && self.rng.chance(0.2))
                .then(|| at.day + self.rng.between(200, 900))
                .filter(|day| *day < self.person.last);
            let number = self.problem(code, onset, abated, at, encounter);
            self.problems.set(disease, number);
        }
    }

    /// An infarction before the record: healed, with the date it happened. (No code for an old
    /// infarction stands in the knowledge files; the acute one with its dates says as much.)
    fn list_old_infarction(&mut self, at: Moment, encounter: u32) {
        let Some(onset) = self.health.onset(Disease::Infarction) else {
            return;
        };
        if onset >= self.person.start || self.problems.number(Disease::Infarction) > 0 {
            return;
        }
        let code = self
            .rng
            .pick(&codes::INFARCTION)
            .copied()
            .unwrap_or(codes::CHEST_PAIN);
        let healed = Some(onset + 28).filter(|day| *day <= at.day);
        let number = self.problem(code, onset, healed, at, encounter);
        self.problems.set(Disease::Infarction, number);
    }

    pub(super) fn problem(
        &mut self,
        code: Coded,
        onset: i32,
        abated: Option<i32>,
        at: Moment,
        encounter: u32,
    ) -> u32 {
        self.chart.condition(&Diagnosis {
            code,
            problem: true,
            onset,
            abated,
            recorded: at,
            encounter,
        })
    }

    /// The more exact code some patients have.
    fn refined(&mut self, disease: Disease, code: Coded, at: Moment) -> Coded {
        match disease {
            Disease::Diabetes2 => match self.rng.unit() {
                _ if self.health.has(Disease::Kidney, at.day) => codes::DIABETES_2_KIDNEY,
                ..0.09 => codes::DIABETES_2_NERVE,
                ..0.15 => codes::DIABETES_2_EYE,
                ..0.27 => codes::DIABETES_2_HIGH,
                _ => code,
            },
            Disease::Kidney => match self.filtration(at.day) {
                ..15.0 if self.rng.chance(0.5) => codes::KIDNEY_END,
                ..15.0 => codes::KIDNEY_5,
                _ => code,
            },
            _ => code,
        }
    }
}
