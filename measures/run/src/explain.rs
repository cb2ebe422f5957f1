//! Why one patient of a lake is in a population or is not; and which clause loses how many.

use std::path::Path;

use engine_patient::fhir::names::Name;
use engine_patient::program::PatientProgram;
use engine_patient::requirements::DataRequirement;
use measures::explain::funnel::{FunnelTotals, PopulationFunnel, WrittenFunnel};
use measures::explain::{Explanation, explain};
use measures::package::PopulationCode;

use crate::error::RunError;
use crate::evaluate::RunStatistics;
use crate::explain_rule::explain_rule;
use crate::job::Listener;
use crate::prepared_job::{PreparedJob, no_patient};
use crate::rows::read_rows;

/// What was found, and what is missing from it.
pub struct Answer<T> {
    /// What was found.
    pub found: T,
    /// Measures that could not be run, or were given up.
    pub missing: Vec<RunError>,
}

/// Types of resources without a patient that the measures may need.
fn shared_types<'r>(requirements: impl Iterator<Item = &'r DataRequirement>) -> Vec<Name> {
    let mut types: Vec<Name> = requirements
        .filter_map(DataRequirement::shared_type)
        .collect();
    types.sort_unstable();
    types.dedup();
    types
}

impl PreparedJob {
    /// The patient's record is read from the lake, and every criterion traced.
    pub(crate) async fn explain(&self, depth: usize) -> Result<Answer<Vec<Explanation>>, RunError> {
        let nobody = || RunError::User("nobody to explain: say which patient".into());
        let id = self.job.subject.as_deref().ok_or_else(nobody)?;
        let official = self.selected.official();
        let rules = self.selected.care_gaps();
        let requirements = official.into_iter().flat_map(|p| p.data_requirements());
        let requirements = requirements.chain(rules.flat_map(|(rule, _)| rule.data_requirements()));
        let types = shared_types(requirements);
        let record = engine_population::patient::record(&self.lake, id, &types).await?;
        let record = record.ok_or_else(|| no_patient(id))?;
        let mut found = vec![];
        if let (Some(program), Some(packages)) = (official, &self.selected.packages) {
            let structures = &packages.built.structures;
            found = explain(program, structures, &record, &self.context, depth)?;
        }
        for (rule, structure) in self.selected.care_gaps() {
            let context = &self.context;
            found.push(explain_rule(rule, structure, &record, context, depth)?);
        }
        Ok(Answer {
            found,
            missing: self.missing(&RunStatistics::default()),
        })
    }

    /// Runs over the lake with clause outcomes, and sums them.
    pub(crate) async fn funnel(
        &self,
        within: Option<PopulationCode>,
        scratch: &Path,
        listen: &mut Listener<'_>,
    ) -> Result<Answer<Vec<PopulationFunnel>>, RunError> {
        let ran = self.evaluate(scratch, listen).await?;
        let mut totals = FunnelTotals::new(&ran.structures, within);
        read_rows(ran.rows.as_deref(), &ran.structures, &mut |subject| {
            totals.add(subject)
        })?;
        let first = self.selected.official().map_or(0, |p| p.artifacts().len());
        let rules = (first..).zip(self.selected.care_gaps());
        let rules = rules.flat_map(|(measure, (rule, _))| {
            rule.clauses().into_iter().map(move |of| WrittenFunnel {
                measure,
                population: of.population,
                expression: of.criterion.to_owned(),
                clauses: of.clauses,
                any: of.any,
            })
        });
        Ok(Answer {
            found: totals.finish(self.selected.official().map(|p| &**p), rules),
            missing: self.missing(&ran.statistics),
        })
    }
}
