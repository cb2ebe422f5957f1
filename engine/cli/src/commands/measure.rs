//! `tandem measure`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use engine_patient::context::EvaluationContext;
use engine_patient::program::PatientProgram;
use engine_patient::time::{DateTime, Precision, parse_offset};
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};
use measures::report::{ReportContext, measure_report};
use measures::result::{Improvement, MeasureResult};
use measures::run::{ProgramMeasure, RunStatistics, run_programs};
use measures::sql::SqlMeasure;

use super::rule::load_rules;
use crate::failure::{Done, Failure};
use crate::table::{self, thousands};

/// Run measures over a lake.
#[derive(Args)]
pub struct Measure {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Run),
    /// The measures that are known, with their versions.
    #[command(after_help = "Example:\n  tandem measure list")]
    List,
}

/// Evaluate care gaps and SQL measures over all patients of a lake.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure run --lake lake --period 2025-01-01..2025-12-31
  tandem measure run --lake lake --period 2025-01-01..2025-12-31 --measure hba1c-control --out results
Rules are evaluated as of the end of the period. With --out: one MeasureReport a measure as JSON, the
subject list as subjects.csv and results.parquet (a row a patient, measure and population).")]
pub struct Run {
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// First and last day, as in 2025-01-01..2025-12-31.
    #[arg(long)]
    period: String,
    /// Only these measures, by id; may be given several times. Default: all.
    #[arg(long)]
    measure: Vec<String>,
    /// Rules of your own, as files or folders, beside the built-in ones.
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// Value sets of your own, as files or folders.
    #[arg(long)]
    terminology: Vec<PathBuf>,
    /// Folder for reports and result rows; made if it is not there.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Offset from UTC of dates and of date-times without an offset.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// How to print the results.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Print the plan, what was read, and where the time went.
    #[arg(long)]
    explain: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl Measure {
    pub fn run(self) -> Done {
        match self.command {
            Command::Run(run) => run.run(),
            Command::List => {
                let mut rows = vec![];
                for rule in load_rules(&[], &[])? {
                    rows.push(vec![
                        rule.artifact.id.to_string(),
                        rule.artifact.version.to_string(),
                        "CEL".into(),
                        rule.artifact.title.to_string(),
                    ]);
                }
                for measure in sql_measures()? {
                    let a = measure.artifact;
                    rows.push(vec![
                        a.id.to_string(),
                        a.version.to_string(),
                        "SQL".into(),
                        a.title.to_string(),
                    ]);
                }
                table::print(&["measure", "version", "language", "title"], &rows);
                Ok(std::process::ExitCode::SUCCESS)
            }
        }
    }
}

fn sql_measures() -> Result<Vec<SqlMeasure>, Failure> {
    measures::sql::built_in().map_err(|e| Failure::Internal(super::rule::diagnostics(&e)))
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

/// `+01:00`
pub fn parse_zone(text: &str) -> Result<i16, Failure> {
    parse_offset(text).ok_or_else(|| {
        Failure::User(format!(
            "--time-zone {text}: write an offset such as -05:00 or +00:00"
        ))
    })
}

impl Run {
    fn run(self) -> Done {
        let period = parse_period(&self.period)?;
        let zone = parse_zone(&self.time_zone)?;
        let mut programs: Vec<ProgramMeasure> = load_rules(&self.rules, &self.terminology)?
            .into_iter()
            .map(|rule| {
                let improvement = improvement(&rule);
                ProgramMeasure {
                    program: rule as Arc<dyn PatientProgram>,
                    improvement,
                }
            })
            .collect();
        let mut queries = sql_measures()?;
        let known: Vec<String> = programs
            .iter()
            .map(|p| p.program.artifact().id.to_string())
            .chain(queries.iter().map(|q| q.artifact.id.to_string()))
            .collect();
        for wanted in &self.measure {
            if !known.contains(wanted) {
                let near = engine_patient::diagnostic::did_you_mean(
                    wanted,
                    known.iter().map(String::as_str),
                );
                let help = near.map_or(format!("known are {}", known.join(", ")), |n| {
                    format!("did you mean `{n}`?")
                });
                return Err(Failure::User(format!(
                    "--measure {wanted}: there is no such measure; {help}"
                )));
            }
        }
        if !self.measure.is_empty() {
            programs.retain(|p| self.measure.iter().any(|m| **m == *p.program.artifact().id));
            queries.retain(|q| self.measure.iter().any(|m| **m == *q.artifact.id));
        }
        let runtime = super::runtime()?;
        let lake = runtime.block_on(Lake::open(&self.lake, self.snapshot))?;
        let request = RunRequest {
            lake: &lake,
            programs: &programs,
            queries: &queries,
            period,
            zone,
            out: self.out.as_deref(),
        };
        let (results, statistics) = runtime.block_on(run(&request))?;
        match self.format {
            Format::Table => {
                print_table(&results);
                print_unmatched(&statistics);
            }
            Format::Csv => print_csv(&results),
            Format::Json => {
                let reports: Vec<_> = results
                    .iter()
                    .map(|r| measure_report(r, &request.report_context()))
                    .collect();
                print_json(&serde_json::Value::Array(reports))?;
            }
        }
        if self.explain {
            print_statistics(&statistics);
        }
        if let Some(out) = &self.out {
            eprintln!("Reports and result rows are in {}", out.display());
        }
        Ok(std::process::ExitCode::SUCCESS)
    }
}

/// What to run on what.
pub struct RunRequest<'a> {
    pub lake: &'a Lake,
    pub programs: &'a [ProgramMeasure],
    pub queries: &'a [SqlMeasure],
    pub period: (DateTime, DateTime),
    pub zone: i16,
    pub out: Option<&'a Path>,
}

impl RunRequest<'_> {
    pub fn report_context(&self) -> ReportContext {
        // The date of the data, not of the clock: the same inputs give the same bytes.
        let date = DateTime::from_utc_millis(self.lake.snapshot.created_ms, 0);
        ReportContext {
            period: self.period,
            date,
            zone: self.zone,
            snapshot: self.lake.snapshot.number,
        }
    }
}

/// Runs all measures; writes reports and rows where `out` says.
pub async fn run(request: &RunRequest<'_>) -> Result<(Vec<MeasureResult>, RunStatistics), Failure> {
    let internal =
        |e: std::io::Error| Failure::Internal(format!("the results cannot be written: {e}"));
    let scratch = tempfile::tempdir().map_err(internal)?;
    let folder = match request.out {
        Some(out) => {
            std::fs::create_dir_all(out)
                .map_err(|e| Failure::User(format!("--out {}: {e}", out.display())))?;
            out.to_owned()
        }
        None => scratch.path().to_owned(),
    };
    let rows = folder.join("results.parquet");
    let threads = super::threads();
    let context = EvaluationContext::for_period(request.period.0, request.period.1, request.zone);
    let (mut results, statistics) = match request.programs.is_empty() {
        true => (vec![], RunStatistics::default()),
        false => run_programs(request.lake, request.programs, &context, threads, &rows).await?,
    };
    if !request.queries.is_empty() {
        let session = session(request.lake, threads).map_err(measures::MeasureError::from)?;
        register_tables(&session, request.lake).map_err(measures::MeasureError::from)?;
        for query in request.queries {
            results.push(query.run(&session, request.period).await?);
        }
    }
    if request.out.is_some() {
        for result in &results {
            let report = measure_report(result, &request.report_context());
            let path = folder.join(format!("MeasureReport-{}.json", result.artifact.id));
            let text = serde_json::to_string_pretty(&report)
                .map_err(|e| Failure::Internal(e.to_string()))?;
            std::fs::write(&path, text + "\n").map_err(internal)?;
        }
        if !request.programs.is_empty() {
            subjects_csv(&rows, &folder.join("subjects.csv")).await?;
        }
    }
    Ok((results, statistics))
}

/// The subject list: a line a patient and measure, of those who are eligible or could not be judged.
async fn subjects_csv(rows: &Path, target: &Path) -> Result<(), Failure> {
    let failed = |e: datafusion::error::DataFusionError| Failure::Internal(e.strip_backtrace());
    let session = datafusion::prelude::SessionContext::new();
    let options = datafusion::prelude::ParquetReadOptions::default();
    session
        .register_parquet("rows", rows.to_string_lossy().as_ref(), options)
        .await
        .map_err(failed)?;
    let outcome = |population: &str, name: &str| {
        format!(
            "max(CASE WHEN population = '{population}' THEN cast(outcome AS VARCHAR) END) AS {name}"
        )
    };
    let sql = format!(
        "SELECT cast(measure AS VARCHAR) AS measure, patient_id, {}, {}, {}, max(value) AS due,
                coalesce(string_agg(DISTINCT cast(unknown_reason AS VARCHAR), '; ' ORDER BY cast(unknown_reason AS VARCHAR)), '') AS unknown_because
         FROM rows GROUP BY 1, 2
         HAVING max(CASE WHEN population = 'denominator' THEN cast(outcome AS VARCHAR) END) <> 'false'
         ORDER BY 1, 2",
        outcome("denominator", "eligible"),
        outcome("denominator-exclusion", "excluded"),
        outcome("numerator", "satisfied"),
    );
    let batches = session
        .sql(&sql)
        .await
        .map_err(failed)?
        .collect()
        .await
        .map_err(failed)?;
    let file = std::fs::File::create(target)
        .map_err(|e| Failure::Internal(format!("{}: {e}", target.display())))?;
    let mut writer = arrow::csv::WriterBuilder::new()
        .with_header(true)
        .build(file);
    for batch in batches {
        writer
            .write(&batch)
            .map_err(|e| Failure::Internal(e.to_string()))?;
    }
    Ok(())
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or("–".into(), |r| format!("{:.1} %", r * 100.0))
}

/// The table for people: what could not be evaluated stands beside the rate, with why.
pub fn print_table(results: &[MeasureResult]) {
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|r| {
            let c = &r.counts;
            let range = match c.rate_bounds() {
                Some((low, high)) if high > low => {
                    format!("{:.1}–{:.1} %", low * 100.0, high * 100.0)
                }
                _ => String::new(),
            };
            vec![
                r.artifact.id.to_string(),
                thousands(c.eligible),
                thousands(c.excluded),
                thousands(c.satisfied),
                percent(c.rate()),
                thousands(c.unknown),
                range,
            ]
        })
        .collect();
    table::print(
        &[
            "measure",
            "eligible",
            "excluded",
            "satisfied",
            "rate",
            "not evaluable",
            "rate if all of them were met",
        ],
        &rows,
    );
    for result in results.iter().filter(|r| r.counts.unknown > 0) {
        say!(
            "\n{}: {} {} could not be fully evaluated:",
            result.artifact.id,
            thousands(result.counts.unknown),
            result.basis
        );
        let mut reasons: Vec<_> = result.counts.reasons.iter().collect();
        reasons.sort_by_key(|(key, n)| (std::cmp::Reverse(**n), (*key).clone()));
        for ((population, reason), n) in reasons {
            say!("  {:>9}  {population}: {reason}", thousands(*n));
        }
    }
    for result in results {
        let Some((by, strata)) = &result.strata else {
            continue;
        };
        say!("\n{}, by {by}:", result.artifact.title);
        let rows: Vec<Vec<String>> = strata
            .iter()
            .map(|(name, c)| {
                vec![
                    name.clone(),
                    thousands(c.eligible),
                    thousands(c.satisfied),
                    percent(c.rate()),
                    thousands(c.unknown),
                ]
            })
            .collect();
        table::print(
            &[by, result.basis, "numerator", "rate", "not evaluable"],
            &rows,
        );
    }
}

/// Retrieves that found nothing in the whole lake: perhaps its codes are of another code system.
pub fn print_unmatched(statistics: &RunStatistics) {
    if statistics.unmatched.is_empty() {
        return;
    }
    say!(
        "\nNo resource of the lake matches these, whoever the patient (other code systems? see --terminology):"
    );
    for requirement in &statistics.unmatched {
        say!("  {requirement}");
    }
}

fn print_csv(results: &[MeasureResult]) {
    say!("measure,version,stratum,eligible,excluded,satisfied,rate,not_evaluable");
    let line = |r: &MeasureResult, stratum: &str, c: &measures::result::Counts| {
        let rate = c.rate().map_or(String::new(), |r| r.to_string());
        say!(
            "{},{},{stratum},{},{},{},{rate},{}",
            r.artifact.id,
            r.artifact.version,
            c.eligible,
            c.excluded,
            c.satisfied,
            c.unknown
        );
    };
    for result in results {
        line(result, "", &result.counts);
        for (name, counts) in result.strata.iter().flat_map(|s| &s.1) {
            line(result, name, counts);
        }
    }
}

pub fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Internal(e.to_string()))?;
    say!("{text}");
    Ok(())
}

fn print_statistics(statistics: &RunStatistics) {
    say!("\n{}", statistics.plan.trim_end());
    say!("evaluated in {:.2} s", statistics.wall.as_secs_f64());
    for (name, value) in &statistics.metrics {
        say!("  {name} = {value}");
    }
}

impl From<measures::MeasureError> for Failure {
    fn from(e: measures::MeasureError) -> Self {
        match e {
            measures::MeasureError::User(text) => Failure::User(text),
            measures::MeasureError::Internal(text) => Failure::Internal(text),
        }
    }
}
