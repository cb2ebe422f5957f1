//! Element and type names as small integers, so that reading an element compares two `u16`.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::model::{Cardinality, Model};

/// A name of the FHIR R4 model, interned: an element (`valueQuantity`), or a type (`Observation`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Name(pub(crate) u16);

impl Name {
    /// A property that the R4 model does not know; its text is kept beside the tree.
    pub const UNKNOWN: Name = Name(u16::MAX);
    /// The node has no name: it is an item of an array, or a root.
    pub const NONE: Name = Name(u16::MAX - 1);

    /// The interned name, or `None` where the R4 model has no such element or type.
    pub fn of(text: &str) -> Option<Name> {
        let found = lookup(text.as_bytes());
        (found != Name::UNKNOWN).then_some(found)
    }

    /// Its number: dense from 0, of this build only. Not for files.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The text of an interned name; empty for [`Name::UNKNOWN`] and [`Name::NONE`].
    pub fn as_str(self) -> &'static str {
        TABLE.texts.get(usize::from(self.0)).copied().unwrap_or("")
    }
}

struct Table {
    texts: Vec<&'static str>,
    ids: FxHashMap<&'static [u8], Name>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut texts: Vec<&'static str> = vec!["resourceType", "div", "fhir_comments"];
    for ty in Model::r4().types() {
        texts.push(ty.name);
        for element in &ty.elements {
            match element.cardinality {
                Cardinality::Choice => {
                    for choice in &element.types {
                        texts.push(leak_choice(element.name, choice));
                    }
                }
                _ => texts.push(element.name),
            }
        }
    }
    texts.sort_unstable();
    texts.dedup();
    let ids = texts.iter().enumerate();
    let ids = ids.map(|(i, t)| (t.as_bytes(), Name(u16::try_from(i).unwrap_or(u16::MAX))));
    let ids = ids.collect();
    Table { texts, ids }
});

/// `value` and `Quantity` give `valueQuantity`. Made once for the life of the process.
fn leak_choice(element: &str, ty: &str) -> &'static str {
    Box::leak(choice_name(element, ty).into_boxed_str())
}

/// The property name of a choice element in JSON: `value[x]` of type `dateTime` is `valueDateTime`.
pub fn choice_name(element: &str, ty: &str) -> String {
    let mut chars = ty.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    element.chars().chain(first).chain(chars).collect()
}

/// `id`, the most asked for.
pub(crate) fn id() -> Name {
    static ID: LazyLock<Name> = LazyLock::new(|| lookup(b"id"));
    *ID
}

/// `reference`, which every import looks for.
pub(crate) fn reference() -> Name {
    static REFERENCE: LazyLock<Name> = LazyLock::new(|| lookup(b"reference"));
    *REFERENCE
}

/// The name of these bytes, [`Name::UNKNOWN`] where the model has none.
pub(crate) fn lookup(text: &[u8]) -> Name {
    TABLE.ids.get(text).copied().unwrap_or(Name::UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_own_number_and_the_reserved_ones_stay_free() {
        assert!(TABLE.texts.len() < 10_000);
        for text in ["resourceType", "valueQuantity", "Observation", "birthDate"] {
            assert_eq!(Name::of(text).map(Name::as_str), Some(text));
        }
        assert_eq!(Name::of("nonsense"), None);
        assert_eq!(Name::UNKNOWN.as_str(), "");
    }
}
