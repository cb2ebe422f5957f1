//! §22 Type operators that convert (CQL 1.5, appendix B): `ToBoolean` to `ToTime`, `ConvertsTo…`,
//! `ConvertQuantity`.
//!
//! A value that cannot be converted gives null. A FHIR primitive counts as its system value. What is
//! in doubt between two numbers stays so.

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::fhir::fhir_value;
use crate::operators::arithmetic::{between, operand};
use crate::operators::{quantity, strings};
use crate::system::text_values;
use crate::values::value::{Code, Concept, Quantity, Val, truth};
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::decimal;
use engine_patient::system::units::UnitsError;

/// The operand as a system value.
fn source<'a>(cx: &Cx<'a>, args: &[Val<'a>]) -> Out<'a> {
    fhir_value::system_value(cx, operand(args, 0))
}

/// Both ends of a number in doubt, converted.
fn ends<'a>(cx: &Cx<'a>, pair: (Val<'a>, Val<'a>), convert: OneFn) -> Out<'a> {
    let (low, high) = (convert(cx, pair.0)?, convert(cx, pair.1)?);
    if low.is_null() || high.is_null() {
        return Ok(Val::Null);
    }
    between(cx, low, high)
}

type OneFn = for<'a> fn(&Cx<'a>, Val<'a>) -> Out<'a>;

fn boolean_of<'a>(_cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    let of_integer = |v: i64| match v {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    Ok(truth(match value {
        Val::Boolean(v) => Some(v),
        Val::Integer(v) => of_integer(v.into()),
        Val::Long(v) => of_integer(v),
        Val::Decimal(v) if v.is_zero() => Some(false),
        Val::Decimal(v) if v == Decimal::ONE => Some(true),
        Val::String(text) => text_values::boolean(text),
        _ => None,
    }))
}

fn integer_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    let narrow = |v: i64| i32::try_from(v).map_or(Val::Null, Val::Integer);
    Ok(match value {
        Val::Integer(_) => value,
        Val::Boolean(v) => Val::Integer(i32::from(v)),
        Val::Long(v) => narrow(v),
        Val::String(text) => text_values::integer(text).map_or(Val::Null, narrow),
        Val::Uncertain(pair) => return ends(cx, *pair, integer_of),
        _ => Val::Null,
    })
}

fn long_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    Ok(match value {
        Val::Long(_) => value,
        Val::Boolean(v) => Val::Long(i64::from(v)),
        Val::Integer(v) => Val::Long(i64::from(v)),
        Val::String(text) => text_values::integer(text).map_or(Val::Null, Val::Long),
        Val::Uncertain(pair) => return ends(cx, *pair, long_of),
        _ => Val::Null,
    })
}

fn decimal_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    Ok(match value {
        Val::Decimal(_) => value,
        Val::Boolean(v) => Val::Decimal(Decimal::from(u8::from(v))),
        Val::Integer(v) => Val::Decimal(v.into()),
        Val::Long(v) => Val::Decimal(v.into()),
        Val::String(text) => text_values::decimal(text).map_or(Val::Null, Val::Decimal),
        Val::Uncertain(pair) => return ends(cx, *pair, decimal_of),
        _ => Val::Null,
    })
}

fn quantity_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Quantity(_) => Ok(value),
        Val::String(text) => {
            cx.charge(text.len() / 16)?;
            match text_values::quantity(cx, text)? {
                Some(Quantity { value, unit }) => cx.quantity(value, unit),
                None => Ok(Val::Null),
            }
        }
        Val::Ratio(ratio) => quantity::of_ratio(cx, ratio),
        number => match quantity::of_number(&number) {
            Some(value) => cx.quantity(value, "1"),
            None => Ok(Val::Null),
        },
    }
}

fn ratio_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Ratio(_) => Ok(value),
        Val::String(text) => {
            cx.charge(text.len() / 16)?;
            match text_values::ratio(cx, text)? {
                Some(ratio) => cx.keep(ratio).map(Val::Ratio),
                None => Ok(Val::Null),
            }
        }
        _ => Ok(Val::Null),
    }
}

fn string_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::String(_) => Ok(value),
        other => match text_values::write(cx, &other) {
            Some(text) => cx.string(&text),
            None => Ok(Val::Null),
        },
    }
}

fn date_of<'a>(_cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    let at = match value {
        Val::Date(at) | Val::DateTime(at) => Some(at),
        Val::String(text) => text_values::date_time(text),
        _ => None,
    };
    Ok(at.map_or(Val::Null, |at| {
        Val::Date(DateTime {
            millis: 0,
            precision: at.precision.min(Precision::Day),
            offset: None,
            ..at
        })
    }))
}

fn date_time_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    let at = match value {
        Val::DateTime(_) => return Ok(value),
        Val::Date(at) => Some(at),
        Val::String(text) => text_values::date_time(text),
        _ => None,
    };
    Ok(at.map_or(Val::Null, |at| Val::DateTime(at.with_zone(cx.zone))))
}

fn time_of<'a>(_cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    Ok(match value {
        Val::Time(_) => value,
        Val::String(text) => text_values::time(text).map_or(Val::Null, Val::Time),
        _ => Val::Null,
    })
}

fn concept_of<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    let concept = match value {
        Val::Concept(_) => return Ok(value),
        Val::Code(code) => Concept {
            codes: cx.slice(&[*code])?,
            display: code.display,
        },
        Val::List(items) => {
            let codes: Vec<Code<'a>> = items
                .iter()
                .filter_map(|item| match item {
                    Val::Code(code) => Some(**code),
                    _ => None,
                })
                .collect();
            Concept {
                codes: cx.slice(&codes)?,
                display: None,
            }
        }
        _ => return Ok(Val::Null),
    };
    cx.keep(concept).map(Val::Concept)
}

/// Whether a conversion gives a value; null of null.
fn converts<'a>(cx: &Cx<'a>, args: &[Val<'a>], convert: OneFn) -> Out<'a> {
    let value = source(cx, args)?;
    if value.is_null() {
        return Ok(Val::Null);
    }
    Ok(Val::Boolean(!convert(cx, value)?.is_null()))
}

macro_rules! conversions {
    ($($(#[$doc:meta])* $to:ident, $(#[$can_doc:meta])* $can:ident: $convert:ident;)*) => {$(
        $(#[$doc])*
        pub fn $to<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
            $convert(cx, source(cx, args)?)
        }

        $(#[$can_doc])*
        pub fn $can<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
            converts(cx, args, $convert)
        }
    )*};
}

conversions! {
    /// `ToBoolean`
    to_boolean,
    /// `ConvertsToBoolean`
    converts_to_boolean: boolean_of;
    /// `ToInteger`
    to_integer,
    /// `ConvertsToInteger`
    converts_to_integer: integer_of;
    /// `ToLong`
    to_long,
    /// `ConvertsToLong`
    converts_to_long: long_of;
    /// `ToDecimal`
    to_decimal,
    /// `ConvertsToDecimal`
    converts_to_decimal: decimal_of;
    /// `ToQuantity`
    to_quantity,
    /// `ConvertsToQuantity`
    converts_to_quantity: quantity_of;
    /// `ToRatio`
    to_ratio,
    /// `ConvertsToRatio`
    converts_to_ratio: ratio_of;
    /// `ToString`
    to_string,
    /// `ConvertsToString`
    converts_to_string: string_of;
    /// `ToDate`
    to_date,
    /// `ConvertsToDate`
    converts_to_date: date_of;
    /// `ToDateTime`
    to_date_time,
    /// `ConvertsToDateTime`
    converts_to_date_time: date_time_of;
    /// `ToTime`
    to_time,
    /// `ConvertsToTime`
    converts_to_time: time_of;
}

/// `ToConcept` of a code or a list of codes
pub fn to_concept<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    concept_of(cx, operand(args, 0))
}

/// `ToList`: an empty list of null
pub fn to_list<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    match operand(args, 0) {
        Val::Null => cx.list(&[]),
        value => cx.list(&[value]),
    }
}

/// `ToChars`
pub fn to_chars<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Val::String(text) = source(cx, args)? else {
        return Ok(Val::Null);
    };
    cx.charge(text.len())?;
    let all: Vec<Val<'a>> = strings::characters(text).map(Val::String).collect();
    cx.list(&all)
}

/// A value in another unit.
type Converted<'a> = Result<(Decimal, &'a str), UnitsError>;

/// A quantity in another unit; `None` where an operand is null.
fn in_unit<'a>(cx: &Cx<'a>, args: &[Val<'a>]) -> Result<Option<Converted<'a>>, Fault> {
    let Val::String(unit) = fhir_value::system_value(cx, operand(args, 1))? else {
        return Ok(None);
    };
    let Some(quantity) = quantity::of(operand(args, 0)) else {
        return Ok(None);
    };
    let converted = cx.units.convert(quantity.value, quantity.unit, unit);
    if converted.is_err() {
        quantity::note(cx, quantity.unit, unit);
    }
    Ok(Some(converted.map(|value| (value, unit))))
}

/// To the places of a Decimal, or of a small value to as many as keep eight digits of it: a
/// microgram is no null kilograms.
fn rounded(value: Decimal) -> Decimal {
    let digits = value
        .mantissa()
        .unsigned_abs()
        .checked_ilog10()
        .unwrap_or(0)
        + 1;
    let places = (value.scale() + decimal::PLACES).saturating_sub(digits);
    decimal::round(value, places.max(decimal::PLACES)).normalize()
}

/// `ConvertQuantity` (quantity, unit)
pub fn convert_quantity<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    match in_unit(cx, args)? {
        Some(Ok((value, unit))) if value.abs() <= decimal::MAX => cx.quantity(rounded(value), unit),
        _ => Ok(Val::Null),
    }
}

/// `CanConvertQuantity` (quantity, unit)
pub fn can_convert_quantity<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(truth(in_unit(cx, args)?.map(|converted| converted.is_ok())))
}

#[cfg(test)]
mod tests;
