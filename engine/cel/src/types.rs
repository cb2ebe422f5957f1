//! Static types of expressions, from the FHIR R4 model.

use std::fmt;

use engine_patient::fhir::model::{Cardinality, ElementInfo, Model};
use engine_patient::fhir::names::{Name, choice_name};
use engine_patient::systems::CodedElement;

/// The type of an expression, known before any patient is seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ty {
    /// `true`, `false`
    Bool,
    /// Whole number.
    Int,
    /// Decimal number.
    Double,
    /// Text.
    String,
    /// A date or date-time with its precision.
    Time,
    /// Calendar duration.
    Duration,
    /// A resource, datatype or backbone element.
    Element(&'static str),
    /// A choice element (`value[x]`) of a type, whichever it is.
    Choice(&'static str, &'static str),
    /// A set of drugs: an ingredient, a class.
    Drugs,
    /// Several of one type.
    List(Box<Ty>),
    /// The type of an empty list's items, and of an expression that is wrong already.
    Any,
}

impl Ty {
    /// A list of these.
    pub fn list(self) -> Ty {
        Ty::List(Box::new(self))
    }

    /// Whether a value of this type can stand where `other` is wanted.
    pub fn fits(&self, other: &Ty) -> bool {
        match (self, other) {
            (Ty::Any, _) | (_, Ty::Any) | (Ty::Int, Ty::Double) => true,
            (Ty::List(a), Ty::List(b)) => a.fits(b),
            (Ty::Element(a), Ty::Element(b)) => Model::r4().is_a(a, b),
            _ => self == other,
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Bool => write!(f, "true or false"),
            Ty::Int => write!(f, "a whole number"),
            Ty::Double => write!(f, "a number"),
            Ty::String => write!(f, "a text"),
            Ty::Time => write!(f, "a date"),
            Ty::Duration => write!(f, "a duration"),
            Ty::Element(name) => write!(f, "a `{name}`"),
            Ty::Choice(owner, name) => write!(f, "`{owner}.{name}[x]`"),
            Ty::Drugs => write!(f, "a set of drugs"),
            Ty::List(item) => match item.as_ref() {
                Ty::Element(name) => write!(f, "a list of `{name}`"),
                Ty::Any => write!(f, "a list"),
                other => write!(f, "a list, each item {other}"),
            },
            Ty::Any => write!(f, "anything"),
        }
    }
}

/// How the JSON of an element becomes a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conversion {
    /// `boolean`
    Bool,
    /// `integer`, `positiveInt`, `unsignedInt`
    Int,
    /// `decimal`
    Double,
    /// `string`, `code`, `uri` and the like
    String,
    /// `date`, `dateTime`, `instant`; which of them.
    Time(&'static str),
    /// Stays an element.
    Element,
}

/// The static type and the conversion of a FHIR type.
pub fn of_fhir(ty: &'static str) -> (Ty, Conversion) {
    match ty {
        "boolean" => (Ty::Bool, Conversion::Bool),
        "integer" | "positiveInt" | "unsignedInt" => (Ty::Int, Conversion::Int),
        "decimal" => (Ty::Double, Conversion::Double),
        "date" | "dateTime" | "instant" => (Ty::Time, Conversion::Time(ty)),
        "string" | "code" | "uri" | "url" | "canonical" | "id" | "oid" | "uuid" | "markdown"
        | "time" | "base64Binary" | "xhtml" | "System.String" => (Ty::String, Conversion::String),
        other => (Ty::Element(other), Conversion::Element),
    }
}

/// What selecting an element finds: its type, whether it is a list, and the JSON properties to look
/// under, each with its conversion.
pub struct Selected {
    pub ty: Ty,
    pub many: bool,
    pub properties: Vec<(Name, Conversion)>,
}

/// Resolves `owner.name`: an element, a choice (`value`), or one type of a choice
/// (`valueQuantity`).
pub fn select(owner: &'static str, name: &str) -> Option<Selected> {
    let model = Model::r4();
    if let Some(element) = model.element(owner, name) {
        return Some(select_element(owner, element));
    }
    // `valueQuantity`: the choice whose name it starts with.
    for element in model
        .elements(owner)
        .filter(|e| e.cardinality == Cardinality::Choice)
    {
        for ty in &element.types {
            if choice_name(element.name, ty) == name {
                let (ty, conversion) = of_fhir(ty);
                let properties = vec![(Name::of(name)?, conversion)];
                return Some(Selected {
                    ty,
                    many: false,
                    properties,
                });
            }
        }
    }
    None
}

/// The element of a resource that a property belongs to, as retrieves name it: `medication` for
/// `medicationCodeableConcept`.
pub fn coded_element(owner: &'static str, name: &str) -> Option<CodedElement> {
    let model = Model::r4();
    let info = model.resource(owner)?;
    let of_choice = |e: &&ElementInfo| {
        let choice = e.cardinality == Cardinality::Choice;
        choice && e.types.iter().any(|ty| choice_name(e.name, ty) == name)
    };
    let element = model.element(owner, name);
    let element = element.or_else(|| model.elements(owner).find(of_choice))?;
    Some((Name::of(info.name)?, element.name))
}

fn select_element(owner: &'static str, element: &ElementInfo) -> Selected {
    let mut properties = vec![];
    if element.cardinality == Cardinality::Choice {
        for ty in &element.types {
            let name = Name::of(&choice_name(element.name, ty));
            properties.extend(name.map(|n| (n, of_fhir(ty).1)));
        }
        let ty = Ty::Choice(owner, element.name);
        return Selected {
            ty,
            many: false,
            properties,
        };
    }
    let (ty, conversion) = of_fhir(element.types.first().copied().unwrap_or("Element"));
    properties.extend(Name::of(element.name).map(|n| (n, conversion)));
    let many = element.cardinality == Cardinality::Many;
    Selected {
        ty,
        many,
        properties,
    }
}
