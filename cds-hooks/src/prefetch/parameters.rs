//! The search parameters of FHIR R4, as far as templates are made of them: which finds the resources of
//! a patient, which the codes of an element, which a resource that another refers to.
//!
//! The table is generated (`gen/search_parameters.py`), so that every type of R4 is in it.

use std::collections::HashMap;
use std::sync::LazyLock;

use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;

/// A search parameter whose value is a reference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReferenceParameter {
    /// As in a query.
    pub(super) name: &'static str,
    /// The elements whose references it searches, as in JSON: `["location", "location"]`.
    pub(super) paths: Vec<Vec<&'static str>>,
    /// The types these may name.
    targets: Vec<&'static str>,
}

impl ReferenceParameter {
    fn names(&self, ty: &str) -> bool {
        self.targets.contains(&ty)
    }

    /// Whether it may name other types than one.
    pub(super) fn has_several_targets(&self) -> bool {
        self.targets.len() > 1
    }
}

#[derive(Default)]
struct Table {
    references: HashMap<&'static str, Vec<ReferenceParameter>>,
    tokens: HashMap<(&'static str, &'static str), &'static str>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("search_parameters.txt")));

impl Table {
    /// Lines that are none of ours are passed over; a test looks for them.
    fn parse(text: &'static str) -> Self {
        let mut table = Table::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            let mut word = || words.next();
            match (word(), word(), word(), word(), word()) {
                (Some("R"), Some(ty), Some(name), Some(paths), Some(targets)) => {
                    let parameter = ReferenceParameter {
                        name,
                        paths: paths.split(',').map(|p| p.split('.').collect()).collect(),
                        targets: targets.split(',').collect(),
                    };
                    table.references.entry(ty).or_default().push(parameter);
                }
                (Some("T"), Some(ty), Some(path), Some(name), None) => {
                    table.tokens.insert((ty, path), name);
                }
                _ => {}
            }
        }
        table
    }
}

/// The token parameter that finds every code of this element. `None` where R4 has none, as for
/// `medication[x]`: `code` of a MedicationRequest does not see a medication given by reference.
pub(super) fn token(resource_type: &str, path: &str) -> Option<&'static str> {
    let info = Model::r4().resource(resource_type)?;
    // Servers search others than this rarely.
    let (ty, path) = (info.name, info.primary_code_path.filter(|p| *p == path)?);
    TABLE.tokens.get(&(ty, path)).copied()
}

fn references(resource_type: &str) -> &'static [ReferenceParameter] {
    TABLE
        .references
        .get(resource_type)
        .map_or(&[], Vec::as_slice)
}

/// The parameter that finds the resources of a patient: `patient`, or the one over an element that
/// says whose it is. `None` where there is none.
pub(super) fn of_patient(resource_type: &str) -> Option<&'static str> {
    let info = Model::r4().resource(resource_type)?;
    let says_whose = |p: &&ReferenceParameter| {
        let first =
            |path: &Vec<&str>| matches!(path[..], [one] if info.patient_links.contains(&one));
        p.names("Patient") && p.paths.iter().any(first)
    };
    let all = references(resource_type);
    let of = all.iter().find(|p| p.name == "patient");
    let found = of.or_else(|| all.iter().find(says_whose))?;
    (!info.patient_links.is_empty()).then_some(found.name)
}

/// The parameters by which resources of a type bring those of another with them (`_include`).
pub(super) fn including(
    resource_type: &str,
    target: Name,
) -> impl Iterator<Item = &'static ReferenceParameter> {
    let all = references(resource_type);
    let fits = move |p: &&ReferenceParameter| p.names(target.as_str());
    // One element is asked for once: of `participant` and `practitioner` by the first.
    let whole = move |p: &&'static ReferenceParameter| {
        let covers = |other: &&ReferenceParameter| {
            let more = other.paths.len() > p.paths.len();
            let all = p.paths.iter().all(|path| other.paths.contains(path));
            all && (more || other.name < p.name)
        };
        !all.iter().filter(fits).any(|other| covers(&other))
    };
    all.iter().filter(fits).filter(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(ty: &str) -> Name {
        Name::of(ty).unwrap()
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let text = include_str!("search_parameters.txt");
        let (head, lines) = text.split_once('\n').unwrap();
        assert!(head.starts_with("# FHIR 4.0.1"), "{head}");
        let table = Table::parse(text);
        let read: usize = table.references.values().map(Vec::len).sum();
        assert_eq!(read + table.tokens.len(), lines.lines().count());
        for ty in table.references.keys() {
            assert!(Model::r4().resource(ty).is_some(), "{ty}");
        }
    }

    /// Of the types that can be one patient's, all but definitions can be searched by the patient.
    #[test]
    fn which_types_can_be_searched_by_patient() {
        let all = include_str!("../../../engine/patient/src/fhir/r4.txt").lines();
        let linked = all.filter_map(|l| l.strip_prefix("L ")).filter_map(|l| {
            let (ty, links) = l.split_once(' ')?;
            (!links.is_empty()).then_some(ty)
        });
        let without: Vec<&str> = linked.filter(|ty| of_patient(ty).is_none()).collect();
        assert_eq!(
            without,
            [
                "ActivityDefinition",
                "EventDefinition",
                "Library",
                "Measure",
                "MedicinalProductAuthorization",
                "MedicinalProductContraindication",
                "MedicinalProductIndication",
                "MedicinalProductInteraction",
                "MedicinalProductPackaged",
                "MedicinalProductUndesirableEffect",
                "PlanDefinition",
                "ResearchDefinition",
                "ResearchElementDefinition",
            ]
        );
        assert_eq!(of_patient("AdverseEvent"), Some("subject"));
        assert_eq!(of_patient("Coverage"), Some("patient"));
        // It belongs to nobody: another's could not be told from this patient's.
        assert_eq!(of_patient("Medication"), None);
        assert_eq!(of_patient("Appointment"), None);
    }

    #[test]
    fn codes_are_searched_where_a_parameter_sees_all_of_them() {
        for (ty, path, found) in [
            ("Observation", "code", Some("code")),
            ("AllergyIntolerance", "code", Some("code")),
            ("Immunization", "vaccineCode", Some("vaccine-code")),
            ("Encounter", "type", Some("type")),
            ("Goal", "category", Some("category")),
            ("MedicationRequest", "medication", None),
            ("MedicationRequest", "medicationCodeableConcept", None),
            ("Observation", "value", None),
            ("Observation", "category", None),
        ] {
            assert_eq!(token(ty, path), found, "{ty}.{path}");
        }
    }

    #[test]
    fn what_brings_another_with_it() {
        let of = |ty: &str, target: &str| -> Vec<&str> {
            including(ty, name(target)).map(|p| p.name).collect()
        };
        for ty in [
            "MedicationRequest",
            "MedicationAdministration",
            "MedicationDispense",
            "MedicationStatement",
        ] {
            assert_eq!(of(ty, "Medication"), ["medication"], "{ty}");
        }
        assert_eq!(of("Encounter", "Location"), ["location"]);
        assert_eq!(of("Encounter", "Organization"), ["service-provider"]);
        // `practitioner` searches the same element.
        assert_eq!(of("Encounter", "Practitioner"), ["participant"]);
        assert_eq!(of("Coverage", "Organization"), ["payor", "policy-holder"]);
        // `focus` can name anything: no server is asked for all of that.
        for ty in ["Condition", "Observation"] {
            assert_eq!(of(ty, "Medication"), [""; 0], "{ty}");
        }
        let location = including("Encounter", name("Location")).next().unwrap();
        assert_eq!(location.paths, [["location", "location"]]);
    }
}
