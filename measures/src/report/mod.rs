//! MeasureReport JSON (FHIR R4, DEQM STU5): `summary`, `subject-list`, `individual`.
//!
//! ```text
//! totals ──▶ summary           one a measure: counts, strata, scores, what could not be told, the ledger
//! walk ────▶ subject-list      the same, and who is in which population
//!      └───▶ individual        one a patient
//! ```
//!
//! *Invariant:* the same results and context give the same bytes. The date is an argument.

pub mod extension;
mod group;
pub mod individual;
pub mod subject_list;
mod supplemental;
#[cfg(test)]
mod tests;

use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use serde_json::{Map, Value, json};

use crate::ledger::Ledger;
use crate::manifest::{Manifest, hash};
use crate::result::{Improvement, MeasureResult};
use crate::shape::MeasureShape;

/// What reports say of their run.
#[derive(Clone, Debug)]
pub struct ReportContext {
    /// First and last day.
    pub period: (DateTime, DateTime),
    /// When the report was made.
    pub date: DateTime,
    /// Where dates without an offset were taken to be.
    pub zone: Zone,
    /// The lake's snapshot.
    pub snapshot: u64,
    /// Who reports: `Organization/1`. DEQM asks for it; without one the report claims no profile.
    pub reporter: Option<String>,
    /// What the run was made of.
    pub manifest: Option<Manifest>,
    /// What was read and not found. Summaries and subject lists hold it.
    pub ledger: Ledger,
}

impl ReportContext {
    /// Without reporter, manifest and ledger.
    pub fn new(period: (DateTime, DateTime), date: DateTime, zone: Zone, snapshot: u64) -> Self {
        ReportContext {
            period,
            date,
            zone,
            snapshot,
            reporter: None,
            manifest: None,
            ledger: Ledger::default(),
        }
    }
}

/// A summary MeasureReport.
pub fn measure_report(result: &MeasureResult, context: &ReportContext) -> Value {
    let groups = group::groups(result, |_, _| None);
    let mut report = frame(&result.shape, context, Kind::Summary, groups);
    supplemental::of_summary(result, &mut report);
    Value::Object(report)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    Summary,
    SubjectList,
    Individual(&'a str),
}

impl Kind<'_> {
    fn code(self) -> &'static str {
        match self {
            Kind::Summary => "summary",
            Kind::SubjectList => "subject-list",
            Kind::Individual(_) => "individual",
        }
    }

    fn profile(self) -> &'static str {
        match self {
            Kind::Summary => extension::SUMMARY_PROFILE,
            Kind::SubjectList => extension::SUBJECT_LIST_PROFILE,
            Kind::Individual(_) => extension::INDIVIDUAL_PROFILE,
        }
    }
}

/// A MeasureReport around its groups.
fn frame(
    shape: &MeasureShape,
    context: &ReportContext,
    kind: Kind,
    groups: Vec<Value>,
) -> Map<String, Value> {
    let (start, end) = (context.period.0.to_string(), context.period.1.to_string());
    let plain = format!("{}-{start}-{end}", shape.name);
    let name = match kind {
        Kind::Summary => plain,
        Kind::SubjectList => format!("{plain}-subjects"),
        Kind::Individual(patient) => format!("{plain}-{patient}"),
    };
    let mut report = Map::new();
    let mut put = |key: &str, value: Value| report.insert(key.to_owned(), value);
    put("resourceType", json!("MeasureReport"));
    put("id", json!(resource_id(&name)));
    if context.reporter.is_some() {
        put("meta", json!({ "profile": [kind.profile()] }));
    }
    let run = extension::run(context, !matches!(kind, Kind::Individual(_)));
    let mut extensions = vec![run];
    if !matches!(kind, Kind::Individual(_)) {
        extensions.extend(context.ledger.extension());
    }
    extensions.extend(extension::directions(shape));
    put("extension", Value::Array(extensions));
    put("status", json!("complete"));
    put("type", json!(kind.code()));
    put("measure", json!(shape.canonical()));
    if let Kind::Individual(patient) = kind {
        put(
            "subject",
            json!({ "reference": format!("Patient/{patient}") }),
        );
    }
    put("date", json!(context.date.to_string()));
    if let Some(reporter) = &context.reporter {
        put("reporter", json!({ "reference": reporter }));
    }
    put("period", json!({ "start": start, "end": end }));
    if let Some(improvement) = shape.improvement() {
        put("improvementNotation", notation(improvement));
    }
    put("group", Value::Array(groups));
    report
}

/// A value as a CodeableConcept: its codings, or its text.
fn coded(text: &str, coding: Option<&str>) -> Value {
    let coding = coding.and_then(|c| serde_json::from_str::<Value>(c).ok());
    coding.unwrap_or_else(|| json!({ "text": text }))
}

fn notation(improvement: Improvement) -> Value {
    json!({ "coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/measure-improvement-notation",
        "code": improvement.as_str(),
    }]})
}

/// A resource id: as it is where it is one, else its beginning and a hash (64 characters of letters,
/// digits, `-` and `.` are all that FHIR allows).
pub(crate) fn resource_id(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if name.len() <= 64 && name.chars().all(allowed) {
        return name.to_owned();
    }
    let start: String = name.chars().filter(|c| allowed(*c)).take(31).collect();
    format!("{start}-{}", hash(name.as_bytes()))
}
