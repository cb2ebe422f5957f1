//! What is known of a value before there is one: its FHIR type, and whether there may be several.

use engine_patient::fhir::model::Model;

/// The type of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Type {
    /// What each value is.
    pub kind: Kind,
    /// Whether there may be more than one.
    pub many: bool,
}

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The model does not tell.
    Unknown,
    /// A choice element, before `ofType`: one of these FHIR types.
    OneOf(&'static [&'static str]),
    /// A FHIR type.
    Is(&'static str),
}

/// How values of a type are compared and stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// `boolean`
    Boolean,
    /// `integer`, `decimal` and their kin.
    Number,
    /// `string`, `code`, `uri` and their kin.
    Text,
    /// `date`, `dateTime`, `instant`.
    Moment,
    /// `time`
    Time,
    /// Anything with elements.
    Complex,
    /// The model does not tell.
    Unknown,
}

impl Type {
    /// At most one value of a FHIR type.
    pub const fn one(name: &'static str) -> Type {
        Type {
            kind: Kind::Is(name),
            many: false,
        }
    }

    /// Nothing is known.
    pub const UNKNOWN: Type = Type {
        kind: Kind::Unknown,
        many: true,
    };

    /// The same, one of them at a time.
    pub(crate) fn single(self) -> Type {
        Type {
            many: false,
            ..self
        }
    }

    /// The FHIR type, if there is one only.
    pub fn name(self) -> Option<&'static str> {
        match self.kind {
            Kind::Is(name) => Some(name),
            _ => None,
        }
    }

    /// How its values are compared and stored.
    pub fn class(self) -> Class {
        match self.kind {
            Kind::Unknown => Class::Unknown,
            Kind::Is(name) => class(name),
            Kind::OneOf(types) => {
                let mut classes = types.iter().map(|t| class(canonical(t)));
                let first = classes.next().unwrap_or(Class::Unknown);
                if classes.all(|c| c == first) {
                    first
                } else {
                    Class::Unknown
                }
            }
        }
    }

    /// For a message: `Quantity`, `one of Quantity, string`.
    pub(crate) fn shown(self) -> String {
        match self.kind {
            Kind::Unknown => "of an unknown type".to_owned(),
            Kind::Is(name) => format!("`{name}`"),
            Kind::OneOf(types) => format!("one of {}", listed(types.iter().copied())),
        }
    }
}

/// What values of two expressions have in common.
pub(crate) fn common(a: Type, b: Type) -> Kind {
    match (a.class(), b.class()) {
        _ if a.kind == b.kind => a.kind,
        (Class::Moment, Class::Moment) => Kind::Is("dateTime"),
        (Class::Text, Class::Text) => Kind::Is("string"),
        (Class::Number, Class::Number) => Kind::Is("decimal"),
        _ => Kind::Unknown,
    }
}

/// How values of a FHIR type are compared and stored.
pub(crate) fn class(name: &str) -> Class {
    match name {
        "boolean" => Class::Boolean,
        "integer" | "integer64" | "positiveInt" | "unsignedInt" | "decimal" => Class::Number,
        "date" | "dateTime" | "instant" => Class::Moment,
        "time" => Class::Time,
        _ if name.starts_with(|c: char| c.is_ascii_lowercase()) => Class::Text,
        _ => Class::Complex,
    }
}

/// The FHIR type as it is named in paths: `System.String` is `string`, `SimpleQuantity` is
/// `Quantity`.
pub(crate) fn canonical(name: &'static str) -> &'static str {
    match name {
        "System.String" => "string",
        "System.Boolean" => "boolean",
        "System.Integer" => "integer",
        "System.Decimal" => "decimal",
        "System.Date" => "date",
        "System.DateTime" => "dateTime",
        "System.Time" => "time",
        "SimpleQuantity" | "MoneyQuantity" => "Quantity",
        name => name,
    }
}

/// The FHIR type that is meant by a name in a path; `String` and the like are System types.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    let name = match name {
        "String" => "string",
        "Boolean" => "boolean",
        "Integer" => "integer",
        "Decimal" => "decimal",
        "Date" => "date",
        "DateTime" => "dateTime",
        "Time" => "time",
        name => name,
    };
    Model::r4().get(name).map(|t| canonical(t.name))
}

/// Types that say nothing of what is inside.
pub(crate) fn is_abstract(name: &str) -> bool {
    matches!(
        name,
        "Resource" | "DomainResource" | "Element" | "BackboneElement"
    )
}

/// `a, b, c` in backticks, at most a dozen.
pub(crate) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.take(13).map(|n| format!("`{n}`")).collect();
    match names.get(..12) {
        Some(first) if names.len() > 12 => format!("{}, …", first.join(", ")),
        _ => names.join(", "),
    }
}
