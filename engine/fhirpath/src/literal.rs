//! Literals.

use rust_decimal::Decimal;

/// A value known when the path is compiled.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Decimal(Decimal),
    /// Text; dates and times too, as FHIR writes them.
    Text(Box<str>),
}
