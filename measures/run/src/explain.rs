//! Why one patient of a lake is in a population or is not; and which clause loses how many.

use std::path::Path;

use engine_patient::fhir::names::Name;
use engine_patient::program::PatientProgram;
use engine_patient::requirements::DataRequirement;
use measures::explain::funnel::{FunnelTotals, PopulationFunnel};
use measures::explain::{Explanation, explain};
use measures::official::ElmMeasures;
use measures::package::PopulationCode;

use crate::error::RunError;
use crate::evaluate::RunStatistics;
use crate::job::Listener;
use crate::prepared_job::PreparedJob;
use crate::rows::read_rows;

/// What was found, and what is missing from it.
pub struct Answer<T> {
    /// What was found.
    pub found: T,
    /// Measures that could not be run, or were given up.
    pub missing: Vec<RunError>,
}

/// Types of resources without a patient that the measures may need.
fn shared_types(program: &ElmMeasures) -> Vec<Name> {
    let requirements = program.data_requirements().iter();
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
        let none = || RunError::Internal("an explanation without a measure".into());
        let packages = self.selected.packages.as_ref().ok_or_else(none)?;
        let program = self.selected.official().ok_or_else(none)?;
        let types = shared_types(program);
        let record = engine_population::patient::record(&self.lake, id, &types).await?;
        let unknown = || RunError::User(format!("the lake has no patient `{id}`"));
        let record = record.ok_or_else(unknown)?;
        let structures = &packages.built.structures;
        Ok(Answer {
            found: explain(program, structures, &record, &self.context, depth)?,
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
        read_rows(&ran.rows, &ran.structures, &mut |subject| {
            totals.add(subject)
        })?;
        let program = self.selected.official();
        Ok(Answer {
            found: program.map_or_else(Vec::new, |program| totals.finish(program)),
            missing: self.missing(&ran.statistics),
        })
    }
}
