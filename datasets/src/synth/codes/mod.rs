//! Code tables, one file a topic. Every code was read in `/work/shared/knowledge` (the file is
//! named at each table), is fixed by an HL7 profile (vital signs) or an HL7 terminology, or was
//! given with the task (LOINC answer codes of smoking status, HCPCS G0438 and G0439). No SNOMED CT and no CPT.

pub(super) mod drugs;
pub(super) mod labs;
pub(super) mod names;
pub(super) mod problems;
pub(super) mod procedures;
pub(super) mod vaccines;

pub(super) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(super) const HCPCS: &str = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
/// What the dirty data use in place of a standard code system.
pub(super) const LOCAL: &str = "urn:oid:1.2.3.4.5.local";

/// A coded idea. An empty `code` means that no code for it was found in the knowledge files: it is
/// then written as text only, as much of real problem lists is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coded {
    pub(super) system: &'static str,
    pub(super) code: &'static str,
    pub(super) display: &'static str,
}

/// Something known by its name only.
pub(super) const fn named(display: &'static str) -> Coded {
    Coded {
        system: "",
        code: "",
        display,
    }
}
