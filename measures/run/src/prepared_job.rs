//! A job that can be done: its measures are linked, its lake is open.

use engine_patient::plural::several;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_population::lake::Lake;
use measures::manifest::Manifest;
use measures::result::MeasureResult;
use measures::structure::MeasureStructure;

use crate::attribution::{Asked, Attribution};
use crate::error::RunError;
use crate::evaluate::{Pass, RunStatistics, run_programs};
use crate::job::{Event, Job, Listener, Task};
use crate::lake_dates::LakeDates;
use crate::manifest;
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
    /// That the lake has nothing in the period.
    pub(crate) outside: Option<String>,
}

/// The results of an evaluation of the lake.
pub(crate) struct Evaluated {
    pub(crate) results: Vec<MeasureResult>,
    pub(crate) statistics: RunStatistics,
    pub(crate) structures: Vec<Arc<MeasureStructure>>,
    /// Nothing where no program was run.
    pub(crate) rows: Option<PathBuf>,
}

impl Job {
    /// The lake, where the patient that is asked for is in it.
    async fn open(&self) -> Result<(Lake, LakeDates), RunError> {
        let lake = Lake::open(&self.lake, self.snapshot).await?;
        let dates = LakeDates::new(&lake, self.threads)?;
        match &self.subject {
            Some(id) if !dates.has_patient(id).await? => Err(no_patient(id)),
            _ => Ok((lake, dates)),
        }
    }

    /// Selects and links the measures, and opens the lake.
    ///
    /// # Errors
    /// What is wrong with what was asked, all at once where that can be.
    pub async fn prepare(self, listen: &mut Listener<'_>) -> Result<PreparedJob, RunError> {
        let context = self.context();
        // What is wrong with the call is told before what is remarkable about packages.
        let opened = self.open().await;
        // Rules and packages read the same value sets: what is told of them is told once.
        let mut told = BTreeSet::new();
        let mut tell = |text: &str| {
            if opened.is_ok() && told.insert(text.to_owned()) {
                listen(Event::Note(text));
            }
        };
        let selected = match &self.task {
            Task::Run(task) => Selected::for_run(&self, task, &mut tell),
            Task::Gaps(task) => Selected::for_gaps(&self, task, &mut tell),
            Task::Explain { rules, .. } | Task::Funnel { rules, .. } => {
                Selected::for_explanation(&self, rules, &mut tell)
            }
        };
        let (lake, dates, selected) = match (opened, selected) {
            (Ok((lake, dates)), Ok(selected)) => (lake, dates, selected),
            (Err(mistake), Ok(_)) | (Ok(_), Err(mistake)) => return Err(mistake),
            (Err(call), Err(packages)) => return Err(call.and(&packages)),
        };
        let outside = match self.subject {
            // Of one patient the result itself tells.
            Some(_) => None,
            None => dates.outside(self.period, &self.zone).await?,
        };
        if let Some(outside) = &outside {
            listen(Event::Note(&format!("warning: {outside}")));
        }
        let manifest = manifest::manifest(&self, &lake, &context, &selected)?;
        Ok(PreparedJob {
            lake,
            context,
            selected,
            manifest,
            outside,
            job: self,
        })
    }
}

impl PreparedJob {
    /// Evaluates all programs, and writes their rows.
    pub(crate) async fn evaluate(
        &self,
        folder: &Path,
        listen: &mut Listener<'_>,
    ) -> Result<Evaluated, RunError> {
        let rows = folder.join("results.parquet");
        let programs = &self.selected.programs;
        let structures = programs.iter().flat_map(|p| p.structures.clone()).collect();
        let (results, statistics, rows) = match programs.is_empty() {
            true => (vec![], RunStatistics::default(), None),
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
                let (results, statistics) = run_programs(&pass).await?;
                listen(Event::Evaluated);
                if let (Some(id), 0) = (&self.job.subject, statistics.evaluate.patients) {
                    return Err(no_patient(id));
                }
                (results, statistics, Some(rows))
            }
        };
        Ok(Evaluated {
            results,
            statistics,
            structures,
            rows,
        })
    }

    /// What attribution of these patients goes by.
    pub(crate) fn attribution<'a>(
        &'a self,
        kinds: &'a [Attribution],
        patients: &'a Arc<HashSet<String>>,
    ) -> Asked<'a> {
        let zone = &self.job.zone;
        let (first, last) = self.job.period;
        Asked {
            lake: &self.lake,
            threads: self.job.threads,
            zone,
            period: (first.earliest(zone), last.latest(zone)),
            at: self.context.at.latest(zone),
            kinds,
            patients,
        }
    }

    /// Measures that could not be run, or were given up on the way; the last decides how the job ended.
    pub(crate) fn missing(&self, statistics: &RunStatistics) -> Vec<RunError> {
        let packages = self.selected.packages.as_ref();
        let given_up = given_up(statistics);
        let incomplete = packages.and_then(|p| p.incomplete()).map(RunError::from);
        given_up.into_iter().chain(incomplete).collect()
    }
}

/// A subject that the lake does not have.
pub(crate) fn no_patient(id: &str) -> RunError {
    RunError::User(format!("the lake has no patient `{id}`"))
}

/// Measures that the run gave up: which, and why.
fn given_up(statistics: &RunStatistics) -> Option<RunError> {
    let all = statistics.given_up.iter();
    let all: Vec<String> = all
        .map(|(artifact, why)| format!("  {}|{}: {why}", artifact.url, artifact.version))
        .collect();
    (!all.is_empty()).then(|| {
        RunError::Unsupported(format!(
            "{} not evaluable for anybody:\n{}\nwith --patient-steps and --patient-memory a patient may use more",
            several(
                all.len() as u64,
                "measure was given up, and is",
                "measures were given up, and are"
            ),
            all.join("\n")
        ))
    })
}
