//! Where the time of a run goes, and what it reads.

use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, Time,
};

use engine_patient::program::{Notes, Used};

use super::plan::Plan;

/// Where the time goes, and what was read.
#[derive(Clone)]
pub(super) struct EvaluateMetrics {
    pub(super) facts_time: Time,
    pub(super) fetch_time: Time,
    pub(super) parse_time: Time,
    pub(super) evaluate_time: Time,
    pub(super) patients: Count,
    /// Patients of whom a program was spared the evaluation: a necessary requirement has no match.
    pub(super) skipped: Count,
    pub(super) resources: Count,
    pub(super) pages: Count,
    pub(super) pages_total: Count,
    pub(super) bytes: Count,
    pub(super) failed: Count,
    pub(super) baseline: BaselineMetrics,
    /// Per requirement: what matches, of whatever patient or of none. Empty in a run for some
    /// patients, which does not see the matches of others.
    pub(super) hits: Vec<Count>,
    /// Per artifact whose steps are counted: what it used.
    spent: Vec<Option<(Count, Count)>>,
    partition: usize,
}

/// How the metric of a requirement's hits is called.
pub(super) const HITS: &str = "matches of ";
/// And that of what was noted: kind and detail.
pub(super) const NOTE: &str = "note: ";
/// Between kind and detail, which may have anything else in it.
pub(super) const BESIDE: char = '\u{1f}';
/// And those of what an artifact used, by its number.
pub(super) const STEPS: &str = "steps of artifact ";
pub(super) const EXHAUSTED: &str = "budgets used up of artifact ";

impl EvaluateMetrics {
    pub(super) fn new(
        set: &ExecutionPlanMetricsSet,
        partition: usize,
        plan: Option<&Plan>,
        artifacts: impl Iterator<Item = bool>,
    ) -> Self {
        let counter = |name: String| MetricBuilder::new(set).counter(name, partition);
        let count = |name: &'static str| MetricBuilder::new(set).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(set).subset_time(name, partition);
        EvaluateMetrics {
            facts_time: time("facts_time"),
            fetch_time: time("fetch_time"),
            parse_time: time("parse_time"),
            evaluate_time: time("evaluate_time"),
            patients: count("patients"),
            skipped: count("program_patients_skipped"),
            resources: count("resources_fetched"),
            pages: count("raw_pages_decompressed"),
            pages_total: count("raw_pages_total"),
            bytes: count("raw_bytes_compressed"),
            failed: count("evaluations_failed"),
            baseline: BaselineMetrics::new(set, partition),
            hits: plan
                .into_iter()
                .flat_map(|plan| &plan.requirements)
                .map(|r| counter(format!("{HITS}{r}")))
                .collect(),
            spent: artifacts
                .enumerate()
                .map(|(index, counted)| {
                    let both = || {
                        let steps = counter(format!("{STEPS}{index}"));
                        (steps, counter(format!("{EXHAUSTED}{index}")))
                    };
                    counted.then(both)
                })
                .collect(),
            partition,
        }
    }
    /// What a patient's evaluation of an artifact took.
    pub(super) fn spend(&self, artifact: usize, used: Used) {
        if let Some(Some((steps, exhausted))) = self.spent.get(artifact) {
            steps.add(usize::try_from(used.steps).unwrap_or(usize::MAX));
            exhausted.add(usize::from(used.exhausted));
        }
    }

    /// What the evaluations of the partition noted, once it has ended.
    pub(super) fn note(&self, set: &ExecutionPlanMetricsSet, notes: &Notes) {
        for (kind, detail, count) in notes.iter() {
            let name = format!("{NOTE}{}{BESIDE}{detail}", kind.as_str());
            let counter = MetricBuilder::new(set).counter(name, self.partition);
            counter.add(usize::try_from(count).unwrap_or(usize::MAX));
        }
    }
}
