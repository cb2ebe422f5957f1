//! Which elements say when a resource was recorded.

/// By type: elements that bear the moment somebody wrote it down. Types that are not here have none in
/// FHIR R4, or are not read by rules.
const RECORDED: &[(&str, &str)] = &[
    ("AdverseEvent", "recordedDate"),
    ("AllergyIntolerance", "recordedDate"),
    ("CarePlan", "created"),
    ("Claim", "created"),
    ("CommunicationRequest", "authoredOn"),
    ("Composition", "date"),
    ("Condition", "recordedDate"),
    ("Consent", "dateTime"),
    ("DeviceRequest", "authoredOn"),
    ("DeviceUseStatement", "recordedOn"),
    ("DiagnosticReport", "issued"),
    ("DocumentReference", "date"),
    ("ExplanationOfBenefit", "created"),
    ("FamilyMemberHistory", "date"),
    ("Immunization", "recorded"),
    ("ImmunizationRecommendation", "date"),
    ("List", "date"),
    ("Media", "issued"),
    ("MedicationRequest", "authoredOn"),
    ("MedicationStatement", "dateAsserted"),
    ("NutritionOrder", "dateTime"),
    ("Observation", "issued"),
    ("QuestionnaireResponse", "authored"),
    ("ServiceRequest", "authoredOn"),
    ("Task", "authoredOn"),
];

/// The element of a type; `None` where it has none.
pub(super) fn element(ty: &str) -> Option<&'static str> {
    let row = RECORDED.binary_search_by_key(&ty, |(t, _)| t).ok()?;
    RECORDED.get(row).map(|(_, element)| *element)
}

/// Told when it is over: a Procedure, a result. Other things are known as they begin.
const TOLD_AT_END: &[&str] = &[
    "DiagnosticReport",
    "ImagingStudy",
    "MedicationAdministration",
    "MedicationDispense",
    "Observation",
    "Procedure",
];

/// Whether what happened over a time is known from its end on.
pub(super) fn is_told_at_end(ty: &str) -> bool {
    TOLD_AT_END.contains(&ty)
}

#[cfg(test)]
mod tests {
    use engine_patient::fhir::model::Model;

    use super::RECORDED;

    #[test]
    fn the_table_is_sorted_and_names_elements_that_exist() {
        assert!(RECORDED.is_sorted_by_key(|(t, _)| *t));
        for (ty, element) in RECORDED {
            assert!(Model::r4().element(ty, element).is_some(), "{ty}.{element}");
        }
    }
}
