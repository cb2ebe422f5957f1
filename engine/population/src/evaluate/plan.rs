//! What a run reads: the distinct data requirements of all programs.

use std::sync::Arc;

use engine_patient::program::{PatientProgram, RowOptions};
use engine_patient::requirements::DataRequirement;
use engine_patient::systems::{CodedElement, SystemsInUse};

use crate::lake::paths::{path_id, type_id};
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
    /// Elements of which each patient's own code systems are read, with where `facts` has them: those in
    /// which patients of this lake may be coded in systems that a program's value sets do not have.
    pub(super) asked_systems: Vec<(CodedElement, FactsKey)>,
}

/// What one artifact reads.
#[derive(Debug)]
pub(super) struct PlannedArtifact {
    pub(super) requirements: Vec<usize>,
    /// Each group needs a match of one of its members.
    pub(super) necessary: Vec<Vec<usize>>,
    /// Members of the groups that also a patient has whose codes are of other systems than those of the
    /// value set: the requirement, and the element's place among [`Plan::asked_systems`].
    pub(super) by_systems: Vec<(usize, usize)>,
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
            plan.ask_systems(program.as_ref(), systems);
            let by_systems: Vec<(usize, usize)> = program
                .data_requirements()
                .iter()
                .zip(&own)
                .filter_map(|(requirement, index)| {
                    let codes = requirement.codes.as_ref()?;
                    let element = (requirement.resource_type, codes.path);
                    let goes_by = program.coded_elements().contains(&element);
                    let asked = plan.asked_systems.iter().filter(|_| goes_by);
                    let place = asked.map(|(e, _)| *e).position(|e| e == element)?;
                    Some((*index, place))
                })
                .collect();
            for artifact in 0..program.artifacts().len() {
                let necessary = program.necessary_requirements(artifact, rows);
                plan.artifacts.push(PlannedArtifact {
                    requirements: global(program.requirements_of(artifact)),
                    necessary: necessary.into_iter().map(global).collect(),
                    by_systems: by_systems.clone(),
                });
            }
        }
        plan.keys = plan.requirements.iter().map(FactsKey::of).collect();
        plan
    }

    /// Adds the elements of a program in which a patient may be coded otherwise.
    fn ask_systems(&mut self, program: &dyn PatientProgram, systems: Option<&SystemsInUse>) {
        let Some(used) = systems else {
            return;
        };
        for element in program.coded_elements() {
            let Some(path) = path_id(element.0, element.1) else {
                // All resources of the type are read.
                continue;
            };
            let is_known = self.asked_systems.iter().any(|(e, _)| e == element);
            if !is_known && used.may_mismatch(*element, program.compared()) {
                let key = FactsKey {
                    rtype: type_id(element.0),
                    path,
                    keys: vec![],
                };
                self.asked_systems.push((*element, key));
            }
        }
    }

    fn index(&mut self, requirement: &DataRequirement) -> usize {
        let found = self.requirements.iter().position(|r| r == requirement);
        found.unwrap_or_else(|| {
            self.requirements.push(requirement.clone());
            self.requirements.len() - 1
        })
    }
}
