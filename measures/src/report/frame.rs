//! What all reports have in common: what they say of their run, and what stands around their groups.

use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;

use super::datatypes::{Concept, Meta, Period};
use super::extension::{self, INDIVIDUAL_PROFILE, SUBJECT_LIST_PROFILE, SUMMARY_PROFILE};
use super::fhir::{Group, MeasureReport};
use crate::ledger::Ledger;
use crate::manifest::{Manifest, hash};
use crate::result::Improvement;
use crate::structure::MeasureStructure;

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

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Summary,
    SubjectList,
    Individual(&'a str),
    /// A summary of a part of the patients, called this.
    Part(&'a str),
}

impl Kind<'_> {
    fn code(self) -> &'static str {
        match self {
            Kind::Summary | Kind::Part(_) => "summary",
            Kind::SubjectList => "subject-list",
            Kind::Individual(_) => "individual",
        }
    }

    fn profile(self) -> &'static str {
        match self {
            Kind::Summary | Kind::Part(_) => SUMMARY_PROFILE,
            Kind::SubjectList => SUBJECT_LIST_PROFILE,
            Kind::Individual(_) => INDIVIDUAL_PROFILE,
        }
    }
}

/// A MeasureReport around its groups.
pub(super) fn frame<'l>(
    structure: &MeasureStructure,
    context: &ReportContext,
    kind: Kind,
    group: Vec<Group>,
) -> MeasureReport<'l> {
    let (start, end) = (context.period.0.to_string(), context.period.1.to_string());
    let plain = format!("{}-{start}-{end}", structure.name);
    let (name, subject) = match kind {
        Kind::Summary => (plain, None),
        Kind::SubjectList => (format!("{plain}-subjects"), None),
        Kind::Individual(patient) => {
            let subject = format!("Patient/{patient}").into();
            (format!("{plain}-{patient}"), Some(subject))
        }
        Kind::Part(part) => (format!("{plain}-{part}"), None),
    };
    // What is told of a run once stands in its whole reports.
    let whole = matches!(kind, Kind::Summary | Kind::SubjectList);
    let mut extension = vec![extension::run(
        context.snapshot,
        &context.zone,
        context.manifest.as_ref(),
        whole,
    )];
    if whole {
        extension.extend(extension::ledger(&context.ledger));
    }
    extension.extend(extension::directions(structure));
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
        improvement_notation: structure.improvement().map(notation),
        measure: structure.canonical(),
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
pub(super) fn coded(text: &str, coding: Option<&str>) -> Concept {
    let coding = coding.and_then(|c| serde_json::from_str(c).ok());
    coding.map_or_else(|| Concept::text(text), Concept::Data)
}

pub(super) fn notation(improvement: Improvement) -> Concept {
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
