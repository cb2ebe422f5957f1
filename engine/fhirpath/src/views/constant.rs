//! Constants: `value[x]` of `constant`.

use serde_json::{Map, Value};

use super::error::wrong;
use crate::{Constant, Literal};
use engine_patient::finding::{Code, Finding};
use engine_patient::system::date_time::DateTime;
use engine_patient::value::decimal;

/// Property, FHIR type, and what it must hold.
const VALUES: &[(&str, &str, Holds)] = &[
    ("valueBase64Binary", "base64Binary", Holds::Text),
    ("valueBoolean", "boolean", Holds::Boolean),
    ("valueCanonical", "canonical", Holds::Text),
    ("valueCode", "code", Holds::Text),
    ("valueDate", "date", Holds::Moment),
    ("valueDateTime", "dateTime", Holds::Moment),
    ("valueDecimal", "decimal", Holds::Decimal),
    ("valueId", "id", Holds::Text),
    ("valueInstant", "instant", Holds::Moment),
    ("valueInteger", "integer", Holds::Integer),
    ("valueInteger64", "integer", Holds::Integer),
    ("valueMarkdown", "markdown", Holds::Text),
    ("valueOid", "oid", Holds::Text),
    ("valuePositiveInt", "positiveInt", Holds::Integer),
    ("valueString", "string", Holds::Text),
    ("valueTime", "time", Holds::Text),
    ("valueUnsignedInt", "unsignedInt", Holds::Integer),
    ("valueUri", "uri", Holds::Text),
    ("valueUrl", "url", Holds::Text),
    ("valueUuid", "uuid", Holds::Text),
];

#[derive(Clone, Copy)]
enum Holds {
    Boolean,
    Integer,
    Decimal,
    Moment,
    Text,
}

/// The constant that stands `at` a place; its name has been checked.
pub(super) fn read(
    at: &str,
    name: String,
    constant: &Map<String, Value>,
) -> Result<Constant, Finding> {
    let mut given = constant.iter().filter(|(key, _)| key.starts_with("value"));
    let (Some((key, value)), None) = (given.next(), given.next()) else {
        return Err(wrong(
            Code::ViewConstant,
            at,
            format!("the constant `{name}` needs exactly one value"),
        )
        .help("such as `\"valueString\": \"…\"`"));
    };
    let at = format!("{at}.{key}");
    let Some((_, ty, holds)) = VALUES.iter().find(|(k, ..)| k == key) else {
        return Err(wrong(
            Code::ViewConstant,
            at,
            "a constant cannot have a value of this type",
        )
        .help("it must be a FHIR primitive"));
    };
    let literal = match (holds, value) {
        (Holds::Boolean, Value::Bool(b)) => Some(Literal::Bool(*b)),
        (Holds::Integer, Value::Number(n)) => n.as_i64().map(Literal::Int),
        // FHIR JSON has integer64 as a string.
        (Holds::Integer, Value::String(s)) if key == "valueInteger64" => {
            s.parse().ok().map(Literal::Int)
        }
        (Holds::Decimal, Value::Number(n)) => decimal(&n.to_string()).map(Literal::Decimal),
        (Holds::Moment, Value::String(s)) => {
            DateTime::parse(s).map(|_| Literal::Text(s.as_str().into()))
        }
        (Holds::Text, Value::String(s)) => Some(Literal::Text(s.as_str().into())),
        _ => None,
    };
    match literal {
        Some(value) => Ok(Constant { name, value, ty }),
        None => Err(wrong(Code::ViewConstant, at, format!("this is no `{ty}`"))),
    }
}
