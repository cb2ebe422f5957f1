//! Whether a resource has the shape FHIR R4 gives it, as far as reading it depends on it.

use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::record::{Element, Kind};

/// Objects stand where R4 has objects, and strings, numbers and booleans where it has primitives:
/// a `code` that is a string would be read as "no such code".
///
/// One value where a list belongs, and the reverse, is taken: it is read alike. Properties that R4
/// does not know are passed over.
pub(super) fn is_sound(resource: Element<'_>, type_name: &str) -> bool {
    object_is_sound(resource, type_name, 0)
}

/// Deeper parts are not looked at: rules read codes, dates and values.
const DEPTH: usize = 4;

fn object_is_sound(object: Element<'_>, type_name: &str, depth: usize) -> bool {
    object.children().all(|child| {
        let Some(ty) = type_of(type_name, child.name().as_str()) else {
            return true;
        };
        let primitive = ty.starts_with("System.") || ty.starts_with(|c: char| c.is_lowercase());
        child.items().all(|item| match item.kind() {
            Kind::Object if primitive => false,
            Kind::Object => depth >= DEPTH || object_is_sound(item, ty, depth + 1),
            Kind::Array => false,
            _ => primitive,
        })
    })
}

/// The type of a property; `None` where R4 has no such property.
fn type_of(type_name: &str, property: &str) -> Option<&'static str> {
    let model = Model::r4();
    if let Some(info) = model.element(type_name, property) {
        let plain = info.cardinality != Cardinality::Choice;
        return info.types.first().copied().filter(|_| plain);
    }
    // `valueQuantity`: the element `value` with the type `Quantity`.
    let capitals = property.match_indices(|c: char| c.is_ascii_uppercase());
    let mut splits = capitals.filter_map(|(at, _)| property.split_at_checked(at));
    splits.find_map(|(name, suffix)| {
        let info = model.element(type_name, name)?;
        let choice = info.cardinality == Cardinality::Choice;
        let named = |ty: &&'static str| ty.eq_ignore_ascii_case(suffix);
        info.types.iter().copied().find(named).filter(|_| choice)
    })
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
