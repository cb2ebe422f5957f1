//! `tandem measure gaps`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine_patient::plural::several;
use measures::gaps::{GapRow, GapStatus, HEADING};
use measures::improvement_direction::Direction;
use measures::structure::MeasureStructure;
use measures_run::gap_list;
use measures_run::gaps::GapsResult;
use measures_run::job::GapsTask;
use measures_run::{Job, JobResult, RunError, Task};

use super::arguments::{
    LimitArgs, PackageArgs, as_of, outside_period, parse_period, parse_zone, reporter, subject_id,
};
use super::print::print_names;
use super::{PATIENT_DATA, Work, ended, tell, unexpected};
use crate::commands::threads;
use crate::failure::{Done, Failure};
use crate::format::{Format, one_of};
use crate::listing::camel;
use crate::staged::Staged;
use crate::table::{self, thousands};

/// Gaps in care: per patient and measure, what is open, closed, not applicable, or could not be
/// evaluated, and why.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure gaps packages/ --lake lake --period 2026-01-01..2026-12-31
  tandem measure gaps packages/ --lake lake --period 2026-01-01..2026-12-31 --status open-gap --format csv
  tandem measure gaps --rules rules/ --lake lake --period 2026-01-01..2026-12-31 --status open-gap --out gaps
  tandem measure gaps packages/ --lake lake --period 2026-01-01..2026-12-31 --format deqm --out gaps
Without a package: of the built-in care gaps, and those of --rules. With packages: of theirs and --rules
(add --built-in for all). What is printed names patients by id only. With --out: gaps.csv, with reason,
since when, name, birth date, identifier, telephone, practitioner, organization and last visit of each
patient (patient data), and run.json. `deqm` writes a document Bundle a patient beside (Da Vinci DEQM).")]
pub struct Gaps {
    #[command(flatten)]
    packages: PackageArgs,
    #[command(flatten)]
    limits: LimitArgs,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// First and last day, as in 2025-01-01..2025-12-31.
    #[arg(long)]
    period: String,
    /// Rules of your own, as files or folders (.yaml, also .gz and .zst).
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// The built-in care gaps beside those of packages.
    #[arg(long)]
    built_in: bool,
    /// Only this patient: Patient/ID.
    #[arg(long)]
    subject: Option<String>,
    /// Only gaps of this status; may be given several times. Default: all but not-applicable.
    #[arg(long, value_enum)]
    status: Vec<Status>,
    /// How to print the gaps.
    #[arg(long, value_parser = one_of(FORMATS), default_value = "table")]
    format: Format,
    /// The day as of which to evaluate (CQL Now()). Default: the last of the period. It does not change
    /// the period.
    #[arg(long)]
    as_of: Option<String>,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// Folder for gaps.csv, and DEQM documents: not there yet, empty, or of an earlier `measure gaps`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place
    /// such as America/New_York, whose summer time is kept.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// Who reports, as in Organization/1.
    #[arg(long)]
    reporter: Option<String>,
}

/// The columns of the table for people.
const SHOWN: [&str; 9] = [
    "measure", "version", "group", "patient", "resource", "status", "reason", "due", "better",
];

/// What gaps are given as.
const FORMATS: &[Format] = &[Format::Table, Format::Json, Format::Csv, Format::Deqm];

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Status {
    OpenGap,
    ClosedGap,
    NotApplicable,
    CouldNotBeEvaluated,
}

impl From<Status> for GapStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::OpenGap => GapStatus::Open,
            Status::ClosedGap => GapStatus::Closed,
            Status::NotApplicable => GapStatus::NotApplicable,
            Status::CouldNotBeEvaluated => GapStatus::NotEvaluable,
        }
    }
}

impl Gaps {
    pub fn run(self) -> Done {
        if self.format == Format::Deqm && self.out.is_none() {
            return Err(Failure::User(
                "--format deqm needs --out: a folder for one document a patient".into(),
            ));
        }
        let documents = self.format == Format::Deqm;
        let task = GapsTask {
            statuses: self.status.into_iter().map(GapStatus::from).collect(),
            rules: self.rules,
            built_in: self.built_in,
            list: self.out.is_some(),
            documents,
        };
        let zone = parse_zone(&self.time_zone)?;
        let day = self.as_of.as_deref();
        let as_of = day.map(|day| as_of(day, &zone)).transpose()?;
        let job = Job {
            lake: self.lake,
            snapshot: self.snapshot,
            packages: self.packages.packages()?,
            period: parse_period(&self.period)?,
            as_of,
            zone,
            subject: self.subject.as_deref().map(subject_id).transpose()?,
            limits: self.limits.limits(),
            reporter: self.reporter.as_deref().map(reporter).transpose()?,
            threads: threads(),
            task: Task::Gaps(task.clone()),
        };
        let mut work = Work::new()?;
        // Before anything is read or computed: what cannot be written is told at once.
        let out = self.out.as_deref();
        let staged = out
            .map(|out| Staged::begin("--out", "measure gaps", out))
            .transpose()?;
        let outside = outside_period(&job);
        let prepared = work.prepare(job)?;
        outside.iter().for_each(|text| tell(text));
        let JobResult::Gaps(found) = work.run(&prepared, staged.as_ref())? else {
            return Err(unexpected());
        };
        // What is printed below is in its place already, whoever listens.
        staged.map_or(Ok(()), Staged::commit)?;
        match self.format {
            Format::Table => print_table(&found, &task)?,
            Format::Csv => print_csv(&found, &task)?,
            Format::Json => print_json(&found, &task)?,
            _ => {}
        }
        if let (Some(listed), Some(out)) = (found.listed, out) {
            if documents {
                let count = several(found.documents, "document is", "documents are");
                note!("{count} in {}", out.display());
            }
            let count = several(listed, "gap is", "gaps are");
            let file = out.join(gap_list::NAME);
            note!("{count} in {}, which {PATIENT_DATA}", file.display());
        }
        ended(found.missing)
    }
}

/// The gaps that are asked for, as cells.
fn each(
    found: &GapsResult,
    task: &GapsTask,
    visit: &mut dyn FnMut([String; 10]),
) -> Result<(), Failure> {
    found.each(&mut |structure: &MeasureStructure, row: GapRow| {
        if task.wants(row.status) {
            visit(row.cells(structure));
        }
    })?;
    Ok(())
}

fn print_table(found: &GapsResult, task: &GapsTask) -> Result<(), Failure> {
    let mut counts = [0_u64; 4];
    // The widths of its columns depend on all of them.
    let mut rows: Vec<Vec<String>> = vec![];
    found.each(&mut |structure, row| {
        let place = match row.status {
            GapStatus::Open => 0,
            GapStatus::Closed => 1,
            GapStatus::NotApplicable => 2,
            GapStatus::NotEvaluable => 3,
        };
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
        if task.wants(row.status) {
            let mut cells = row.cells(structure).to_vec();
            // For people the direction and where it comes from are one.
            cells.truncate(SHOWN.len() - 1);
            let direction = structure.directions.get(row.group);
            cells.push(direction.map_or_else(String::new, Direction::short));
            rows.push(cells);
        }
    })?;
    // What is empty of all takes no room from ids, which are copied.
    let said = |column: &usize| {
        rows.iter()
            .any(|row| row.get(*column).is_some_and(|c| !c.is_empty()))
    };
    let columns: Vec<usize> = (0..SHOWN.len())
        .filter(|c| rows.is_empty() || said(c))
        .collect();
    let heading: Vec<&str> = columns
        .iter()
        .filter_map(|c| SHOWN.get(*c).copied())
        .collect();
    let cells = |row: &Vec<String>| {
        columns
            .iter()
            .filter_map(|c| row.get(*c).cloned())
            .collect()
    };
    let shown: Vec<Vec<String>> = rows.iter().map(cells).collect();
    table::print(&heading, &shown);
    print_names(found.structures.iter().map(|structure| &**structure));
    let [open, closed, not_applicable, not_evaluable] = counts.map(thousands);
    say!(
        "\n{open} open, {closed} closed, {not_applicable} not applicable, {not_evaluable} could not be evaluated"
    );
    Ok(())
}

fn print_csv(found: &GapsResult, task: &GapsTask) -> Result<(), Failure> {
    let mut out = crate::say::csv();
    out.write_record(HEADING)?;
    let mut written = Ok(());
    each(found, task, &mut |cells| {
        if written.is_ok() {
            written = out.write_record(&cells);
        }
    })?;
    written?;
    Ok(out.flush().map_err(RunError::from)?)
}

fn print_json(found: &GapsResult, task: &GapsTask) -> Result<(), Failure> {
    let mut first = true;
    each(found, task, &mut |cells| {
        data!("{}", if first { "[" } else { "  }," });
        first = false;
        let pairs = HEADING.iter().zip(&cells);
        let pairs = pairs.map(|(h, c)| (camel(&h.replace('_', " ")), serde_json::json!(c)));
        let object = serde_json::Value::Object(pairs.collect());
        let text = serde_json::to_string_pretty(&object).unwrap_or_default();
        // Its last line comes with what follows it.
        let lines = text.lines().count();
        for line in text.lines().take(lines.saturating_sub(1)) {
            data!("  {line}");
        }
    })?;
    match first {
        true => data!("[]"),
        false => data!("  }}\n]"),
    }
    Ok(())
}
