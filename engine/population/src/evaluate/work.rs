//! What all partitions of a run share.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::{PatientProgram, RowOptions};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::{DataRequirement, Match};
use tokio::sync::{OnceCell, Semaphore};

use super::budget::{Budgets, GivenUp};
use super::metrics::EvaluateMetrics;
use super::plan::Plan;
use super::slice::Slice;
use super::subjects::Subjects;
use crate::lake::reader::read_shared;
use crate::lake::systems::CodeSystems;
use crate::lake::{Lake, schema};

/// What all partitions share.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) lake: Lake,
    pub(super) programs: Vec<Arc<dyn PatientProgram>>,
    pub(super) plan: Arc<Plan>,
    pub(super) context: EvaluationContext,
    /// The code systems of the lake's codes.
    pub(super) systems: CodeSystems,
    /// Evaluate only these.
    pub(super) subjects: Option<Subjects>,
    /// Which rows are wanted.
    pub(super) rows: RowOptions,
    /// What is not evaluated any more.
    pub(super) given_up: GivenUp,
    /// What the pass may use.
    pub(super) budgets: Budgets,
    /// Resources that belong to no patient, of the types that programs may need; read once.
    pub(super) shared: OnceCell<Shared>,
    /// Partitions in memory at once.
    pub(super) turns: Arc<Semaphore>,
}

/// Resources without a patient, by type and id.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) types: Vec<Name>,
    pub(super) resources: HashMap<(Name, String), String>,
}

impl Shared {
    /// How many each requirement asks for. A resource is parsed once, whatever asks for it.
    async fn matches(&self, requirements: &[DataRequirement]) -> Result<Vec<usize>> {
        let mut of_type: HashMap<Name, Vec<(usize, &DataRequirement)>> = HashMap::new();
        for (index, requirement) in requirements.iter().enumerate() {
            let all = of_type.entry(requirement.resource_type).or_default();
            all.push((index, requirement));
        }
        let (mut record, mut counts) = (PatientRecord::new(), vec![0; requirements.len()]);
        let mut slice = Slice::begin();
        for ((ty, _), text) in &self.resources {
            let asked = of_type.get(ty).map_or(&[][..], Vec::as_slice);
            let coded = asked.iter().any(|(_, r)| r.codes.is_some());
            record.clear();
            if coded {
                record.push(text).map_err(|e| {
                    DataFusionError::Internal(format!("a stored resource cannot be read: {e}"))
                })?;
            }
            let resource = record.resources().next();
            for (index, requirement) in asked {
                let found = match requirement.codes {
                    None => true,
                    Some(_) => resource.map(|r| requirement.matches(r)) == Some(Match::Yes),
                };
                if let Some(count) = counts.get_mut(*index) {
                    *count += usize::from(found);
                }
            }
            slice.give_way().await;
        }
        Ok(counts)
    }
}

impl Work {
    /// The plan whose matches are counted: nothing in a run for some patients.
    pub(super) fn counted(&self) -> Option<&Plan> {
        self.subjects.is_none().then_some(&*self.plan)
    }

    /// The resources of the lake that belong to no patient; nothing where no program asks for any.
    /// Whoever reads them counts what they match, where that is counted: `facts` has no rows of them.
    pub(super) async fn shared(&self, metrics: &EvaluateMetrics) -> Result<&Shared> {
        let read = async {
            let requirements = self.plan.requirements.iter();
            let mut types: Vec<Name> = requirements
                .filter_map(DataRequirement::shared_type)
                .collect();
            types.sort_unstable();
            types.dedup();
            if types.is_empty() {
                return Ok(Shared::default());
            }
            let files = self.lake.files(schema::SHARED);
            let read = read_shared(&self.lake.store, files, &types).await;
            let resources = read.map_err(|e| DataFusionError::External(Box::new(e)))?;
            let shared = Shared { types, resources };
            if let Some(plan) = self.counted() {
                let counts = shared.matches(&plan.requirements).await?;
                for (hits, count) in metrics.hits.iter().zip(counts) {
                    hits.add(count);
                }
            }
            Ok(shared)
        };
        self.shared.get_or_try_init(|| read).await
    }
}
