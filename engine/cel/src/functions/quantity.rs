//! Quantities and their units.

use engine_patient::record::{Element, Kind};

use crate::value::Val;

/// The number of a quantity in a unit.
pub(super) fn quantity_in<'r>(quantity: Element<'_>, unit: &str) -> Val<'r> {
    if quantity.kind() != Kind::Object || quantity.get_named("coding").is_some() {
        return Val::unknown("the value is no quantity");
    }
    if quantity.get_named("comparator").is_some() {
        return Val::unknown("the value is only a bound (`comparator`)");
    }
    let Some(value) = quantity.get_named("value").and_then(|v| v.as_f64()) else {
        return Val::unknown("the quantity has no number");
    };
    let ucum = quantity
        .get_named("system")
        .is_some_and(|s| s.is_str("http://unitsofmeasure.org"));
    match quantity.get_named("code") {
        Some(code) if ucum && code.is_str(unit) => Val::Double(value),
        Some(_) if ucum => Val::unknown("the quantity is in another unit"),
        _ => Val::unknown("the quantity has no UCUM unit"),
    }
}
