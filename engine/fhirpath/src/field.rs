//! Steps from an object to its properties.

use super::item::{Flow, Item, Sink};
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, Kind};

/// One step into an object.
#[derive(Debug)]
pub(super) enum Field {
    /// The property of this name.
    One(Name),
    /// The property of one of these names, in ascending order: a choice element.
    Any(Box<[Name]>),
    /// The property of one of these names, which the model does not know.
    Named(Box<[Box<str>]>),
}

impl Field {
    #[inline]
    fn find<'r>(&self, element: Element<'r>) -> Option<Element<'r>> {
        match self {
            Field::One(name) => element.get(*name),
            Field::Any(names) => element
                .children()
                .find(|c| names.binary_search(&c.name()).is_ok()),
            Field::Named(names) => names.iter().find_map(|n| element.get_named(n)),
        }
    }

    /// Whether the element stands under this name.
    pub fn names(&self, element: Element<'_>) -> bool {
        match self {
            Field::One(name) => element.name() == *name,
            Field::Any(names) => names.contains(&element.name()),
            Field::Named(names) => names.iter().any(|n| element.property() == **n),
        }
    }
}

/// Goes from field to field; `null`s in arrays are no values.
pub(super) fn follow<'a>(element: Element<'a>, fields: &'a [Field], sink: Sink<'_, 'a>) -> Flow {
    let Some((field, rest)) = fields.split_first() else {
        return sink(Item::Element(element));
    };
    let Some(child) = field.find(element) else {
        return Ok(());
    };
    match child.kind() {
        Kind::Null => Ok(()),
        Kind::Array => {
            let mut items = child.children().filter(|i| i.kind() != Kind::Null);
            items.try_for_each(|item| follow(item, rest, sink))
        }
        _ => follow(child, rest, sink),
    }
}
