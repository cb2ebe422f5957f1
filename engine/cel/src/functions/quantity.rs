//! Quantities and their units.

use std::borrow::Cow;
use std::sync::Arc;

use engine_patient::program::NoteKind;
use engine_patient::record::{Element, Kind};
use engine_patient::system::decimal::{self, MAX, STEP, add, subtract};
use engine_patient::system::units::{self, Reading, UnitsError, written};
use rust_decimal::Decimal;

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[FunctionInfo {
    name: "quantityIn",
    params: &[P::Quantity, P::Text],
    returns: R::Double,
    code: of_value,
    role: Role::QuantityIn,
    doc: "The number of a Quantity in this UCUM unit, converted exactly where it is given in another. \
         A unit that charts spell otherwise (`mEq/L`, `mmHg`, `K/uL`, `IU/L`), or that stands in `unit` alone, is read \
         as what is meant, where that measures the same. With a comparator (`> 60`) it lies on that side of the number: \
         a comparison is unknown only where that does not decide it. Unknown where the value or the unit is missing, or \
         cannot be converted.",
    example: "quantityIn(Observation(\"hba1c\").latest().value, \"%\") > 9.0",
    gives: "true",
    ..PLAIN
}];

fn of_value<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Element(quantity), Val::Str(unit)] => quantity_in(call, *quantity, unit),
        _ => Val::unknown("the value is no quantity"),
    }
}

const OTHER_UNIT: &str = "the quantity is in another unit";
const LONGEST_UNIT: usize = 30;
const TOO_LARGE: &str = "the quantity is a number too large";

/// The number of a quantity in a unit, converted exactly where it is given in another (UCUM), as CQL
/// does where it compares quantities (CQL 1.5, §12.1). Unlike CQL, not from an amount of substance to
/// something else: see [`units::Units::are_of_one_kind`]; and also where the unit is spelled as charts do.
pub(super) fn quantity_in<'r>(call: &Call<'_, '_>, quantity: Element<'_>, unit: &str) -> Val<'r> {
    if quantity.kind() != Kind::Object || quantity.get_named("coding").is_some() {
        return Val::unknown("the value is no quantity");
    }
    let comparator = match quantity.get_named("comparator") {
        None => None,
        Some(written) => match Comparator::of(written) {
            Some(comparator) => Some(comparator),
            None => return Val::unknown("the `comparator` of a quantity cannot be read"),
        },
    };
    let number = quantity.get_named("value");
    let Some(number) = number.filter(|v| v.kind() == Kind::Number) else {
        return Val::unknown("the quantity has no number");
    };
    let Some(value) = number.as_rounded_decimal() else {
        return Val::unknown(TOO_LARGE);
    };
    let Some((written, is_code)) = unit_of(quantity) else {
        return Val::unknown("the quantity has no UCUM unit");
    };
    let units = units::shared();
    let reading = units.read(&written, unit);
    let is_as_written = matches!(reading, Reading::AsWritten);
    let spelled = match reading {
        Reading::AsWritten if is_code => None,
        // What stands in `unit` is text of the chart: without annotations only words of UCUM are left.
        Reading::AsWritten => Some(Arc::from(without_annotations(&written))),
        Reading::As(usual) => Some(usual),
        Reading::Doubtful => return Val::unknown(DOUBTFUL),
        Reading::Other => return other_unit(&written, unit),
    };
    let from = match is_as_written {
        true => &*written,
        false => spelled.as_deref().unwrap_or(&written),
    };
    match units.convert(value, from, unit) {
        Ok(value) => {
            if let Some(usual) = &spelled {
                call.scene.note(NoteKind::UnitSpelling, usual);
            }
            match comparator {
                None => Val::Decimal(value),
                Some(comparator) => comparator.side_of(value),
            }
        }
        Err(UnitsError::OutOfRange) => Val::unknown(TOO_LARGE),
        Err(UnitsError::Unknown | UnitsError::Incommensurable) => other_unit(&written, unit),
    }
}

/// On which side of a quantity's number what was measured lies (`Quantity.comparator`).
#[derive(Clone, Copy)]
enum Comparator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    fn of(written: Element<'_>) -> Option<Self> {
        Some(match &*written.as_str()? {
            "<" => Comparator::Less,
            "<=" => Comparator::LessOrEqual,
            ">" => Comparator::Greater,
            ">=" => Comparator::GreaterOrEqual,
            _ => return None,
        })
    }

    /// The numbers on that side of one that is in the unit asked for: units are converted by a positive factor,
    /// and an offset. Next to a number comes the one that CQL has as its successor (CQL 1.5, §4).
    fn side_of<'r>(self, value: Decimal) -> Val<'r> {
        let (least, most) = match self {
            Comparator::Less => (Some(decimal::negate(MAX)), subtract(value, STEP)),
            Comparator::LessOrEqual => (Some(decimal::negate(MAX)), Some(value)),
            Comparator::Greater => (add(value, STEP), Some(MAX)),
            Comparator::GreaterOrEqual => (Some(value), Some(MAX)),
        };
        match least.zip(most) {
            Some((least, most)) => Val::Between(least, most, BOUND.into()),
            None => Val::unknown(TOO_LARGE),
        }
    }
}

const BOUND: &str = "the value is only a bound (`comparator`)";

const DOUBTFUL: &str =
    "the quantity is in a unit of capitals, which in UCUM is another than it usually means";

/// The code of UCUM, and that it is one; else the unit as people read it.
fn unit_of<'q>(quantity: Element<'q>) -> Option<(Cow<'q, str>, bool)> {
    let system = quantity.get_str("system");
    let ucum = system
        .as_ref()
        .map(|system| system == "http://unitsofmeasure.org");
    let code = quantity.get_str("code").filter(|_| ucum != Some(false));
    if let Some(code) = code {
        return Some((code, ucum == Some(true)));
    }
    let unit = quantity.get_str("unit");
    unit.filter(|unit| !unit.trim().is_empty())
        .map(|unit| (unit, false))
}

/// `{…}` of UCUM may hold any text.
fn without_annotations(unit: &str) -> String {
    let mut parts = unit.split('{');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("{…}");
        shown.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    shown
}

/// Which unit was found, where it is one: any other text of the data is not repeated.
fn other_unit<'r>(found: &str, wanted: &str) -> Val<'r> {
    let found = match written::is_ucum(found) && found.len() <= LONGEST_UNIT {
        true => format!("in `{}`", without_annotations(found)),
        false => "in a unit that UCUM does not have".to_owned(),
    };
    Val::Unknown(Cow::Owned(format!("{OTHER_UNIT} than `{wanted}`: {found}")))
}
