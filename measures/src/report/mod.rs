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
pub mod fhir;
mod group;
pub mod individual;
pub mod subject_list;
mod supplemental;
#[cfg(test)]
mod tests;

use self::extension::{INDIVIDUAL_PROFILE, SUBJECT_LIST_PROFILE, SUMMARY_PROFILE};
use self::fhir::{Concept, Group, MeasureReport, Meta, Period};
use crate::ledger::Ledger;
use crate::manifest::{Manifest, hash};
use crate::result::{Improvement, MeasureResult};
use crate::shape::MeasureShape;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;

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
pub fn measure_report(result: &MeasureResult, context: &ReportContext) -> MeasureReport<'static> {
    let groups = group::groups(result, |_, _| None);
    let mut report = frame(&result.shape, context, Kind::Summary, groups);
    supplemental::of_summary(result, &mut report);
    report
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
            Kind::Summary => SUMMARY_PROFILE,
            Kind::SubjectList => SUBJECT_LIST_PROFILE,
            Kind::Individual(_) => INDIVIDUAL_PROFILE,
        }
    }
}

/// A MeasureReport around its groups.
fn frame<'l>(
    shape: &MeasureShape,
    context: &ReportContext,
    kind: Kind,
    group: Vec<Group>,
) -> MeasureReport<'l> {
    let (start, end) = (context.period.0.to_string(), context.period.1.to_string());
    let plain = format!("{}-{start}-{end}", shape.name);
    let (name, subject) = match kind {
        Kind::Summary => (plain, None),
        Kind::SubjectList => (format!("{plain}-subjects"), None),
        Kind::Individual(patient) => {
            let subject = format!("Patient/{patient}").into();
            (format!("{plain}-{patient}"), Some(subject))
        }
    };
    let whole = subject.is_none();
    let mut extension = vec![extension::run(context, whole)];
    if whole {
        extension.extend(context.ledger.extension());
    }
    extension.extend(extension::directions(shape));
    let meta = Meta {
        profile: [kind.profile()],
    };
    MeasureReport {
        contained: vec![],
        date: context.date.to_string(),
        evaluated_resource: vec![],
        extension,
        group,
        id: resource_id(&name),
        improvement_notation: shape.improvement().map(notation),
        measure: shape.canonical(),
        meta: context.reporter.is_some().then_some(meta),
        period: Period { end, start },
        reporter: context.reporter.clone().map(Into::into),
        resource_type: "MeasureReport",
        status: "complete",
        subject,
        r#type: kind.code(),
    }
}

/// A value as a CodeableConcept: its codings, or its text.
fn coded(text: &str, coding: Option<&str>) -> Concept {
    let coding = coding.and_then(|c| serde_json::from_str(c).ok());
    coding.map_or_else(|| Concept::text(text), Concept::Data)
}

fn notation(improvement: Improvement) -> Concept {
    let system = "http://terminology.hl7.org/CodeSystem/measure-improvement-notation";
    Concept::coded(system, improvement.as_str())
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
