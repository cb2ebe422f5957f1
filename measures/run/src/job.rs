//! What is to be done: a job is data, so that a command line, a server or a worker can make one.

use std::path::{Path, PathBuf};

use engine_patient::context::EvaluationContext;
use engine_patient::program::RowOptions;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use measures::gaps::GapStatus;
use measures::official::Limits;
use measures::package::PopulationCode;
use measures::prepared::Packages;

use crate::attribution::Attribution;

/// Something to be found out of a lake.
#[derive(Clone, Debug)]
pub struct Job {
    /// Folder of the lake.
    pub lake: PathBuf,
    /// An older snapshot; otherwise the newest.
    pub snapshot: Option<u64>,
    /// Official measures.
    pub packages: Packages,
    /// First and last day.
    pub period: (DateTime, DateTime),
    /// CQL `Now()`; otherwise the end of the period.
    pub as_of: Option<DateTime>,
    /// Where dates, and date-times without an offset, are taken to be.
    pub zone: Zone,
    /// Only the patient of this id.
    pub subject: Option<String>,
    /// What the evaluation of a measure may use for one patient.
    pub limits: Limits,
    /// Who reports: `Organization/1`.
    pub reporter: Option<String>,
    /// Threads to work with.
    pub threads: usize,
    /// What is asked.
    pub task: Task,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Task {
    /// Results of measures.
    Run(RunTask),
    /// Gaps in care.
    Gaps(GapsTask),
    /// Why the patient is in a population or is not.
    Explain {
        /// How deep to go into criteria.
        depth: usize,
        /// Care gaps beside the measures of packages.
        rules: BesidePackages,
    },
    /// Which clause loses how many patients.
    Funnel {
        /// Only patients who count in this population.
        within: Option<PopulationCode>,
        /// Care gaps beside the measures of packages.
        rules: BesidePackages,
    },
}

/// Care gaps that are explained; without packages those that are built in are, too.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BesidePackages {
    /// Rules of the user's: files or folders.
    pub rules: Vec<PathBuf>,
    /// The built-in ones beside those of packages.
    pub built_in: bool,
}

/// Kinds of MeasureReports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// Counts.
    Summary,
    /// Counts, and who is in which population.
    SubjectList,
    /// A report a patient.
    Individual,
}

/// What is run beside packages, and how results are reported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunTask {
    /// Rules beside the built-in ones: files or folders.
    pub rules: Vec<PathBuf>,
    /// The built-in measures beside those of packages; without packages they are run anyway.
    pub built_in: bool,
    /// Which MeasureReports.
    pub report: Report,
    /// Which files to write beside `results.parquet`.
    pub files: RunFiles,
    /// Whether reports name the run.
    pub manifest: bool,
    /// Also by what patients are attributed to.
    pub by: Option<Attribution>,
    /// A letter per clause and patient in the result rows.
    pub clauses: bool,
}

/// Files of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunFiles {
    /// MeasureReports.
    pub reports: bool,
    /// The list of subjects, and the totals by attribution, as CSV.
    pub tables: bool,
    /// `run.json`: what decides the numbers, and the files that were written.
    pub list: bool,
}

/// Which gaps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GapsTask {
    /// Of these statuses; all but not applicable where it is empty.
    pub statuses: Vec<GapStatus>,
    /// Rules of the user's: files or folders.
    pub rules: Vec<PathBuf>,
    /// The built-in care gaps beside those of packages; without packages they are run anyway.
    pub built_in: bool,
    /// Write the gaps with who the patients are and how to reach them, and `run.json`.
    pub list: bool,
    /// Write a DEQM document a patient, and `run.json`.
    pub documents: bool,
}

impl GapsTask {
    /// Whether gaps of a status are asked for.
    pub fn wants(&self, status: GapStatus) -> bool {
        match self.statuses.as_slice() {
            [] => status != GapStatus::NotApplicable,
            some => some.contains(&status),
        }
    }
}

impl Job {
    /// The moment, zone and period that evaluations are told.
    pub fn context(&self) -> EvaluationContext {
        let (start, end) = self.period;
        let mut context = EvaluationContext::for_period(start, end, self.zone.clone());
        if let Some(at) = self.as_of {
            context.at = at;
        }
        context
    }

    /// Which result rows are wanted.
    pub fn rows(&self) -> RowOptions {
        let rows = match &self.task {
            Task::Run(task) => RowOptions {
                clauses: task.clauses,
                evidence: false,
                evaluated_resources: task.report == Report::Individual,
                sparse: true,
            },
            Task::Gaps(task) => RowOptions {
                evaluated_resources: task.documents,
                // Only the list tells it.
                evidence: task.list,
                ..RowOptions::default()
            },
            Task::Funnel { .. } => RowOptions {
                clauses: true,
                ..RowOptions::default()
            },
            Task::Explain { .. } => RowOptions::default(),
        };
        // Reports of one patient, and a funnel, are about those of whom nothing holds, too.
        let whole = self.subject.is_some() || rows.evaluated_resources || rows.clauses;
        RowOptions {
            sparse: rows.sparse && !whole,
            ..rows
        }
    }
}

/// Where a job writes; both must be there.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'f> {
    /// The results that were asked for.
    pub results: &'f Path,
    /// Result rows that were not, kept as long as the [`JobResult`] is read.
    ///
    /// [`JobResult`]: crate::JobResult
    pub scratch: &'f Path,
}

/// What happens while a job is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'e> {
    /// Something for people: a warning, or what is left out.
    Note(&'e str),
    /// The evaluation of the lake's patients begins.
    Evaluating,
    /// It has ended; what follows is reporting.
    Evaluated,
}

/// Is told what happens.
pub type Listener<'l> = dyn FnMut(Event<'_>) + Send + 'l;
