//! When a resource clinically happened: one table for rules, for `facts`, and for sorting.

use std::sync::LazyLock;

use super::model::{Cardinality, Model};
use super::names::{Name, choice_name};
use super::reading::{Reading, date_at, has_absent_reason, moment, present};
use crate::record::{Element, Kind};
use crate::system::date_time::DateTime;

/// Elements to look at, in this order; a choice element stands without its type. The first that is
/// there counts.
const PATHS: &[(&str, &[&str])] = &[
    ("AdverseEvent", &["date", "detected", "recordedDate"]),
    ("AllergyIntolerance", &["onset", "recordedDate"]),
    ("Appointment", &["start"]),
    ("CarePlan", &["period", "created"]),
    ("CareTeam", &["period"]),
    ("Claim", &["billablePeriod", "created"]),
    ("ClinicalImpression", &["effective", "date"]),
    ("Communication", &["sent", "received"]),
    ("CommunicationRequest", &["authoredOn"]),
    ("Composition", &["date"]),
    ("Condition", &["onset", "recordedDate"]),
    ("Consent", &["dateTime"]),
    ("Coverage", &["period"]),
    ("DeviceRequest", &["authoredOn", "occurrence"]),
    ("DeviceUseStatement", &["timing", "recordedOn"]),
    ("DiagnosticReport", &["effective", "issued"]),
    ("DocumentReference", &["date"]),
    ("Encounter", &["period"]),
    ("EpisodeOfCare", &["period"]),
    ("ExplanationOfBenefit", &["billablePeriod", "created"]),
    ("FamilyMemberHistory", &["date"]),
    ("Flag", &["period"]),
    ("Goal", &["start"]),
    ("ImagingStudy", &["started"]),
    ("Immunization", &["occurrence"]),
    ("ImmunizationRecommendation", &["date"]),
    ("List", &["date"]),
    ("Media", &["created", "issued"]),
    ("MedicationAdministration", &["effective"]),
    ("MedicationDispense", &["whenHandedOver", "whenPrepared"]),
    ("MedicationRequest", &["authoredOn"]),
    ("MedicationStatement", &["effective", "dateAsserted"]),
    ("NutritionOrder", &["dateTime"]),
    ("Observation", &["effective", "issued"]),
    ("Procedure", &["performed"]),
    ("QuestionnaireResponse", &["authored"]),
    ("RiskAssessment", &["occurrence"]),
    ("ServiceRequest", &["authoredOn", "occurrence"]),
    ("Specimen", &["receivedTime"]),
    ("Task", &["executionPeriod", "authoredOn"]),
];

/// A period; a bound that is missing, or that cannot be read, is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClinicalTime {
    /// When it began.
    pub start: Option<DateTime>,
    /// When it ended; for a point in time the same as the start.
    pub end: Option<DateTime>,
    /// The start is given, and cannot be read or is withheld: it is unknown, not absent.
    pub unreadable_start: Option<Unreadable>,
    /// And the end.
    pub unreadable_end: Option<Unreadable>,
}

/// Which element cannot be read: `period.end` of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable {
    element: Name,
    /// `start` or `end` within a Period; empty of the element itself.
    part: &'static str,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.element.as_str(), self.part) {
            (element, "") | ("", element) => f.write_str(element),
            (element, part) => write!(f, "{element}.{part}"),
        }
    }
}

/// When the resource happened. A Condition ends with its abatement.
pub fn clinical_time(ty: &str, resource: Element<'_>) -> ClinicalTime {
    let row = PATHS.binary_search_by_key(&ty, |(t, _)| t);
    let paths = row
        .ok()
        .and_then(|i| PATHS.get(i))
        .map_or(&[][..], |(_, p)| p);
    let find = |name: &&str| time_under(ty, resource, name);
    let mut time = paths.iter().find_map(find).unwrap_or_default();
    if ty == "Condition" {
        let abated = find(&"abatement").unwrap_or_default();
        time.end = abated.end;
        time.unreadable_end = abated.unreadable_end;
    }
    time
}

/// What stands under an element, or under one of the types of a choice; `None` where nothing does.
fn time_under(ty: &str, resource: Element<'_>, name: &str) -> Option<ClinicalTime> {
    let info = Model::r4().element(ty, name)?;
    if info.cardinality != Cardinality::Choice {
        return time_at(resource, Name::of(name)?, info.types.first()?);
    }
    resource.children().find_map(|child| {
        // A withheld value has only its shadow.
        let property = child.name().as_str().trim_start_matches('_');
        let suffix = property.strip_prefix(name)?;
        let named = |ty: &&&str| choice_name("", ty) == suffix;
        let wanted = info.types.iter().find(named)?;
        time_at(resource, Name::of(property)?, wanted)
    })
}

/// The time that an element of a type gives; nothing where it is of another kind, as an age is.
fn time_at(parent: Element<'_>, name: Name, ty: &str) -> Option<ClinicalTime> {
    let found = present(parent, name);
    match ty {
        "date" | "dateTime" | "instant" => match date_at(parent, name, ty) {
            Reading::Absent => None,
            reading => Some(point(reading, name)),
        },
        "Period" => found.map(|period| match period.kind() {
            Kind::Object => period_of(period),
            _ => point(Reading::Unreadable, name),
        }),
        _ => found.map(|_| ClinicalTime::default()),
    }
}

fn point(reading: Reading<DateTime>, element: Name) -> ClinicalTime {
    let (at, unreadable) = split(reading, element, "");
    ClinicalTime {
        start: at,
        end: at,
        unreadable_start: unreadable,
        unreadable_end: unreadable,
    }
}

fn split(
    reading: Reading<DateTime>,
    element: Name,
    part: &'static str,
) -> (Option<DateTime>, Option<Unreadable>) {
    match reading {
        Reading::Absent => (None, None),
        Reading::Value(at) => (Some(at), None),
        Reading::Unreadable => (None, Some(Unreadable { element, part })),
    }
}

fn period_of(period: Element<'_>) -> ClinicalTime {
    static NAMES: LazyLock<[Option<Name>; 2]> =
        LazyLock::new(|| [Name::of("start"), Name::of("end")]);
    let withheld = || has_absent_reason(period);
    let read = |name: Option<Name>, part| {
        let reading = name.map_or(Reading::Absent, |name| date_at(period, name, "dateTime"));
        // Of a Period that is withheld as a whole, neither bound is known.
        let reading = match reading {
            Reading::Absent if withheld() => Reading::Unreadable,
            other => other,
        };
        split(reading, period.name(), part)
    };
    let [start, end] = *NAMES;
    let (start, unreadable_start) = read(start, "start");
    let (end, unreadable_end) = read(end, "end");
    ClinicalTime {
        start,
        end,
        unreadable_start,
        unreadable_end,
    }
}

/// The time that a `Period` gives, or a primitive, as a `dateTime`; nothing for others.
pub fn time_of(element: Element<'_>) -> ClinicalTime {
    match element.kind() {
        Kind::Object => period_of(element),
        Kind::Null => ClinicalTime::default(),
        _ => {
            let at = element.as_str().and_then(|t| moment("dateTime", &t));
            point(
                at.map_or(Reading::Unreadable, Reading::Value),
                element.name(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PatientRecord;

    #[test]
    fn the_table_is_sorted_and_names_elements_that_exist() {
        assert!(PATHS.is_sorted_by_key(|(t, _)| *t));
        for (ty, paths) in PATHS {
            for path in *paths {
                assert!(Model::r4().element(ty, path).is_some(), "{ty}.{path}");
            }
        }
    }

    #[test]
    fn a_bound_that_cannot_be_read_is_told() {
        let masked = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#;
        let shadow = format!(r#""_effectiveDateTime":{masked},"issued":"2025-01-01T00:00:00Z""#);
        let whole = format!(r#""period":{masked}"#);
        let cases = [
            (
                "Encounter",
                r#""period":{"start":"2019-06-04","end":"06/04/2019"}"#,
                "2019-06-04",
                "period.end",
            ),
            (
                "Encounter",
                r#""period":{"start":"2019-06-04"}"#,
                "2019-06-04",
                "-",
            ),
            (
                "Encounter",
                r#""period":{"start":20190604}"#,
                "period.start",
                "-",
            ),
            ("Encounter", r#""period":"2019-06-04/""#, "period", "period"),
            ("Encounter", &whole, "period.start", "period.end"),
            (
                "Condition",
                r#""onsetDateTime":"2019","abatementDateTime":"?""#,
                "2019",
                "abatementDateTime",
            ),
            (
                "Condition",
                r#""onsetString":"in spring","abatementAge":{"value":40}"#,
                "-",
                "-",
            ),
            // What is withheld is there: no other date stands for it.
            (
                "Observation",
                &shadow,
                "effectiveDateTime",
                "effectiveDateTime",
            ),
            (
                "Observation",
                r#""issued":"2025-01-01T00:00:00Z""#,
                "2025-01-01T00:00:00Z",
                "2025-01-01T00:00:00Z",
            ),
            (
                "Coverage",
                r#""period":{"start":"2025","end":"2025-02-30"}"#,
                "2025",
                "period.end",
            ),
        ];
        for (ty, elements, start, end) in cases {
            let mut record = PatientRecord::new();
            let json = format!(r#"{{"resourceType":"{ty}","id":"r",{elements}}}"#);
            record.push(&json).unwrap();
            let resource = record.of_type_named(ty).next().unwrap();
            let time = clinical_time(ty, resource);
            let told = |at: Option<DateTime>, unreadable: Option<Unreadable>| match (at, unreadable)
            {
                (Some(at), None) => at.to_string(),
                (None, Some(element)) => element.to_string(),
                (None, None) => "-".to_owned(),
                both => panic!("{both:?}"),
            };
            assert_eq!(told(time.start, time.unreadable_start), start, "{elements}");
            assert_eq!(told(time.end, time.unreadable_end), end, "{elements}");
        }
    }
}
