//! MeasureReport JSON (FHIR R4, DEQM STU5): `summary`, `subject-list`, `individual`.
//!
//! ```text
//! totals ──▶ summary           one a measure: counts, strata, scores, what could not be told, the ledger
//! rows ────▶ subject-list      the same, and who is in which population
//!      ├───▶ individual        one a patient
//!      └───▶ attributed        a summary of the patients of an organization, practitioner or location
//! ```
//!
//! *Invariant:* the same results and context give the same bytes. The date is an argument.

pub mod attributed;
pub mod datatypes;
pub mod extension;
pub mod fhir;
mod frame;
mod group;
pub mod individual;
pub mod list;
pub mod subject_list;
mod supplemental;
#[cfg(test)]
mod tests;

use self::fhir::MeasureReport;
use self::frame::{Kind, frame};
use crate::result::MeasureResult;

pub use self::frame::ReportContext;
pub(crate) use self::frame::resource_id;

/// A summary MeasureReport.
pub fn measure_report(result: &MeasureResult, context: &ReportContext) -> MeasureReport<'static> {
    let groups = group::groups(result, |_, _| None);
    let mut report = frame(&result.structure, context, Kind::Summary, groups);
    supplemental::of_summary(result, &mut report);
    report
}
