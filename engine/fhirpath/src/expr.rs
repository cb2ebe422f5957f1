//! The compiled expression: types resolved, names interned.

use super::ast::Operator;
use super::field::Field;
use super::literal::Literal;

/// How two values are compared, as far as their types tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    /// One of them is a date or date-time: read both as such.
    Moment,
    /// One of them is a time of day.
    Time,
    /// By what they turn out to be.
    Other,
}

/// What kind of value a boundary is taken of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bounded {
    Number,
    Date,
    DateTime,
    Time,
    Period,
}

type Inner = Box<Expr>;

#[derive(Debug)]
pub(super) enum Expr {
    Empty,
    This,
    /// The resource the view row comes from.
    Resource,
    /// Where `where` and the like stand in their input, from 0.
    Index,
    /// Where the view's iteration stands, from 0.
    RowIndex,
    Literal(Literal),
    Fields(Inner, Vec<Field>),
    Where(Inner, Inner),
    Select(Inner, Inner),
    All(Inner, Inner),
    Exists(Inner),
    IsEmpty(Inner),
    Not(Inner),
    Count(Inner),
    First(Inner),
    Last(Inner),
    At(Inner, Inner),
    Join(Inner, Option<Inner>),
    Extension(Inner, Box<str>),
    /// Keeps elements that stand under this name: one type of a choice.
    OfChoice(Inner, Field),
    /// Keeps resources of this type.
    OfResource(Inner, &'static str),
    ResourceKey(Inner),
    ReferenceKey(Inner, Option<&'static str>),
    Boundary {
        of: Inner,
        kind: Bounded,
        high: bool,
    },
    If {
        condition: Inner,
        then: Inner,
        otherwise: Option<Inner>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare {
        operator: Operator,
        how: Comparison,
        left: Inner,
        right: Inner,
    },
    Arithmetic {
        operator: Operator,
        left: Inner,
        right: Inner,
    },
    Negate(Inner),
    Concatenate(Inner, Inner),
    Union(Inner, Inner),
}
