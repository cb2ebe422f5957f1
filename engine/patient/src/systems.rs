//! Which code systems the data is coded in: whether a value set could match any of it at all.
//!
//! A retrieve by a value set that finds nothing says "not done". Where the data codes that element in
//! other systems only, it says nothing: a colonoscopy in SNOMED CT is not in a set of HCPCS codes.
//!
//! This is judged by the patient's own codes, for a card, a measure, a rehearsal and one patient of a lake
//! alike ([`of_record`]). What other patients are coded in proves nothing: one HCPCS code in a lake does
//! not make its CPT codes readable. A patient without any resource of the type has nothing that could be
//! coded otherwise: that nothing is there is known. A source that reads only what was asked for tells the
//! record the systems of the rest ([`PatientRecord::tell_systems`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use crate::fhir::names::CodedElement;
use crate::fhir::names::Name;
use crate::record::{Element, Gather, PatientRecord};
use crate::requirements::{choice, code_elsewhere, referenced};
use crate::system::codes;
use crate::terminology::{ValueSet, canonical_system};

/// Code systems by their URL, `urn:oid:` of well-known ones as their URL; the empty text stands for
/// codes without a system.
pub type Systems = BTreeSet<Arc<str>>;

/// An element, and a value set that a program compares it with.
pub type Compared = (CodedElement, Arc<ValueSet>);

/// The code systems in use, by coded element: of a whole lake. An element that is not here is not
/// known; one without systems has no codes. It tells of which elements patients may be coded otherwise,
/// and so have to be asked one by one; it decides nothing of any patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemsInUse(BTreeMap<CodedElement, Systems>);

impl SystemsInUse {
    /// Says that an element was looked at, and adds systems that its codes are of.
    pub fn add<'s>(&mut self, element: CodedElement, systems: impl IntoIterator<Item = &'s str>) {
        let known = self.0.entry(element).or_default();
        known.extend(systems.into_iter().map(|s| Arc::from(canonical_system(s))));
    }

    /// The systems of an element, sorted; `None` where it was not looked at.
    pub fn of(&self, element: CodedElement) -> Option<&Systems> {
        self.0.get(&element)
    }

    /// Whether some patient may be coded in systems that none of these sets has, so that what is not found
    /// is not known ([`mismatch`]). `compared`: what a program compares with what ([`Compared`]).
    pub fn may_mismatch(&self, element: CodedElement, compared: &[Compared]) -> bool {
        let Some(systems) = self.of(element) else {
            return true;
        };
        let mut sets = compared.iter().filter(|(of, _)| *of == element);
        sets.any(|(_, set)| {
            let wanted = set.systems();
            !wanted.is_empty() && systems.iter().any(|s| !wanted.contains(s))
        })
    }

    /// The elements that were looked at, and their systems.
    pub fn iter(&self) -> impl Iterator<Item = (CodedElement, &Systems)> {
        self.0.iter().map(|(element, systems)| (*element, systems))
    }
}

/// The systems that the patient's resources of a type code this element in: those of the record, and those
/// that the record was told of.
pub fn of_record(record: &PatientRecord, (ty, path): CodedElement) -> Systems {
    let new = || Counts {
        path,
        systems: BTreeMap::new(),
    };
    let known = record.gathered((ty, path, 0), new, |counts| {
        counts.systems.keys().cloned().collect()
    });
    let mut found = known.unwrap_or_else(|| {
        let concepts = record.of_type(ty).filter_map(|r| concept(r, path));
        of_concepts(concepts.flat_map(Element::items))
    });
    found.extend(record.systems_told((ty, path)).cloned());
    found
}

/// How many resources have codes of each system.
struct Counts {
    path: &'static str,
    systems: BTreeMap<Arc<str>, usize>,
}

impl Counts {
    fn of(&self, resource: Element<'_>) -> Systems {
        let concept = concept(resource, self.path);
        of_concepts(concept.into_iter().flat_map(Element::items))
    }
}

impl Gather for Counts {
    fn elsewhere(&self, resource: Element<'_>) -> Option<Name> {
        code_elsewhere(resource, self.path)
    }

    fn add(&mut self, resource: Element<'_>) {
        for system in self.of(resource) {
            *self.systems.entry(system).or_default() += 1;
        }
    }

    fn remove(&mut self, resource: Element<'_>) {
        for system in self.of(resource) {
            if let Some(count) = self.systems.get_mut(&system) {
                *count -= 1;
                if *count == 0 {
                    self.systems.remove(&system);
                }
            }
        }
    }

    fn clear(&mut self) {
        self.systems.clear();
    }
}

/// The element itself, or the code of the resource that it refers to.
fn concept<'r>(resource: Element<'r>, path: &str) -> Option<Element<'r>> {
    let found = resource
        .get_named(path)
        .or_else(|| choice(resource, path))?;
    match found.get_str("reference") {
        Some(reference) => referenced(resource, &reference)?.get_named("code"),
        None => Some(found),
    }
}

/// The systems of CodeableConcepts, Codings and plain codes.
pub fn of_concepts<'r>(concepts: impl Iterator<Item = Element<'r>>) -> Systems {
    let mut found = Systems::new();
    let mut one = |coding: Element<'r>| {
        if coding.get_str("code").is_some() || coding.as_str().is_some() {
            let system = coding.get_str("system").unwrap_or_default();
            let system = canonical_system(&system);
            if !found.contains(system) {
                found.insert(Arc::from(system));
            }
        }
    };
    concepts.flat_map(codes::codings).for_each(&mut one);
    found
}

/// Why nothing coded like this could be in the set: no system of the set is among those seen. `None`
/// where one is, where nothing has a code, and for a set without codes, which is told at load.
///
/// The reason names the element, the set and the systems on both sides, no code and no value.
pub fn mismatch((ty, path): CodedElement, set: &ValueSet, seen: &Systems) -> Option<String> {
    let wanted = set.systems();
    if wanted.is_empty() || seen.is_empty() || wanted.iter().any(|s| seen.contains(s)) {
        return None;
    }
    Some(format!(
        "{}.{path} is coded in {} here, the value set {} has {} only",
        ty.as_str(),
        listed(seen.iter()),
        set.url,
        listed(wanted.iter())
    ))
}

/// Most systems that a reason names.
const NAMED: usize = 4;

fn listed<'s>(systems: impl Iterator<Item = &'s Arc<str>>) -> String {
    let all: BTreeSet<&str> = systems.map(|s| shown(s)).collect();
    let more = all.len().saturating_sub(NAMED);
    let named: Vec<&str> = all.into_iter().take(NAMED).collect();
    match more {
        0 => named.join(", "),
        _ => format!("{} and {more} more", named.join(", ")),
    }
}

/// A system as it may be shown: what is no URL comes from the data and may be anything.
fn shown(system: &str) -> &str {
    let url = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+,;=%".contains(c);
    let known = ["http://", "https://", "urn:"];
    if system.is_empty() {
        return "no code system";
    }
    let plain = system.len() <= 120 && system.chars().all(url);
    match plain && known.iter().any(|start| system.starts_with(start)) {
        true => system,
        false => "a system that is no URL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminology::Code;

    fn set(systems: &[&str]) -> ValueSet {
        let codes = systems.iter().map(|s| Code::new(s, "1")).collect();
        ValueSet::from_codes("http://x.org/vs", None, codes, "test")
    }

    fn seen(systems: &[&str]) -> Systems {
        systems.iter().map(|s| Arc::from(*s)).collect()
    }

    #[test]
    fn a_set_that_shares_no_system_says_nothing() {
        let hcpcs = set(&["urn:hcpcs"]);
        let element = (Name::of("Procedure").unwrap(), "code");
        assert_eq!(mismatch(element, &hcpcs, &seen(&[])), None);
        assert_eq!(
            mismatch(element, &hcpcs, &seen(&["urn:hcpcs", "urn:b"])),
            None
        );
        assert_eq!(mismatch(element, &set(&[]), &seen(&["urn:b"])), None);
        let reason = mismatch(
            element,
            &set(&["urn:oid:1.2"]),
            &seen(&["", "Jane Doe", "http://snomed.info/sct"]),
        );
        assert_eq!(
            reason.unwrap(),
            "Procedure.code is coded in a system that is no URL, http://snomed.info/sct, no code system here, \
             the value set http://x.org/vs has urn:oid:1.2 only"
        );
    }

    #[test]
    fn the_systems_of_a_record_are_of_codes_wherever_they_stand() {
        let mut record = PatientRecord::new();
        for json in [
            r#"{"resourceType":"Procedure","id":"1","code":{"coding":[{"system":"urn:a","code":"1"},{"system":"urn:b"}]}}"#,
            r#"{"resourceType":"Procedure","id":"2","code":{"coding":[{"code":"1"}]}}"#,
            r#"{"resourceType":"Procedure","id":"3","code":{"text":"Colonoscopy"}}"#,
            r#"{"resourceType":"Procedure","id":"4","code":{"coding":[{"system":"urn:oid:2.16.840.1.113883.6.96","code":"1"}]}}"#,
            r##"{"resourceType":"MedicationRequest","id":"5","medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"urn:m","code":"1"}]}}]}"##,
            r#"{"resourceType":"MedicationRequest","id":"6","medicationCodeableConcept":{"coding":[{"system":"urn:c","code":"1"}]}}"#,
            r#"{"resourceType":"MedicationRequest","id":"7","medicationReference":{"reference":"Medication/none"}}"#,
        ] {
            record.push(json).unwrap();
        }
        let of = |ty: &str, path| {
            let systems = of_record(&record, (Name::of(ty).unwrap(), path));
            systems.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("Procedure", "code"), " http://snomed.info/sct urn:a");
        assert_eq!(of("MedicationRequest", "medication"), "urn:c urn:m");
        assert_eq!(of("Condition", "code"), "");
        // And of those that were not read.
        let element = (Name::of("Procedure").unwrap(), "code");
        record.tell_systems(
            element,
            ["urn:z".into(), "urn:oid:2.16.840.1.113883.6.96".into()],
        );
        let systems = |record: &PatientRecord| {
            of_record(record, element)
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(systems(&record), " http://snomed.info/sct urn:a urn:z");
        record.clear();
        assert_eq!(systems(&record), "");
    }

    #[test]
    fn only_sets_that_lack_a_system_in_use_can_mismatch() {
        let element = (Name::of("Procedure").unwrap(), "code");
        let other = (Name::of("Condition").unwrap(), "code");
        let may = |used: &[&str], sets: &[&[&str]]| {
            let mut all = SystemsInUse::default();
            all.add(element, used.iter().copied());
            let sets = sets.iter().map(|s| Arc::new(set(s)));
            let mut compared: Vec<Compared> = sets.map(|s| (element, s)).collect();
            compared.push((other, Arc::new(set(&["urn:z"]))));
            all.may_mismatch(element, &compared)
        };
        let (a, ab): (&[&str], &[&str]) = (&["urn:a"], &["urn:a", "urn:b"]);
        assert!(
            !may(&["urn:a"], &[a, ab]) && !may(ab, &[ab]) && !may(&[], &[a]) && !may(ab, &[&[]])
        );
        assert!(may(&["urn:b"], &[ab, a]) && may(ab, &[ab, a]));
        // An element that was not looked at.
        assert!(SystemsInUse::default().may_mismatch(element, &[]));
    }
}
