//! Datatypes of FHIR R4, as far as our reports go, their elements in the order in which they are
//! written (by name).

use serde::Serialize;
use serde_json::Value;

/// An extension: a value, or further extensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extension {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) extension: Vec<Extension>,
    pub(crate) url: &'static str,
    #[serde(flatten)]
    pub(crate) value: Option<ExtensionValue>,
}

/// The value of an extension.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ExtensionValue {
    ValueBoolean(bool),
    ValueCanonical(String),
    ValueCode(String),
    ValueCodeableConcept(Concept),
    ValueDecimal(Decimal),
    ValueInteger(i32),
    ValueQuantity(Quantity),
    ValueReference(Reference),
    ValueString(String),
}

/// A CodeableConcept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Concept {
    /// Of one code.
    Coded {
        /// The code.
        coding: [Coding; 1],
        /// In words.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// In words only.
    Text {
        /// The words.
        text: String,
    },
    /// As it stands in the data.
    Data(Value),
}

/// A Coding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coding {
    pub(crate) code: &'static str,
    pub(crate) system: &'static str,
}

/// A decimal: a whole number is written without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Decimal {
    /// A whole number.
    Whole(i64),
    /// A count beyond FHIR's integers.
    Count(u64),
    /// Any other.
    Double(f64),
}

/// A Quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quantity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    pub(crate) value: Decimal,
}

/// A Reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reference {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) extension: Vec<Extension>,
    pub(crate) reference: String,
}

/// First and last day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Period {
    pub(crate) end: String,
    pub(crate) start: String,
}

/// Which profile a resource claims.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Meta {
    pub(crate) profile: [&'static str; 1],
}
