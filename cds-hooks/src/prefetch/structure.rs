//! Whether a resource has the structure FHIR R4 gives it, as far as reading it depends on it.

use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::record::{Element, Kind};

/// Objects stand where R4 has objects; strings, numbers and booleans each where it has primitives of
/// that kind; nothing is empty, and nothing is `null` but a primitive in a list whose extensions stand
/// beside it (FHIR R4 §2.6.2): a `code` that is a string, a number or `{}` would be read as "no such
/// code".
///
/// One value where a list belongs is taken: it is read alike. A list where one value belongs is not:
/// which of them counts differs from reader to reader. Properties that R4 does not know are passed over.
pub(super) fn is_sound(resource: Element<'_>, type_name: &str) -> bool {
    object_is_sound(resource, type_name, 0)
}

/// Deeper parts are not looked at: rules read codes, dates and values.
const DEPTH: usize = 4;

fn object_is_sound(object: Element<'_>, type_name: &str, depth: usize) -> bool {
    object.children().all(|child| {
        let Some((ty, many)) = type_of(type_name, child.name().as_str()) else {
            return true;
        };
        let list = child.kind() == Kind::Array;
        if list && !many {
            return false;
        }
        let mut any = false;
        let all = child.items().all(|item| {
            any = true;
            match (primitive(ty), item.kind()) {
                (None, Kind::Object) => {
                    let filled = item.children().next().is_some();
                    filled && (depth >= DEPTH || object_is_sound(item, ty, depth + 1))
                }
                (None, _) | (Some(_), Kind::Object | Kind::Array) => false,
                (Some(_), Kind::Null) => list && has_extensions(object, &child.property()),
                (Some(Primitive::Text), _) => item.as_str().is_some(),
                // The statuses of all resources of R4 are small letters and hyphens: `Completed` is none,
                // and would be read as "not completed".
                (Some(Primitive::Token), _) if depth == 0 && child.property() == "status" => {
                    let legal = |b: u8| b.is_ascii_lowercase() || b == b'-';
                    let text = item.as_str();
                    text.is_some_and(|t| !t.is_empty() && t.bytes().all(legal))
                }
                (Some(Primitive::Token), _) => item.as_str().is_some_and(|t| !t.is_empty()),
                (Some(Primitive::Number), kind) => kind == Kind::Number,
                (Some(Primitive::Truth), kind) => matches!(kind, Kind::True | Kind::False),
            }
        });
        all && any
    })
}

/// The kinds of JSON value that primitives have.
#[derive(Clone, Copy)]
enum Primitive {
    /// Texts for people are taken also where they are empty: nothing is read from them.
    Text,
    /// Codes, dates, addresses: never empty.
    Token,
    Number,
    Truth,
}

/// `None` for what is an object.
fn primitive(ty: &str) -> Option<Primitive> {
    Some(match ty {
        "decimal" | "integer" | "positiveInt" | "unsignedInt" => Primitive::Number,
        "System.Decimal" | "System.Integer" => Primitive::Number,
        "boolean" | "System.Boolean" => Primitive::Truth,
        "string" | "markdown" | "xhtml" => Primitive::Text,
        ty if ty.starts_with("System.") || ty.starts_with(|c: char| c.is_lowercase()) => {
            Primitive::Token
        }
        _ => return None,
    })
}

/// `_given` beside `given`.
fn has_extensions(object: Element<'_>, property: &str) -> bool {
    let beside = object.get_named(&format!("_{property}"));
    beside.is_some_and(|b| b.kind() == Kind::Array)
}

/// The type of a property, and whether it is a list; `None` where R4 has no such property.
fn type_of(type_name: &str, property: &str) -> Option<(&'static str, bool)> {
    let model = Model::r4();
    if let Some(info) = model.element(type_name, property) {
        let plain = info.cardinality != Cardinality::Choice;
        let many = info.cardinality == Cardinality::Many;
        let ty = info.types.first().copied().filter(|_| plain);
        return ty.map(|ty| (ty, many));
    }
    // `valueQuantity`: the element `value` with the type `Quantity`.
    let capitals = property.match_indices(|c: char| c.is_ascii_uppercase());
    let mut splits = capitals.filter_map(|(at, _)| property.split_at_checked(at));
    splits.find_map(|(name, suffix)| {
        let info = model.element(type_name, name)?;
        let choice = info.cardinality == Cardinality::Choice;
        let named = |ty: &&'static str| ty.eq_ignore_ascii_case(suffix);
        let ty = info.types.iter().copied().find(named);
        ty.filter(|_| choice).map(|ty| (ty, false))
    })
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
