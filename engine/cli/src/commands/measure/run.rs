//! `tandem measure run`

use std::collections::BTreeMap;
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
use measures::report::ReportContext;
use measures::result::MeasureResult;
use measures::run::{ProgramMeasure, RunStatistics, read_rows, run_programs};
use measures::shape::MeasureShape;
use measures::source_files::{bytes, files};
use measures::sql::SqlMeasure;
use sources::{FHIR, RULES};

use super::list::sql_measures;
use super::packages::{LimitArgs, PackageArgs, Prepared, name_all};
use super::print::{print_csv, print_ledger, print_statistics, print_table, print_unmatched};
use super::reports::{print_reports, subjects_csv, write_reports};
use super::{improvement, parse_period, parse_zone};
use crate::commands::rule::load_rules;
use crate::commands::{runtime, threads};
use crate::failure::{Done, Failure};
use crate::staged::Staged;

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
measure and population), and run.json, which names all that decides the numbers, and the files with
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
    /// Folder for reports and result rows: not there yet, empty, or of an earlier run.
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

/// Kinds of MeasureReports.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Report {
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
        let mut manifest = manifest(&self.packages, &lake, zone, &context);
        manifest.value_sets = value_sets;
        if let Some(prepared) = &prepared {
            prepared.record(&mut manifest);
            self.limits.record(&mut manifest);
        }
        // What is left alone was told when they were loaded.
        let terminology = files(&self.packages.terminology, FHIR, &mut |_| {})?;
        let rules = files(&self.rules, RULES, &mut |_| {})?;
        for source in terminology.iter().chain(&rules) {
            manifest.file(&source.path.display().to_string(), &bytes(source)?);
        }
        let of_programs = programs.iter().flat_map(|p| &p.shapes);
        manifest.measures = of_programs.map(|s| s.canonical()).collect();
        let of_queries = queries.iter().map(|q| q.shape().canonical());
        manifest.measures.extend(of_queries);
        // Before anything is computed: what cannot be written is told at once.
        let staged = self.out.as_deref().map(|out| Staged::begin("--out", out));
        let staged = staged.transpose()?;
        let scratch = tempfile::tempdir().map_err(unwritten)?;
        let folder = staged.as_ref().map_or(scratch.path(), Staged::folder);
        let folder = folder.to_owned();
        let request = RunRequest {
            lake: &lake,
            programs: &programs,
            queries: &queries,
            period,
            context,
            zone,
            folder: &folder,
            subject: subject.as_deref(),
            official: elm.as_deref(),
            prepared: prepared.as_ref(),
            manifest: Some(manifest),
            reporter: self.reporter.clone(),
        };
        let mut ran = runtime.block_on(run(&request))?;
        let failed = std::mem::take(&mut ran.failed);
        for one in &ran.unusable {
            note!("note: a value that cannot be used, null in SQL measures: {one}");
        }
        if let (Some(id), true) = (&subject, ran.results.iter().all(|r| r.patients == 0)) {
            return Err(Failure::User(format!("the lake has no patient `{id}`")));
        }
        let mut reports = vec![];
        if staged.is_some() || self.format == Format::Json {
            reports = write_reports(self.report, &ran, &folder)?;
        }
        let by = match self.by {
            Some(by) => Some(runtime.block_on(self.by(by, &lake, &ran))?),
            None => None,
        };
        let mut shown = folder.clone();
        if let (Some(staged), Some(out)) = (staged, &self.out) {
            if !programs.is_empty() {
                subjects_csv(&ran, &folder.join("subjects.csv"))?;
            }
            if let Some(by) = &by {
                let name = format!("by-{}.csv", by.name);
                std::fs::write(folder.join(name), &by.csv).map_err(unwritten)?;
            }
            if let Some(manifest) = &ran.report.manifest {
                staged.list(manifest)?;
            }
            // What is printed below is in its place already, whoever listens.
            staged.commit()?;
            shown = out.clone();
        }
        self.print(&ran, &shown, &reports)?;
        if let Some(by) = &by {
            by.print(self.format);
        }
        if self.explain {
            print_statistics(&ran.statistics);
        }
        if let Some(out) = &self.out {
            note!("Reports and result rows are in {}", out.display());
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
                Some(packages.prepare(&options, self.limits.limits())?)
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
            let Some(built_in) = built_in else { continue };
            let (found, issues) = select_each(&loaded.package, &names);
            let mut all: Vec<String> = found.iter().map(|m| format!("`{}`", m.key())).collect();
            // Several of the packages have the name: the finding lists them.
            let several = issues.iter().filter(|i| i.code == "P091");
            all.extend(several.filter_map(|i| i.help.clone()));
            if !all.is_empty() {
                return Err(Failure::User(format!(
                    "--measure {name}: there is one in the packages and one outside them; say which: `{}|{}` or {}",
                    built_in.url,
                    built_in.version,
                    all.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// Totals by what patients are attributed to; as CSV.
    async fn by(&self, by: By, lake: &Lake, ran: &Ran) -> Result<Attributed, Failure> {
        let name = by.name();
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
        let mut places = vec![];
        for (place, totals) in totals {
            let results = totals.finish();
            for line in measures::table::csv(&results) {
                csv += &format!("{},{line}\n", measures::table::quoted(&place));
            }
            if self.format == Format::Table {
                places.push((place, results));
            }
        }
        Ok(Attributed { name, csv, places })
    }

    /// What was found, where it was asked for.
    fn print(&self, ran: &Ran, folder: &Path, reports: &[String]) -> Result<(), Failure> {
        match self.format {
            Format::Table => {
                print_table(&ran.results);
                print_unmatched(&ran.statistics);
                print_ledger(&ran.report.ledger);
            }
            Format::Csv => print_csv(&ran.results),
            Format::Json => print_reports(folder, reports)?,
            Format::Parquet => {}
        }
        Ok(())
    }
}

impl By {
    fn name(self) -> &'static str {
        match self {
            By::Organization => "organization",
            By::Practitioner => "practitioner",
            By::Location => "location",
        }
    }
}

/// Totals by organization, practitioner or location.
struct Attributed {
    name: &'static str,
    csv: String,
    /// For the table.
    places: Vec<(String, Vec<MeasureResult>)>,
}

impl Attributed {
    fn print(&self, format: Format) {
        for (place, results) in &self.places {
            say!("\n{} {place}", self.name);
            print_table(results);
        }
        if format == Format::Csv {
            data!("{}", self.csv.trim_end());
        }
    }
}

/// What decides the numbers of a run.
pub(super) fn manifest(
    packages: &PackageArgs,
    lake: &Lake,
    zone: i16,
    context: &EvaluationContext,
) -> Manifest {
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
    if !packages.package.is_empty() {
        let mode = if packages.strict_profiles {
            "strict"
        } else {
            "decide"
        };
        manifest.profile_mode = Some(mode.into());
    }
    manifest
}

/// Whether somebody means this measure: by id or url, each also with `|version`.
pub(super) fn is_called(artifact: &Artifact, name: &str) -> bool {
    let (name, version) = match name.split_once('|') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    };
    (name == &*artifact.id || name == &*artifact.url)
        && version.is_none_or(|v| v == &*artifact.version)
}

pub(super) fn unwritten(e: std::io::Error) -> Failure {
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
    /// Where the result rows go to, `results.parquet`.
    pub folder: &'a Path,
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

/// Runs all measures; writes their rows into the folder.
pub async fn run(request: &RunRequest<'_>) -> Result<Ran, Failure> {
    let rows = request.folder.join("results.parquet");
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
    Ok(Ran {
        report: request.report_context(&statistics, &unusable),
        unusable,
        failed,
        results,
        statistics,
        shapes,
        rows,
    })
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
