//! `tandem measure gaps`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use engine_patient::context::EvaluationContext;
use engine_patient::program::PatientProgram;
use engine_population::lake::Lake;
use measures::gaps::{GapRow, GapStatus, HEADING, MeasureGaps, gaps, gaps_bundle};
use measures::package::Scoring;
use measures::shape::{MeasureShape, file_name};
use measures::subject::Subject;
use measures_run::evaluate::ProgramMeasure;
use measures_run::rows::read_rows;

use super::packages::{LimitArgs, PackageArgs, name_all};
use super::run::{RunRequest, is_called, manifest, run, unwritten};
use super::{improvement, parse_period, parse_zone};
use crate::commands::rule::load_rules;
use crate::commands::runtime;
use crate::failure::{Done, Failure};
use crate::staged::Staged;
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
    #[command(flatten)]
    limits: LimitArgs,
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
    /// Folder for DEQM documents, one file a patient: not there yet, empty, or of an earlier run.
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
        let context = EvaluationContext::for_period(period.0, period.1, zone.clone());
        let mut programs = vec![];
        let mut official = None;
        let prepared = match self.packages.package.is_empty() {
            true => {
                PackageArgs::refuse_better(&self.packages.better)?;
                let mut known = vec![];
                for rule in load_rules(&[], &self.packages.terminology)? {
                    let mut asked = self.packages.measure.iter();
                    let all = self.packages.measure.is_empty();
                    known.push(rule.artifact.clone());
                    if all || asked.any(|m| is_called(&rule.artifact, m)) {
                        let improvement = improvement(&rule);
                        let program = rule as Arc<dyn PatientProgram>;
                        programs.push(ProgramMeasure::care_gap(program, improvement));
                    }
                }
                let missing = |m: &&String| !known.iter().any(|a| is_called(a, m));
                if let Some(missing) = self.packages.measure.iter().find(missing) {
                    return Err(Failure::User(format!(
                        "--measure {missing}: there is no such care gap; `tandem measure list` names them"
                    )));
                }
                None
            }
            false => {
                let mut options = self.packages.options(context.clone());
                options.evaluated = self.format == Format::Deqm;
                let prepared = self.packages.prepare(&options, self.limits.limits())?;
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
        let scratch = tempfile::tempdir().map_err(unwritten)?;
        // Before anything is computed: what cannot be written is told at once.
        let staged = match (self.format, &self.out) {
            (Format::Deqm, Some(out)) => Some(Staged::begin("--out", out)?),
            _ => None,
        };
        let mut made = manifest(&self.packages, &lake, &context);
        if let Some(prepared) = &prepared {
            prepared.record(&mut made);
            self.limits.record(&mut made);
        }
        let shapes = programs.iter().flat_map(|p| &p.shapes);
        made.measures = shapes.map(|s| s.canonical()).collect();
        let request = RunRequest {
            lake: &lake,
            programs: &programs,
            queries: &[],
            period,
            context,
            zone,
            folder: scratch.path(),
            subject,
            official: official.as_deref(),
            prepared: prepared.as_ref(),
            manifest: None,
            reporter: self.reporter.clone(),
        };
        let ran = runtime.block_on(run(&request))?;
        let mut counts = [0_u64; 4];
        let mut rows: Vec<Vec<String>> = vec![];
        let mut first = true;
        let mut csv = crate::say::csv();
        let mut unwritable = None;
        if self.format == Format::Csv {
            csv.write_record(HEADING)?;
        }
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
                if !self.wants(row.status) {
                    continue;
                }
                let cells = row.cells(shape);
                match self.format {
                    // The widths of its columns depend on all of them.
                    Format::Table => rows.push(cells.to_vec()),
                    Format::Csv => {
                        let written = csv.write_record(&cells);
                        unwritable = unwritable.take().or(written.err());
                    }
                    Format::Json => {
                        data!("{}", if first { "[" } else { "  }," });
                        first = false;
                        let pairs = HEADING.iter().zip(&cells);
                        let pairs = pairs.map(|(h, c)| ((*h).to_owned(), serde_json::json!(c)));
                        let object = serde_json::Value::Object(pairs.collect());
                        let text = serde_json::to_string_pretty(&object).unwrap_or_default();
                        // Its last line comes with what follows it.
                        let lines = text.lines().count();
                        for line in text.lines().take(lines.saturating_sub(1)) {
                            data!("  {line}");
                        }
                    }
                    Format::Deqm => {}
                }
            }
        })?;
        match self.format {
            Format::Table => {
                table::print(&HEADING, &rows);
                super::print::print_names(ran.shapes.iter().map(|shape| &**shape));
                let [open, closed, not_applicable, not_evaluable] = counts.map(thousands);
                say!(
                    "\n{open} open, {closed} closed, {not_applicable} not applicable, {not_evaluable} could not be evaluated"
                );
            }
            Format::Json if first => data!("[]"),
            Format::Json => data!("  }}\n]"),
            Format::Csv => {
                if let Some(error) = unwritable {
                    return Err(error.into());
                }
                csv.flush().map_err(unwritten)?;
            }
            Format::Deqm => {
                if let (Some(staged), Some(out)) = (staged, &self.out) {
                    let written = self.documents(&ran, staged.folder())?;
                    staged.list(&made)?;
                    staged.commit()?;
                    note!("{} documents are in {}", thousands(written), out.display());
                }
            }
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

    /// A document a patient. Rows stand by measure; patients are gathered from all of them, so many at
    /// a time.
    fn documents(&self, ran: &super::run::Ran, folder: &Path) -> Result<u64, Failure> {
        let passes = 1 + ran.statistics.evaluate.patients / GATHERED;
        let mut written = 0_u64;
        let mut names: BTreeSet<String> = BTreeSet::new();
        for pass in 0..passes {
            let mut of_patient: BTreeMap<String, Vec<Subject>> = BTreeMap::new();
            read_rows(&ran.rows, &ran.shapes, &mut |subject| {
                let Some(shape) = ran.shapes.get(subject.measure) else {
                    return;
                };
                let turn = || {
                    let hash = measures::manifest::hash(subject.patient.as_bytes()).0;
                    hash % u128::from(passes) == u128::from(pass)
                };
                let mine = passes == 1 || turn();
                let wanted = |rows: Vec<GapRow>| rows.iter().any(|row| self.wants(row.status));
                if mine && shape.is_settled() && wanted(gaps(shape, subject)) {
                    let own = of_patient.entry(subject.patient.clone()).or_default();
                    own.push(subject.clone());
                }
            })?;
            for (patient, subjects) in of_patient {
                let Some(bundle) = self.document(ran, &patient, &subjects) else {
                    continue;
                };
                let text = serde_json::to_string_pretty(&bundle)
                    .map_err(|e| Failure::Internal(e.to_string()))?;
                // Ids differ in case, and not all file systems tell that apart.
                let mut name = file_name("gaps-", &patient, ".json");
                if !names.insert(name.to_lowercase()) {
                    let hash = measures::manifest::hash(patient.as_bytes());
                    name = file_name("gaps-", &format!("{patient}-{hash}"), ".json");
                    names.insert(name.to_lowercase());
                }
                std::fs::write(folder.join(name), text + "\n").map_err(unwritten)?;
                written += 1;
            }
        }
        Ok(written)
    }

    fn document(
        &self,
        ran: &super::run::Ran,
        patient: &str,
        subjects: &[Subject],
    ) -> Option<serde_json::Value> {
        let mut parts = vec![];
        for subject in subjects {
            let Some(shape) = ran.shapes.get(subject.measure) else {
                continue;
            };
            let mut rows = gaps(shape, subject);
            rows.retain(|row| self.wants(row.status));
            let evaluated = subject.evaluated.iter();
            let evaluated: Vec<_> = evaluated.map(|r| (r.clone(), vec![])).collect();
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
        gaps_bundle(patient, &measures, &[], &ran.report)
    }
}

/// Patients whose results are in memory at once while documents are written.
const GATHERED: u64 = 50_000;
