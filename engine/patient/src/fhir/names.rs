//! Element and type names as small integers, so that reading an element compares two `u16`.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::model::{Cardinality, Model};

/// A name of the FHIR R4 model, interned: an element (`valueQuantity`), or a type (`Observation`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Name(pub(crate) u16);

/// A coded element of a resource type: `Procedure`, `code`; a choice element without its type.
pub type CodedElement = (Name, &'static str);

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

    /// `_name`, where the id and the extensions of a primitive stand (FHIR R4 "JSON representation of
    /// primitive elements"). `None` of names that are no primitive's.
    pub fn shadow(self) -> Option<Name> {
        let shadow = TABLE.shadows.get(usize::from(self.0)).copied();
        shadow.filter(|s| *s != Name::UNKNOWN)
    }

    /// The text of an interned name; empty for [`Name::UNKNOWN`] and [`Name::NONE`].
    pub fn as_str(self) -> &'static str {
        TABLE.texts.get(usize::from(self.0)).copied().unwrap_or("")
    }
}

struct Table {
    texts: Vec<&'static str>,
    ids: FxHashMap<&'static [u8], Name>,
    /// Per name: that of its shadow; [`Name::UNKNOWN`] where it has none.
    shadows: Vec<Name>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut texts: Vec<&'static str> = vec!["resourceType", "div", "fhir_comments"];
    // Elements of which some type has a primitive: `_birthDate` holds its id and extensions.
    let mut primitive: FxHashSet<&'static str> = FxHashSet::default();
    for ty in Model::r4().types() {
        texts.push(ty.name);
        for element in &ty.elements {
            for wanted in &element.types {
                let text = match element.cardinality {
                    Cardinality::Choice => leak(choice_name(element.name, wanted)),
                    _ => element.name,
                };
                texts.push(text);
                if is_primitive(wanted) {
                    primitive.insert(text);
                }
            }
        }
    }
    texts.extend(primitive.iter().map(|text| leak(format!("_{text}"))));
    texts.sort_unstable();
    texts.dedup();
    let ids = texts.iter().enumerate();
    let ids = ids.map(|(i, t)| (t.as_bytes(), Name(u16::try_from(i).unwrap_or(u16::MAX))));
    let ids: FxHashMap<&'static [u8], Name> = ids.collect();
    let shadow = |text: &&'static str| {
        let shadow = ids.get(format!("_{text}").as_bytes());
        shadow.copied().unwrap_or(Name::UNKNOWN)
    };
    let shadows = texts.iter().map(shadow).collect();
    Table {
        texts,
        ids,
        shadows,
    }
});

/// Whether a FHIR type is a primitive: their names begin with a small letter.
fn is_primitive(ty: &str) -> bool {
    ty.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Made once for the life of the process.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// The property name of a choice element in JSON: `value[x]` of type `dateTime` is `valueDateTime`.
pub fn choice_name(element: &str, ty: &str) -> String {
    let mut chars = ty.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    element.chars().chain(first).chain(chars).collect()
}

/// `id`, the most asked for.
pub fn id() -> Name {
    static ID: LazyLock<Name> = LazyLock::new(|| lookup(b"id"));
    *ID
}

/// `reference`, which every import looks for.
pub fn reference() -> Name {
    static REFERENCE: LazyLock<Name> = LazyLock::new(|| lookup(b"reference"));
    *REFERENCE
}

/// The name of these bytes, [`Name::UNKNOWN`] where the model has none.
pub fn lookup(text: &[u8]) -> Name {
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
        let shadow = |text| Name::of(text).and_then(Name::shadow).map(Name::as_str);
        for (text, expected) in [
            ("birthDate", Some("_birthDate")),
            ("effectiveDateTime", Some("_effectiveDateTime")),
            ("end", Some("_end")),
            ("valueQuantity", None),
            ("subject", None),
            ("_birthDate", None),
        ] {
            assert_eq!(shadow(text), expected, "{text}");
        }
        assert_eq!(Name::of("nonsense"), None);
        assert_eq!(Name::UNKNOWN.as_str(), "");
    }
}
