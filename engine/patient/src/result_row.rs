//! What an evaluation gives: typed rows, and what they are of.

use std::fmt;
use std::sync::Arc;

use crate::system::truth::Truth;
use crate::value::Value;

/// What a population of a measure is for: FHIR code system `measure-population`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PopulationCode {
    /// Everyone the measure is about.
    InitialPopulation,
    /// What was achieved.
    Numerator,
    /// What does not count as achieved.
    NumeratorExclusion,
    /// Who is measured.
    Denominator,
    /// Who is taken out before the numerator is looked at.
    DenominatorExclusion,
    /// Who is taken out if the numerator is not met.
    DenominatorException,
    /// What is observed in a continuous variable measure.
    MeasurePopulation,
    /// What is taken out of the measure population.
    MeasurePopulationExclusion,
    /// The observed value.
    MeasureObservation,
}

impl PopulationCode {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::InitialPopulation,
        Self::Numerator,
        Self::NumeratorExclusion,
        Self::Denominator,
        Self::DenominatorExclusion,
        Self::DenominatorException,
        Self::MeasurePopulation,
        Self::MeasurePopulationExclusion,
        Self::MeasureObservation,
    ];

    /// The FHIR code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InitialPopulation => "initial-population",
            Self::Numerator => "numerator",
            Self::NumeratorExclusion => "numerator-exclusion",
            Self::Denominator => "denominator",
            Self::DenominatorExclusion => "denominator-exclusion",
            Self::DenominatorException => "denominator-exception",
            Self::MeasurePopulation => "measure-population",
            Self::MeasurePopulationExclusion => "measure-population-exclusion",
            Self::MeasureObservation => "measure-observation",
        }
    }

    /// The one with this code; letter case counts nothing.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|c| c.as_str().eq_ignore_ascii_case(code))
    }
}

/// Which of a group's populations, in the order of the measure. A group may have two of one code, so
/// that the code alone does not say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PopulationIndex(u32);

impl PopulationIndex {
    /// From a position; one beyond 2^32 is none that a measure has.
    #[must_use]
    pub fn new(position: usize) -> Self {
        PopulationIndex(u32::try_from(position).unwrap_or(u32::MAX))
    }

    /// As it stands in the column `index`.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// As a position.
    #[must_use]
    pub fn position(self) -> usize {
        self.0 as usize
    }

    /// Its place in a list of all of the group's populations.
    #[must_use]
    pub fn get<T>(self, of: &[T]) -> Option<&T> {
        of.get(self.0 as usize)
    }

    /// As [`PopulationIndex::get`], to change it.
    pub fn get_mut<T>(self, of: &mut [T]) -> Option<&mut T> {
        of.get_mut(self.0 as usize)
    }

    /// The members of such a list, each with its index.
    pub fn each<T>(of: &[T]) -> impl DoubleEndedIterator<Item = (PopulationIndex, &T)> + Clone {
        let all = of.iter().enumerate();
        all.map(|(position, one)| (PopulationIndex::new(position), one))
    }
}

/// What a result row is of, and which one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RowKind {
    /// A population of a group: a membership, a member, a count of a stratum or an observation.
    Population(PopulationCode, PopulationIndex),
    /// A value of the measure's supplemental data, by its position.
    SupplementalData(u32),
    /// The same, of a risk variable.
    RiskAdjustment(u32),
    /// A stratifier of the group that could not be told.
    Stratifier(u32),
    /// The outcomes of the clauses of a population's criterion, a letter each.
    Clauses(PopulationIndex),
    /// References of the resources that were looked at.
    EvaluatedResources,
    /// The latest resource that a criterion looks for, as JSON: `resource`, `code`, `date`, `value`,
    /// `negated`.
    Evidence,
}

impl RowKind {
    /// As it stands in the column `population`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RowKind::Population(code, _) => code.as_str(),
            RowKind::SupplementalData(_) => "supplemental-data",
            RowKind::RiskAdjustment(_) => "risk-adjustment",
            RowKind::Stratifier(_) => "stratifier",
            RowKind::Clauses(_) => "clauses",
            RowKind::EvaluatedResources => "evaluated-resource",
            RowKind::Evidence => "evidence",
        }
    }

    /// As it stands in the column `index`.
    #[must_use]
    pub fn index(self) -> u32 {
        match self {
            RowKind::Population(_, at) | RowKind::Clauses(at) => at.number(),
            RowKind::SupplementalData(at)
            | RowKind::RiskAdjustment(at)
            | RowKind::Stratifier(at) => at,
            RowKind::EvaluatedResources | RowKind::Evidence => 0,
        }
    }

    /// From the two columns; `None` for a word that no row has.
    #[must_use]
    pub fn of(word: &str, index: u32) -> Option<Self> {
        let at = PopulationIndex(index);
        Some(match word {
            "supplemental-data" => RowKind::SupplementalData(index),
            "risk-adjustment" => RowKind::RiskAdjustment(index),
            "stratifier" => RowKind::Stratifier(index),
            "clauses" => RowKind::Clauses(at),
            "evaluated-resource" => RowKind::EvaluatedResources,
            "evidence" => RowKind::Evidence,
            code => RowKind::Population(PopulationCode::of(code)?, at),
        })
    }

    /// The same kind at another index: words of a column are read once, not for every row.
    #[must_use]
    pub fn at(self, index: u32) -> Self {
        let population = PopulationIndex(index);
        match self {
            RowKind::Population(code, _) => RowKind::Population(code, population),
            RowKind::SupplementalData(_) => RowKind::SupplementalData(index),
            RowKind::RiskAdjustment(_) => RowKind::RiskAdjustment(index),
            RowKind::Stratifier(_) => RowKind::Stratifier(index),
            RowKind::Clauses(_) => RowKind::Clauses(population),
            RowKind::EvaluatedResources => RowKind::EvaluatedResources,
            RowKind::Evidence => RowKind::Evidence,
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One outcome of one program for one patient.
///
/// A row without `basis_id` is about the patient and is what is counted; a row with one tells a
/// member of it and is never counted itself. `measure-observation` has a row an observation, and none
/// where nothing was observed.
#[derive(Clone, PartialEq, Debug)]
pub struct ResultRow {
    /// Which of the program's artifacts it is of: a program may hold several measures.
    pub artifact: u16,
    /// Group of a measure, from 0.
    pub group: u32,
    /// What it is of.
    pub kind: RowKind,
    /// In a count within a stratum: which stratifier of the group.
    pub stratifier: Option<u32>,
    /// And which of its strata. Of several components: their values as a JSON array.
    pub stratum: Option<Arc<str>>,
    /// `Encounter/1`: the member it is about, where the basis is a resource.
    pub basis_id: Option<Arc<str>>,
    /// Whether it holds, as far as the data tells.
    pub outcome: Truth,
    /// What is counted: 1 or 0, or how many resources are members. `None`: unknown, counted as
    /// nothing. A number beside an unknown outcome is counted although something that would take it
    /// out could not be told.
    pub count: Option<i64>,
    /// An observation, due date or supplemental value, if there is one. An observation with a unit is
    /// a quantity.
    pub value: Value,
    /// Of a stratum, else of the value, where it is coded: a FHIR CodeableConcept as JSON; of a stratum
    /// of several components a JSON array of them, null for a component that is not coded.
    pub coding: Option<Arc<str>>,
    /// Why it is unknown. Names elements and units, never holds patient data.
    pub unknown_reason: Option<Arc<str>>,
}

impl ResultRow {
    /// A row about the patient in the first group: 1 where it holds, 0 where it does not.
    pub fn of_patient(kind: RowKind, outcome: Truth) -> Self {
        ResultRow {
            artifact: 0,
            group: 0,
            kind,
            stratifier: None,
            stratum: None,
            basis_id: None,
            outcome,
            count: outcome.counted(),
            value: Value::Null,
            coding: None,
            unknown_reason: None,
        }
    }

    /// A patient's row of a population of the first group.
    pub fn of_population(code: PopulationCode, index: usize, outcome: Truth) -> Self {
        let kind = RowKind::Population(code, PopulationIndex::new(index));
        ResultRow::of_patient(kind, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in a file is read as what was written.
    #[test]
    fn kinds_and_their_columns() {
        let codes = PopulationCode::ALL.into_iter();
        let mut all: Vec<RowKind> = codes
            .map(|code| RowKind::Population(code, PopulationIndex(2)))
            .collect();
        all.extend([
            RowKind::SupplementalData(1),
            RowKind::RiskAdjustment(2),
            RowKind::Stratifier(3),
            RowKind::Clauses(PopulationIndex(4)),
            RowKind::EvaluatedResources,
            RowKind::Evidence,
        ]);
        for kind in all {
            assert_eq!(RowKind::of(kind.as_str(), kind.index()), Some(kind));
            let word = RowKind::of(kind.as_str(), 0);
            assert_eq!(word.map(|w| w.at(kind.index())), Some(kind));
        }
        assert_eq!(RowKind::of("clause", 0), None);
    }
}
