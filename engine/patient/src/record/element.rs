//! Reading the tree: an element of a resource, without copying it.

use std::borrow::Cow;

use super::PatientRecord;
use super::json::{Kind, Node, unescape};
use crate::fhir::names::{self, Name};

/// A JSON value within a [`PatientRecord`]: a resource, a datatype, a primitive or an array.
#[derive(Clone, Copy)]
pub struct Element<'r> {
    pub record: &'r PatientRecord,
    pub index: u32,
}

/// Two elements are equal when they are the same place of the same record.
impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.record, other.record)
    }
}

/// Never shows content: patient data must not reach a log.
impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Element({}, {:?})", self.index, self.kind())
    }
}

impl<'r> Element<'r> {
    #[inline]
    fn node(self) -> Node {
        const NULL: Node = Node {
            name: Name::NONE,
            kind: Kind::Null,
            escaped: false,
            end: 0,
            start: 0,
            len: 0,
        };
        self.record
            .tree
            .nodes
            .get(self.index as usize)
            .copied()
            .unwrap_or(NULL)
    }

    /// What kind of JSON value it is.
    #[inline]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The interned name of the property it stands under.
    pub fn name(self) -> Name {
        self.node().name
    }

    /// The name of the property it stands under, also where the R4 model does not know it. Empty
    /// for items of arrays.
    pub fn property(self) -> Cow<'r, str> {
        let name = self.name();
        if name != Name::UNKNOWN {
            return Cow::Borrowed(name.as_str());
        }
        let text = self.record.tree.unknown_name(&self.record.text, self.index);
        match text {
            Some(text) if text.contains('\\') => Cow::Owned(unescape(text)),
            Some(text) => Cow::Borrowed(text),
            None => Cow::Borrowed(""),
        }
    }

    /// The JSON text of it as it came; for a string without the quotes, escapes unresolved.
    pub fn raw(self) -> &'r str {
        let node = self.node();
        let start = node.start as usize;
        self.record
            .text
            .get(start..start + node.len as usize)
            .unwrap_or("")
    }

    /// The byte where its text starts, counted from the start of the record's text.
    pub fn position(self) -> u32 {
        self.node().start
    }

    /// Properties of an object or items of an array, in document order. Nothing for primitives.
    #[inline]
    pub fn children(self) -> Children<'r> {
        let node = self.node();
        let (next, end) = match node.kind {
            Kind::Object | Kind::Array => (self.index + 1, node.end),
            _ => (0, 0),
        };
        let record = self.record;
        Children { record, next, end }
    }

    /// The property of this name.
    #[inline]
    pub fn get(self, name: Name) -> Option<Element<'r>> {
        let node = self.node();
        if node.kind != Kind::Object || name == Name::UNKNOWN {
            return None;
        }
        let nodes = self.record.tree.nodes.as_slice();
        let mut index = self.index + 1;
        while index < node.end {
            let child = nodes.get(index as usize)?;
            if child.name == name {
                let record = self.record;
                return Some(Element { record, index });
            }
            index = child.end;
        }
        None
    }

    /// The property of this name, given as text; also names the R4 model does not know.
    pub fn get_named(self, name: &str) -> Option<Element<'r>> {
        match Name::of(name) {
            Some(name) => self.get(name),
            None => self
                .children()
                .find(|c| c.name() == Name::UNKNOWN && c.property() == name),
        }
    }

    /// All texts under the property `reference`, wherever they stand below, in document order.
    pub fn references(self) -> impl Iterator<Item = Element<'r>> {
        let record = self.record;
        let (end, name) = (self.node().end, names::reference());
        (self.index + 1..end)
            .map(move |index| Element { record, index })
            .filter(move |e| {
                let node = e.node();
                node.name == name && node.kind == Kind::String
            })
    }

    /// Follows single properties: `["code", "text"]`.
    pub fn path(self, names: &[&str]) -> Option<Element<'r>> {
        names.iter().try_fold(self, |at, name| at.get_named(name))
    }

    /// Items of an array; the element itself where it is no array.
    pub fn items(self) -> impl Iterator<Item = Element<'r>> {
        let array = self.kind() == Kind::Array;
        let own = (!array).then_some(self);
        let children = array.then(|| self.children());
        own.into_iter().chain(children.into_iter().flatten())
    }

    /// The text of a string, escapes resolved.
    #[inline]
    pub fn as_str(self) -> Option<Cow<'r, str>> {
        let node = self.node();
        match node.kind {
            Kind::String if node.escaped => Some(Cow::Owned(unescape(self.raw()))),
            Kind::String => Some(Cow::Borrowed(self.raw())),
            _ => None,
        }
    }

    /// The text of a string property.
    pub fn get_str(self, name: &str) -> Option<Cow<'r, str>> {
        self.get_named(name)?.as_str()
    }

    /// Whether it is a string of exactly this text.
    #[inline]
    pub fn is_str(self, text: &str) -> bool {
        match self.node() {
            Node {
                kind: Kind::String,
                escaped: false,
                ..
            } => self.raw() == text,
            Node {
                kind: Kind::String, ..
            } => unescape(self.raw()) == text,
            _ => false,
        }
    }

    /// `true` or `false`.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// A number as the nearest double.
    pub fn as_f64(self) -> Option<f64> {
        let number = self.kind() == Kind::Number;
        number.then(|| self.raw().parse().ok()).flatten()
    }

    /// A whole number.
    pub fn as_i64(self) -> Option<i64> {
        let number = self.kind() == Kind::Number;
        number.then(|| self.raw().parse().ok()).flatten()
    }

    /// A number with all its digits.
    pub fn as_decimal(self) -> Option<rust_decimal::Decimal> {
        let number = self.kind() == Kind::Number;
        number.then(|| crate::value::decimal(self.raw())).flatten()
    }

    /// A number, rounded to 28 digits where it has more.
    pub fn as_rounded_decimal(self) -> Option<rust_decimal::Decimal> {
        let number = self.kind() == Kind::Number;
        number
            .then(|| crate::value::rounded_decimal(self.raw()))
            .flatten()
    }

    /// The `resourceType` of a resource.
    pub fn resource_type(self) -> Option<Name> {
        let text = self.get_named("resourceType")?.as_str()?;
        Name::of(&text)
    }
}

/// See [`Element::children`].
#[derive(Clone)]
pub struct Children<'r> {
    record: &'r PatientRecord,
    next: u32,
    end: u32,
}

impl<'r> Iterator for Children<'r> {
    type Item = Element<'r>;

    #[inline]
    fn next(&mut self) -> Option<Element<'r>> {
        if self.next >= self.end {
            return None;
        }
        let (record, index) = (self.record, self.next);
        self.next = record.tree.nodes.get(index as usize)?.end;
        Some(Element { record, index })
    }
}
