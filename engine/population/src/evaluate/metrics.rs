//! Where the time of a run goes, and what it reads.

use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, Time,
};

use super::plan::Plan;

/// Where the time goes, and what was read.
#[derive(Clone)]
pub(super) struct EvaluateMetrics {
    pub(super) facts_time: Time,
    pub(super) fetch_time: Time,
    pub(super) parse_time: Time,
    pub(super) evaluate_time: Time,
    pub(super) patients: Count,
    /// Patients of whom a program was spared the evaluation: a decisive requirement has no match.
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
}

/// How the metric of a requirement's hits is called.
pub(super) const HITS: &str = "matches of ";

impl EvaluateMetrics {
    pub(super) fn new(
        set: &ExecutionPlanMetricsSet,
        partition: usize,
        plan: Option<&Plan>,
    ) -> Self {
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
                .map(|r| MetricBuilder::new(set).counter(format!("{HITS}{r}"), partition))
                .collect(),
        }
    }
}
