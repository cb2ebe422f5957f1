//! Observation: laboratory results, vital signs, survey scores, smoking status.

use super::super::calendar::Moment;
use super::super::codes::labs::{DIASTOLIC, Finding, Lab, SMOKING, SMOKING_ANSWERS, SYSTOLIC};
use super::super::codes::{Coded, LOINC};
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{Defect, FOR_FINDING, FOR_PRESSURE, FOR_QUANTITY};
use super::entry::{Entry, loinc};

const CATEGORY: &str = ",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"";
const LABORATORY: &str = "laboratory\",\"display\":\"Laboratory\"}],\"text\":\"Laboratory\"}]";
const VITAL: &str = "vital-signs\",\"display\":\"Vital Signs\"}],\"text\":\"Vital Signs\"}]";
const SURVEY: &str = "survey\",\"display\":\"Survey\"}],\"text\":\"Survey\"}]";
const SOCIAL: &str =
    "social-history\",\"display\":\"Social History\"}],\"text\":\"Social History\"}]";

/// US Core profile and category of a numeric observation.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Group {
    Laboratory,
    /// a vital sign with its own profile, such as `us-core-body-weight`
    Vital(&'static str),
    Survey,
}

impl Chart<'_> {
    /// A numeric observation.
    pub(in super::super) fn measured(
        &mut self,
        group: Group,
        lab: &'static Lab,
        value: f64,
        at: Moment,
        encounter: u32,
    ) -> u32 {
        let person = self.person;
        let (profile, category) = match group {
            Group::Laboratory => ("us-core-observation-lab", LABORATORY),
            Group::Vital(profile) => (profile, VITAL),
            Group::Survey => ("us-core-observation-screening-assessment", SURVEY),
        };
        self.emit(Kind::Observation, profile, &FOR_QUANTITY, at, |e| {
            identifier(e, at);
            e.status("final");
            e.raw(CATEGORY);
            e.raw(category);
            e.main_code(",\"code\":", loinc(lab.code, lab.display), lab.text);
            context(e, at, encounter);
            e.raw(",\"performer\":[");
            shared::practitioner(e.out, person.organization, person.doctor);
            e.raw("]");
            // The changed copy of a duplicate carries another value.
            e.value(lab, if e.changed { value * 1.1 + 0.1 } else { value });
            if lab.high > lab.low {
                let flag = if value > lab.high {
                    "H\",\"display\":\"High"
                } else if value < lab.low {
                    "L\",\"display\":\"Low"
                } else {
                    "N\",\"display\":\"Normal"
                };
                e.raw(",\"interpretation\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation\",\"code\":\"");
                e.raw(flag);
                e.raw("\"}]}],\"referenceRange\":[{\"low\":");
                bound(e, lab, lab.low);
                e.raw(",\"high\":");
                bound(e, lab, lab.high);
                e.raw(",\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/referencerange-meaning\",\"code\":\"normal\",\"display\":\"Normal Range\"}]}}]");
            }
        })
    }

    /// The blood pressure panel.
    pub(in super::super) fn pressure(
        &mut self,
        systolic: f64,
        diastolic: f64,
        at: Moment,
        encounter: u32,
    ) -> u32 {
        let person = self.person;
        self.emit(
            Kind::Observation,
            "us-core-blood-pressure",
            &FOR_PRESSURE,
            at,
            |e| {
                identifier(e, at);
                e.status("final");
                e.raw(CATEGORY);
                e.raw(VITAL);
                e.main_code(",\"code\":", BLOOD_PRESSURE, "Blood pressure panel");
                context(e, at, encounter);
                e.raw(",\"performer\":[");
                shared::practitioner(e.out, person.organization, person.doctor);
                e.raw("],\"component\":[");
                component(
                    e,
                    &SYSTOLIC,
                    if e.changed { systolic + 12.0 } else { systolic },
                );
                e.raw(",");
                component(
                    e,
                    &DIASTOLIC,
                    if e.changed {
                        diastolic + 6.0
                    } else {
                        diastolic
                    },
                );
                e.raw("]");
            },
        )
    }

    /// A test reported as detected or not detected.
    pub(in super::super) fn finding(
        &mut self,
        finding: &'static Finding,
        positive: bool,
        at: Moment,
        encounter: u32,
    ) -> u32 {
        let person = self.person;
        self.emit(Kind::Observation, "us-core-observation-lab", &FOR_FINDING, at, |e| {
            identifier(e, at);
            e.status("final");
            e.raw(CATEGORY);
            e.raw(LABORATORY);
            e.main_code(",\"code\":", loinc(finding.code, finding.display), finding.text);
            context(e, at, encounter);
            e.raw(",\"performer\":[");
            shared::organization(e.out, person.organization);
            e.raw("]");
            let (code, text) = if positive { ("POS", "Positive") } else { ("NEG", "Negative") };
            match e.defect {
                Some(Defect::ValueMissing) => {}
                Some(Defect::ValueAbsentReason) => e.absent(),
                Some(Defect::ValueAsString) => {
                    e.raw(",\"valueString\":");
                    e.string(text);
                }
                _ => {
                    e.raw(",\"valueCodeableConcept\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation\",\"code\":\"");
                    e.raw(code);
                    e.raw("\",\"display\":\"");
                    e.raw(text);
                    e.raw("\"}],\"text\":\"");
                    e.raw(text);
                    e.raw("\"}");
                }
            }
            e.raw(",\"interpretation\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation\",\"code\":\"");
            e.raw(if positive { "A\",\"display\":\"Abnormal" } else { "N\",\"display\":\"Normal" });
            e.raw("\"}]}]");
        })
    }

    /// Smoking status: 0 never, 1 former, 2 current.
    pub(in super::super) fn smoking(&mut self, answer: usize, at: Moment, encounter: u32) {
        let person = self.person;
        let Some((code, display)) = SMOKING_ANSWERS.get(answer).copied() else {
            return;
        };
        self.emit(
            Kind::Observation,
            "us-core-smokingstatus",
            &FOR_FINDING,
            at,
            |e| {
                identifier(e, at);
                e.status("final");
                e.raw(CATEGORY);
                e.raw(SOCIAL);
                e.main_code(
                    ",\"code\":",
                    loinc(SMOKING.code, SMOKING.display),
                    SMOKING.text,
                );
                context(e, at, encounter);
                e.raw(",\"performer\":[");
                shared::practitioner(e.out, person.organization, person.doctor);
                e.raw("]");
                match e.defect {
                    Some(Defect::ValueMissing) => {}
                    Some(Defect::ValueAbsentReason) => e.absent(),
                    Some(Defect::ValueAsString) => {
                        e.raw(",\"valueString\":");
                        e.string(display);
                    }
                    _ => {
                        e.raw(",\"valueCodeableConcept\":");
                        e.concept(Coded {
                            system: LOINC,
                            code,
                            display,
                        });
                    }
                }
            },
        );
    }
}

const BLOOD_PRESSURE: Coded = loinc("85354-9", "Blood pressure panel with all children optional");

/// An accession number, as laboratories and devices send one.
fn identifier(e: &mut Entry<'_>, at: Moment) {
    e.raw(",\"identifier\":[{\"system\":\"https://hospital.example.org/accession\",\"value\":\"A");
    e.int(i64::from(at.day) * 1440 + i64::from(at.minute));
    e.raw("-");
    let pid = e.pid;
    e.raw(pid);
    e.raw("\"}]");
}

/// Subject, encounter and times.
fn context(e: &mut Entry<'_>, at: Moment, encounter: u32) {
    e.subject(",\"subject\":");
    e.encounter(encounter);
    e.main_moment(",\"effectiveDateTime\":", at);
    e.moment(",\"issued\":", at.plus(15));
}

fn component(e: &mut Entry<'_>, lab: &'static Lab, value: f64) {
    e.raw("{\"code\":");
    e.concept(loinc(lab.code, lab.display));
    e.raw(",\"valueQuantity\":");
    e.quantity(lab, value);
    e.raw("}");
}

/// A bound of a reference range; its unit stays right even when that of the value is not.
fn bound(e: &mut Entry<'_>, lab: &'static Lab, value: f64) {
    e.raw("{\"value\":");
    e.decimal(value, lab.places);
    e.raw(",\"unit\":\"");
    e.raw(lab.unit);
    e.raw("\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"");
    e.raw(lab.unit);
    e.raw("\"}");
}
