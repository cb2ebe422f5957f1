//! What of a resource has not the structure FHIR R4 gives it, as far as reading it depends on it. What
//! can be made of it nevertheless is told by `mend`.

use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::record::{Element, Kind};

/// Objects stand where R4 has objects; strings, numbers and booleans each where it has primitives of
/// that kind; nothing is empty, and nothing is `null` but a primitive in a list whose extensions stand
/// beside it (FHIR R4 §2.6.2): a `code` that is a string, a number or `{}` would be read as "no such
/// code".
///
/// One value where a list belongs is taken: it is read alike. A list where one value belongs is not:
/// which of them counts differs from reader to reader. Properties that R4 does not know are passed over.
pub(super) fn flaw(resource: Element<'_>, type_name: &str) -> Option<String> {
    object_flaw(resource, type_name, 0)
}

/// Deeper parts are not looked at: rules read codes, dates and values.
pub(super) const DEPTH: usize = 4;

/// The first flaw: the element, as FHIR R4 names it, and what is wrong with it. Holds no values.
fn object_flaw(object: Element<'_>, type_name: &str, depth: usize) -> Option<String> {
    object.children().find_map(|child| {
        let (ty, many) = type_of(type_name, child.name().as_str())?;
        let property = child.property();
        let of = |what: &str| Some(format!("`{property}` {what}"));
        let list = child.kind() == Kind::Array;
        if list && !many {
            return of("is a list where R4 has one value");
        }
        if child.items().next().is_none() {
            return of("is an empty list");
        }
        child
            .items()
            .find_map(|item| match (primitive(ty), item.kind()) {
                (None, Kind::Object) if item.children().next().is_none() => {
                    of("is an empty object")
                }
                (None, Kind::Object) if depth >= DEPTH => None,
                (None, Kind::Object) => {
                    let within = object_flaw(item, ty, depth + 1)?;
                    Some(format!("`{property}.{}", within.trim_start_matches('`')))
                }
                (None, kind) => of(&format!("is {} where R4 has an object", named(kind))),
                (Some(wanted), kind) => {
                    let excused = list && has_extensions(object, &property);
                    let status = depth == 0 && property == "status";
                    let what = primitive_flaw(wanted, kind, item, excused, status)?;
                    of(&what)
                }
            })
    })
}

fn primitive_flaw(
    wanted: Primitive,
    kind: Kind,
    item: Element<'_>,
    excused: bool,
    status: bool,
) -> Option<String> {
    match (wanted, kind) {
        (_, Kind::Null) if excused => None,
        _ if !wanted.fits(item) => Some(format!(
            "is {} where R4 has {}",
            named(kind),
            wanted.called()
        )),
        (Primitive::Number | Primitive::Truth, _) => None,
        (Primitive::Text | Primitive::Token, _) => {
            let text = item.as_str().unwrap_or_default();
            // The statuses of all resources of R4 are small letters and hyphens: `Completed` is none,
            // and would be read as "not completed".
            let legal = |b: u8| b.is_ascii_lowercase() || b == b'-';
            match wanted {
                Primitive::Text => None,
                _ if text.is_empty() => Some("is empty".to_owned()),
                _ if status && !text.bytes().all(legal) => {
                    Some("is no code of R4: those are small letters and hyphens".to_owned())
                }
                _ => None,
            }
        }
    }
}

/// What a JSON value is called.
pub(super) fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Object => "an object",
        Kind::Array => "a list",
        Kind::String => "a text",
        Kind::Number => "a number",
        Kind::True | Kind::False => "true or false",
        Kind::Null => "null",
    }
}

/// The kinds of JSON value that primitives have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Primitive {
    /// Texts for people are taken also where they are empty: nothing is read from them.
    Text,
    /// Codes, dates, addresses: never empty.
    Token,
    Number,
    Truth,
}

impl Primitive {
    /// Whether a value is of this kind.
    pub(super) fn fits(self, value: Element<'_>) -> bool {
        match self {
            Primitive::Text | Primitive::Token => value.kind() == Kind::String,
            Primitive::Number => value.kind() == Kind::Number,
            Primitive::Truth => matches!(value.kind(), Kind::True | Kind::False),
        }
    }

    /// What its values are called.
    pub(super) fn called(self) -> &'static str {
        match self {
            Primitive::Text | Primitive::Token => "a text",
            Primitive::Number => "a number",
            Primitive::Truth => "true or false",
        }
    }
}

/// `None` for what is an object.
pub(super) fn primitive(ty: &str) -> Option<Primitive> {
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
pub(super) fn has_extensions(object: Element<'_>, property: &str) -> bool {
    let beside = object.get_named(&format!("_{property}"));
    beside.is_some_and(|b| b.kind() == Kind::Array)
}

/// The type of a property, and whether it is a list; `None` where R4 has no such property.
pub(super) fn type_of(type_name: &str, property: &str) -> Option<(&'static str, bool)> {
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
