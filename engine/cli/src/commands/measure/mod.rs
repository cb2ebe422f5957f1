//! `tandem measure`

mod attribution;
mod card;
mod check;
mod explain;
mod gaps;
mod list;
mod packages;
mod print;
mod reports;
mod run;
mod test;

use clap::{Args, Subcommand};
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;
use measures::result::Improvement;

pub use card::elm_services;
pub use packages::PackageArgs;
pub use print::{print_table, print_unmatched};
pub use reports::{subjects_csv, write_reports};
pub use run::{Report, RunRequest, run};

use crate::failure::{Done, Failure};

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

/// Which way a rule's rate is better.
pub fn improvement(rule: &rules::Rule) -> Improvement {
    match rule.improvement.as_str() {
        "decrease" => Improvement::Decrease,
        _ => Improvement::Increase,
    }
}

/// `2025-01-01..2025-12-31`
pub fn parse_period(text: &str) -> Result<(DateTime, DateTime), Failure> {
    let wrong = |why: &str| {
        Failure::User(format!(
            "--period {text}: {why}; write it as 2025-01-01..2025-12-31"
        ))
    };
    let (start, end) = text
        .split_once("..")
        .ok_or_else(|| wrong("two dates with `..` between them were expected"))?;
    let day = |t: &str| DateTime::parse(t).filter(|d| d.precision() == Precision::Day);
    let (Some(start), Some(end)) = (day(start), day(end)) else {
        return Err(wrong("this is not two days"));
    };
    if start.civil() > end.civil() {
        return Err(wrong("the end lies before the start"));
    }
    Ok((start, end))
}

/// `+01:00`, `America/New_York`
pub fn parse_zone(text: &str) -> Result<Zone, Failure> {
    Zone::parse(text).map_err(|e| Failure::User(format!("--time-zone {text}: {e}")))
}

impl From<measures_run::RunError> for Failure {
    fn from(e: measures_run::RunError) -> Self {
        match e {
            measures_run::RunError::User(text) => Failure::User(text),
            measures_run::RunError::Unsupported(text) => Failure::Unsupported(text),
            measures_run::RunError::Internal(text) => Failure::Internal(text),
        }
    }
}
