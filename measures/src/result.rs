//! What a measure came to, whatever it was written in.

use std::collections::BTreeMap;

use engine_patient::program::Artifact;

/// Whether a higher rate is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Improvement {
    /// A higher rate is better.
    Increase,
    /// A lower rate is better.
    Decrease,
}

impl Improvement {
    /// The code of `measure-improvement-notation`.
    pub fn as_str(self) -> &'static str {
        match self {
            Improvement::Increase => "increase",
            Improvement::Decrease => "decrease",
        }
    }
}

/// A measure's numbers.
#[derive(Clone, Debug)]
pub struct MeasureResult {
    /// Its name.
    pub artifact: Artifact,
    /// Which way is better.
    pub improvement: Improvement,
    /// What is counted: `patients`, `stays`.
    pub basis: &'static str,
    /// The whole.
    pub counts: Counts,
    /// What strata are by, and the strata.
    pub strata: Option<(String, Vec<(String, Counts)>)>,
}

/// Counts of a proportion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `initial-population`, which is the denominator.
    pub eligible: u64,
    /// `denominator-exclusion`
    pub excluded: u64,
    /// `numerator`
    pub satisfied: u64,
    /// How many have at least one criterion that could not be told.
    pub unknown: u64,
    /// Of those in the denominator and not excluded: those of whom the numerator could not be told.
    pub unknown_satisfied: u64,
    /// Why: by population, by reason.
    pub reasons: BTreeMap<(String, String), u64>,
}

impl Counts {
    /// The denominator without exclusions.
    pub fn remaining(&self) -> u64 {
        self.eligible.saturating_sub(self.excluded)
    }

    /// Numerator over the denominator without exclusions; `None` for nothing.
    pub fn rate(&self) -> Option<f64> {
        ratio(self.satisfied, self.remaining())
    }

    /// The rate if of nobody, and if of everybody, of whom it could not be told the numerator held.
    /// The first is [`Counts::rate`].
    pub fn rate_bounds(&self) -> Option<(f64, f64)> {
        let most = self.satisfied.saturating_add(self.unknown_satisfied);
        Some((self.rate()?, ratio(most, self.remaining())?))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of people are far below 2^53"
)]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
