//! Values during the evaluation of ELM: CQL system types (CQL 1.5, appendix B), FHIR elements where
//! they stand, and uncertainty.
//!
//! A value is 24 bytes and copied freely. What does not fit (lists, quantities, tuples) stands in an
//! arena that lives as long as the evaluation of one patient.

use rust_decimal::Decimal;

use crate::values::types::TypeId;
use engine_patient::record::Element;
use engine_patient::system::date_time::DateTime;
pub use engine_patient::system::quantity::Quantity;
use engine_patient::system::time_of_day::Time;
use engine_patient::terminology::{ValueSet, code_key};

/// A value. `Null` is CQL's null: absent or unknown.
#[derive(Clone, Copy)]
pub enum Val<'a> {
    Null,
    Boolean(bool),
    /// 32 bits.
    Integer(i32),
    /// 64 bits.
    Long(i64),
    /// At most 28 digits, 8 of them after the point.
    Decimal(Decimal),
    String(&'a str),
    /// Precision day or coarser, no offset.
    Date(DateTime),
    /// Always with an offset.
    DateTime(DateTime),
    Time(Time),
    Quantity(&'a Quantity<'a>),
    Ratio(&'a Ratio<'a>),
    Code(&'a Code<'a>),
    Concept(&'a Concept<'a>),
    ValueSet(&'a ValueSetVal<'a>),
    CodeSystem(&'a CodeSystemVal<'a>),
    Interval(&'a Interval<'a>),
    List(&'a [Val<'a>]),
    Tuple(&'a Tuple<'a>),
    /// A FHIR resource, datatype or primitive in the patient's record.
    Fhir(Fhir<'a>),
    /// A number known only to lie between two bounds, both included: the distance of two
    /// imprecise dates (CQL 1.5, appendix H, "Uncertainty").
    Uncertain(&'a (Val<'a>, Val<'a>)),
}

#[derive(Clone, Copy, Debug)]
pub struct Ratio<'a> {
    pub numerator: Quantity<'a>,
    pub denominator: Quantity<'a>,
}

/// A code; `key` is [`code_key`] of system and code.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    pub code: Option<&'a str>,
    pub system: Option<&'a str>,
    pub version: Option<&'a str>,
    pub display: Option<&'a str>,
    pub key: i64,
}

impl<'a> Code<'a> {
    /// With its key.
    pub fn new(
        code: Option<&'a str>,
        system: Option<&'a str>,
        version: Option<&'a str>,
        display: Option<&'a str>,
    ) -> Self {
        let key = code_key(system.unwrap_or_default(), code.unwrap_or_default());
        Code {
            code,
            system,
            version,
            display,
            key,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Concept<'a> {
    pub codes: &'a [Code<'a>],
    pub display: Option<&'a str>,
}

/// A value set of a library. `set` is `None` where it was not loaded and the run may go on without
/// it: membership is then unknown.
#[derive(Clone, Copy)]
pub struct ValueSetVal<'a> {
    pub id: &'a str,
    pub version: Option<&'a str>,
    pub name: &'a str,
    pub set: Option<&'a ValueSet>,
}

#[derive(Clone, Copy)]
pub struct CodeSystemVal<'a> {
    pub id: &'a str,
    pub version: Option<&'a str>,
    pub name: &'a str,
}

/// An interval. A null boundary is unknown where it is open, and the end of the point type where
/// it is closed (CQL 1.5, "Interval values").
#[derive(Clone, Copy)]
pub struct Interval<'a> {
    pub low: Val<'a>,
    pub high: Val<'a>,
    pub low_closed: bool,
    pub high_closed: bool,
    /// The type of its points, where both bounds are null.
    pub point: PointType,
}

/// What the points of an interval are: needed for the ends of its type where a bound is null.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum PointType {
    #[default]
    Unknown,
    Integer,
    Long,
    Decimal,
    Quantity,
    Date,
    DateTime,
    Time,
}

impl PointType {
    /// Of a bound; unknown of null.
    pub fn of(value: &Val<'_>) -> PointType {
        match value {
            Val::Integer(_) => PointType::Integer,
            Val::Long(_) => PointType::Long,
            Val::Decimal(_) => PointType::Decimal,
            Val::Quantity(_) => PointType::Quantity,
            Val::Date(_) => PointType::Date,
            Val::DateTime(_) => PointType::DateTime,
            Val::Time(_) => PointType::Time,
            Val::Uncertain(pair) => PointType::of(&pair.0),
            _ => PointType::Unknown,
        }
    }
}

/// A tuple, or an instance of a class (`type_name`), with its elements by name.
#[derive(Clone, Copy)]
pub struct Tuple<'a> {
    pub type_name: Option<&'a str>,
    pub names: &'a [&'a str],
    pub values: &'a [Val<'a>],
}

impl<'a> Tuple<'a> {
    /// The element of this name.
    pub fn get(&self, name: &str) -> Option<Val<'a>> {
        let at = self.names.iter().position(|n| *n == name)?;
        self.values.get(at).copied()
    }
}

/// A FHIR element and its type. A primitive may have no value but extensions (`_birthDate`):
/// `element` is then `None`.
#[derive(Clone, Copy)]
pub struct Fhir<'a> {
    pub record: &'a engine_patient::record::PatientRecord,
    /// Index of the value in the record's tree; `u32::MAX` where there is none.
    pub index: u32,
    /// Index of the `_name` sibling with id and extensions; `u32::MAX` where there is none.
    pub shadow: u32,
    pub ty: TypeId,
}

/// No node.
pub const NO_NODE: u32 = u32::MAX;

impl<'a> Fhir<'a> {
    /// The JSON value.
    pub fn element(&self) -> Option<Element<'a>> {
        (self.index != NO_NODE).then_some(Element {
            record: self.record,
            index: self.index,
        })
    }

    /// The `_name` sibling of a primitive.
    pub fn shadow(&self) -> Option<Element<'a>> {
        (self.shadow != NO_NODE).then_some(Element {
            record: self.record,
            index: self.shadow,
        })
    }

    /// A resource or a complex element.
    pub fn of(element: Element<'a>, ty: TypeId) -> Self {
        Fhir {
            record: element.record,
            index: element.index,
            shadow: NO_NODE,
            ty,
        }
    }
}

impl Val<'_> {
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Val::Null)
    }

    /// `Some(true)`, `Some(false)`, or null; anything else counts as null (the checker keeps it from
    /// happening). A FHIR boolean counts as its value.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Val::Boolean(b) => Some(*b),
            Val::Fhir(f) => f.element().and_then(Element::as_bool),
            _ => None,
        }
    }

    /// The name of its type in CQL, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Boolean(_) => "Boolean",
            Val::Integer(_) => "Integer",
            Val::Long(_) => "Long",
            Val::Decimal(_) => "Decimal",
            Val::String(_) => "String",
            Val::Date(_) => "Date",
            Val::DateTime(_) => "DateTime",
            Val::Time(_) => "Time",
            Val::Quantity(_) => "Quantity",
            Val::Ratio(_) => "Ratio",
            Val::Code(_) => "Code",
            Val::Concept(_) => "Concept",
            Val::ValueSet(_) => "ValueSet",
            Val::CodeSystem(_) => "CodeSystem",
            Val::Interval(_) => "Interval",
            Val::List(_) => "List",
            Val::Tuple(_) => "Tuple",
            Val::Fhir(f) => f.ty.name(),
            Val::Uncertain(_) => "uncertain number",
        }
    }
}

/// Never shows content: patient data must not reach a log.
impl std::fmt::Debug for Val<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_name())
    }
}

/// `Some(b)` as a value, `None` as null.
pub fn truth<'a>(value: Option<bool>) -> Val<'a> {
    value.map_or(Val::Null, Val::Boolean)
}
