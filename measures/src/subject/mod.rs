//! A patient's results of a measure, and how they are gathered from result rows.

mod gather;

use std::sync::Arc;

use engine_patient::program::PopulationIndex;
use engine_patient::system::truth::Truth;
use rust_decimal::Decimal;

use crate::observation_quantity::{ObservationQuantity, Unit};
pub use gather::{Foreign, Gatherer, RowView, subjects};

/// All rows of a measure and a patient.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Index of the measure among those that rows were gathered for.
    pub measure: usize,
    /// The patient's id.
    pub patient: String,
    /// As the measure's groups.
    pub groups: Vec<SubjectGroup>,
    /// Values of supplemental data.
    pub supplemental: Vec<SupplementalValue>,
    /// Clause outcomes: group, population, a letter a clause. Only where a run writes them.
    pub clauses: Vec<(usize, PopulationIndex, String)>,
    /// References of the resources that were looked at. Only where a run writes them.
    pub evaluated: Vec<String>,
    /// The last evidence, as JSON. Only where a run writes it.
    pub evidence: Option<String>,
}

/// A group's rows of a patient.
#[derive(Clone, Debug, Default)]
pub struct SubjectGroup {
    /// As the group's populations.
    pub populations: Vec<Membership>,
    /// Resources of a resource basis, by population.
    pub members: Vec<Member>,
    /// Observations, of the whole and of strata.
    pub observations: Vec<Observation>,
    /// Counts within strata.
    pub strata: Vec<StratumCount>,
    /// Stratifiers that could not be told, and why.
    pub strata_unknown: Vec<(usize, Arc<str>)>,
}

impl SubjectGroup {
    /// Whether something of the patient could not be told: a criterion, an observation, a stratum.
    pub fn is_unknown(&self) -> bool {
        let mut populations = self.populations.iter();
        // A value that is in doubt is counted, and is not evaluable.
        let open = |o: &Observation| o.value.is_none() || o.reason.is_some();
        let mut observations = self.observations.iter().filter(|o| o.stratum.is_none());
        populations.any(|p| p.outcome == Truth::Unknown)
            || observations.any(open)
            || !self.strata_unknown.is_empty()
    }
}

/// A patient's row of a population. Without a row it is false.
#[derive(Clone, Debug)]
pub struct Membership {
    /// What is certain.
    pub outcome: Truth,
    /// What is counted.
    pub count: u64,
    /// Why it is unknown.
    pub reason: Option<Arc<str>>,
    /// A due date.
    pub value: Option<String>,
}

impl Default for Membership {
    fn default() -> Self {
        Membership {
            outcome: Truth::False,
            count: 0,
            reason: None,
            value: None,
        }
    }
}

/// A resource of a population.
#[derive(Clone, Debug)]
pub struct Member {
    /// Which population.
    pub population: PopulationIndex,
    /// `Encounter/1`
    pub id: String,
    /// What is certain.
    pub outcome: Truth,
    /// Whether it counts.
    pub counted: bool,
    /// Why it is unknown.
    pub reason: Option<Arc<str>>,
}

/// An observation.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Which population.
    pub population: PopulationIndex,
    /// Within a stratum.
    pub stratum: Option<(usize, Arc<str>)>,
    /// Of which resource.
    pub id: Option<String>,
    /// `None` is null.
    pub value: Option<Decimal>,
    /// The value's unit.
    pub unit: Unit,
    /// Why it is null; of a value, why it is not certain.
    pub reason: Option<Arc<str>>,
}

impl Observation {
    /// Number and unit; `None` is null.
    pub fn quantity(&self) -> Option<ObservationQuantity> {
        let unit = self.unit.clone();
        self.value.map(|value| ObservationQuantity {
            value,
            unit,
            doubt: self.reason.clone(),
        })
    }
}

/// A count within a stratum.
#[derive(Clone, Debug)]
pub struct StratumCount {
    /// Index of the stratifier.
    pub stratifier: usize,
    /// The stratum's value.
    pub stratum: Arc<str>,
    /// Its codings.
    pub coding: Option<Arc<str>>,
    /// Which population.
    pub population: PopulationIndex,
    /// What is certain.
    pub outcome: Truth,
    /// What is counted.
    pub count: u64,
    /// Why it is unknown.
    pub reason: Option<Arc<str>>,
}

/// A value of supplemental data.
#[derive(Clone, Debug)]
pub struct SupplementalValue {
    /// Index among the measure's.
    pub index: usize,
    /// The value, or why it could not be told.
    pub value: Result<String, Arc<str>>,
    /// Its codings, as a FHIR CodeableConcept in JSON.
    pub coding: Option<Arc<str>>,
}
