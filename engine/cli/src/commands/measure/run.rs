//! `tandem measure run`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use engine_patient::context::EvaluationContext;
use engine_patient::program::{Artifact, PatientProgram};
use engine_patient::time::{DateTime, Precision};
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};
use engine_population::views::Unusable;
use measures::manifest::Manifest;
use measures::official::ElmMeasures;
use measures::package::select_each;
use measures::report::individual::individual_report;
use measures::report::subject_list::{SubjectLists, subject_list_report};
use measures::report::{ReportContext, measure_report};
use measures::result::MeasureResult;
use measures::run::{ProgramMeasure, RunStatistics, read_rows, run_programs};
use measures::shape::{MeasureShape, plain_name};
use measures::sql::SqlMeasure;

use super::list::sql_measures;
use super::packages::{PackageArgs, Prepared, name_all};
use super::print::{
    print_csv, print_json, print_ledger, print_statistics, print_table, print_unmatched,
};
use super::{improvement, parse_period, parse_zone};
use crate::commands::rule::{files, load_rules, read};
use crate::commands::{runtime, threads};
use crate::failure::{Done, Failure};

/// Run measures over all patients of a lake: official packages (FHIR Measure and ELM), care gaps
/// (CEL), SQL measures.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure run --lake lake --period 2025-01-01..2025-12-31
  tandem measure run packages/ --lake lake --period 2026-01-01..2026-12-31 --out results
  tandem measure run packages/ --lake lake --period 2026-01-01..2026-12-31 --measure CMS122FHIR --report individual --subject Patient/123
Without a package the built-in measures are run; with packages, theirs (add --built-in for both).
With --out: MeasureReports as JSON, the subject list as subjects.csv, results.parquet (a row a patient,
measure and population), and run.json, which names all that decides the numbers: the same run.json, the
same bytes.")]
pub struct Run {
    #[command(flatten)]
    packages: PackageArgs,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// First and last day, as in 2025-01-01..2025-12-31.
    #[arg(long)]
    period: String,
    /// Rules of your own, as files or folders.
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// Run the built-in measures beside those of packages.
    #[arg(long)]
    built_in: bool,
    /// Which MeasureReports to write to --out (and to print with --format json).
    #[arg(long, value_enum, default_value = "summary")]
    report: Report,
    /// Only this patient: Patient/ID.
    #[arg(long)]
    subject: Option<String>,
    /// The day as of which to evaluate (CQL Now()). Default: the last of the period.
    #[arg(long)]
    as_of: Option<String>,
    /// Also by organization or practitioner that patients are attributed to, or by location of visits.
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Write a letter per clause and patient into the result rows (see `measure explain --funnel`).
    #[arg(long)]
    clauses: bool,
    /// Folder for reports and result rows; made if it is not there.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Offset from UTC of dates and of date-times without an offset.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// Who reports, as in Organization/1.
    #[arg(long)]
    reporter: Option<String>,
    /// How to print the results; `parquet` writes the rows to --out only.
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
    Parquet,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Report {
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

/// What is to be run: programs, queries, and the packages; and the value sets of the rules.
type Chosen = (
    Vec<ProgramMeasure>,
    Vec<SqlMeasure>,
    Option<Prepared>,
    BTreeMap<String, String>,
);

impl Run {
    pub fn run(self) -> Done {
        let period = parse_period(&self.period)?;
        let zone = parse_zone(&self.time_zone)?;
        let mut context = EvaluationContext::for_period(period.0, period.1, zone);
        if let Some(day) = &self.as_of {
            context.at = as_of(day, zone)?;
        }
        if self.format == Format::Parquet && self.out.is_none() {
            return Err(Failure::User(
                "--format parquet needs --out: the folder for results.parquet".into(),
            ));
        }
        let subject = match &self.subject {
            Some(subject) => Some(subject_id(subject)?),
            None => None,
        };
        let (mut programs, mut queries, prepared, value_sets) = self.measures(&context)?;
        let official = match &prepared {
            Some(prepared) => prepared.program(),
            None => None,
        };
        let mut elm = None;
        if let Some((program, measure)) = official {
            programs.insert(0, measure);
            elm = Some(program);
        }
        name_all(&mut programs, &mut queries)?;
        if subject.is_some() {
            queries.clear();
        }
        let runtime = runtime()?;
        let lake = runtime.block_on(Lake::open(&self.lake, self.snapshot))?;
        let mut manifest = self.manifest(&lake, zone, &context);
        manifest.value_sets = value_sets;
        if let Some(prepared) = &prepared {
            prepared.record(&mut manifest);
            for path in files(&self.packages.terminology, &[".json", ".ndjson"])? {
                manifest.file(&path.display().to_string(), &read(&path)?);
            }
        }
        let request = RunRequest {
            lake: &lake,
            programs: &programs,
            queries: &queries,
            period,
            context,
            zone,
            out: self.out.as_deref(),
            subject: subject.as_deref(),
            official: elm.as_deref(),
            prepared: prepared.as_ref(),
            manifest: Some(manifest),
            reporter: self.reporter.clone(),
        };
        let mut ran = runtime.block_on(run(&request))?;
        let failed = std::mem::take(&mut ran.failed);
        for one in &ran.unusable {
            eprintln!("note: a value that cannot be used, null in SQL measures: {one}");
        }
        if let (Some(id), true) = (&subject, ran.results.iter().all(|r| r.patients == 0)) {
            return Err(Failure::User(format!("the lake has no patient `{id}`")));
        }
        let reports = self.reports(&ran)?;
        match self.format {
            Format::Table => {
                print_table(&ran.results);
                print_unmatched(&ran.statistics);
                print_ledger(&ran.report.ledger);
            }
            Format::Csv => print_csv(&ran.results),
            Format::Json => print_json(&serde_json::Value::Array(
                reports.into_iter().flat_map(|(_, r)| r).collect(),
            ))?,
            Format::Parquet => {}
        }
        if let Some(by) = self.by {
            runtime.block_on(self.by(by, &lake, &ran))?;
        }
        if self.explain {
            print_statistics(&ran.statistics);
        }
        if let Some(out) = &self.out {
            eprintln!("Reports and result rows are in {}", out.display());
        }
        // The others stand above; the exit code is of the last one that failed.
        let mut code = std::process::ExitCode::SUCCESS;
        for failure in failed {
            code = failure.tell();
        }
        if let Some(prepared) = &prepared {
            prepared.verdict()?;
        }
        Ok(code)
    }

    fn measures(&self, context: &EvaluationContext) -> Result<Chosen, Failure> {
        let official = !self.packages.package.is_empty();
        if !official {
            PackageArgs::refuse_better(&self.packages.better)?;
        }
        let built_in = !official || self.built_in;
        // Only the user's own rules where the built-in ones were not asked for.
        let all = load_rules(&self.rules, &self.packages.terminology)?;
        let own = load_rules(&[], &[])?;
        let same = |a: &Artifact, b: &Artifact| a.url == b.url && a.version == b.version;
        let rules = all
            .into_iter()
            .filter(|rule| built_in || !own.iter().any(|o| same(&o.artifact, &rule.artifact)));
        let mut value_sets = BTreeMap::new();
        let wanted = &self.packages.measure;
        let mut programs: Vec<ProgramMeasure> = rules
            .map(|rule| {
                if wanted.is_empty() || wanted.iter().any(|m| is_called(&rule.artifact, m)) {
                    let sets = rule.value_sets.iter();
                    value_sets.extend(sets.map(|(_, s)| (s.canonical(), s.hash().to_string())));
                }
                let improvement = improvement(&rule);
                ProgramMeasure::care_gap(rule as Arc<dyn PatientProgram>, improvement)
            })
            .collect();
        let mut queries = if built_in { sql_measures()? } else { vec![] };
        let known: Vec<Artifact> = programs
            .iter()
            .flat_map(|p| p.program.artifacts())
            .chain(queries.iter().map(|q| &q.artifact))
            .cloned()
            .collect();
        let mut packages = self.packages.clone();
        if !packages.measure.is_empty() {
            // Names of rules and SQL measures are none of the packages.
            packages
                .measure
                .retain(|m| !known.iter().any(|a| is_called(a, m)));
            if official && packages.measure.len() < self.packages.measure.len() {
                self.ambiguous(&known)?;
            }
            let wanted = |a: &Artifact| self.packages.measure.iter().any(|m| is_called(a, m));
            programs.retain(|p| p.program.artifacts().iter().any(wanted));
            queries.retain(|q| wanted(&q.artifact));
            if let (false, Some(unknown)) = (official, packages.measure.first()) {
                let ids: Vec<&str> = known.iter().map(|a| &*a.id).collect();
                let near = engine_patient::diagnostic::did_you_mean(unknown, ids.iter().copied());
                let help = near.map_or(format!("known are {}", ids.join(", ")), |n| {
                    format!("did you mean `{n}`?")
                });
                return Err(Failure::User(format!(
                    "--measure {unknown}: there is no such measure; {help}"
                )));
            }
        }
        let only_others = !self.packages.measure.is_empty() && packages.measure.is_empty();
        let prepared = match official && !only_others {
            true => {
                let mut options = packages.options(context.clone());
                options.clauses = self.clauses;
                options.evaluated = self.report == Report::Individual;
                options.sparse = self.subject.is_none() && !options.evaluated && !options.clauses;
                Some(packages.prepare(&options)?)
            }
            false => None,
        };
        Ok((programs, queries, prepared, value_sets))
    }

    /// A name that both a measure of the packages and another one have says neither.
    fn ambiguous(&self, known: &[Artifact]) -> Result<(), Failure> {
        let loaded = self.packages.load()?;
        for name in &self.packages.measure {
            let built_in = known.iter().find(|a| is_called(a, name));
            let names = [name.clone()];
            if let (Some(built_in), (found, _)) = (built_in, select_each(&loaded.package, &names))
                && let Some(found) = found.first()
            {
                return Err(Failure::User(format!(
                    "--measure {name}: there is one in the packages and one outside them; say which: `{}|{}` or `{}`",
                    built_in.url,
                    built_in.version,
                    found.key()
                )));
            }
        }
        Ok(())
    }

    fn manifest(&self, lake: &Lake, zone: i16, context: &EvaluationContext) -> Manifest {
        let period = context.period.unwrap_or((context.at, context.at));
        let mut manifest = Manifest {
            engine: concat!("tandem ", env!("CARGO_PKG_VERSION")).into(),
            snapshot: lake.snapshot.number,
            period: (period.0.to_string(), period.1.to_string()),
            time_zone: DateTime::from_utc_millis(0, zone)
                .to_string()
                .split_off(23)
                .replace('Z', "+00:00"),
            ..Manifest::default()
        };
        manifest
            .parameters
            .insert("Now".into(), context.at.to_string());
        if !self.packages.package.is_empty() {
            let mode = if self.packages.strict_profiles {
                "strict"
            } else {
                "decide"
            };
            manifest.profile_mode = Some(mode.into());
        }
        manifest
    }

    /// The reports that were asked for, by file name; written where `--out` says.
    fn reports(&self, ran: &Ran) -> Result<Vec<(String, Vec<serde_json::Value>)>, Failure> {
        let mut all: Vec<(String, Vec<serde_json::Value>)> = vec![];
        match self.report {
            Report::Summary => {
                for result in &ran.results {
                    let name = report_name(&result.shape, ".json");
                    all.push((name, vec![measure_report(result, &ran.report)]));
                }
            }
            Report::SubjectList => {
                let mut lists: Vec<SubjectLists> = vec![];
                lists.resize_with(ran.shapes.len(), SubjectLists::default);
                read_rows(&ran.rows, &ran.shapes, &mut |subject| {
                    let shape = ran.shapes.get(subject.measure);
                    if let (Some(list), Some(shape)) = (lists.get_mut(subject.measure), shape) {
                        list.add(shape, subject);
                    }
                })?;
                for result in &ran.results {
                    let at = ran
                        .shapes
                        .iter()
                        .position(|s| Arc::ptr_eq(s, &result.shape));
                    let Some(list) = at.and_then(|i| lists.get(i)) else {
                        // An SQL measure has no list of subjects.
                        let name = report_name(&result.shape, ".json");
                        all.push((name, vec![measure_report(result, &ran.report)]));
                        continue;
                    };
                    let name = report_name(&result.shape, "-subject-list.json");
                    all.push((name, vec![subject_list_report(result, list, &ran.report)]));
                }
            }
            Report::Individual => {
                let mut by_measure: BTreeMap<usize, Vec<serde_json::Value>> = BTreeMap::new();
                read_rows(&ran.rows, &ran.shapes, &mut |subject| {
                    let Some(shape) = ran.shapes.get(subject.measure) else {
                        return;
                    };
                    let evaluated: Vec<_> = subject
                        .evaluated
                        .iter()
                        .map(|r| (r.clone(), vec![]))
                        .collect();
                    let report = individual_report(shape, subject, &evaluated, &ran.report);
                    by_measure.entry(subject.measure).or_default().push(report);
                })?;
                for (measure, reports) in by_measure {
                    if let Some(shape) = ran.shapes.get(measure) {
                        all.push((report_name(shape, "-individual.ndjson"), reports));
                    }
                }
            }
        }
        if let Some(out) = &self.out {
            for (name, reports) in &all {
                let text = |r: &serde_json::Value| match name.ends_with(".ndjson") {
                    true => serde_json::to_string(r),
                    false => serde_json::to_string_pretty(r),
                };
                let mut whole = String::new();
                for report in reports {
                    whole += &text(report).map_err(|e| Failure::Internal(e.to_string()))?;
                    whole.push('\n');
                }
                std::fs::write(out.join(name), whole).map_err(unwritten)?;
            }
            if let Some(manifest) = &ran.report.manifest {
                std::fs::write(out.join("run.json"), manifest.bytes()).map_err(unwritten)?;
            }
        }
        Ok(all)
    }

    /// Totals by what patients are attributed to.
    async fn by(&self, by: By, lake: &Lake, ran: &Ran) -> Result<(), Failure> {
        let name = match by {
            By::Organization => "organization",
            By::Practitioner => "practitioner",
            By::Location => "location",
        };
        let of_patient = super::attribution::of(lake, name).await?;
        let mut totals: BTreeMap<String, measures::totals::Totals> = BTreeMap::new();
        read_rows(&ran.rows, &ran.shapes, &mut |subject| {
            let none = [String::from("(none)")];
            let places = of_patient
                .get(&subject.patient)
                .map_or(none.as_slice(), Vec::as_slice);
            for place in places {
                let own = totals
                    .entry(place.clone())
                    .or_insert_with(|| measures::totals::Totals::new(&ran.shapes));
                own.add(subject);
            }
        })?;
        let mut csv = format!("{name},{}\n", measures::table::CSV_HEADING);
        for (place, totals) in totals {
            let results = totals.finish();
            for line in measures::table::csv(&results) {
                csv += &format!("{},{line}\n", measures::table::quoted(&place));
            }
            if self.format == Format::Table {
                say!("\n{name} {place}");
                print_table(&results);
            }
        }
        if self.format == Format::Csv {
            say!("{}", csv.trim_end());
        }
        if let Some(out) = &self.out {
            std::fs::write(out.join(format!("by-{name}.csv")), csv).map_err(unwritten)?;
        }
        Ok(())
    }
}

/// The file of a measure's reports.
fn report_name(shape: &MeasureShape, rest: &str) -> String {
    format!("MeasureReport-{}{rest}", plain_name(&shape.name))
}

/// Whether somebody means this measure: by id or url, each also with `|version`.
fn is_called(artifact: &Artifact, name: &str) -> bool {
    let (name, version) = match name.split_once('|') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    };
    (name == &*artifact.id || name == &*artifact.url)
        && version.is_none_or(|v| v == &*artifact.version)
}

fn unwritten(e: std::io::Error) -> Failure {
    Failure::Internal(format!("the results cannot be written: {e}"))
}

/// The end of a day, or a moment.
pub(super) fn as_of(day: &str, zone: i16) -> Result<DateTime, Failure> {
    let at = DateTime::parse(day).filter(|d| d.precision() >= Precision::Day);
    let at =
        at.ok_or_else(|| Failure::User(format!("--as-of {day}: write a day, as in 2026-12-31")))?;
    Ok(DateTime::from_utc_millis(at.latest(zone), zone))
}

/// `Patient/123`, or the id alone.
pub(super) fn subject_id(text: &str) -> Result<String, Failure> {
    let id = text.strip_prefix("Patient/").unwrap_or(text);
    match id.is_empty() || id.contains('/') {
        true => Err(Failure::User(format!("--subject {text}: write Patient/ID"))),
        false => Ok(id.to_owned()),
    }
}

/// What to run on what.
pub struct RunRequest<'a> {
    pub lake: &'a Lake,
    pub programs: &'a [ProgramMeasure],
    pub queries: &'a [SqlMeasure],
    pub period: (DateTime, DateTime),
    pub context: EvaluationContext,
    pub zone: i16,
    pub out: Option<&'a Path>,
    pub subject: Option<&'a str>,
    pub official: Option<&'a ElmMeasures>,
    pub prepared: Option<&'a Prepared>,
    pub manifest: Option<Manifest>,
    pub reporter: Option<String>,
}

/// What a run came to.
pub struct Ran {
    pub results: Vec<MeasureResult>,
    pub statistics: RunStatistics,
    /// As the measures of the result rows.
    pub shapes: Vec<Arc<MeasureShape>>,
    pub report: ReportContext,
    /// Values that the views could not use, with the first of the resources.
    pub unusable: Vec<Unusable>,
    /// SQL measures that could not be run, and why.
    pub failed: Vec<Failure>,
    /// The result rows.
    pub rows: PathBuf,
    /// Holds the rows where no folder was given.
    _scratch: tempfile::TempDir,
}

impl Ran {
    /// A summary report a measure, as a file.
    pub fn write_reports(&self, folder: &Path) -> Result<(), Failure> {
        for result in &self.results {
            let report = measure_report(result, &self.report);
            let text = serde_json::to_string_pretty(&report)
                .map_err(|e| Failure::Internal(e.to_string()))?;
            let name = report_name(&result.shape, ".json");
            std::fs::write(folder.join(name), text + "\n").map_err(unwritten)?;
        }
        Ok(())
    }
}

impl RunRequest<'_> {
    fn report_context(&self, statistics: &RunStatistics, unusable: &[Unusable]) -> ReportContext {
        // The date of the data, not of the clock: the same inputs give the same bytes.
        let date = DateTime::from_utc_millis(self.lake.snapshot.created_ms, 0);
        let snapshot = self.lake.snapshot.number;
        let mut context = ReportContext::new(self.period, date, self.zone, snapshot);
        context.manifest.clone_from(&self.manifest);
        context.reporter.clone_from(&self.reporter);
        let ledger = &mut context.ledger;
        for requirement in statistics.evaluate.unmatched() {
            ledger.add("nothing in the lake matches", &requirement, 0);
        }
        let counts = &statistics.evaluate;
        if !self.programs.is_empty() {
            ledger.add("patients", "", counts.patients);
            ledger.add("resources evaluated", "", counts.resources);
            let spared = "patients and measures without a decisive resource";
            ledger.add(spared, "", counts.skipped);
        }
        if counts.failed > 0 {
            ledger.add("evaluations that failed", "", counts.failed);
        }
        for one in unusable {
            // Which resources they are is patient data: the run tells it, the report does not.
            let detail = format!("{}, {}", one.view, one.problem);
            ledger.add("values that a view cannot use", &detail, one.count);
        }
        if let Some(official) = self.official {
            ledger.merge(&official.ledger());
        }
        if let Some(prepared) = self.prepared {
            prepared.note(ledger);
            for (canonical, usage) in &prepared.built.value_sets {
                if usage.completeness != "complete" {
                    let touches: Vec<&str> = usage.touches.iter().map(|t| &**t).collect();
                    let detail = format!(
                        "{} ({canonical}) touches {}",
                        usage.name,
                        touches.join("; ")
                    );
                    ledger.add(&format!("value set {}", usage.completeness), &detail, 0);
                }
            }
        }
        context
    }
}

/// Runs all measures; writes rows and the subject list where `out` says.
pub async fn run(request: &RunRequest<'_>) -> Result<Ran, Failure> {
    let scratch = tempfile::tempdir().map_err(unwritten)?;
    let folder = match request.out {
        Some(out) => {
            std::fs::create_dir_all(out)
                .map_err(|e| Failure::User(format!("--out {}: {e}", out.display())))?;
            out.to_owned()
        }
        None => scratch.path().to_owned(),
    };
    let rows = folder.join("results.parquet");
    let threads = threads();
    let shapes: Vec<Arc<MeasureShape>> = request
        .programs
        .iter()
        .flat_map(|p| p.shapes.clone())
        .collect();
    let (mut results, statistics) = match request.programs.is_empty() {
        true => (vec![], RunStatistics::default()),
        false => {
            let subject = request.subject;
            run_programs(
                request.lake,
                request.programs,
                &request.context,
                threads,
                &rows,
                subject,
            )
            .await?
        }
    };
    let (mut unusable, mut failed) = (vec![], vec![]);
    if !request.queries.is_empty() {
        let session = session(request.lake, threads).map_err(measures::MeasureError::from)?;
        let notes =
            register_tables(&session, request.lake).map_err(measures::MeasureError::from)?;
        for query in request.queries {
            // One that fails does not take the others along.
            match query.run(&session, request.period).await {
                Ok(result) => results.push(result),
                Err(error) => failed.push(Failure::from(error)),
            }
        }
        unusable = notes.list();
    }
    if request.out.is_some() && !request.programs.is_empty() {
        subjects_csv(&rows, &shapes, &folder.join("subjects.csv"))?;
    }
    Ok(Ran {
        report: request.report_context(&statistics, &unusable),
        unusable,
        failed,
        results,
        statistics,
        shapes,
        rows,
        _scratch: scratch,
    })
}

/// The subject list, see [`measures::subjects`].
fn subjects_csv(rows: &Path, shapes: &[Arc<MeasureShape>], target: &Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Internal(format!("{}: {e}", target.display()));
    let mut out = std::io::BufWriter::new(std::fs::File::create(target).map_err(failed)?);
    writeln!(out, "{}", measures::subjects::HEADING).map_err(failed)?;
    let mut written = Ok(());
    read_rows(rows, shapes, &mut |subject| {
        if let (Ok(()), Some(shape)) = (&written, shapes.get(subject.measure)) {
            written = measures::subjects::write(shape, subject, &mut out);
        }
    })?;
    written.and_then(|()| out.flush()).map_err(failed)
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
