//! What a run was made of, and what it could not use: the manifest, and the ledger that reports hold.

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::system::date_time::DateTime;
use engine_population::lake::Lake;
use engine_population::views::Unusable;
use measures::ledger::Ledger;
use measures::manifest::Manifest;
use measures::prepared::record_limits;
use measures::report::ReportContext;
use measures::source_files::{bytes, files};
use sources::{FHIR, RULES};

use crate::error::RunError;
use crate::evaluate::RunStatistics;
use crate::job::{Job, Task};
use crate::run::PreparedJob;
use crate::select::Selected;

/// What decides the numbers of a job.
pub(crate) fn manifest(
    job: &Job,
    lake: &Lake,
    context: &EvaluationContext,
    selected: &Selected,
) -> Result<Manifest, RunError> {
    let period = context.period.unwrap_or((context.at, context.at));
    let mut manifest = Manifest {
        engine: concat!("tandem ", env!("CARGO_PKG_VERSION")).into(),
        snapshot: lake.snapshot.number,
        period: (period.0.to_string(), period.1.to_string()),
        time_zone: job.zone.to_string(),
        value_sets: selected.value_sets.clone(),
        measures: selected.canonicals(),
        ..Manifest::default()
    };
    let now = context.at.to_string();
    manifest.parameters.insert("Now".into(), now);
    if !job.packages.paths.is_empty() {
        let mode = match job.packages.profile_mode {
            ProfileMode::Strict => "strict",
            ProfileMode::Decide => "decide",
        };
        manifest.profile_mode = Some(mode.into());
    }
    if let Some(packages) = &selected.packages {
        packages.record(&mut manifest);
        record_limits(job.limits, &mut manifest);
    }
    if let Task::Run(_) = job.task {
        // What is left alone was told when they were loaded.
        let terminology = files(&job.packages.terminology, FHIR, &mut |_| {})?;
        let rules = files(&job.rules, RULES, &mut |_| {})?;
        for source in terminology.iter().chain(&rules) {
            manifest.file(&source.path.display().to_string(), &bytes(source)?);
        }
    }
    Ok(manifest)
}

/// Measures that the run gave up: which, and why.
pub(crate) fn given_up(statistics: &RunStatistics) -> Option<RunError> {
    let all = statistics.given_up.iter();
    let all: Vec<String> = all
        .map(|(artifact, why)| format!("  {}|{}: {why}", artifact.url, artifact.version))
        .collect();
    (!all.is_empty()).then(|| {
        RunError::Unsupported(format!(
            "{} measure(s) were given up, and are not evaluable for anybody:\n{}\nwith --patient-steps and --patient-memory a patient may use more",
            all.len(),
            all.join("\n")
        ))
    })
}

/// What reports have in common.
pub(crate) fn report_context(
    of: &PreparedJob,
    manifest: Option<&Manifest>,
    statistics: &RunStatistics,
    unusable: &[Unusable],
) -> ReportContext {
    // The date of the data, not of the clock: the same inputs give the same bytes.
    let date = DateTime::from_utc_millis(of.lake.snapshot.created_ms, 0);
    let snapshot = of.lake.snapshot.number;
    let mut context = ReportContext::new(of.job.period, date, of.job.zone.clone(), snapshot);
    context.manifest = manifest.cloned();
    context.reporter.clone_from(&of.job.reporter);
    context.ledger = ledger(of, statistics, unusable);
    context
}

fn ledger(of: &PreparedJob, statistics: &RunStatistics, unusable: &[Unusable]) -> Ledger {
    let mut ledger = Ledger::default();
    for requirement in statistics.evaluate.unmatched() {
        ledger.add("nothing in the lake matches", &requirement, 0);
    }
    let counts = &statistics.evaluate;
    if !of.selected.programs.is_empty() {
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
    ledger.notes(&counts.notes);
    for (artifact, why) in &statistics.given_up {
        let detail = format!("{}|{}: {why}", artifact.url, artifact.version);
        let line = "patients of a measure that was given up";
        ledger.add(line, &detail, statistics.patients);
    }
    if let Some(packages) = &of.selected.packages {
        packages.note(&mut ledger);
        for (canonical, usage) in &packages.built.value_sets {
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
    ledger
}
