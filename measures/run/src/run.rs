//! A job, done: measures are selected and linked, the lake is opened, patients are evaluated, and what
//! comes of it is written into a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};
use engine_population::views::Unusable;
use measures::explain::Explanation;
use measures::explain::funnel::PopulationFunnel;
use measures::manifest::Manifest;
use measures::report::ReportContext;
use measures::result::MeasureResult;
use measures::shape::MeasureShape;

use crate::attribution::{Attributed, attribute};
use crate::error::RunError;
use crate::evaluate::{Pass, RunStatistics, run_programs};
use crate::gaps::GapsResult;
use crate::job::{Event, Folders, Job, Listener, RunTask, Task};
use crate::record;
use crate::report_files::{subjects_csv, write_reports};
use crate::select::Selected;

/// A job whose measures are linked and whose lake is open: all that is wrong with what was asked has
/// been told before anything is computed.
pub struct PreparedJob {
    /// What was asked.
    pub job: Job,
    pub(crate) lake: Lake,
    pub(crate) context: EvaluationContext,
    pub(crate) selected: Selected,
    pub(crate) manifest: Manifest,
}

/// What a job came to.
pub enum JobResult {
    /// Results of measures.
    Run(RunResult),
    /// Gaps in care.
    Gaps(GapsResult),
    /// Why a patient is in a population or is not.
    Explained(Answer<Vec<Explanation>>),
    /// Which clause loses how many.
    Funnel(Answer<Vec<PopulationFunnel>>),
}

/// What was found, and what is missing from it.
pub struct Answer<T> {
    /// What was found.
    pub found: T,
    /// Measures that could not be run, or were given up.
    pub missing: Vec<RunError>,
}

/// Results of measures.
pub struct RunResult {
    /// Of programs in the order of [`RunResult::shapes`], then of SQL measures.
    pub results: Vec<MeasureResult>,
    /// What the evaluation counted.
    pub statistics: RunStatistics,
    /// As the measures of the result rows.
    pub shapes: Vec<Arc<MeasureShape>>,
    /// What reports have in common: period, manifest, ledger.
    pub report: ReportContext,
    /// Values that the views could not use, with the first of the resources: patient data.
    pub unusable: Vec<Unusable>,
    /// SQL measures that failed, then measures that could not be run or were given up; the last is the
    /// one that decides how the job ended.
    pub missing: Vec<RunError>,
    /// The result rows.
    pub rows: PathBuf,
    /// Names of the reports' files, in the order of the measures.
    pub reports: Vec<String>,
    /// By what patients are attributed to.
    pub attributed: Option<Attributed>,
}

/// What an evaluation of the lake came to.
pub(crate) struct Evaluated {
    pub(crate) results: Vec<MeasureResult>,
    pub(crate) statistics: RunStatistics,
    pub(crate) shapes: Vec<Arc<MeasureShape>>,
    pub(crate) rows: PathBuf,
}

impl Job {
    /// Selects and links the measures, and opens the lake.
    ///
    /// # Errors
    /// What is wrong with what was asked, all at once where that can be.
    pub async fn prepare(self, listen: &mut Listener<'_>) -> Result<PreparedJob, RunError> {
        let context = self.context();
        // Rules and packages read the same value sets: what is told of them is told once.
        let mut told = BTreeSet::new();
        let mut tell = |text: &str| {
            if told.insert(text.to_owned()) {
                listen(Event::Note(text));
            }
        };
        let selected = match &self.task {
            Task::Run(_) => Selected::for_run(&self, &mut tell)?,
            Task::Gaps(_) => Selected::for_gaps(&self, &mut tell)?,
            Task::Explain { .. } | Task::Funnel { .. } => {
                Selected::for_explanation(&self, &mut tell)?
            }
        };
        let lake = Lake::open(&self.lake, self.snapshot).await?;
        let manifest = record::manifest(&self, &lake, &context, &selected)?;
        Ok(PreparedJob {
            lake,
            context,
            selected,
            manifest,
            job: self,
        })
    }

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
            Task::Run(task) => JobResult::Run(self.results(*task, folders.results, listen).await?),
            Task::Gaps(task) => JobResult::Gaps(self.gaps(task, folders, listen).await?),
            Task::Explain { depth } => JobResult::Explained(self.explain(*depth).await?),
            Task::Funnel { within } => {
                JobResult::Funnel(self.funnel(*within, folders.scratch, listen).await?)
            }
        })
    }

    /// Evaluates all programs, and writes their rows.
    pub(crate) async fn evaluate(
        &self,
        folder: &Path,
        listen: &mut Listener<'_>,
    ) -> Result<Evaluated, RunError> {
        let rows = folder.join("results.parquet");
        let programs = &self.selected.programs;
        let shapes = programs.iter().flat_map(|p| p.shapes.clone()).collect();
        let (results, statistics) = match programs.is_empty() {
            true => (vec![], RunStatistics::default()),
            false => {
                listen(Event::Evaluating);
                let pass = Pass {
                    lake: &self.lake,
                    measures: programs,
                    context: &self.context,
                    rows: self.job.rows(),
                    subject: self.job.subject.as_deref(),
                    threads: self.job.threads,
                    file: &rows,
                };
                let ran = run_programs(&pass).await?;
                listen(Event::Evaluated);
                ran
            }
        };
        Ok(Evaluated {
            results,
            statistics,
            shapes,
            rows,
        })
    }

    async fn results(
        &self,
        task: RunTask,
        folder: &Path,
        listen: &mut Listener<'_>,
    ) -> Result<RunResult, RunError> {
        let ran = self.evaluate(folder, listen).await?;
        let mut results = ran.results;
        let (mut unusable, mut missing) = (vec![], vec![]);
        if !self.selected.queries.is_empty() {
            let session = session(&self.lake, self.job.threads)?;
            let notes = register_tables(&session, &self.lake)?;
            for query in &self.selected.queries {
                // One that fails does not take the others along.
                match query.run(&session, self.job.period).await {
                    Ok(result) => results.push(result),
                    Err(error) => missing.push(error),
                }
            }
            unusable = notes.list();
        }
        if let (Some(id), true) = (&self.job.subject, results.iter().all(|r| r.patients == 0)) {
            return Err(RunError::User(format!("the lake has no patient `{id}`")));
        }
        missing.extend(self.missing(&ran.statistics));
        let manifest = task.manifest.then_some(&self.manifest);
        let mut result = RunResult {
            report: record::report_context(self, manifest, &ran.statistics, &unusable),
            results,
            statistics: ran.statistics,
            shapes: ran.shapes,
            unusable,
            missing,
            rows: ran.rows,
            reports: vec![],
            attributed: None,
        };
        if task.files.reports {
            result.reports = write_reports(task.report, &result, folder)?;
        }
        if let Some(by) = task.by {
            let (threads, rows) = (self.job.threads, &result.rows);
            let attributed = attribute(by, &self.lake, threads, rows, &result.shapes);
            result.attributed = Some(attributed.await?);
        }
        if task.files.tables {
            if !self.selected.programs.is_empty() {
                subjects_csv(&result, &folder.join("subjects.csv"))?;
            }
            if let Some(attributed) = &result.attributed {
                let name = format!("by-{}.csv", attributed.by.as_str());
                let mut out = csv::Writer::from_path(folder.join(name))?;
                attributed.csv(&mut out)?;
                out.flush()?;
            }
        }
        if task.files.list {
            self.manifest.write(folder)?;
        }
        Ok(result)
    }

    /// Measures that could not be run, or were given up on the way; the last decides how the job ended.
    pub(crate) fn missing(&self, statistics: &RunStatistics) -> Vec<RunError> {
        let packages = self.selected.packages.as_ref();
        let given_up = record::given_up(statistics);
        let incomplete = packages.and_then(|p| p.incomplete()).map(RunError::from);
        given_up.into_iter().chain(incomplete).collect()
    }
}
