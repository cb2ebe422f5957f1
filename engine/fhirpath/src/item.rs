//! Values as a path gives them.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::error::PathRunError;
use super::literal::Literal;
use engine_patient::record::{Element, Kind};

/// A value: a place in the record, or computed.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// An element of a resource.
    Element(Element<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Decimal(Decimal),
    /// Text; dates and times too, as FHIR writes them.
    Text(Cow<'a, str>),
}

/// Why a sink takes no more values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It has what it needs.
    Enough,
    /// The path cannot be run on this resource.
    Failed(PathRunError),
}

/// What a sink says to each value.
pub type Flow = Result<(), Stop>;

/// What values go into.
pub(super) type Sink<'s, 'a> = &'s mut (dyn FnMut(Item<'a>) -> Flow + 's);

pub(super) fn failed<T>(message: &'static str) -> Result<T, Stop> {
    Err(Stop::Failed(PathRunError(message)))
}

/// An own stop of an inner sink is no stop of the outer one.
pub(super) fn finished(flow: Flow) -> Flow {
    match flow {
        Err(Stop::Enough) => Ok(()),
        flow => flow,
    }
}

/// An item that is no object, by kind.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Scalar<'a> {
    Bool(bool),
    Int(i64),
    /// With its digits, if it has no more than 28.
    Decimal(Decimal),
    /// A number of more digits.
    Double(f64),
    Text(Cow<'a, str>),
}

impl<'a> Item<'a> {
    pub(super) fn of_literal(literal: &'a Literal) -> Item<'a> {
        match literal {
            Literal::Bool(b) => Item::Bool(*b),
            Literal::Int(i) => Item::Int(*i),
            Literal::Decimal(d) => Item::Decimal(*d),
            Literal::Text(t) => Item::Text(Cow::Borrowed(t)),
        }
    }

    pub(super) fn scalar(&self) -> Option<Scalar<'_>> {
        Some(match self {
            Item::Bool(b) => Scalar::Bool(*b),
            Item::Int(i) => Scalar::Int(*i),
            Item::Decimal(d) => Scalar::Decimal(*d),
            Item::Text(t) => Scalar::Text(Cow::Borrowed(t)),
            Item::Element(e) => match e.kind() {
                Kind::String => Scalar::Text(e.as_str()?),
                Kind::True => Scalar::Bool(true),
                Kind::False => Scalar::Bool(false),
                Kind::Number => match (e.as_i64(), e.as_decimal()) {
                    (Some(int), _) => Scalar::Int(int),
                    (None, Some(decimal)) => Scalar::Decimal(decimal),
                    (None, None) => Scalar::Double(e.as_f64()?),
                },
                Kind::Object | Kind::Array | Kind::Null => return None,
            },
        })
    }

    /// Its text if it is one.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Item::Text(text) => Some(Cow::Borrowed(text)),
            Item::Element(element) => element.as_str(),
            _ => None,
        }
    }

    /// The value as a condition: one value that is no boolean counts as true (FHIRPath, "Singleton
    /// Evaluation of Collections").
    pub(super) fn truth(&self) -> bool {
        match self {
            Item::Bool(value) => *value,
            Item::Element(element) => element.as_bool().unwrap_or(true),
            _ => true,
        }
    }

    pub(super) fn number(&self) -> Option<Decimal> {
        match self.scalar()? {
            Scalar::Int(i) => Some(Decimal::from(i)),
            Scalar::Decimal(d) => Some(d),
            _ => None,
        }
    }
}

/// The values of an operand: seldom more than one.
pub(super) enum Several<'a> {
    None,
    One(Item<'a>),
    Many(Vec<Item<'a>>),
}

impl<'a> Several<'a> {
    pub fn push(&mut self, item: Item<'a>) {
        *self = match std::mem::replace(self, Several::None) {
            Several::None => Several::One(item),
            Several::One(first) => Several::Many(vec![first, item]),
            Several::Many(mut all) => {
                all.push(item);
                Several::Many(all)
            }
        };
    }

    pub fn as_slice(&self) -> &[Item<'a>] {
        match self {
            Several::None => &[],
            Several::One(item) => std::slice::from_ref(item),
            Several::Many(all) => all,
        }
    }
}
