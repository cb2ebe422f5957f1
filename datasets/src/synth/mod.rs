//! Synthetic FHIR R4 populations: made-up patients with medically plausible histories.
//!
//! A patient is a pure function of (seed, index, options): patients can be made in any order, on
//! any number of threads, and memory does not grow with the population. `shared_resources` are the
//! organizations, locations and practitioners that the patients refer to.
//!
//! `person` and `health` draw who someone is and what they suffer from; `course` plays the visits;
//! `write` turns what happened into JSON, with the defects of dirty data; `codes` holds the tables;
//! `population` writes files.

mod calendar;
mod codes;
mod course;
mod health;
mod json;
mod person;
mod population;
mod rng;
mod shared;
mod write;

#[cfg(test)]
mod tests;

pub use population::{estimate, write_population};

/// What to generate.
#[derive(Clone, Debug)]
pub struct SynthOptions {
    pub patients: u64,
    pub seed: u64,
    /// share 0.0..=1.0 of resources given a defect
    pub dirty: f64,
    /// last day of the history, (year, month, day); default 2025-12-31
    pub end: (i32, u32, u32),
}

impl Default for SynthOptions {
    fn default() -> Self {
        Self {
            patients: 1000,
            seed: 42,
            dirty: 0.0,
            end: (2025, 12, 31),
        }
    }
}

/// Takes the resources, one line of JSON each (without the newline).
pub trait ResourceSink {
    fn write(&mut self, resource_type: &'static str, json: &str);
}

/// Totals so far of a running or finished [`write_population`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SynthProgress {
    pub patients: u64,
    pub resources: u64,
    pub bytes: u64,
}

/// Organizations, practitioners, locations (with no patient).
pub fn shared_resources(options: &SynthOptions, sink: &mut dyn ResourceSink) {
    shared::write(options, sink);
}

/// Every resource of patient `index`, a pure function of (seed, index, options).
pub fn patient(options: &SynthOptions, index: u64, sink: &mut dyn ResourceSink) {
    course::run(options, index, sink);
}
