//! What decides the numbers of a job, as `run.json` and reports name it.

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_population::lake::Lake;
use measures::manifest::Manifest;
use measures::prepared::record_limits;
use measures::source_files::{bytes, files};
use sources::{RULES, TERMINOLOGY};

use crate::error::RunError;
use crate::job::{Job, Task};
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
        command: match &job.task {
            Task::Run(_) => Some("measure run".into()),
            Task::Gaps(_) => Some("measure gaps".into()),
            Task::Explain { .. } | Task::Funnel { .. } => None,
        },
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
    // What is left alone was told when they were loaded.
    let mut sources = match &job.task {
        Task::Run(_) | Task::Gaps(_) => files(&job.packages.terminology, TERMINOLOGY, &mut |_| {})?,
        // They have no list of what decided them.
        Task::Explain { .. } | Task::Funnel { .. } => vec![],
    };
    let rules = match &job.task {
        Task::Run(task) => &task.rules[..],
        Task::Gaps(task) => &task.rules[..],
        Task::Explain { .. } | Task::Funnel { .. } => &[],
    };
    sources.extend(files(rules, RULES, &mut |_| {})?);
    if let Task::Run(task) = &job.task {
        manifest.attribution = task.by.map(|by| by.rule().to_owned());
    }
    for source in sources {
        manifest.file(&source.path.display().to_string(), &bytes(&source)?);
    }
    Ok(manifest)
}
