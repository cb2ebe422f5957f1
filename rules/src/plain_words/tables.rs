//! What FHIR, code systems and reasons are called by people.

/// Types whose name is not what people say: singular, plural.
pub(super) const RESOURCES: [(&str, &str, &str); 24] = [
    ("AdverseEvent", "an adverse event", "adverse events"),
    (
        "AllergyIntolerance",
        "an allergy or intolerance",
        "allergies and intolerances",
    ),
    ("CarePlan", "a care plan", "care plans"),
    ("Claim", "a claim", "claims"),
    (
        "Condition",
        "a diagnosis or problem",
        "diagnoses and problems",
    ),
    ("Coverage", "an insurance coverage", "insurance coverages"),
    ("Device", "a device", "devices"),
    ("DeviceRequest", "a device order", "device orders"),
    (
        "DiagnosticReport",
        "a diagnostic report",
        "diagnostic reports",
    ),
    ("DocumentReference", "a document", "documents"),
    ("Encounter", "a visit", "visits"),
    (
        "FamilyMemberHistory",
        "a family history",
        "family histories",
    ),
    ("ImagingStudy", "an imaging study", "imaging studies"),
    ("Immunization", "an immunization", "immunizations"),
    ("Location", "a place of care", "places of care"),
    (
        "MedicationDispense",
        "a dispensed medication",
        "dispensed medications",
    ),
    (
        "MedicationRequest",
        "a medication order",
        "medication orders",
    ),
    (
        "MedicationStatement",
        "a reported medication",
        "reported medications",
    ),
    (
        "Observation",
        "a result or measurement",
        "results and measurements",
    ),
    ("Patient", "the patient", "patient records"),
    (
        "QuestionnaireResponse",
        "a completed questionnaire",
        "completed questionnaires",
    ),
    (
        "ServiceRequest",
        "an order or referral",
        "orders and referrals",
    ),
    ("NutritionOrder", "a diet order", "diet orders"),
    ("Media", "an image or recording", "images and recordings"),
];

/// Code systems as people call them.
pub(super) const SYSTEMS: [(&str, &str); 19] = [
    ("http://snomed.info/sct", "SNOMED CT"),
    ("http://loinc.org", "LOINC"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "RxNorm"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "ICD-10-CM"),
    ("http://hl7.org/fhir/sid/icd-10", "ICD-10"),
    ("http://hl7.org/fhir/sid/icd-9-cm", "ICD-9-CM"),
    ("http://hl7.org/fhir/sid/icd-9-cm/diagnosis", "ICD-9-CM"),
    ("http://hl7.org/fhir/sid/icd-9-cm/procedure", "ICD-9-CM"),
    ("http://www.cms.gov/Medicare/Coding/ICD10", "ICD-10-PCS"),
    ("http://www.ama-assn.org/go/cpt", "CPT"),
    ("http://www.ada.org/cdt", "CDT"),
    (
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "HCPCS",
    ),
    (
        "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "HCPCS",
    ),
    ("http://www.nlm.nih.gov/research/umls/hcpcs", "HCPCS"),
    ("http://hl7.org/fhir/sid/cvx", "CVX"),
    ("http://hl7.org/fhir/sid/ndc", "NDC"),
    ("http://www.whocc.no/atc", "ATC"),
    ("http://fdasis.nlm.nih.gov", "UNII"),
    ("http://unitsofmeasure.org", "UCUM"),
];

/// Reasons that speak of the language of rules, and what they come to.
pub(super) const REASONS: [(&str, &str); 21] = [
    (
        "of a salt it is not known which drug it is of",
        "a drug is coded by a salt of which it is not known what it is of",
    ),
    (
        "the quantity is in a unit of capitals, which in UCUM is another than it usually means",
        "a value is in a unit that is not clear",
    ),
    (
        "several results are of one moment: which is the last is not known",
        "several results are of one moment, and they differ",
    ),
    (
        "several results are of one day without a time: which is the last is not known",
        "several results are of one day without a time of day, and they differ",
    ),
    (
        "no Patient resource was given",
        "the patient's own record was not received",
    ),
    ("the list is empty", "no such entry was found"),
    (
        "there is none to take the date of",
        "no such entry was found",
    ),
    (
        "the list has no item at this position",
        "no such entry was found",
    ),
    ("this value has no date", "an entry has no date"),
    (
        "the date of a resource is missing",
        "the date of an entry is missing",
    ),
    (
        "the end date of a resource is missing",
        "the end date of an entry is missing",
    ),
    (
        "the value is only a bound (`comparator`)",
        "a value is given only as a limit, such as < 5",
    ),
    ("the value is no quantity", "a value is not a measured one"),
    ("the quantity has no number", "a value has no number"),
    (
        "the quantity has no UCUM unit",
        "a value has no unit that can be read",
    ),
    (
        "the quantity is in another unit",
        "a value is in a unit that cannot be converted",
    ),
    ("not a number", "a value is not a number"),
    (
        "a number too large",
        "a value is too large to calculate with",
    ),
    (
        "these values cannot be calculated with",
        "values cannot be calculated with",
    ),
    (
        "a date is too imprecise to compare",
        "a date is too imprecise to compare",
    ),
    (
        "division by zero, or a number too large",
        "values cannot be calculated with",
    ),
];
