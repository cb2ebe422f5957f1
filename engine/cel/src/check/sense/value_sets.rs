//! Value sets whose code systems never code the element that they are compared with.

use engine_patient::finding::Code;
use engine_patient::terminology::{ValueSet, canonical_system};

use super::look::Look;
use super::origin::Part;
use crate::functions::Role;
use crate::nodes::{Node, Span};

/// What an element holds codes of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Diagnosis,
    Finding,
    Procedure,
    Medication,
    Vaccine,
    Allergy,
}

impl Kind {
    /// In words, with an element that has them.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Diagnosis => ("diagnoses", "Condition"),
            Kind::Finding => ("observations", "Observation"),
            Kind::Procedure => ("procedures", "Procedure"),
            Kind::Medication => ("medications", "MedicationRequest"),
            Kind::Vaccine => ("vaccines", "Immunization"),
            Kind::Allergy => ("allergies", "AllergyIntolerance"),
        }
    }
}

/// Code systems, their names, and what they code. SNOMED CT and whatever is not here may code anything.
/// First what they are for; the rest is seen in data, such as a CPT code for a laboratory test or an
/// ICD-10-CM code for the status of an allergy.
const SYSTEMS: &[(&str, &str, &[Kind])] = {
    use Kind::{Allergy, Diagnosis, Finding, Medication, Procedure, Vaccine};
    const DIAGNOSES: &[Kind] = &[Diagnosis, Allergy];
    const SERVICES: &[Kind] = &[Procedure, Finding, Medication, Vaccine];
    const DRUGS: &[Kind] = &[Medication, Allergy, Vaccine];
    &[
        ("http://hl7.org/fhir/sid/icd-10-cm", "ICD-10-CM", DIAGNOSES),
        ("http://hl7.org/fhir/sid/icd-10", "ICD-10", DIAGNOSES),
        (
            "http://hl7.org/fhir/sid/icd-9-cm",
            "ICD-9-CM",
            &[Diagnosis, Procedure, Allergy],
        ),
        (
            "http://www.cms.gov/Medicare/Coding/ICD10",
            "ICD-10-PCS",
            &[Procedure],
        ),
        (
            "http://hl7.org/fhir/sid/icd-10-pcs",
            "ICD-10-PCS",
            &[Procedure],
        ),
        (
            "http://www.icd10data.com/icd10pcs",
            "ICD-10-PCS",
            &[Procedure],
        ),
        ("http://www.ada.org/cdt", "CDT", &[Procedure]),
        ("http://www.ama-assn.org/go/cpt", "CPT", SERVICES),
        (
            "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
            "HCPCS",
            SERVICES,
        ),
        (
            "http://www.nlm.nih.gov/research/umls/hcpcs",
            "HCPCS",
            SERVICES,
        ),
        ("http://loinc.org", "LOINC", &[Finding, Procedure]),
        (
            "http://www.nlm.nih.gov/research/umls/rxnorm",
            "RxNorm",
            DRUGS,
        ),
        ("http://hl7.org/fhir/sid/ndc", "NDC", DRUGS),
        (
            "http://hl7.org/fhir/sid/cvx",
            "CVX",
            &[Vaccine, Medication, Allergy],
        ),
    ]
};

/// What an element holds, where it holds one kind only.
fn kind_of(ty: &str, element: &str) -> Option<Kind> {
    Some(match (ty, element) {
        ("Condition", "code") | ("FamilyMemberHistory.Condition", "code") => Kind::Diagnosis,
        ("Observation" | "Observation.Component" | "DiagnosticReport", "code") => Kind::Finding,
        ("Procedure" | "ServiceRequest", "code") => Kind::Procedure,
        ("Medication", "code") => Kind::Medication,
        (
            "MedicationRequest"
            | "MedicationStatement"
            | "MedicationAdministration"
            | "MedicationDispense",
            "medication" | "medicationCodeableConcept",
        ) => Kind::Medication,
        ("Immunization", "vaccineCode") => Kind::Vaccine,
        ("AllergyIntolerance", "code") => Kind::Allergy,
        _ => return None,
    })
}

/// `Observation("diabetes")`
pub fn retrieve(look: &mut Look<'_>, index: usize, span: Span) {
    let known = look.known;
    let Some(wanted) = known.requirement(index) else {
        return;
    };
    if let Some(codes) = &wanted.codes {
        let name = known.name_of(&codes.value_set).unwrap_or_default();
        let of = (wanted.resource_type.as_str(), codes.path);
        compare(look, of, (name, &codes.value_set), true, span);
    }
}

/// `inValueSet(x.code, "set")`, `component(o, "set")`
pub fn function(look: &mut Look<'_>, role: Role, set: usize, args: &[Node], span: Span) {
    let known = look.known;
    let (Some((name, set)), Some(value)) = (known.value_set(set), args.first()) else {
        return;
    };
    if matches!(role, Role::Component | Role::ComponentValue) {
        let of = ("Observation.Component", "code");
        return compare(look, of, (name, set), false, span);
    }
    let origin = look.origin(value);
    let Some((owner, element)) = &origin.element else {
        return;
    };
    if let Some((part @ (Part::Concept | Part::Code | Part::CodingCode), required)) = origin.codes {
        let mut codes = set.entries().iter();
        if !set.is_empty() && !codes.any(|c| required.has_in(&c.system, &c.code)) {
            let message = format!(
                "`{name}` has no code that `{owner}.{element}` may have: nothing ever matches it"
            );
            let help = format!("its codes are {}", required.list());
            match part {
                Part::Code => look.error(Code::WrongValueSet, message, span, Some(help)),
                // Beside the code that FHIR asks for there may be others.
                _ => look.warning(Code::WrongValueSet, message, span, Some(help)),
            }
        }
        return;
    }
    compare(look, (owner, element), (name, set), false, span);
}

fn compare(
    look: &mut Look<'_>,
    (ty, element): (&str, &str),
    (name, set): (&str, &ValueSet),
    retrieved: bool,
    span: Span,
) {
    let Some(kind) = kind_of(ty, element) else {
        return;
    };
    let row = |system: &str| {
        SYSTEMS
            .iter()
            .find(|(url, ..)| *url == canonical_system(system))
    };
    let rows: Option<Vec<_>> = set.systems().iter().map(|s| row(s)).collect();
    // A system that is not known here may code anything.
    let Some(rows) = rows.filter(|rows| !rows.is_empty()) else {
        return;
    };
    if rows.iter().any(|(_, _, kinds)| kinds.contains(&kind)) {
        return;
    }
    let mut systems: Vec<&str> = rows.iter().map(|(_, system, _)| *system).collect();
    systems.dedup();
    let mut kinds: Vec<Kind> = rows
        .iter()
        .filter_map(|(_, _, k)| k.first().copied())
        .collect();
    kinds.dedup();
    let message = format!(
        "`{name}` has codes of {} only, which `{ty}.{element}` is never coded in: nothing ever matches it",
        systems.join(", ")
    );
    let fits = kinds.iter().map(|kind| {
        let (words, resource) = kind.words();
        match retrieved {
            true => format!("codes of {words} are found with `{resource}(\"{name}\")`"),
            false => format!("these are codes of {words}, as in a `{resource}`"),
        }
    });
    let help = format!(
        "{}; or name a value set of {} here",
        fits.collect::<Vec<_>>().join("; "),
        kind.words().0
    );
    look.error(Code::WrongValueSet, message, span, Some(help));
}
