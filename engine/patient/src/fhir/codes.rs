//! The codes that FHIR R4 allows for an element: of type `code`, or a CodeableConcept with a required
//! binding. Source: FHIR 4.0.1 (HL7, CC0), see `gen/codes.py`.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::model::Model;
use crate::finding::did_you_mean;

/// The value set of a required binding.
#[derive(Debug, PartialEq, Eq)]
pub struct RequiredCodes {
    /// Its name, such as `observation-status`.
    pub name: &'static str,
    /// Each code system, where it is known, with the codes of it.
    pub systems: Vec<(Option<&'static str>, Vec<&'static str>)>,
}

struct Table {
    sets: Vec<RequiredCodes>,
    elements: FxHashMap<(&'static str, &'static str), usize>,
}

static R4: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!("codes.txt")));

impl Table {
    fn parse(text: &'static str) -> Table {
        let mut table = Table {
            sets: vec![],
            elements: FxHashMap::default(),
        };
        let mut numbers = FxHashMap::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            match words.next() {
                Some("V") => {
                    let (Some(name), Some(system)) = (words.next(), words.next()) else {
                        continue;
                    };
                    let number = *numbers.entry(name).or_insert(table.sets.len());
                    if number == table.sets.len() {
                        let systems = vec![];
                        table.sets.push(RequiredCodes { name, systems });
                    }
                    let system = Some(system).filter(|s| *s != "-");
                    if let Some(set) = table.sets.get_mut(number) {
                        set.systems.push((system, words.collect()));
                    }
                }
                Some("B") => {
                    let next = (words.next(), words.next(), words.next());
                    if let (Some(ty), Some(element), Some(name)) = next
                        && let Some(number) = numbers.get(name)
                    {
                        table.elements.insert((ty, element), *number);
                    }
                }
                _ => {}
            }
        }
        table
    }
}

/// What an element of a type, its own or inherited, must be coded with; `None` where its binding is not
/// required, or where it has no end (languages, MIME types, currencies, units).
pub fn required(ty: &str, element: &str) -> Option<&'static RequiredCodes> {
    let number = |name: &'static str| {
        let element = Model::r4().element(ty, element)?.name;
        R4.elements.get(&(name, element)).copied()
    };
    let found = Model::r4().chain(ty).find_map(|t| number(t.name))?;
    R4.sets.get(found)
}

impl RequiredCodes {
    /// The codes, in the order of the specification.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.systems.iter().flat_map(|(_, codes)| codes).copied()
    }

    /// Whether it is one of them. Codes of FHIR are case-sensitive.
    pub fn has(&self, code: &str) -> bool {
        self.codes().any(|c| c == code)
    }

    /// Whether it is one of them in this code system.
    pub fn has_in(&self, system: &str, code: &str) -> bool {
        let here = |s: &Option<&str>| s.is_none_or(|s| s == system);
        let mut systems = self.systems.iter().filter(|(s, _)| here(s));
        systems.any(|(_, codes)| codes.contains(&code))
    }

    /// The code systems; empty where they are not known.
    pub fn urls(&self) -> impl Iterator<Item = &'static str> {
        self.systems.iter().filter_map(|(system, _)| *system)
    }

    /// What to write instead of a text that is none of them: the one that was meant, or all.
    pub fn instead_of(&self, text: &str) -> String {
        match self.near(text) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", self.list()),
        }
    }

    /// Whether a text is one of its codes, but for how it is written.
    #[must_use]
    pub fn is_slip(&self, text: &str) -> bool {
        self.near(text).is_some()
    }

    fn near<'t>(&'t self, text: &str) -> Option<&'t str> {
        // `Entered in Error`, `in_progress`
        let plain = |t: &str| {
            let letters = t.chars().filter(|c| c.is_alphanumeric());
            letters.collect::<String>().to_lowercase()
        };
        let same = self.codes().find(|code| plain(code) == plain(text));
        same.or_else(|| did_you_mean(text, self.codes()))
    }

    /// The codes for people; of very many the first.
    pub fn list(&self) -> String {
        const SHOWN: usize = 16;
        let shown: Vec<String> = self.codes().take(SHOWN).map(|c| format!("`{c}`")).collect();
        let more = self.codes().count().saturating_sub(SHOWN);
        match more {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_elements() {
        let codes = |ty, element| required(ty, element).map(|set| set.codes().collect::<Vec<_>>());
        let status = codes("Observation", "status").unwrap();
        assert_eq!(status.len(), 8);
        assert!(status.contains(&"final") && !status.contains(&"finall"));
        assert_eq!(
            codes("Condition", "clinicalStatus").unwrap(),
            [
                "active",
                "recurrence",
                "relapse",
                "inactive",
                "remission",
                "resolved"
            ]
        );
        assert_eq!(
            codes("Immunization", "status").unwrap(),
            ["not-done", "completed", "entered-in-error"]
        );
        // A type inherits the elements of its base.
        assert!(required("Age", "comparator").is_some_and(|set| set.has("<=")));
        assert!(required("CarePlan.Activity.Detail", "kind").is_some_and(|s| !s.has("Account")));
        assert!(required("Observation", "code").is_none() && required("Nothing", "x").is_none());
        assert!(required("Attachment", "contentType").is_none());
    }

    /// A binding to nothing, or of an element that the model does not have, would check nothing.
    #[test]
    fn every_line_of_the_table_is_of_use() {
        let text = include_str!("codes.txt");
        let lines = |letter: &str| {
            let all = text.lines().filter(|l| l.starts_with(letter));
            all.collect::<Vec<_>>()
        };
        assert_eq!(R4.elements.len(), lines("B ").len());
        assert!(R4.elements.len() > 300 && R4.sets.len() > 200);
        for (ty, element) in R4.elements.keys() {
            let set = required(ty, element).unwrap();
            assert!(set.codes().count() > 0, "{ty}.{element}");
            let types = &Model::r4().element(ty, element).unwrap().types;
            assert!(
                matches!(types[0], "code" | "CodeableConcept"),
                "{ty}.{element}: {types:?}"
            );
        }
    }

    #[test]
    fn what_was_meant() {
        let set = required("Observation", "status").unwrap();
        assert_eq!(set.instead_of("finall"), "did you mean `final`?");
        assert_eq!(set.instead_of("Final"), "did you mean `final`?");
        assert_eq!(
            set.instead_of("Entered in Error"),
            "did you mean `entered-in-error`?"
        );
        assert!(
            set.instead_of("completed")
                .starts_with("one of `registered`, `preliminary`")
        );
    }
}
