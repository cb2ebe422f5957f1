//! What is asked of a rehearsal.

use std::path::Path;

use engine_population::lake::Lake;
use rules::Rule;

use crate::program::Candidate;
use crate::settings::Settings;

/// What is rehearsed, on whom.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The data.
    pub lake: &'a Lake,
    /// The rules.
    pub candidates: Vec<Candidate>,
    /// Other versions, each with the number of the rule it is compared with.
    pub against: Vec<(usize, Candidate)>,
    /// Which calls, and what was known at each.
    pub settings: Settings,
    /// Threads to work with.
    pub threads: usize,
    /// Chooses the patients that are shown.
    pub seed: u64,
    /// How many of each rule.
    pub samples: usize,
    /// The same card for the same patient less than so many days before makes a repeat.
    pub repeat_days: u32,
    /// A folder for what does not fit into memory.
    pub scratch: &'a Path,
}

impl Asked<'_> {
    /// Numbers of rules that are compared.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let first = self.candidates.len();
        let against = self.against.iter().enumerate();
        against.map(move |(place, (own, _))| (*own, first + place))
    }

    /// The cool-down whose effect is told: a rule's own, else that of repeats.
    pub fn cooldown_of(&self, rule: &Rule) -> u32 {
        rule.cooldown_days.unwrap_or(self.repeat_days)
    }

    /// Those, and what they are compared with.
    pub(crate) fn all(&self) -> Vec<Candidate> {
        let against = self.against.iter().map(|(_, candidate)| candidate);
        self.candidates.iter().chain(against).cloned().collect()
    }
}
