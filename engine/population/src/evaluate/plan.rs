//! What a run reads: the distinct data requirements of all programs.

use std::sync::Arc;

use engine_patient::program::{PatientProgram, RowOptions};
use engine_patient::requirements::DataRequirement;
use engine_patient::systems::SystemsInUse;

use crate::lake::reader::FactsKey;

/// The distinct data requirements of all programs, and which of them each artifact has.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) requirements: Vec<DataRequirement>,
    pub(super) keys: Vec<FactsKey>,
    /// The artifacts of all programs, one after the other.
    pub(super) artifacts: Vec<PlannedArtifact>,
    /// Matches count as necessary ones within these moments, where all programs say the same.
    pub(super) within: Option<(i64, i64)>,
}

/// What one artifact reads.
#[derive(Debug)]
pub(super) struct PlannedArtifact {
    pub(super) requirements: Vec<usize>,
    /// Each group needs a match of one of its members.
    pub(super) necessary: Vec<Vec<usize>>,
}

impl Plan {
    pub(super) fn new(
        programs: &[Arc<dyn PatientProgram>],
        systems: Option<&SystemsInUse>,
        rows: RowOptions,
    ) -> Plan {
        let mut within = programs.iter().map(|program| program.necessary_within());
        let first = within.next().flatten();
        let mut plan = Plan {
            within: first.filter(|_| within.all(|other| other == first)),
            ..Plan::default()
        };
        for program in programs {
            let own: Vec<usize> = program
                .data_requirements()
                .iter()
                .map(|r| plan.index(r))
                .collect();
            let global = |indices: Vec<usize>| -> Vec<usize> {
                indices
                    .into_iter()
                    .filter_map(|i| own.get(i).copied())
                    .collect()
            };
            // Of what the lake codes in other systems, no match is not "no".
            let foreign = |r: &usize| {
                let requirement = program.data_requirements().get(*r);
                let codes = requirement.and_then(|r| Some((r, r.codes.as_ref()?)));
                codes.is_some_and(|(r, codes)| {
                    let element = (r.resource_type, codes.path);
                    let told = systems.filter(|_| program.coded_elements().contains(&element));
                    told.is_some_and(|s| s.mismatch(element, &codes.value_set).is_some())
                })
            };
            for artifact in 0..program.artifacts().len() {
                let mut necessary = program.necessary_requirements(artifact, rows);
                necessary.retain(|group| !group.iter().any(foreign));
                plan.artifacts.push(PlannedArtifact {
                    requirements: global(program.requirements_of(artifact)),
                    necessary: necessary.into_iter().map(global).collect(),
                });
            }
        }
        plan.keys = plan.requirements.iter().map(FactsKey::of).collect();
        plan
    }

    fn index(&mut self, requirement: &DataRequirement) -> usize {
        let found = self.requirements.iter().position(|r| r == requirement);
        found.unwrap_or_else(|| {
            self.requirements.push(requirement.clone());
            self.requirements.len() - 1
        })
    }
}
