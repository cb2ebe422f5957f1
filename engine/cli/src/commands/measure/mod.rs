//! `tandem measure`

mod arguments;
mod attributed;
mod check;
mod explain;
mod gaps;
mod list;
mod print;
mod run;
mod test;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use measures_run::{Event, Folders, Job, JobResult, PreparedJob, RunError};

pub use arguments::{parse_period, parse_zone};
pub use print::{print_table, print_unmatched};

use super::runtime;
use crate::failure::{Done, Failure};
use crate::staged::Staged;

/// Run measures over a lake.
#[derive(Args)]
pub struct Measure {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Check(check::Check),
    Test(test::Test),
    Explain(explain::Explain),
    Gaps(gaps::Gaps),
    List(list::List),
}

impl Measure {
    pub fn run(self) -> Done {
        match self.command {
            Command::Run(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Test(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Gaps(command) => command.run(),
            Command::List(command) => command.run(),
        }
    }
}

impl From<RunError> for Failure {
    fn from(e: RunError) -> Self {
        match e {
            RunError::User(text) => Failure::User(text),
            RunError::Unsupported(text) => Failure::Unsupported(text),
            RunError::Internal(text) => Failure::Internal(text),
        }
    }
}

impl From<measures::error::MeasureError> for Failure {
    fn from(e: measures::error::MeasureError) -> Self {
        Failure::from(RunError::from(e))
    }
}

/// What is said of a file with a line a patient.
const PATIENT_DATA: &str = "holds patient data: names, birth dates, identifiers, telephone numbers";

/// Notes go to standard error.
pub fn tell(text: &str) {
    note!("{text}");
}

/// Does jobs: notes are told, and the evaluation is timed.
pub struct Work {
    runtime: tokio::runtime::Runtime,
    begun: Option<Instant>,
    /// How long the evaluation took.
    pub took: Duration,
    scratch: tempfile::TempDir,
}

impl Work {
    pub fn new() -> Result<Self, Failure> {
        let scratch = tempfile::tempdir();
        Ok(Work {
            runtime: runtime()?,
            begun: None,
            took: Duration::ZERO,
            scratch: scratch.map_err(|e| Failure::from(RunError::from(e)))?,
        })
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Note(text) => tell(text),
            Event::Evaluating => self.begun = Some(Instant::now()),
            Event::Evaluated => self.took = self.begun.map_or(Duration::ZERO, |b| b.elapsed()),
        }
    }

    /// Links the measures and opens the lake.
    pub fn prepare(&mut self, job: Job) -> Result<PreparedJob, Failure> {
        let handle = self.runtime.handle().clone();
        let prepared = handle.block_on(job.prepare(&mut |event| self.hear(event)));
        Ok(prepared?)
    }

    /// Does a job; results go to the folder that is written, or are gone with this.
    pub fn run(&mut self, job: &PreparedJob, out: Option<&Staged>) -> Result<JobResult, Failure> {
        let scratch = self.scratch.path().to_owned();
        let folders = Folders {
            results: out.map_or(scratch.as_path(), Staged::folder),
            scratch: &scratch,
        };
        let handle = self.runtime.handle().clone();
        let ran = handle.block_on(job.run(folders, &mut |event| self.hear(event)));
        Ok(ran?)
    }

    /// Where results are that no folder was named for.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }
}

/// A job gave something else than was asked: our bug.
pub fn unexpected() -> Failure {
    Failure::Internal("a job gave another result than was asked".into())
}

/// What is missing from the results, each told; the last is what the command gives back.
fn ended(missing: Vec<RunError>) -> Done {
    let mut missing = missing;
    let last = missing.pop();
    for one in missing {
        Failure::from(one).tell();
    }
    last.map_or(Ok(ExitCode::SUCCESS), |last| Err(last.into()))
}
