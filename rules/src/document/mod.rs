//! The fields of the files that authors write, each with who has it, whether it must be there, what it
//! holds and what it is for. One table: the loader refuses and demands by it, and the JSON Schema and the
//! table in the read-me are made from it.

mod card;
mod case;
mod library;
mod rule;

pub(crate) use card::{ACTION, CARD, CARD_SOURCE, LINK, REASON, SELECTION, SUGGESTION};
pub(crate) use case::{CASE, EXPECT};
pub(crate) use library::{DRUG_CLASS, LIBRARY};
pub(crate) use rule::{RULE, SOURCE, SURVIVOR, TABLE};

use crate::words::Kind;

/// The name of an organization's own hook, as a regular expression.
pub(crate) const OWN_HOOK: &str = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2,}$";

/// A mapping with these fields.
#[derive(Debug)]
pub(crate) struct Object {
    /// What it is called in a message: "a rule", "`card`".
    pub what: &'static str,
    /// In the order in which they are usually written.
    pub fields: &'static [Field],
}

/// A field of a mapping.
#[derive(Debug)]
pub(crate) struct Field {
    pub name: &'static str,
    /// The kinds of rule that may have it.
    pub kinds: &'static [Kind],
    /// Those that must.
    pub required: &'static [Kind],
    pub shape: Shape,
    /// What it is for, in a sentence.
    pub doc: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A text as it stands.
    Text,
    /// A text of a fixed form: its regular expression, and an example.
    Pattern(&'static str, &'static str),
    /// A whole number, from and to.
    Whole(u32, u32),
    /// CEL of a type.
    Expression(Wanted),
    /// A text with `{{ expression }}` in it.
    Template,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Words(fn() -> Vec<&'static str>),
    /// One of these words, or a text of this form.
    WordsOr(fn() -> Vec<&'static str>, &'static str),
    /// A mapping with fields of its own.
    Object(&'static Object),
    /// A mapping whose keys are names that the author chooses.
    Named(&'static Shape),
    /// A list.
    List(&'static Shape),
    /// A FHIR resource; `{{ expression }}` in its texts where that is said.
    Resource { templates: bool },
    /// Elements of a FHIR resource.
    Elements,
    /// The name of a FHIR resource type.
    ResourceType,
}

/// What an expression must give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    Any,
    Truth,
    Date,
    Text,
    List,
    Resource,
}

pub(crate) const ALL: &[Kind] = &[Kind::CareGap, Kind::Alert, Kind::Family];
pub(crate) const GAP: &[Kind] = &[Kind::CareGap];
pub(crate) const ALERTS: &[Kind] = &[Kind::Alert, Kind::Family];
pub(crate) const FAMILY: &[Kind] = &[Kind::Family];
pub(crate) const NONE: &[Kind] = &[];

impl Object {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

impl Field {
    /// Whether a rule of this kind may have it; of any kind, where the kind is not known.
    pub fn is_of(&self, kind: Option<Kind>) -> bool {
        kind.is_none_or(|kind| self.kinds.contains(&kind))
    }

    /// Whether a rule of this kind must have it; of every kind, where the kind is not known.
    pub fn is_required(&self, kind: Option<Kind>) -> bool {
        match kind {
            Some(kind) => self.required.contains(&kind),
            None => self.required.len() == ALL.len(),
        }
    }
}
