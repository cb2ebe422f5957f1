//! What a measure is made of, whatever language it is written in: all that totals, reports and gaps
//! need to know of it.

use engine_patient::program::Artifact;

use crate::package::{
    Basis, GroupDefinition, PopulationCode, PopulationDefinition, Scoring, StratifierDefinition,
    SupplementalDefinition,
};
use crate::result::Improvement;

/// A measure's name and parts.
#[derive(Clone, Debug)]
pub struct MeasureShape {
    /// Its name.
    pub artifact: Artifact,
    /// Its groups.
    pub groups: Vec<GroupDefinition>,
    /// Its supplemental data and risk variables.
    pub supplemental: Vec<SupplementalDefinition>,
}

/// The populations of a care gap written in CEL, and of an SQL measure, in the order of their rows.
const SIMPLE: [PopulationCode; 4] = [
    PopulationCode::InitialPopulation,
    PopulationCode::Denominator,
    PopulationCode::DenominatorExclusion,
    PopulationCode::Numerator,
];

impl MeasureShape {
    /// A proportion with one group: `initial-population`, `denominator`, `denominator-exclusion`,
    /// `numerator`.
    pub fn simple(artifact: Artifact, improvement: Improvement, basis: Basis) -> Self {
        let population = |code: PopulationCode| PopulationDefinition {
            id: None,
            code,
            expression: String::new(),
            reference: None,
            aggregate_method: None,
            criteria_reference: None,
            display: None,
            description: None,
            path: String::new(),
        };
        let group = GroupDefinition {
            id: None,
            scoring: Scoring::Proportion,
            basis,
            improvement_notation: Some(improvement),
            code: None,
            description: None,
            rate_aggregation: None,
            populations: SIMPLE.into_iter().map(population).collect(),
            stratifiers: vec![],
            path: String::new(),
        };
        MeasureShape {
            artifact,
            groups: vec![group],
            supplemental: vec![],
        }
    }

    /// With one stratifier in its only group.
    pub fn stratified(mut self, by: &str) -> Self {
        for group in &mut self.groups {
            group.stratifiers.push(StratifierDefinition {
                id: None,
                code: Some(by.to_owned()),
                expression: None,
                description: None,
                components: vec![],
                applies_to: vec![],
                path: String::new(),
            });
        }
        self
    }

    /// Which way is better, where all groups say the same.
    pub fn improvement(&self) -> Option<Improvement> {
        let first = self.groups.first()?.improvement_notation?;
        let same = self
            .groups
            .iter()
            .all(|g| g.improvement_notation == Some(first));
        same.then_some(first)
    }

    /// `url|version`
    pub fn canonical(&self) -> String {
        format!("{}|{}", self.artifact.url, self.artifact.version)
    }
}

impl GroupDefinition {
    /// The first population of a code.
    pub fn position(&self, code: PopulationCode) -> Option<usize> {
        self.populations.iter().position(|p| p.code == code)
    }

    /// What is counted, for people.
    pub fn unit(&self) -> &str {
        match &self.basis {
            Basis::Boolean => "patients",
            Basis::Resource(name) => name,
        }
    }

    /// Its name within a measure of several: its id, or its number.
    pub fn name(&self, index: usize) -> String {
        self.id
            .clone()
            .unwrap_or_else(|| format!("group {}", index + 1))
    }
}
