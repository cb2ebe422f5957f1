//! A job, done: measures are selected and linked, the lake is opened, patients are evaluated, and what
//! comes of it is written into a folder.

use measures::explain::Explanation;
use measures::explain::funnel::PopulationFunnel;

use crate::error::RunError;
use crate::explain::Answer;
use crate::gaps::GapsResult;
use crate::job::{Folders, Job, Listener, Task};
use crate::prepared_job::PreparedJob;
use crate::run_result::RunResult;

/// The result of a job.
pub enum JobResult {
    /// Results of measures.
    Run(Box<RunResult>),
    /// Gaps in care.
    Gaps(GapsResult),
    /// Why a patient is in a population or is not.
    Explained(Answer<Vec<Explanation>>),
    /// Which clause loses how many.
    Funnel(Answer<Vec<PopulationFunnel>>),
}

impl Job {
    /// Prepares the job and does it.
    pub async fn run(
        self,
        folders: Folders<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<JobResult, RunError> {
        self.prepare(listen).await?.run(folders, listen).await
    }
}

impl PreparedJob {
    /// Does it.
    pub async fn run(
        &self,
        folders: Folders<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<JobResult, RunError> {
        Ok(match &self.job.task {
            Task::Run(task) => {
                JobResult::Run(Box::new(self.results(task, folders.results, listen).await?))
            }
            Task::Gaps(task) => JobResult::Gaps(self.gaps(task, folders, listen).await?),
            Task::Explain { depth, .. } => JobResult::Explained(self.explain(*depth).await?),
            Task::Funnel { within, .. } => {
                JobResult::Funnel(self.funnel(*within, folders.scratch, listen).await?)
            }
        })
    }
}
