//! The results of a measure, whatever it was written in.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_patient::program::PopulationIndex;
use engine_patient::system::units::Units;
use rust_decimal::Decimal;

use crate::observation_quantity::{Unit, convert, quotient};
use crate::observation_values::ObservationValues;
use crate::package::{
    AggregateMethod, GroupDefinition, PopulationCode as Code, PopulationDefinition, Scoring,
};
use crate::rate_bounds::{RateBounds, ratio};
use crate::structure::MeasureStructure;

pub use crate::package::ImprovementNotation as Improvement;

/// A measure's numbers.
#[derive(Clone, Debug)]
pub struct MeasureResult {
    /// What it is made of.
    pub structure: Arc<MeasureStructure>,
    /// Patients that were evaluated; 0 where the language does not tell.
    pub patients: u64,
    /// As the structure's groups.
    pub groups: Vec<GroupResult>,
    /// As the structure's supplemental data.
    pub supplemental: Vec<SupplementalResult>,
}

/// A group's numbers.
#[derive(Clone, Debug, Default)]
pub struct GroupResult {
    /// The whole.
    pub counts: Counts,
    /// As the group's stratifiers: their strata in order.
    pub strata: Vec<Vec<(Arc<str>, Counts)>>,
    /// Per stratifier: codings of the strata that are coded, see [`ResultRow::coding`].
    ///
    /// [`ResultRow::coding`]: engine_patient::program::ResultRow::coding
    pub codings: Vec<BTreeMap<Arc<str>, Arc<str>>>,
    /// Per stratifier: patients of whom the stratum could not be told.
    pub strata_unknown: Vec<u64>,
}

/// Values of supplemental data, of the patients of an initial population.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupplementalResult {
    /// How often each value came up.
    pub values: BTreeMap<Arc<str>, u64>,
    /// The codings of values that are coded, as FHIR CodeableConcepts in JSON.
    pub codings: BTreeMap<Arc<str>, Arc<str>>,
    /// Of how many patients it could not be told.
    pub unknown: u64,
}

/// A group's counts, or those of a stratum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As the group's populations.
    pub populations: Vec<PopulationCount>,
    /// How many patients have at least one criterion that could not be told.
    pub unknown: u64,
    /// Why: by population, by reason; patients.
    pub reasons: BTreeMap<(Arc<str>, Arc<str>), u64>,
    /// What the rate could be, of a proportion; of a stratum only where the basis is the patient.
    pub bounds: Option<RateBounds>,
}

/// A population's counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PopulationCount {
    /// Patients, or resources.
    pub count: u64,
    /// Patients with at least one.
    pub subjects: u64,
    /// Patients of whom it could not be told.
    pub unknown: u64,
    /// Of a `measure-observation`.
    pub observed: ObservationValues,
}

/// A measure score, exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// Of counts.
    Fraction(u64, u64),
    /// Of observations.
    Number(Decimal),
}

impl Score {
    /// As a JSON number: the nearest double.
    pub fn as_f64(self) -> f64 {
        match self {
            Score::Fraction(part, whole) => ratio(part, whole),
            // The shortest decimal text, so that 4.2 stays 4.2.
            Score::Number(n) => n.normalize().to_string().parse().unwrap_or(f64::NAN),
        }
    }

    fn decimal(self) -> Option<Decimal> {
        match self {
            Score::Fraction(part, whole) => Decimal::from(part).checked_div(Decimal::from(whole)),
            Score::Number(n) => Some(n),
        }
    }
}

impl Counts {
    /// With as many populations as the group.
    pub fn of(group: &GroupDefinition) -> Self {
        Counts {
            populations: vec![PopulationCount::default(); group.populations.len()],
            ..Counts::default()
        }
    }

    /// The count of the first population of a code; 0 where the group has none.
    pub fn count(&self, group: &GroupDefinition, code: Code) -> u64 {
        let found = group.position(code).and_then(|i| i.get(&self.populations));
        found.map_or(0, |p| p.count)
    }

    /// `measureScore`; `None` for nothing out of nothing, where there is no score, and for a bare 0 or 1
    /// that could be anything between: nobody could be judged, and nothing was counted that says more.
    pub fn score(&self, group: &GroupDefinition) -> Option<Score> {
        self.measured(group).map(|(score, _)| score)
    }

    /// `measureScore` and its unit. Of a ratio the sides are brought to one unit where that can be, and
    /// it has none then; else it is a unit over a unit.
    pub fn measured(&self, group: &GroupDefinition) -> Option<(Score, Unit)> {
        let count = |code| self.count(group, code);
        let plain = |score: Option<Score>| score.map(|score| (score, None));
        match group.scoring {
            Scoring::Cohort => None,
            // Exclusions and exceptions are within the denominator, and so are whole numbers left.
            Scoring::Proportion => plain(
                fraction(
                    count(Code::Numerator).saturating_sub(count(Code::NumeratorExclusion)),
                    count(Code::Denominator)
                        .saturating_sub(count(Code::DenominatorExclusion))
                        .saturating_sub(count(Code::DenominatorException)),
                )
                .filter(|score| !self.is_bare(score)),
            ),
            Scoring::Ratio => {
                let (numerator, over) =
                    self.side(group, Code::Numerator, Code::NumeratorExclusion)?;
                let (denominator, under) =
                    self.side(group, Code::Denominator, Code::DenominatorExclusion)?;
                if let (Score::Fraction(n, _), Score::Fraction(d, _)) = (numerator, denominator) {
                    return plain(fraction(n, d));
                }
                let (n, d) = (numerator.decimal()?, denominator.decimal()?);
                let units = Units::default();
                let (d, unit) = match convert(&units, d, &under, &over) {
                    Some(d) => (d, None),
                    None => (d, quotient(&units, &over, &under)),
                };
                Some((Score::Number(n.checked_div(d)?), unit))
            }
            Scoring::ContinuousVariable => {
                let index = group.position(Code::MeasureObservation)?;
                let population = index.get(&group.populations)?;
                let value = self.aggregate(population, index)?;
                Some((Score::Number(value), self.unit(population, index)))
            }
        }
    }

    /// Whether a rate says nothing: all or nothing was counted, and it could be anything.
    fn is_bare(&self, score: &Score) -> bool {
        let all_or_nothing = matches!(score, Score::Fraction(n, d) if *n == 0 || n == d);
        all_or_nothing && self.rate_bounds() == Some((0.0, 1.0))
    }

    /// A side of a ratio: the aggregate of its observations and its unit, or how many members it has
    /// (as a fraction of one).
    fn side(&self, group: &GroupDefinition, code: Code, exclusion: Code) -> Option<(Score, Unit)> {
        let populations = PopulationIndex::each(&group.populations);
        let mut observations = populations.filter(|(_, p)| p.code == Code::MeasureObservation);
        let of = |p: &PopulationDefinition| {
            let of = p.reference.and_then(|i| i.get(&group.populations));
            of.is_some_and(|of| of.code == code)
        };
        if let Some((index, population)) = observations.find(|(_, p)| of(p)) {
            // A sum over nobody is nothing here: a ratio of no falls to many days is 0.
            let nothing = population.aggregate_method.unwrap_or(AggregateMethod::Sum);
            let empty = matches!(nothing, AggregateMethod::Sum | AggregateMethod::Count);
            let value = self.aggregate(population, index);
            let value = value.or_else(|| {
                let none = index.get(&self.populations)?.observed.count() == 0;
                (empty && none).then_some(Decimal::ZERO)
            });
            return value.map(|value| (Score::Number(value), self.unit(population, index)));
        }
        let members = self.count(group, code);
        let members = members.saturating_sub(self.count(group, exclusion));
        Some((Score::Fraction(members, 1), None))
    }

    /// The aggregate of an observation, by its method; a sum where it has none.
    pub fn aggregate(
        &self,
        population: &PopulationDefinition,
        index: PopulationIndex,
    ) -> Option<Decimal> {
        let method = population.aggregate_method.unwrap_or(AggregateMethod::Sum);
        index.get(&self.populations)?.observed.aggregate(method)
    }

    /// The unit of that aggregate.
    pub fn unit(&self, population: &PopulationDefinition, index: PopulationIndex) -> Unit {
        let method = population.aggregate_method.unwrap_or(AggregateMethod::Sum);
        index.get(&self.populations)?.observed.unit(method)
    }

    /// The lowest and highest rate there could be if all that could not be told were known. `None`
    /// where that cannot be bounded, or nothing is uncertain.
    pub fn rate_bounds(&self) -> Option<(f64, f64)> {
        self.bounds.as_ref()?.rates()
    }
}

fn fraction(part: u64, whole: u64) -> Option<Score> {
    (whole > 0).then_some(Score::Fraction(part, whole))
}
