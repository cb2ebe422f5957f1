//! Short illnesses in the office and the emergency department, and what is prescribed for them.
//! The prescriber mostly looks at the other medicines; now and then an interacting course slips in.

use super::super::calendar::Moment;
use super::super::codes::Coded;
use super::super::codes::drugs;
use super::super::codes::drugs::Drug;
use super::super::codes::labs::TEMPERATURE;
use super::super::codes::named;
use super::super::codes::problems as codes;
use super::super::write::encounter::{Class, Visit};
use super::super::write::observation::Group;
use super::Course;

/// Illness, days it lasts, weight in children and in adults.
const ILLNESSES: [(Coded, i32, f64, f64); 12] = [
    (codes::COLD, 9, 34.0, 20.0),
    (codes::SINUSITIS, 12, 5.0, 11.0),
    (codes::PHARYNGITIS, 7, 16.0, 8.0),
    (codes::OTITIS, 10, 20.0, 3.0),
    (codes::BRONCHITIS, 14, 7.0, 12.0),
    (codes::CYSTITIS, 6, 2.0, 11.0),
    (codes::BACK_PAIN, 30, 0.0, 14.0),
    (codes::RASH, 14, 9.0, 6.0),
    (codes::SPRAIN, 28, 6.0, 6.0),
    (codes::CELLULITIS, 10, 1.0, 4.0),
    (codes::CANDIDA, 7, 0.0, 2.5),
    (codes::CHEST_PAIN, 3, 0.5, 3.0),
];

const EMERGENCIES: [(Coded, i32, f64); 6] = [
    (codes::CHEST_PAIN, 2, 20.0),
    (codes::ABDOMINAL_PAIN, 4, 22.0),
    (codes::LACERATION, 14, 14.0),
    (codes::SPRAIN, 28, 18.0),
    (codes::BACK_PAIN, 30, 12.0),
    (codes::COLD, 9, 14.0),
];

impl Course<'_> {
    pub(super) fn acute(&mut self, at: Moment) {
        let child = self.person.age(at.day) < 16.0;
        let mut weights = ILLNESSES.map(|(_, _, young, adult)| if child { young } else { adult });
        for ((code, ..), weight) in ILLNESSES.iter().zip(&mut weights) {
            let female_only = code.display == codes::CANDIDA.display;
            let mostly_female = code.display == codes::CYSTITIS.display;
            if female_only && !self.person.female {
                *weight = 0.0;
            } else if mostly_female {
                *weight *= if self.person.female { 1.7 } else { 0.25 };
            }
        }
        let chosen = self.rng.weighted(&weights);
        let Some((code, days, _, _)) = ILLNESSES.get(chosen).copied() else {
            return;
        };
        let encounter = self.ambulatory(at, 20, named("Office visit, acute problem"), code);
        self.short_vitals(at, encounter);
        let number = self.diagnosis(code, at, Some(days), encounter);
        if let Some(drug) = self.remedy(chosen, child) {
            self.meds.prescribe(drug, at.plus(18), encounter, number);
        }
    }

    /// Pressure (from three years), temperature, sometimes the rest.
    fn short_vitals(&mut self, at: Moment, encounter: u32) {
        if self.rng.chance(0.45) {
            self.vitals(at, encounter);
            return;
        }
        if self.person.age(at.day) >= 3.0 {
            self.blood_pressure(at, encounter);
        }
        let warm = if self.rng.chance(0.25) { 1.2 } else { 0.0 };
        let temperature = 36.9 + warm + 0.3 * self.rng.normal();
        self.chart.measured(
            Group::Vital("us-core-body-temperature"),
            &TEMPERATURE,
            temperature,
            at.plus(3),
            encounter,
        );
    }

    /// The usual drug for an illness (by position in the table), if one is given.
    fn remedy(&mut self, illness: usize, child: bool) -> Option<&'static Drug> {
        let dice = self.rng.unit();
        let penicillin = matches!(self.meds.allergic, Some("723" | "7980"));
        let sulfa = self.meds.allergic == Some("10180");
        // One prescriber in four does not look at the list of medicines.
        let careless = self.rng.chance(0.25);
        let warfarin = self.meds.taking(&drugs::WARFARIN) && !careless;
        let simvastatin = self
            .meds
            .taking_any(&[&drugs::SIMVASTATIN_20, &drugs::SIMVASTATIN_40])
            && !careless;
        let nsaid = (self.meds.taking_any(&[
            &drugs::MELOXICAM,
            &drugs::WARFARIN,
            &drugs::APIXABAN,
            &drugs::RIVAROXABAN,
        ])) && !careless;
        let antibiotic: &'static Drug = match dice {
            _ if child && !penicillin => &drugs::AMOXICILLIN_CHILD,
            _ if child => &drugs::AZITHROMYCIN,
            ..0.35 if !penicillin => &drugs::AMOXICILLIN,
            ..0.55 if !penicillin => &drugs::AMOXICILLIN_CLAVULANATE,
            ..0.78 => &drugs::AZITHROMYCIN,
            ..0.9 if !simvastatin && !warfarin => &drugs::CLARITHROMYCIN,
            _ => &drugs::DOXYCYCLINE,
        };
        match illness {
            0 if dice < 0.12 => Some(antibiotic),
            1 if dice < 0.75 => Some(antibiotic),
            2 if dice < 0.4 => Some(antibiotic),
            3 if dice < 0.85 => Some(antibiotic),
            4 if dice < 0.3 => Some(antibiotic),
            4 if dice < 0.5 => Some(&drugs::PREDNISONE),
            5 if dice < 0.42 && !sulfa && !warfarin => Some(&drugs::TRIMETHOPRIM_SULFA),
            5 if dice < 0.8 => Some(&drugs::NITROFURANTOIN),
            5 => Some(&drugs::CIPROFLOXACIN),
            6 if dice < 0.3 && !nsaid => Some(&drugs::IBUPROFEN),
            6 if dice < 0.45 && !nsaid => Some(&drugs::NAPROXEN),
            6 if dice < 0.6 => Some(&drugs::CYCLOBENZAPRINE),
            6 if dice < 0.72 => Some(&drugs::TRAMADOL),
            6 => Some(&drugs::ACETAMINOPHEN),
            8 if dice < 0.5 && !nsaid && !child => Some(&drugs::IBUPROFEN),
            9 => Some(if penicillin {
                &drugs::DOXYCYCLINE
            } else {
                &drugs::CEPHALEXIN
            }),
            10 if !warfarin => Some(&drugs::FLUCONAZOLE),
            _ => None,
        }
    }

    pub(super) fn emergency(&mut self, at: Moment) {
        let weights = EMERGENCIES.map(|(_, _, weight)| weight);
        let chosen = self.rng.weighted(&weights);
        let Some((code, days, _)) = EMERGENCIES.get(chosen).copied() else {
            return;
        };
        let start = Moment::at(at.day, 60 + self.rng.below(1000) as u16);
        let stay = 90 + self.rng.below(150) as u16;
        let encounter = self.chart.encounter(&Visit {
            class: Class::Emergency,
            kind: named("Emergency department visit"),
            reason: code,
            start,
            end: start.plus(stay),
            readmission: false,
            discharge: None,
        });
        self.vitals(start, encounter);
        let number = self.diagnosis(code, start.plus(60), Some(days), encounter);
        let adult = self.person.age(at.day) >= 18.0;
        if adult && self.rng.chance(0.6) {
            self.metabolic(start.plus(20), encounter);
        }
        if adult && chosen >= 3 && self.rng.chance(0.25) {
            let drug: &'static Drug = if self.rng.chance(0.5) {
                &drugs::HYDROCODONE
            } else {
                &drugs::IBUPROFEN
            };
            self.meds
                .prescribe(drug, start.plus(stay), encounter, number);
        }
    }
}
