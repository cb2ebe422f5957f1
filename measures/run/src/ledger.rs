//! What a run read, and what it could not use: the ledger that reports hold.

use engine_patient::system::date_time::DateTime;
use engine_population::views::Unusable;
use measures::ledger::Ledger;
use measures::manifest::Manifest;
use measures::report::ReportContext;

use crate::evaluate::RunStatistics;
use crate::prepared_job::PreparedJob;

/// Patients times measures of whom nothing is in the lake that a criterion could hold by.
pub const DECIDED: &str =
    "decided without evaluation: no resource of the patient bears on the measure";

/// Said where the lake has nothing in the period.
pub const NO_VISIT: &str = "nothing in the period";

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
    // Only the patient's own bucket is read: what matches elsewhere is not known.
    if of.job.subject.is_some() && !of.selected.programs.is_empty() {
        let line = "not looked for: one patient";
        ledger.add(line, "what nothing in the lake matches", 0);
    }
    if let Some(outside) = &of.outside {
        ledger.add(NO_VISIT, outside, 0);
    }
    let counts = &statistics.evaluate;
    if !of.selected.programs.is_empty() {
        ledger.add("patients", "", counts.patients);
        ledger.add("resources evaluated", "", counts.resources);
        if counts.skipped > 0 {
            ledger.add(DECIDED, "", counts.skipped);
        }
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
        for (canonical, asked) in &packages.built.asked {
            let usage = &asked.usage;
            if usage.completeness != "complete" {
                let measures: Vec<&str> = asked.measures.iter().map(|m| &**m).collect();
                let touches: Vec<&str> = usage.touches.iter().map(|t| &**t).collect();
                let detail = format!(
                    "{} ({canonical}), of {}; touches {}",
                    usage.name,
                    measures.join(", "),
                    touches.join("; ")
                );
                ledger.add(&format!("value set {}", usage.completeness), &detail, 0);
            }
        }
    }
    ledger
}
