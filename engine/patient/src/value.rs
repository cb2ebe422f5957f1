//! Values of the CQL system types (CQL 1.5, §"Types").

use std::borrow::Cow;
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
