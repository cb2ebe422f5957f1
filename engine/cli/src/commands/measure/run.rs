//! `tandem measure run`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use measures_run::attribution::Attribution;
use measures_run::job::{Report, RunFiles, RunTask};
use measures_run::{Job, JobResult, Task};

use super::arguments::{
    LimitArgs, PackageArgs, as_of, outside_period, parse_period, parse_zone, reporter, subject_id,
};
use super::attributed;
use super::print::{
    print_csv, print_ledger, print_reports, print_statistics, print_table, print_unmatched,
    run_summary,
};
use super::{PATIENT_DATA, Work, ended, tell, unexpected};
use crate::commands::threads;
use crate::failure::{Done, Failure};
use crate::format::{Format, one_of};
use crate::staged::Staged;

/// Run measures over all patients of a lake: official packages (FHIR Measure and ELM), care gaps
/// (CEL), SQL measures.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure run --lake lake --period 2025-01-01..2025-12-31
  tandem measure run packages/ --lake lake --period 2026-01-01..2026-12-31 --out results
  tandem measure run packages/ --lake lake --period 2026-01-01..2026-12-31 --measure CMS122 --report individual --subject Patient/123 --format json
Without a package the built-in measures are run; with packages, theirs (add --built-in for both).
Results are on standard output, what is found wrong on standard error: those that say the same as one, a
value set that is missing in one line. A table ends with a summary; --verbose prints everything.
With --out: MeasureReports as JSON, the subject list as subjects.csv (with names and telephone numbers:
patient data), counts.parquet and scores.parquet (the numbers, for `tandem sql --results` and other
programs), results.parquet (a row a patient, measure and population), findings.json (what was found wrong,
missing value sets with their measures, the whole ledger), and run.json, which names all that decides
the numbers, and the files with
their hashes: the same run.json, the same bytes. The folder is replaced as a whole once all is written;
one that holds anything else than what an earlier run wrote is refused.")]
pub struct Run {
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
    /// Run the built-in measures beside those of packages.
    #[arg(long)]
    built_in: bool,
    /// Which MeasureReports to write to --out (and to print with --format json).
    #[arg(long, value_enum, default_value = "summary")]
    report: Reports,
    /// Only this patient: Patient/ID.
    #[arg(long)]
    subject: Option<String>,
    /// The day as of which to evaluate (CQL Now()). Default: the last of the period. It does not change
    /// the period.
    #[arg(long)]
    as_of: Option<String>,
    /// Also by the organization or practitioner that each patient is attributed to (the Patient resource
    /// names it, else most visits in the period decide, then the latest), or by the locations of visits.
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Write a letter per clause and patient into the result rows (see `measure explain --funnel`).
    #[arg(long)]
    clauses: bool,
    /// Folder for reports and result rows: not there yet, empty, or of an earlier `measure run`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place
    /// such as America/New_York, whose summer time is kept.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// Who reports, as in Organization/1.
    #[arg(long)]
    reporter: Option<String>,
    /// How to print the results; `parquet` writes the rows to --out only.
    #[arg(long, value_parser = one_of(FORMATS), default_value = "table")]
    format: Format,
    /// Print the plan, what was read, and where the time went.
    #[arg(long)]
    explain: bool,
}

/// What a run gives.
const FORMATS: &[Format] = &[Format::Table, Format::Json, Format::Csv, Format::Parquet];

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Reports {
    Summary,
    SubjectList,
    Individual,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum By {
    Organization,
    Practitioner,
    Location,
}

impl Run {
    pub fn run(self) -> Done {
        let period = parse_period(&self.period)?;
        let zone = parse_zone(&self.time_zone)?;
        let day = self.as_of.as_deref();
        let at = day.map(|day| as_of(day, &zone)).transpose()?;
        if self.format == Format::Parquet && self.out.is_none() {
            return Err(Failure::User(
                "--format parquet needs --out: the folder for results.parquet".into(),
            ));
        }
        if self.report != Reports::Summary && self.out.is_none() && self.format != Format::Json {
            return Err(Failure::User(
                "--report: reports are written to the folder of --out, or printed with --format json; give one of them"
                    .into(),
            ));
        }
        let out = self.out.is_some();
        let verbose = self.packages.verbose;
        let job = Job {
            lake: self.lake,
            snapshot: self.snapshot,
            packages: self.packages.packages()?,
            period,
            as_of: at,
            zone,
            subject: self.subject.as_deref().map(subject_id).transpose()?,
            limits: self.limits.limits(),
            reporter: self.reporter.as_deref().map(reporter).transpose()?,
            threads: threads(),
            task: Task::Run(RunTask {
                rules: self.rules,
                built_in: self.built_in,
                report: self.report.into(),
                files: RunFiles {
                    reports: out || self.format == Format::Json,
                    tables: out,
                    list: out,
                },
                manifest: true,
                by: self.by.map(Attribution::from),
                clauses: self.clauses,
            }),
        };
        let mut work = Work::new()?;
        let days = job.period;
        // Before anything is read or computed: what cannot be written is told at once.
        let staged = self
            .out
            .as_deref()
            .map(|out| Staged::begin("--out", "measure run", out));
        let staged = staged.transpose()?;
        let outside = outside_period(&job);
        let prepared = work.prepare(job)?;
        outside.iter().for_each(|text| tell(text));
        let JobResult::Run(ran) = work.run(&prepared, staged.as_ref())? else {
            return Err(unexpected());
        };
        for one in &ran.unusable {
            note!("note: a value that cannot be used, null in SQL measures: {one}");
        }
        // What is printed below is in its place already, whoever listens.
        staged.map_or(Ok(()), Staged::commit)?;
        match self.format {
            Format::Table => {
                print_table(&ran.results);
                print_unmatched(
                    &ran.statistics.evaluate.unmatched(),
                    &ran.value_set_names,
                    verbose,
                );
                print_ledger(&ran.report.ledger, verbose);
            }
            Format::Csv => match &ran.attributed {
                Some(attributed) => attributed::print_csv(attributed, &ran.results)?,
                None => print_csv(&ran.results)?,
            },
            Format::Json => {
                let folder = self.out.as_deref().unwrap_or(work.scratch());
                print_reports(folder, &ran.reports)?;
            }
            _ => {}
        }
        if let Some(attributed) = &ran.attributed {
            match self.format {
                Format::Table => attributed::print_attributed(attributed, &ran),
                _ => note!("By {}: {}.", attributed.by.as_str(), attributed.told()),
            }
            for query in ran.results.iter().skip(ran.structures.len()) {
                let (name, by) = (&query.structure.name, attributed.by.as_str());
                note!(
                    "note: {name} is a measure in SQL, which has no patients: it is not in the results by {by}"
                );
            }
        }
        if self.explain {
            print_statistics(&ran.statistics, work.took);
        }
        let summary = run_summary(&ran, days, self.out.as_deref());
        match self.format {
            Format::Table => say!("\n{summary}"),
            _ => note!("{summary}"),
        }
        if let Some(out) = &self.out
            && out.join("subjects.csv").exists()
        {
            note!("subjects.csv {PATIENT_DATA}");
        }
        ended(ran.missing)
    }
}

impl From<Reports> for Report {
    fn from(reports: Reports) -> Self {
        match reports {
            Reports::Summary => Report::Summary,
            Reports::SubjectList => Report::SubjectList,
            Reports::Individual => Report::Individual,
        }
    }
}

impl From<By> for Attribution {
    fn from(by: By) -> Self {
        match by {
            By::Organization => Attribution::Organization,
            By::Practitioner => Attribution::Practitioner,
            By::Location => Attribution::Location,
        }
    }
}
