//! What a run came to.

use std::path::PathBuf;
use std::sync::Arc;

use engine_population::views::Unusable;
use measures::report::ReportContext;
use measures::result::MeasureResult;
use measures::shape::MeasureShape;

use crate::attribution::Attributed;
use crate::error::RunError;
use crate::evaluate::RunStatistics;

/// Results of measures.
pub struct RunResult {
    /// Of programs in the order of [`RunResult::shapes`], then of SQL measures.
    pub results: Vec<MeasureResult>,
    /// What the evaluation counted.
    pub statistics: RunStatistics,
    /// As the measures of the result rows.
    pub shapes: Vec<Arc<MeasureShape>>,
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
}
