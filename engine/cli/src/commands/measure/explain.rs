//! `tandem measure explain`

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::PatientProgram;
use engine_patient::requirements::DataRequirement;
use engine_population::lake::Lake;
use measures::explain::funnel::{CSV_HEADING, FunnelTotals, PopulationFunnel, csv_rows};
use measures::explain::{Explanation, explain, html, text};
use measures::official::ElmMeasures;
use measures::package::PopulationCode;
use measures_run::evaluate::run_programs;
use measures_run::rows::read_rows;

use super::packages::{LimitArgs, PackageArgs, Prepared};
use super::run::{as_of, subject_id};
use super::{parse_period, parse_zone};
use crate::commands::{runtime, threads};
use crate::failure::{Done, Failure};
use crate::staged::write_file;
use crate::table::{self, thousands};

/// Why a patient is in a population or is not: criteria, what they came to, and the resources that
/// decided. Or for all patients: which clause loses how many.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure explain packages/ --measure CMS122FHIR --subject Patient/123 --lake lake --period 2026-01-01..2026-12-31
  tandem measure explain packages/ --measure CMS122FHIR --subject Patient/123 --lake lake --period 2026-01-01..2026-12-31 --format html --out why.html
  tandem measure explain packages/ --measure CMS122FHIR --funnel --lake lake --period 2026-01-01..2026-12-31
  tandem measure explain packages/ --measure CMS122FHIR --funnel --within denominator --lake lake --period 2026-01-01..2026-12-31
HTML shows the logic with its clauses marked true, false, unknown or not evaluated; it is one file that
needs no other. The output holds patient data.")]
pub struct Explain {
    #[command(flatten)]
    packages: PackageArgs,
    #[command(flatten)]
    limits: LimitArgs,
    /// The patient: Patient/ID.
    #[arg(
        long,
        required_unless_present = "funnel",
        conflicts_with_all = ["funnel", "within"]
    )]
    subject: Option<String>,
    /// Over all patients: per clause of each population how many it keeps and loses.
    #[arg(long)]
    funnel: bool,
    /// Funnel: only patients who count in this population, as in initial-population.
    #[arg(long, requires = "funnel")]
    within: Option<String>,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// First and last day, as in 2025-01-01..2025-12-31.
    #[arg(long)]
    period: String,
    /// The day as of which to evaluate (CQL Now()). Default: the last of the period.
    #[arg(long)]
    as_of: Option<String>,
    /// How deep to go into criteria; what is left out is said.
    #[arg(long, default_value = "6", value_parser = clap::value_parser!(u8).range(1..=50))]
    depth: u8,
    /// How to print it: text, json, html; a funnel: text, json, csv.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// File to write to instead of printing.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place
    /// such as America/New_York, whose summer time is kept.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
    Html,
    Csv,
}

impl Explain {
    pub fn run(self) -> Done {
        if self.packages.package.is_empty() {
            return Err(Failure::User(
                "nothing to explain: give files or folders with FHIR Measure, Library and ValueSet resources".into(),
            ));
        }
        let within = self.within.as_deref().map(population).transpose()?;
        match (self.funnel, self.format) {
            (true, Format::Html) => {
                return Err(Failure::User(
                    "--format html: a funnel is printed as text, json or csv".into(),
                ));
            }
            (false, Format::Csv) => {
                return Err(Failure::User(
                    "--format csv: for one patient there is text, json and html".into(),
                ));
            }
            _ => {}
        }
        let period = parse_period(&self.period)?;
        let zone = parse_zone(&self.time_zone)?;
        let subject = self.subject.as_deref().map(subject_id).transpose()?;
        let mut context = EvaluationContext::for_period(period.0, period.1, zone.clone());
        if let Some(day) = &self.as_of {
            context.at = as_of(day, &zone)?;
        }
        let mut options = self.packages.options(context.clone());
        options.clauses = self.funnel;
        let prepared = self.packages.prepare(&options, self.limits.limits())?;
        let Some(program) = prepared.built.program.clone() else {
            return Err(Failure::User("the packages hold no measure".into()));
        };
        let runtime = runtime()?;
        let lake = runtime.block_on(Lake::open(&self.lake, self.snapshot))?;
        let text = match subject {
            Some(subject) => {
                let record = runtime.block_on(engine_population::patient::record(
                    &lake,
                    &subject,
                    &shared_types(&program),
                ))?;
                let record = record
                    .ok_or_else(|| Failure::User(format!("the lake has no patient `{subject}`")))?;
                let shapes = &prepared.built.shapes;
                let depth = usize::from(self.depth);
                let all = explain(&program, shapes, &record, &context, depth)
                    .map_err(measures_run::RunError::from)?;
                self.explained(&all)?
            }
            None => {
                let all =
                    runtime.block_on(counted(&prepared, &program, &lake, &context, within))?;
                self.counted(&all)?
            }
        };
        self.write(&text)?;
        prepared.verdict()
    }

    fn explained(&self, all: &[Explanation]) -> Result<String, Failure> {
        Ok(match self.format {
            Format::Html => html::page(all),
            Format::Json => json(all)?,
            Format::Text | Format::Csv => {
                let texts: Vec<String> = all.iter().map(text::text).collect();
                texts.join("\n")
            }
        })
    }

    fn counted(&self, all: &[PopulationFunnel]) -> Result<String, Failure> {
        Ok(match self.format {
            Format::Csv => csv(all)?,
            Format::Json => json(all)?,
            Format::Text | Format::Html => self.funnel_text(all),
        })
    }

    fn funnel_text(&self, all: &[PopulationFunnel]) -> String {
        let mut out = String::new();
        let whom = match &self.within {
            Some(within) => format!(" in {within}"),
            None => String::new(),
        };
        for funnel in all {
            let count = thousands(funnel.patients);
            out.push_str(&format!(
                "{}, {}, {} (\"{}\"): {count} patients{whom}\n",
                funnel.measure, funnel.group, funnel.population, funnel.expression
            ));
            let rows: Vec<Vec<String>> = funnel
                .clauses
                .iter()
                .map(|c| {
                    let counts = [c.holds, c.fails, c.unknown, c.left, c.lost_by_it_alone];
                    let mut row = vec![c.clause.clone()];
                    row.extend(counts.map(thousands));
                    row
                })
                .collect();
            let heading = [
                "clause",
                "holds",
                "fails",
                "unknown",
                "left",
                "lost by it alone",
            ];
            out.push_str(&table::text(&heading, &rows));
            out.push('\n');
        }
        out.push_str(
            "Each population's own criterion, clause by clause, whatever the other populations say.\n\
             left: patients of whom it and all before it hold; lost by it alone: all others hold.\n",
        );
        if all.iter().any(|f| f.resources) {
            out.push_str(
                "Of measures that count resources a clause holds of a patient where its list has members.\n",
            );
        }
        out
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        let Some(path) = &self.out else {
            match self.format {
                Format::Text => say!("{}", text.trim_end()),
                Format::Json | Format::Html | Format::Csv => data!("{}", text.trim_end()),
            }
            return Ok(());
        };
        write_file("--out", path, text.as_bytes())?;
        note!("It is in {}", path.display());
        Ok(())
    }
}

/// A population by its code.
fn population(code: &str) -> Result<PopulationCode, Failure> {
    PopulationCode::of(code).ok_or_else(|| {
        Failure::User(format!(
            "--within {code}: there is no such population; write a code such as initial-population or denominator"
        ))
    })
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

/// Runs over the lake with clause outcomes, and sums them.
async fn counted(
    prepared: &Prepared,
    program: &Arc<ElmMeasures>,
    lake: &Lake,
    context: &EvaluationContext,
    within: Option<PopulationCode>,
) -> Result<Vec<PopulationFunnel>, Failure> {
    let Some((_, measure)) = prepared.program() else {
        return Ok(vec![]);
    };
    let scratch = tempfile::tempdir()
        .map_err(|e| Failure::Internal(format!("the results cannot be written: {e}")))?;
    let rows = scratch.path().join("results.parquet");
    let shapes = measure.shapes.clone();
    run_programs(lake, &[measure], context, threads(), &rows, None).await?;
    let mut totals = FunnelTotals::new(&shapes, within);
    read_rows(&rows, &shapes, &mut |subject| totals.add(subject))?;
    Ok(totals.finish(program))
}

fn csv(all: &[PopulationFunnel]) -> Result<String, Failure> {
    let mut out = csv::Writer::from_writer(vec![]);
    out.write_record(CSV_HEADING)?;
    for row in csv_rows(all) {
        out.write_record(&row)?;
    }
    super::print::csv_text(out)
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Internal(e.to_string()))?;
    Ok(text + "\n")
}
