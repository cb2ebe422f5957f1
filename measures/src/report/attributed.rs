//! `summary` of the patients who are attributed to one organization, practitioner or location.

use super::datatypes::{Extension, ExtensionValue};
use super::extension::ATTRIBUTION;
use super::fhir::MeasureReport;
use super::frame::{Kind, ReportContext, frame};
use super::{group, supplemental};
use crate::result::MeasureResult;

/// What patients are attributed to.
#[derive(Clone, Copy, Debug)]
pub struct AttributedTo<'a> {
    /// `organization`, `practitioner`, `location`
    pub by: &'a str,
    /// Reference and name; nothing for those who are attributed to none.
    pub place: Option<(&'a str, &'a str)>,
}

/// The report of these patients. FHIR R4 has no element for whom a summary is of (`subject` takes no
/// Organization, and `reporter` is who reports): it stands in an extension.
pub fn attributed_report(
    result: &MeasureResult,
    to: AttributedTo<'_>,
    context: &ReportContext,
) -> MeasureReport<'static> {
    let groups = group::groups(result, |_, _| None);
    let part = format!("{}-{}", to.by, to.place.map_or("unattributed", |(r, _)| r));
    let mut report = frame(&result.structure, context, Kind::Part(&part), groups);
    supplemental::of_summary(result, &mut report);
    let mut parts = vec![Extension::code("by", to.by)];
    match to.place {
        Some((reference, name)) => {
            parts.push(Extension::text("reference", reference));
            parts.push(Extension::text("name", name));
        }
        None => {
            let unattributed = ExtensionValue::ValueBoolean(true);
            parts.push(Extension::new("unattributed", unattributed));
        }
    }
    report.extension.push(Extension::of(ATTRIBUTION, parts));
    report
}
