//! Types of ELM (CQL 1.5, "Types"; ELM "Type specifiers"): for casts, overloads and the checker.

use std::fmt;

use engine_patient::fhir::model::Model;

/// A type of the FHIR R4 model, as a small number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeId(pub(crate) u16);

impl TypeId {
    /// The type of this name; `None` where R4 has none.
    pub fn of(name: &str) -> Option<TypeId> {
        Model::r4()
            .index_of(name)
            .and_then(|i| u16::try_from(i).ok())
            .map(TypeId)
    }

    /// Its name, such as `Observation` or `dateTime`.
    pub fn name(self) -> &'static str {
        Model::r4().at(usize::from(self.0)).map_or("", |t| t.name)
    }

    /// Whether it is `base` or derives from it.
    pub fn is_a(self, base: TypeId) -> bool {
        self == base || Model::r4().is_a(self.name(), base.name())
    }
}

/// A type specifier.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    Any,
    Boolean,
    Integer,
    Long,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,
    Ratio,
    Code,
    Concept,
    /// `Vocabulary`, the base of the next two.
    Vocabulary,
    ValueSet,
    CodeSystem,
    Fhir(TypeId),
    /// A FHIR enumeration such as `EncounterStatus`: data has a `code`.
    Enumeration(Box<str>),
    /// A FHIR type that R4 does not have, such as `NotDoneRecorded`, which QI-Core gives an element:
    /// whatever stands there.
    Lacking(Box<str>),
    List(Box<Type>),
    Interval(Box<Type>),
    Tuple(Vec<(Box<str>, Type)>),
    Choice(Vec<Type>),
}

/// Namespace of the CQL system types.
pub const SYSTEM: &str = "urn:hl7-org:elm-types:r1";
/// Namespace of FHIR types.
pub const FHIR: &str = "http://hl7.org/fhir";

impl Type {
    /// Reads `{namespace}Name`. `None` where there is no such type.
    pub fn named(qname: &str) -> Option<Type> {
        let (namespace, name) = match qname.strip_prefix('{').and_then(|q| q.split_once('}')) {
            Some(split) => split,
            None => (SYSTEM, qname.rsplit(':').next().unwrap_or(qname)),
        };
        match namespace {
            SYSTEM => Some(match name {
                "Any" => Type::Any,
                "Boolean" => Type::Boolean,
                "Integer" => Type::Integer,
                "Long" => Type::Long,
                "Decimal" => Type::Decimal,
                "String" => Type::String,
                "Date" => Type::Date,
                "DateTime" => Type::DateTime,
                "Time" => Type::Time,
                "Quantity" => Type::Quantity,
                "Ratio" => Type::Ratio,
                "Code" => Type::Code,
                "Concept" => Type::Concept,
                "Vocabulary" => Type::Vocabulary,
                "ValueSet" => Type::ValueSet,
                "CodeSystem" => Type::CodeSystem,
                _ => return None,
            }),
            FHIR => Some(match TypeId::of(name) {
                Some(id) => Type::Fhir(id),
                None if Model::r4().is_enumeration(name) => Type::Enumeration(name.into()),
                None => Type::Lacking(name.into()),
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Fhir(id) => write!(f, "FHIR.{}", id.name()),
            Type::Enumeration(name) | Type::Lacking(name) => write!(f, "FHIR.{name}"),
            Type::List(of) => write!(f, "List<{of}>"),
            Type::Interval(of) => write!(f, "Interval<{of}>"),
            Type::Tuple(elements) => {
                f.write_str("Tuple{")?;
                for (i, (name, ty)) in elements.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{name} {ty}")?;
                }
                f.write_str("}")
            }
            Type::Choice(of) => {
                f.write_str("Choice<")?;
                for (i, ty) in of.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{ty}")?;
                }
                f.write_str(">")
            }
            plain => write!(f, "{plain:?}"),
        }
    }
}
