//! Values of the CQL system types (CQL 1.5, §"Types").

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::system::date_time::DateTime;
use crate::terminology::Code;

/// A computed value, as it stands in a result. FHIR elements stay where they are: see
/// [`crate::record::Element`].
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Explicitly nothing: known to be absent, or unknown; the row says which.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// 32 bit in CQL; kept wider.
    Integer(i64),
    /// Up to 28 digits.
    Decimal(Decimal),
    /// Text.
    String(Arc<str>),
    /// A date or date-time with its precision.
    DateTime(DateTime),
    /// A number with a UCUM unit.
    Quantity {
        /// The number.
        value: Decimal,
        /// UCUM code; `1` for none.
        unit: Arc<str>,
    },
    /// A code of a code system.
    Code(Code),
    /// Several values.
    List(Vec<Value>),
}

impl Value {
    /// As it stands in a result; `None` for null. The unit of a quantity stands beside it.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Value::Null => return None,
            Value::Boolean(b) => b.to_string().into(),
            Value::Integer(i) => i.to_string().into(),
            Value::Decimal(d) | Value::Quantity { value: d, .. } => d.to_string().into(),
            Value::String(s) => s.as_ref().into(),
            Value::DateTime(d) => d.to_string().into(),
            Value::Code(code) => format!("{}|{}", code.system, code.code).into(),
            Value::List(items) => {
                let items: Vec<_> = items.iter().filter_map(Value::text).collect();
                items.join(", ").into()
            }
        })
    }
}

/// A JSON or CQL number with all its digits. `None` where it has more than 28 or is no number.
pub fn decimal(text: &str) -> Option<Decimal> {
    match text.bytes().any(|b| matches!(b, b'e' | b'E')) {
        true => Decimal::from_scientific(text).ok(),
        false => Decimal::from_str_exact(text).ok(),
    }
}

/// The same, where of more than 28 digits the number is rounded once: systems that write out a double
/// give 5.699999999999999289457264239899814128875732421875 for 5.7. `None` where it is too large.
pub fn rounded_decimal(text: &str) -> Option<Decimal> {
    decimal(text).or_else(|| Decimal::from_str(&written_out(text)?).ok())
}

/// Without an exponent; `None` where it is no number, or one that no decimal can be.
fn written_out(text: &str) -> Option<String> {
    /// More places than a decimal has, before and after the point.
    const PLACES: i64 = 40;
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
        None => return Some(text.to_owned()),
    };
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let zeros = all.len() - digits.len();
    let before_point = |n: usize| i64::try_from(n).ok()?.checked_add(exponent);
    let point = before_point(whole.len())? - i64::try_from(zeros).ok()?;
    if digits.is_empty() || point < -PLACES {
        return Some("0".to_owned());
    }
    let point = point.le(&PLACES).then_some(point)?;
    Some(match usize::try_from(point) {
        Ok(point) => {
            let (whole, fraction) = digits.split_at_checked(point).unwrap_or((digits, ""));
            format!("{sign}0{whole:0<point$}.{fraction}0")
        }
        Err(_) => {
            let zeros = usize::try_from(-point).ok()?;
            format!("{sign}0.{:0<zeros$}{digits}", "")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_28_digits_are_rounded_once() {
        let long = "5.699999999999999289457264239899814128875732421875";
        for (text, value) in [
            (long, "5.6999999999999992894572642399"),
            (
                "-5.699999999999999289457264239899814128875732421875",
                "-5.6999999999999992894572642399",
            ),
            (
                "0.699999999999999289457264239899814128875732421875e1",
                "6.999999999999992894572642399",
            ),
            (
                "0.00000000000000000000000000005",
                "0.0000000000000000000000000001",
            ),
            ("0.000000000000000000000000000049999", "0"),
            ("5e-29", "0.0000000000000000000000000001"),
            ("-4E-30", "0"),
            ("1e-999999999999", "0"),
            ("0e999999999999", "0"),
            ("123e-45", "0"),
            ("0.000000001e+12", "1000"),
            (
                "12345678901234567890.123456789012345e-3",
                "12345678901234567.890123456789",
            ),
            ("1e20", "100000000000000000000"),
            ("5.7", "5.7"),
        ] {
            let expected: Decimal = value.parse().unwrap();
            assert_eq!(rounded_decimal(text), Some(expected), "{text}");
        }
        for text in ["1e40", "-1e999999999999999999999", "1e", "x", "", "1e5e5"] {
            assert_eq!(rounded_decimal(text), None, "{text}");
        }
        assert_eq!(decimal(long), None);
    }
}
