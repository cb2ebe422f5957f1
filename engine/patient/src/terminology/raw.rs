//! The structures of the FHIR JSON that is read, lenient where a wrong element can be named.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// An element that should be text. A wrong type is kept, so that all of them can be reported with path.
#[derive(Debug, Clone)]
pub(super) enum Text {
    /// Text.
    Is(Arc<str>),
    /// What it is instead.
    Not(&'static str),
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Is(Arc::from(text)))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Text, E> {
        Ok(Text::Not("a boolean"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Text, E> {
        Ok(Text::Not("a number"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Text, E> {
        Ok(Text::Not("a number"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Text, E> {
        Ok(Text::Not("a number"))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Text, E> {
        Ok(Text::Not("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::Not("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
        while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::Not("an object"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawResource {
    pub resource_type: Option<Text>,
}

#[derive(Deserialize)]
pub(super) struct RawBundle<'a> {
    #[serde(borrow, default)]
    pub entry: Vec<RawEntry<'a>>,
}

#[derive(Deserialize)]
pub(super) struct RawEntry<'a> {
    #[serde(borrow)]
    pub resource: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct RawValueSet {
    pub url: Option<Text>,
    pub version: Option<Text>,
    pub id: Option<Text>,
    pub name: Option<Text>,
    pub title: Option<Text>,
    pub expansion: Option<RawExpansion>,
    pub compose: Option<RawCompose>,
}

#[derive(Deserialize)]
pub(super) struct RawExpansion {
    pub total: Option<Value>,
    pub offset: Option<Value>,
    #[serde(default)]
    pub parameter: Vec<Value>,
    #[serde(default)]
    pub extension: Vec<Value>,
    #[serde(default)]
    pub contains: Vec<RawContains>,
}

#[derive(Deserialize)]
pub(super) struct RawContains {
    pub system: Option<Text>,
    pub version: Option<Text>,
    pub code: Option<Text>,
    pub display: Option<Text>,
    #[serde(default)]
    pub contains: Vec<RawContains>,
}

#[derive(Deserialize)]
pub(super) struct RawCompose {
    pub inactive: Option<Value>,
    #[serde(default)]
    pub include: Vec<RawClause>,
    #[serde(default)]
    pub exclude: Vec<RawClause>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawClause {
    pub system: Option<Text>,
    pub version: Option<Text>,
    #[serde(default)]
    pub concept: Vec<RawConceptReference>,
    #[serde(default)]
    pub filter: Vec<RawFilter>,
    #[serde(default)]
    pub value_set: Vec<Text>,
    // What is written for them by mistake: without them the clause would be all of its system.
    concepts: Option<IgnoredAny>,
    code: Option<IgnoredAny>,
    codes: Option<IgnoredAny>,
    contains: Option<IgnoredAny>,
    filters: Option<IgnoredAny>,
    value_sets: Option<IgnoredAny>,
    valueset: Option<IgnoredAny>,
}

impl RawClause {
    /// Elements that FHIR does not have here, each with the one that is meant.
    pub fn slips(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = [
            (self.concepts.is_some(), "concepts", "concept"),
            (self.code.is_some(), "code", "concept"),
            (self.codes.is_some(), "codes", "concept"),
            (self.contains.is_some(), "contains", "concept"),
            (self.filters.is_some(), "filters", "filter"),
            (self.value_sets.is_some(), "valueSets", "valueSet"),
            (self.valueset.is_some(), "valueset", "valueSet"),
        ];
        all.into_iter()
            .filter(|(there, ..)| *there)
            .map(|(_, found, meant)| (found, meant))
    }
}

#[derive(Deserialize)]
pub(super) struct RawConceptReference {
    pub code: Option<Text>,
    pub display: Option<Text>,
}

#[derive(Deserialize)]
pub(super) struct RawFilter {
    pub property: Option<Text>,
    pub op: Option<Text>,
    pub value: Option<Text>,
}

#[derive(Deserialize)]
pub(super) struct RawCodeSystem {
    pub url: Option<Text>,
    pub version: Option<Text>,
    pub name: Option<Text>,
    pub title: Option<Text>,
    pub content: Option<Text>,
    #[serde(default)]
    pub concept: Vec<RawConcept>,
}

#[derive(Deserialize)]
pub(super) struct RawConcept {
    pub code: Option<Text>,
    pub display: Option<Text>,
    #[serde(default)]
    pub property: Vec<Value>,
    #[serde(default)]
    pub concept: Vec<RawConcept>,
}
