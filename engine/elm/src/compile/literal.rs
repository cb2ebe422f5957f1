//! Literals, in the ranges of their types.

use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::Linker;
use crate::tree::constant::Owned;
use crate::values::types::Type;
use engine_patient::finding::{Code, Finding};

impl Linker<'_> {
    /// A `Literal`; `negated` where a `Negate` stands before it: the least Integer has no positive.
    pub(super) fn literal(&mut self, json: &Json, negated: bool) -> Owned {
        let name = json
            .get("valueType")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let text = match json.get("value") {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let sign = if negated { "-" } else { "" };
        let value = match Type::named(name) {
            Some(Type::String) => Some(Owned::String(text.as_str().into())),
            Some(Type::Boolean) => text.parse().ok().map(Owned::Boolean),
            Some(Type::Integer) => format!("{sign}{text}").parse().ok().map(Owned::Integer),
            Some(Type::Long) => {
                let digits = text.trim_end_matches('L');
                format!("{sign}{digits}").parse().ok().map(Owned::Long)
            }
            Some(Type::Decimal) => {
                decimal(&text).map(|d| Owned::Decimal(if negated { -d } else { d }))
            }
            _ => {
                let message = format!("a literal cannot be of the type `{name}`");
                self.report(Finding::error(Code::ElmUnknownType, message));
                return Owned::Null;
            }
        };
        value.unwrap_or_else(|| {
            let message = format!("`{text}` is not in the range of {name}");
            self.report(Finding::error(Code::ElmLiteralRange, message));
            Owned::Null
        })
    }

    /// The number of a `Quantity`.
    pub(super) fn number(&mut self, json: &Json) -> Option<Decimal> {
        let text = match json.get("value") {
            Some(Json::Number(number)) => number.to_string(),
            Some(Json::String(text)) => text.clone(),
            _ => String::new(),
        };
        let value = engine_patient::value::decimal(&text);
        if value.is_none() {
            let message = format!("`{text}` is no number of a quantity");
            self.report(Finding::error(Code::ElmLiteralRange, message));
        }
        value
    }
}

/// At most 28 digits before the point and 8 after it.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 8 || whole.trim_start_matches('0').len() > 28 {
        return None;
    }
    // Zeros at the end tell the precision (CQL 1.5 §22.24, `Precision`: that of 1.58700 is 5), but
    // there may be no room for them.
    let short = || match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    };
    engine_patient::value::decimal(text).or_else(|| engine_patient::value::decimal(short()))
}
