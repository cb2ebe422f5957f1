//! Clause outcomes: a row a patient and population with a letter a clause, `t`, `f`, or `u` for
//! unknown; and the funnel that sums them.

use std::collections::BTreeMap;

use engine_elm::trace::holds;
use engine_elm::{CompiledLibraries, Evaluator, Term};
use engine_patient::program::{PopulationIndex, ResultRow, RowKind};
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;

use super::compiled_measure::{CompiledMeasure, Target};

/// The clauses of one population.
#[derive(Debug)]
pub struct Funnel {
    /// Index of the measure in its program.
    pub artifact: u16,
    pub group: u32,
    pub population: PopulationIndex,
    pub clauses: Vec<Term>,
    /// One of the clauses is enough: they stand under `or`.
    pub any: bool,
}

impl Funnel {
    /// For every criterion of every measure.
    pub(super) fn all(libraries: &CompiledLibraries, measures: &[CompiledMeasure]) -> Vec<Funnel> {
        let mut out = vec![];
        for (artifact, measure) in (0..).zip(measures) {
            for (group, compiled) in (0..).zip(&measure.groups) {
                for (population, target) in PopulationIndex::each(&compiled.targets) {
                    if let Target::Criterion(expression) = target {
                        let all = libraries.terms(*expression);
                        let alternatives = libraries.alternatives(*expression);
                        // One term has no `and`: it may have an `or`.
                        let any = all.len() == 1 && alternatives.len() > 1;
                        out.push(Funnel {
                            artifact,
                            group,
                            population,
                            clauses: if any { alternatives } else { all },
                            any,
                        });
                    }
                }
            }
        }
        out
    }

    /// The row of a patient.
    pub(super) fn row(&self, evaluator: &mut Evaluator<'_>) -> ResultRow {
        let letter = |outcome| match outcome {
            Ok(Some(true)) => 't',
            Ok(Some(false)) => 'f',
            Ok(None) | Err(()) => 'u',
        };
        let outcomes = self.clauses.iter().map(|clause| {
            let value = evaluator.term(clause);
            letter(value.map(|v| holds(&v)).map_err(|_| ()))
        });
        let text: String = outcomes.collect();
        ResultRow {
            artifact: self.artifact,
            group: self.group,
            count: None,
            value: Value::String(text.into()),
            ..ResultRow::of_patient(RowKind::Clauses(self.population), Truth::True)
        }
    }
}

/// What the clauses of one population do to a population of patients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunnelCounts {
    /// Patients that were looked at.
    pub patients: u64,
    /// Per clause.
    pub clauses: Vec<ClauseCounts>,
}

/// What one clause does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClauseCounts {
    /// Patients of whom it holds, does not, cannot be told.
    pub holds: u64,
    pub fails: u64,
    pub unknown: u64,
    /// Patients left after it and all before it.
    pub left: u64,
    /// Patients that are lost by this clause alone: all others hold.
    pub alone: u64,
    /// Patients of whom it or one before it holds.
    pub met: u64,
    /// Patients of whom it alone holds.
    pub met_alone: u64,
}

impl FunnelCounts {
    /// Adds the outcomes of a patient, as `Funnel::row` writes them.
    pub fn add(&mut self, outcomes: &str) {
        self.patients += 1;
        let letters = outcomes.as_bytes();
        if self.clauses.len() < letters.len() {
            self.clauses.resize(letters.len(), ClauseCounts::default());
        }
        let lost = letters.iter().filter(|l| **l != b't').count();
        let held = letters.len() - lost;
        let (mut left, mut met) = (true, false);
        for (counts, letter) in self.clauses.iter_mut().zip(letters) {
            match letter {
                b't' => counts.holds += 1,
                b'f' => counts.fails += 1,
                _ => counts.unknown += 1,
            }
            left = left && *letter == b't';
            counts.left += u64::from(left);
            counts.alone += u64::from(*letter != b't' && lost == 1);
            met = met || *letter == b't';
            counts.met += u64::from(met);
            counts.met_alone += u64::from(*letter == b't' && held == 1);
        }
    }
}

/// Funnels by measure, group and population.
pub type Funnels = BTreeMap<(u16, u32, PopulationIndex), FunnelCounts>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_that_is_lost_alone() {
        let mut counts = FunnelCounts::default();
        for outcomes in ["ttt", "tft", "tff", "utt", "ttu"] {
            counts.add(outcomes);
        }
        let of = |f: fn(&ClauseCounts) -> u64| counts.clauses.iter().map(f).collect::<Vec<_>>();
        assert_eq!(counts.patients, 5);
        assert_eq!(of(|c| c.holds), [4, 3, 3]);
        assert_eq!(of(|c| c.fails), [0, 2, 1]);
        assert_eq!(of(|c| c.unknown), [1, 0, 1]);
        assert_eq!(of(|c| c.left), [4, 2, 1]);
        assert_eq!(of(|c| c.alone), [1, 1, 1]);
    }

    #[test]
    fn an_alternative_that_is_met_alone() {
        let mut counts = FunnelCounts::default();
        for outcomes in ["ttt", "tff", "fft", "fff", "uft"] {
            counts.add(outcomes);
        }
        let of = |f: fn(&ClauseCounts) -> u64| counts.clauses.iter().map(f).collect::<Vec<_>>();
        assert_eq!(of(|c| c.met), [2, 2, 4]);
        assert_eq!(of(|c| c.met_alone), [1, 0, 2]);
    }
}
