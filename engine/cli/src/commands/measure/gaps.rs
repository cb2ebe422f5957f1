//! `tandem measure gaps`

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use engine_patient::context::EvaluationContext;
use engine_patient::program::PatientProgram;
use engine_population::lake::Lake;
use measures::gaps::{GapRow, GapStatus, HEADING, MeasureGaps, gaps, gaps_bundle};
use measures::package::Scoring;
use measures::run::{ProgramMeasure, read_rows};
use measures::shape::MeasureShape;
use measures::subject::Subject;

use super::packages::{PackageArgs, name_all};
use super::run::{RunRequest, run};
use super::{improvement, parse_period, parse_zone};
use crate::commands::rule::load_rules;
use crate::commands::runtime;
use crate::failure::{Done, Failure};
use crate::table::{self, thousands};

/// Gaps in care: per patient and measure, what is open, closed, not applicable, or could not be
/// evaluated, and why.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure gaps packages/ --lake lake --period 2026-01-01..2026-12-31
  tandem measure gaps packages/ --lake lake --period 2026-01-01..2026-12-31 --status open-gap --format csv
  tandem measure gaps packages/ --lake lake --period 2026-01-01..2026-12-31 --format deqm --out gaps
Without a package: of the built-in care gaps. `deqm` writes a document Bundle a patient (Da Vinci DEQM).")]
pub struct Gaps {
    #[command(flatten)]
    packages: PackageArgs,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// First and last day, as in 2025-01-01..2025-12-31.
    #[arg(long)]
    period: String,
    /// Only this patient: Patient/ID.
    #[arg(long)]
    subject: Option<String>,
    /// Only gaps of this status; may be given several times. Default: all but not-applicable.
    #[arg(long, value_enum)]
    status: Vec<Status>,
    /// How to print the gaps.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Folder for DEQM documents, one file a patient.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Offset from UTC of dates and of date-times without an offset.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// Who reports, as in Organization/1.
    #[arg(long)]
    reporter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
    Deqm,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Status {
    OpenGap,
    ClosedGap,
    NotApplicable,
    CouldNotBeEvaluated,
}

impl Status {
    fn is(self, status: GapStatus) -> bool {
        let own = match self {
            Status::OpenGap => GapStatus::Open,
            Status::ClosedGap => GapStatus::Closed,
            Status::NotApplicable => GapStatus::NotApplicable,
            Status::CouldNotBeEvaluated => GapStatus::NotEvaluable,
        };
        own == status
    }
}

/// Whether a measure has gaps at all.
fn has_gaps(shape: &MeasureShape) -> bool {
    shape
        .groups
        .iter()
        .any(|g| g.scoring == Scoring::Proportion)
}

/// Gaps of these measures might be the wrong way round.
fn unsettled(names: &[String]) -> Failure {
    Failure::User(format!(
        "no gaps of {}: which way is better is contradicted (see above); settle it, for each, with --better MEASURE=increase or --better MEASURE=decrease",
        names.join(", ")
    ))
}

impl Gaps {
    pub fn run(self) -> Done {
        if self.format == Format::Deqm && self.out.is_none() {
            return Err(Failure::User(
                "--format deqm needs --out: a folder for one document a patient".into(),
            ));
        }
        let period = parse_period(&self.period)?;
        let zone = parse_zone(&self.time_zone)?;
        let context = EvaluationContext::for_period(period.0, period.1, zone);
        let mut programs = vec![];
        let mut official = None;
        let prepared = match self.packages.package.is_empty() {
            true => {
                PackageArgs::refuse_better(&self.packages.better)?;
                for rule in load_rules(&[], &self.packages.terminology)? {
                    let wanted = self.packages.measure.is_empty()
                        || self
                            .packages
                            .measure
                            .iter()
                            .any(|m| **m == *rule.artifact.id);
                    if wanted {
                        let improvement = improvement(&rule);
                        let program = rule as Arc<dyn PatientProgram>;
                        programs.push(ProgramMeasure::care_gap(program, improvement));
                    }
                }
                if programs.is_empty() {
                    return Err(Failure::User(format!(
                        "--measure {}: there is no such care gap; `tandem measure list` names them",
                        self.packages.measure.join(", ")
                    )));
                }
                None
            }
            false => {
                let mut options = self.packages.options(context.clone());
                options.evaluated = self.format == Format::Deqm;
                let prepared = self.packages.prepare(&options)?;
                if let Some((program, measure)) = prepared.program() {
                    programs.push(measure);
                    official = Some(program);
                }
                Some(prepared)
            }
        };
        name_all(&mut programs, &mut [])?;
        let open: Vec<String> = programs
            .iter()
            .flat_map(|p| &p.shapes)
            .filter(|s| has_gaps(s) && !s.is_settled())
            .map(|s| s.name.to_string())
            .collect();
        let any = programs.iter().flat_map(|p| &p.shapes);
        let any = any.into_iter().any(|s| has_gaps(s) && s.is_settled());
        let refused = (!open.is_empty()).then(|| unsettled(&open));
        if let Some(refused) = refused.filter(|_| !any || self.packages.strict) {
            return Err(refused);
        }
        let runtime = runtime()?;
        let lake = runtime.block_on(Lake::open(&self.lake, None))?;
        let subject = self
            .subject
            .as_deref()
            .map(|s| s.strip_prefix("Patient/").unwrap_or(s));
        let request = RunRequest {
            lake: &lake,
            programs: &programs,
            queries: &[],
            period,
            context,
            zone,
            out: None,
            subject,
            official: official.as_deref(),
            prepared: prepared.as_ref(),
            manifest: None,
            reporter: self.reporter.clone(),
        };
        let ran = runtime.block_on(run(&request))?;
        let mut all: Vec<(usize, GapRow)> = vec![];
        let mut counts = [0_u64; 4];
        read_rows(&ran.rows, &ran.shapes, &mut |subject: &Subject| {
            let Some(shape) = ran.shapes.get(subject.measure) else {
                return;
            };
            if !shape.is_settled() {
                return;
            }
            for row in gaps(shape, subject) {
                let place = match row.status {
                    GapStatus::Open => 0,
                    GapStatus::Closed => 1,
                    GapStatus::NotApplicable => 2,
                    GapStatus::NotEvaluable => 3,
                };
                if let Some(count) = counts.get_mut(place) {
                    *count += 1;
                }
                if self.wants(row.status) {
                    all.push((subject.measure, row));
                }
            }
        })?;
        let cells = |(measure, row): &(usize, GapRow)| {
            ran.shapes
                .get(*measure)
                .map(|shape| row.cells(shape).to_vec())
        };
        let rows: Vec<Vec<String>> = all.iter().filter_map(cells).collect();
        match self.format {
            Format::Table => {
                table::print(&HEADING, &rows);
                let [open, closed, not_applicable, not_evaluable] = counts.map(thousands);
                say!(
                    "\n{open} open, {closed} closed, {not_applicable} not applicable, {not_evaluable} could not be evaluated"
                );
            }
            Format::Csv => {
                say!("{}", HEADING.join(","));
                for row in rows {
                    let quoted: Vec<String> =
                        row.iter().map(|c| measures::table::quoted(c)).collect();
                    say!("{}", quoted.join(","));
                }
            }
            Format::Json => {
                let objects = rows.iter().map(|row| {
                    let pairs = HEADING
                        .iter()
                        .zip(row)
                        .map(|(h, c)| ((*h).to_owned(), serde_json::json!(c)));
                    serde_json::Value::Object(pairs.collect())
                });
                super::print_json(&serde_json::Value::Array(objects.collect()))?;
            }
            Format::Deqm => self.documents(&ran)?,
        }
        if let Some(prepared) = &prepared {
            prepared.verdict()?;
        }
        match open.is_empty() {
            true => Ok(std::process::ExitCode::SUCCESS),
            false => Err(unsettled(&open)),
        }
    }

    fn wants(&self, status: GapStatus) -> bool {
        match self.status.as_slice() {
            [] => status != GapStatus::NotApplicable,
            some => some.iter().any(|s| s.is(status)),
        }
    }

    /// A document a patient. Rows stand by measure; patients are gathered from all of them.
    fn documents(&self, ran: &super::run::Ran) -> Result<(), Failure> {
        let Some(out) = &self.out else {
            return Ok(());
        };
        let failed = |e: std::io::Error| Failure::Internal(format!("{}: {e}", out.display()));
        std::fs::create_dir_all(out)
            .map_err(|e| Failure::User(format!("--out {}: {e}", out.display())))?;
        let mut of_patient: std::collections::BTreeMap<String, Vec<Subject>> =
            std::collections::BTreeMap::new();
        read_rows(&ran.rows, &ran.shapes, &mut |subject| {
            let Some(shape) = ran.shapes.get(subject.measure) else {
                return;
            };
            if shape.is_settled()
                && gaps(shape, subject)
                    .iter()
                    .any(|row| self.wants(row.status))
            {
                of_patient
                    .entry(subject.patient.clone())
                    .or_default()
                    .push(subject.clone());
            }
        })?;
        let mut written = 0_u64;
        for (patient, subjects) in of_patient {
            let mut parts = vec![];
            for subject in &subjects {
                let Some(shape) = ran.shapes.get(subject.measure) else {
                    continue;
                };
                let rows: Vec<GapRow> = gaps(shape, subject)
                    .into_iter()
                    .filter(|r| self.wants(r.status))
                    .collect();
                let evaluated: Vec<_> = subject
                    .evaluated
                    .iter()
                    .map(|r| (r.clone(), vec![]))
                    .collect();
                parts.push((shape, subject, rows, evaluated));
            }
            let measures: Vec<MeasureGaps<'_>> = parts
                .iter()
                .map(|(shape, subject, rows, evaluated)| MeasureGaps {
                    shape,
                    subject,
                    rows,
                    evaluated,
                })
                .collect();
            if let Some(bundle) = gaps_bundle(&patient, &measures, &[], &ran.report) {
                let text = serde_json::to_string_pretty(&bundle)
                    .map_err(|e| Failure::Internal(e.to_string()))?;
                std::fs::write(out.join(format!("gaps-{patient}.json")), text + "\n")
                    .map_err(failed)?;
                written += 1;
            }
        }
        eprintln!("{} documents are in {}", thousands(written), out.display());
        Ok(())
    }
}
