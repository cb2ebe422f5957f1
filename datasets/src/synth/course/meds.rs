//! Medicines over time: started, renewed each year, stopped; written at the end, when it is known
//! what became of each prescription.

use super::super::calendar::{Day, Moment};
use super::super::codes::drugs::Drug;
use super::Course;

/// What ended a prescription before its time.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Renewed(Moment),
    Stopped(Moment),
}

#[derive(Debug)]
struct Prescription {
    drug: &'static Drug,
    at: Moment,
    encounter: u32,
    reason: u32,
    ending: Option<Ending>,
}

#[derive(Debug, Default)]
pub(super) struct Medicines {
    prescriptions: Vec<Prescription>,
    /// RxCUI of the ingredient the person is allergic to
    pub(super) allergic: Option<&'static str>,
}

impl Medicines {
    /// Taking a long-term drug (its latest prescription has not ended).
    pub(super) fn taking(&self, drug: &'static Drug) -> bool {
        self.prescriptions
            .iter()
            .any(|p| p.drug.rxcui == drug.rxcui && p.ending.is_none())
    }

    pub(super) fn taking_any(&self, drugs: &[&'static Drug]) -> bool {
        drugs.iter().any(|drug| self.taking(drug))
    }

    /// Whether one of the drugs was prescribed on or after `since`.
    pub(super) fn recent(&self, drugs: &[&'static Drug], since: Day) -> bool {
        self.prescriptions
            .iter()
            .any(|p| p.at.day >= since && drugs.iter().any(|drug| drug.rxcui == p.drug.rxcui))
    }

    /// Starts a drug unless it is being taken.
    pub(super) fn start(&mut self, drug: &'static Drug, at: Moment, encounter: u32, reason: u32) {
        if !self.taking(drug) {
            self.prescribe(drug, at, encounter, reason);
        }
    }

    /// A prescription whatever stands already; for short courses.
    pub(super) fn prescribe(
        &mut self,
        drug: &'static Drug,
        at: Moment,
        encounter: u32,
        reason: u32,
    ) {
        self.prescriptions.push(Prescription {
            drug,
            at,
            encounter,
            reason,
            ending: None,
        });
    }

    pub(super) fn stop(&mut self, drug: &'static Drug, at: Moment) {
        for p in &mut self.prescriptions {
            if p.drug.rxcui == drug.rxcui && p.ending.is_none() && p.drug.supply > 30 {
                p.ending = Some(Ending::Stopped(at));
            }
        }
    }
}

impl Course<'_> {
    /// Renews what was prescribed about a year ago; a few prescriptions are forgotten.
    pub(super) fn renew(&mut self, at: Moment, encounter: u32) {
        let mut renewed = Vec::new();
        for p in &mut self.meds.prescriptions {
            let due = p.ending.is_none() && p.drug.supply > 30 && at.day - p.at.day >= 330;
            if due && self.rng.chance(0.93) {
                p.ending = Some(Ending::Renewed(at));
                renewed.push((p.drug, p.reason));
            }
        }
        for (drug, reason) in renewed {
            self.meds.prescribe(drug, at, encounter, reason);
        }
    }

    /// Writes all prescriptions with the status they ended in.
    pub(super) fn write_prescriptions(&mut self) {
        let last = self.person.last;
        let dead = self.person.death.is_some();
        for p in &self.meds.prescriptions {
            let long = p.drug.supply > 30;
            let lasts: Day = if long {
                400
            } else {
                Day::from(p.drug.supply as i16)
            };
            let over = p.at.day + lasts;
            let (status, updated) = match p.ending {
                Some(Ending::Renewed(at)) => ("completed", at),
                Some(Ending::Stopped(at)) => ("stopped", at),
                None if over < last => ("completed", Moment::at(over, 600)),
                None if dead => ("stopped", Moment::at(last, 1200)),
                None => ("active", p.at),
            };
            let refills = if long { 3 } else { 0 };
            self.chart.prescription(
                p.drug,
                status,
                p.at,
                updated,
                p.encounter,
                p.reason,
                refills,
            );
        }
    }
}
