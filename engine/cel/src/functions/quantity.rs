//! Quantities and their units.

use engine_patient::record::{Element, Kind};
use engine_patient::system::units::{self, UnitsError};

use crate::value::Val;

const TOO_LARGE: &str = "the quantity is a number too large";

/// The number of a quantity in a unit, converted exactly where it is given in another (UCUM), as CQL
/// does where it compares quantities (CQL 1.5, §12.1). Unlike CQL, not from an amount of substance to
/// something else: see [`units::Units::are_of_one_kind`].
pub(super) fn quantity_in<'r>(quantity: Element<'_>, unit: &str) -> Val<'r> {
    if quantity.kind() != Kind::Object || quantity.get_named("coding").is_some() {
        return Val::unknown("the value is no quantity");
    }
    if quantity.get_named("comparator").is_some() {
        return Val::unknown("the value is only a bound (`comparator`)");
    }
    let number = quantity.get_named("value");
    let Some(number) = number.filter(|v| v.kind() == Kind::Number) else {
        return Val::unknown("the quantity has no number");
    };
    let Some(value) = number.as_rounded_decimal() else {
        return Val::unknown(TOO_LARGE);
    };
    let ucum = quantity
        .get_named("system")
        .is_some_and(|s| s.is_str("http://unitsofmeasure.org"));
    let Some(code) = quantity.get_str("code").filter(|_| ucum) else {
        return Val::unknown("the quantity has no UCUM unit");
    };
    let units = units::shared();
    if !units.are_of_one_kind(&code, unit) {
        return Val::unknown("the quantity is in another unit");
    }
    match units.convert(value, &code, unit) {
        Ok(value) => Val::Decimal(value),
        Err(UnitsError::OutOfRange) => Val::unknown(TOO_LARGE),
        Err(UnitsError::Unknown | UnitsError::Incommensurable) => {
            Val::unknown("the quantity is in another unit")
        }
    }
}
