//! Gaps in care as DEQM has them (Da Vinci DEQM STU5, "Gaps in Care Reporting"): one document a
//! patient, a Composition with a section per measure, its individual MeasureReport and a
//! DetectedIssue per gap, whatever its status.
//!
//! A gap that could not be evaluated has no code in DEQM's code system: it has one of our own, and
//! the reason as `detail`. It is never passed off as open or closed.

use std::sync::Arc;

use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::{GapRow, GapStatus};
use crate::report::datatypes::Concept;
use crate::report::extension::{
    GAP_STATUS, GAPS_BUNDLE_PROFILE, GAPS_COMPOSITION_PROFILE, GAPS_ISSUE_PROFILE,
};
use crate::report::individual::{Evaluated, individual_report};
use crate::report::{ReportContext, resource_id};
use crate::structure::MeasureStructure;
use crate::subject::Subject;

/// A measure of a patient, to be told.
#[derive(Debug)]
pub struct MeasureGaps<'a> {
    /// The measure.
    pub structure: &'a Arc<MeasureStructure>,
    /// The patient's results.
    pub subject: &'a Subject,
    /// Its gaps, or those of them that are wanted.
    pub rows: &'a [GapRow],
    /// Resources that were looked at.
    pub evaluated: &'a [Evaluated],
}

const BASE: &str = "https://tandem-cds.dev/fhir";

/// The document of a patient; `None` where there is nothing to tell. `resources` are put in as they
/// come: the Patient, the reporter, what was evaluated.
pub fn gaps_bundle(
    patient: &str,
    measures: &[MeasureGaps],
    resources: &[Value],
    context: &ReportContext,
) -> Option<Value> {
    let subject = json!({ "reference": format!("Patient/{patient}") });
    let date = context.date.to_string();
    let (mut sections, mut reports, mut issues) = (vec![], vec![], vec![]);
    for measure in measures.iter().filter(|m| !m.rows.is_empty()) {
        let report = individual_report(
            measure.structure,
            measure.subject,
            measure.evaluated,
            context,
        );
        let id = &report.id;
        let reference = format!("MeasureReport/{id}");
        let mut entries = vec![];
        for (number, row) in measure.rows.iter().enumerate() {
            let issue_id = resource_id(&format!("gap-{}-{id}", number + 1));
            entries.push(json!({ "reference": format!("DetectedIssue/{issue_id}") }));
            issues.push(issue(&issue_id, row, &subject, &reference, context));
        }
        sections.push(json!({
            "title": &*measure.structure.artifact.title,
            "focus": { "reference": reference },
            "entry": entries,
        }));
        reports.push(json!(report));
    }
    if sections.is_empty() {
        return None;
    }
    let author = match &context.reporter {
        Some(reporter) => json!({ "reference": reporter }),
        None => json!({ "display": concat!("tandem ", env!("CARGO_PKG_VERSION")) }),
    };
    let name = format!("gaps-{}-{}-{patient}", context.period.0, context.period.1);
    let mut composition = json!({
        "resourceType": "Composition",
        "id": resource_id(&name),
        "status": "final",
        "type": { "coding": [{ "system": "http://loinc.org", "code": "96315-7", "display": "Gaps in care report" }] },
        "subject": subject,
        "date": date,
        "author": [author],
        "title": format!("Gaps in care of patient {patient}"),
        "section": sections,
    });
    let conforms = context.reporter.is_some();
    profile(&mut composition, GAPS_COMPOSITION_PROFILE, conforms);
    let mut all = vec![composition];
    all.extend(reports);
    all.extend(issues);
    all.extend(resources.iter().cloned());
    let text = |resource: &Value, key: &str| {
        let found = resource.get(key).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let entry = |resource: Value| {
        let (kind, id) = (text(&resource, "resourceType"), text(&resource, "id"));
        json!({ "fullUrl": format!("{BASE}/{kind}/{id}"), "resource": resource })
    };
    let entries: Vec<Value> = all.into_iter().map(entry).collect();
    // A document's identifier is its own; of the same content it is the same.
    let content = Value::Array(entries.clone()).to_string();
    let mut bundle = json!({
        "resourceType": "Bundle",
        "id": resource_id(&format!("{name}-document")),
        "identifier": { "system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{}", uuid(&content)) },
        "type": "document",
        "timestamp": date,
        "entry": entries,
    });
    profile(&mut bundle, GAPS_BUNDLE_PROFILE, conforms);
    Some(bundle)
}

fn issue(id: &str, row: &GapRow, subject: &Value, report: &str, context: &ReportContext) -> Value {
    let status = match row.status {
        GapStatus::NotEvaluable => Concept::coded(
            "https://tandem-cds.dev/CodeSystem/gap-status",
            row.status.as_str(),
        ),
        _ => Concept::coded(
            "http://hl7.org/fhir/us/davinci-deqm/CodeSystem/gaps-status",
            row.status.as_str(),
        ),
    };
    let mut issue = json!({
        "resourceType": "DetectedIssue",
        "id": id,
        "modifierExtension": [{ "url": GAP_STATUS, "valueCodeableConcept": status }],
        "status": "final",
        "code": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "CAREGAP",
        }]},
        "patient": subject,
        "identifiedDateTime": context.date.to_string(),
        "evidence": [{ "detail": [{ "reference": report }] }],
    });
    if let Some(fields) = issue.as_object_mut() {
        if let Some(resource) = &row.resource {
            fields.insert("implicated".into(), json!([{ "reference": resource }]));
        }
        if let Some(reason) = &row.reason {
            fields.insert("detail".into(), json!(&**reason));
        }
    }
    let known = row.status != GapStatus::NotEvaluable;
    profile(&mut issue, GAPS_ISSUE_PROFILE, known);
    issue
}

fn profile(resource: &mut Value, url: &str, conforms: bool) {
    if let Some(fields) = resource.as_object_mut().filter(|_| conforms) {
        fields.insert("meta".into(), json!({ "profile": [url] }));
    }
}

/// A UUID of version 8 (RFC 9562: of one's own making) from content.
fn uuid(content: &str) -> String {
    let hash = xxh3_128(content.as_bytes());
    let bits = hash & !(0xf << 76) & !(0b11 << 62) | 0x8 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
