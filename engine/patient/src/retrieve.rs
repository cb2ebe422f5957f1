//! The resources of a record that a requirement asks for.

use std::sync::Arc;

use crate::fhir::names::Name;
use crate::record::{Element, Gather, InOrder, PatientRecord};
use crate::requirements::{DataRequirement, Match, code_elsewhere};

impl DataRequirement {
    /// The resources that are asked for, in the order of [`PatientRecord::of_type`]: those that match, and
    /// those of which that cannot be told because their code is not here. Whether nothing was found because
    /// nobody could be asked, the record tells.
    pub fn found_in<'r>(&self, record: &'r PatientRecord) -> Vec<(Element<'r>, Match)> {
        let (ty, codes) = (self.resource_type, self.codes.as_ref());
        // The set is kept with what is found by it, so that its address is of no other one.
        let question = match codes {
            Some(codes) => (ty, codes.path, Arc::as_ptr(&codes.value_set).addr()),
            None => (ty, "", 0),
        };
        let new = || Found {
            asked: self.clone(),
            found: InOrder::default(),
        };
        let found = record.gathered(question, new, |found| found.found.of(record));
        match found {
            Some(found) => found,
            None => record
                .of_type(ty)
                .map(|resource| (resource, self.matches(resource)))
                .filter(|(_, found)| *found != Match::No)
                .collect(),
        }
    }
}

/// What is found by a requirement.
struct Found {
    asked: DataRequirement,
    found: InOrder<Match>,
}

impl Gather for Found {
    fn elsewhere(&self, resource: Element<'_>) -> Option<Name> {
        code_elsewhere(resource, self.asked.codes.as_ref()?.path)
    }

    fn add(&mut self, resource: Element<'_>) {
        match self.asked.matches(resource) {
            Match::No => {}
            found => self.found.add(resource, found),
        }
    }

    fn remove(&mut self, resource: Element<'_>) {
        self.found.remove(resource);
    }

    fn clear(&mut self) {
        self.found.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirements::CodeFilter;
    use crate::systems;
    use crate::terminology::{Code, ValueSet};

    /// A record that grows, is sealed and asked again and again gives what one gives that is read at once.
    #[test]
    fn a_record_that_grows_says_what_one_says_that_is_whole() {
        let set = ValueSet::from_codes("urn:vs", None, vec![Code::new("urn:s", "1")], "test");
        let name = |ty: &str| Name::of(ty).unwrap();
        let asked = |ty: &str, path: Option<&'static str>| DataRequirement {
            resource_type: name(ty),
            codes: path.map(|path| CodeFilter {
                path,
                value_set: Arc::new(set.clone()),
            }),
        };
        let requirements = [
            asked("Observation", Some("code")),
            asked("Observation", None),
            asked("MedicationRequest", Some("medication")),
            asked("Condition", Some("code")),
        ];
        let elements = [
            (name("Observation"), "code"),
            (name("MedicationRequest"), "medication"),
        ];
        let code = |system: &str, code: u64| {
            format!(r#"{{"coding":[{{"system":"{system}","code":"{code}"}}]}}"#)
        };
        // What comes: new ones, newer and older versions, some without an id, and drugs behind references.
        let resource = |n: u64| {
            let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let id = match mixed % 11 {
                0 => String::new(),
                _ => format!(r#""id":"{}","#, mixed % 60),
            };
            let code = code(
                ["urn:s", "urn:t"][usize::try_from(mixed / 7 % 2).unwrap()],
                mixed / 3 % 2,
            );
            let meta = format!(r#""meta":{{"versionId":"{}"}}"#, mixed % 5);
            match mixed % 4 {
                0 => format!(r#"{{"resourceType":"Medication",{id}{meta},"code":{code}}}"#),
                1 => format!(
                    r#"{{"resourceType":"MedicationRequest",{id}{meta},"medicationReference":{{"reference":"Medication/{}"}}}}"#,
                    mixed / 5 % 60
                ),
                2 => format!(
                    r#"{{"resourceType":"MedicationRequest",{id}{meta},"medicationCodeableConcept":{code}}}"#
                ),
                _ => format!(
                    r#"{{"resourceType":"Observation",{id}{meta},"status":"{}","code":{code}}}"#,
                    ["final", "entered-in-error"][usize::try_from(mixed / 13 % 2).unwrap()]
                ),
            }
        };
        let raw = |all: Vec<(Element<'_>, Match)>| {
            let all = all
                .into_iter()
                .map(|(e, found)| (e.raw().to_owned(), found));
            all.collect::<Vec<_>>()
        };
        let (mut grown, mut texts) = (PatientRecord::new(), vec![]);
        for step in 0..120_u64 {
            // Now one more, now many at once.
            for n in 0..[1, 2, 40][usize::try_from(step % 3).unwrap()] {
                texts.push(resource(step * 100 + n));
                grown.push(texts.last().unwrap()).unwrap();
            }
            let (mut whole, mut plain) = (PatientRecord::new(), PatientRecord::new());
            texts.iter().for_each(|text| whole.push(text).unwrap());
            grown.seal();
            whole.seal();
            let all = |record: &PatientRecord| {
                let all = record.resources().map(|e| e.raw().to_owned());
                all.collect::<Vec<_>>()
            };
            assert_eq!(all(&grown), all(&whole), "step {step}");
            all(&whole)
                .iter()
                .for_each(|text| plain.push(text).unwrap());
            for requirement in &requirements {
                let matches = plain
                    .resources()
                    .filter(|e| e.resource_type() == Some(requirement.resource_type));
                let matches = matches.map(|e| (e, requirement.matches(e)));
                let expected = raw(matches.filter(|(_, found)| *found != Match::No).collect());
                assert_eq!(
                    raw(requirement.found_in(&grown)),
                    expected,
                    "step {step}: {requirement}"
                );
                assert_eq!(
                    raw(requirement.found_in(&whole)),
                    expected,
                    "step {step}: {requirement}"
                );
            }
            for element in elements {
                assert_eq!(
                    systems::of_record(&grown, element),
                    systems::of_record(&plain, element),
                    "step {step}"
                );
            }
        }
        // What it found is of no other patient.
        grown.clear();
        grown
            .push(r#"{"resourceType":"Patient","id":"p"}"#)
            .unwrap();
        grown.seal();
        assert!(
            requirements[0].found_in(&grown).is_empty()
                && systems::of_record(&grown, elements[0]).is_empty()
        );
    }
}
