//! One patient's MeasureReport.

use std::sync::Arc;

use super::datatypes::{Extension, Reference};
use super::extension::CRITERIA_REFERENCE;
use super::fhir::MeasureReport;
use super::frame::{Kind, ReportContext, frame};
use super::{group, supplemental};
use crate::structure::MeasureStructure;
use crate::subject::Subject;
use crate::totals::single;

/// A resource that an evaluation looked at: `Observation/1`, and the ids of the populations it was
/// looked at for.
pub type Evaluated = (String, Vec<String>);

/// An individual MeasureReport. `evaluated` comes from whoever evaluated; result rows do not tell.
pub fn individual_report(
    structure: &Arc<MeasureStructure>,
    subject: &Subject,
    evaluated: &[Evaluated],
    context: &ReportContext,
) -> MeasureReport<'static> {
    let result = single(structure, subject);
    let groups = group::groups(&result, |_, _| None);
    let kind = Kind::Individual(&subject.patient);
    let mut report = frame(structure, context, kind, groups);
    supplemental::of_individual(structure, subject, &mut report);
    let mut evaluated: Vec<&Evaluated> = evaluated.iter().collect();
    evaluated.sort();
    let evaluated = evaluated.into_iter();
    let evaluated = evaluated.map(|(reference, populations)| {
        let criteria = |id: &String| Extension::text(CRITERIA_REFERENCE, id);
        Reference {
            extension: populations.iter().map(criteria).collect(),
            reference: reference.clone(),
        }
    });
    report.evaluated_resource = evaluated.collect();
    report
}
