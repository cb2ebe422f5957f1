//! Values of a row.

use std::borrow::Cow;

use super::column::Storage;
use crate::Item;
use engine_patient::record::Kind;

/// A value of a row. Borrows from the resource and the view wherever it can.
#[derive(Clone, PartialEq, Debug)]
pub enum ViewValue<'a> {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number as it came, no digit lost. May have an exponent: `1.2e-3`.
    Decimal(Cow<'a, str>),
    /// Text; dates and times too, as they came.
    Str(Cow<'a, str>),
    /// The values of a column that is a collection.
    List(Vec<ViewValue<'a>>),
}

/// The value for a column, or what is wrong with it.
#[inline]
pub(super) fn convert(item: Item<'_>, storage: Storage) -> Result<ViewValue<'_>, &'static str> {
    let found = match (storage, item) {
        (Storage::Text, Item::Element(e)) => e.as_str().map(ViewValue::Str),
        (Storage::Text, Item::Text(text)) => Some(ViewValue::Str(text)),
        (Storage::Bool, Item::Element(e)) => e.as_bool().map(ViewValue::Bool),
        (Storage::Bool, Item::Bool(b)) => Some(ViewValue::Bool(b)),
        (Storage::Int, Item::Element(e)) => e.as_i64().map(ViewValue::Int),
        (Storage::Int, Item::Int(i)) => Some(ViewValue::Int(i)),
        (Storage::Decimal, Item::Element(e)) if e.kind() == Kind::Number => {
            Some(ViewValue::Decimal(Cow::Borrowed(e.raw())))
        }
        (Storage::Decimal, Item::Int(i)) => Some(ViewValue::Decimal(Cow::Owned(i.to_string()))),
        (Storage::Decimal, Item::Decimal(d)) => Some(ViewValue::Decimal(Cow::Owned(d.to_string()))),
        _ => None,
    };
    found.ok_or(match storage {
        Storage::Text => "a value that is no text, though the column's type is one",
        Storage::Bool => "a value that is no boolean, though the column's type is",
        Storage::Int => "a value that is no whole number, though the column's type is",
        Storage::Decimal => "a value that is no number, though the column's type is",
    })
}
