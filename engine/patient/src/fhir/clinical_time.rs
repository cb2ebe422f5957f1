//! When a resource clinically happened: one table for rules, for `facts`, and for sorting.

use crate::record::{Element, Kind};
use crate::requirements::choice;
use crate::time::DateTime;

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

/// A period; an end that is missing is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClinicalTime {
    /// When it began.
    pub start: Option<DateTime>,
    /// When it ended; for a point in time the same as the start.
    pub end: Option<DateTime>,
}

/// When the resource happened. A Condition ends with its abatement.
pub fn clinical_time(ty: &str, resource: Element<'_>) -> ClinicalTime {
    let row = PATHS.binary_search_by_key(&ty, |(t, _)| t);
    let paths = row
        .ok()
        .and_then(|i| PATHS.get(i))
        .map_or(&[][..], |(_, p)| p);
    let find = |name: &&str| resource.get_named(name).or_else(|| choice(resource, name));
    let mut time = paths.iter().find_map(find).map(time_of).unwrap_or_default();
    if ty == "Condition" {
        time.end = find(&"abatement").and_then(|a| time_of(a).end);
    }
    time
}

/// The time that a `date`, `dateTime`, `instant` or `Period` element gives; nothing for others.
pub fn time_of(element: Element<'_>) -> ClinicalTime {
    if element.kind() == Kind::Object {
        let part = |name| element.get_str(name).and_then(|t| DateTime::parse(&t));
        return ClinicalTime {
            start: part("start"),
            end: part("end"),
        };
    }
    let at = element.as_str().and_then(|t| DateTime::parse(&t));
    ClinicalTime { start: at, end: at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::model::Model;

    #[test]
    fn the_table_is_sorted_and_names_elements_that_exist() {
        assert!(PATHS.is_sorted_by_key(|(t, _)| *t));
        for (ty, paths) in PATHS {
            for path in *paths {
                assert!(Model::r4().element(ty, path).is_some(), "{ty}.{path}");
            }
        }
    }
}
