//! The results of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use engine_patient::finding::Finding;
use engine_population::views::Unusable;
use measures::report::ReportContext;
use measures::result::MeasureResult;
use measures::structure::MeasureStructure;

use crate::attribution::Attributed;
use crate::error::RunError;
use crate::evaluate::RunStatistics;

/// Results of measures.
pub struct RunResult {
    /// Of programs in the order of [`RunResult::structures`], then of SQL measures.
    pub results: Vec<MeasureResult>,
    /// What the evaluation counted.
    pub statistics: RunStatistics,
    /// As the measures of the result rows.
    pub structures: Vec<Arc<MeasureStructure>>,
    /// What reports have in common: period, manifest, ledger.
    pub report: ReportContext,
    /// Values that the views could not use, with the first of the resources: patient data.
    pub unusable: Vec<Unusable>,
    /// SQL measures that failed, then measures that could not be run or were given up; the last is the
    /// one that decides how the job ended.
    pub missing: Vec<RunError>,
    /// The result rows; nothing where all measures are in SQL.
    pub rows: Option<PathBuf>,
    /// Names of the reports' files, in the order of the measures.
    pub reports: Vec<String>,
    /// By what patients are attributed to.
    pub attributed: Option<Attributed>,
    /// What was told of the packages.
    pub findings: Vec<Finding>,
    /// Names of value sets, by canonical.
    pub value_set_names: BTreeMap<String, String>,
}
