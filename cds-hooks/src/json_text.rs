//! The JSON text of elements, piece by piece.

use engine_patient::record::{Element, Kind};

/// Nothing, or nothing but what is nothing.
pub(crate) fn is_empty(element: Element<'_>) -> bool {
    match element.kind() {
        Kind::Null => true,
        Kind::String => element.is_str(""),
        // A `null` within a list holds the place of a primitive whose extensions stand beside it.
        Kind::Array | Kind::Object => element.children().all(is_empty),
        Kind::Number | Kind::True | Kind::False => false,
    }
}

/// The name of a member, and the colon behind it.
pub(crate) fn push_name(out: &mut String, member: Element<'_>) {
    out.push_str(&serde_json::Value::from(&*member.property()).to_string());
    out.push(':');
}

/// A value as it came.
pub(crate) fn push_raw(out: &mut String, value: Element<'_>) {
    match value.kind() {
        Kind::String => {
            out.push('"');
            out.push_str(value.raw());
            out.push('"');
        }
        _ => out.push_str(value.raw()),
    }
}
