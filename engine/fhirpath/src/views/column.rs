//! Columns and their types.

use crate::{Class, Kind, Type};

/// A column of a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnInfo {
    /// The name, fit for SQL.
    pub name: String,
    /// The type of its values.
    pub ty: ColumnType,
    /// Whether it holds lists.
    pub collection: bool,
    /// What it is, for people.
    pub description: Option<String>,
}

/// How values of a column are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    /// [`ViewValue::Bool`](super::ViewValue::Bool)
    Bool,
    /// [`ViewValue::Int`](super::ViewValue::Int)
    Int,
    /// [`ViewValue::Decimal`](super::ViewValue::Decimal)
    Decimal,
    /// [`ViewValue::Str`](super::ViewValue::Str)
    Text,
}

macro_rules! column_types {
    ($($variant:ident $name:literal $storage:ident,)*) => {
        /// The FHIR primitive type of a column.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum ColumnType {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl ColumnType {
            /// All of them.
            pub const ALL: &[ColumnType] = &[$(ColumnType::$variant),*];

            /// The name in FHIR.
            pub fn as_str(self) -> &'static str {
                match self { $(ColumnType::$variant => $name,)* }
            }

            /// How its values are held.
            pub fn storage(self) -> Storage {
                match self { $(ColumnType::$variant => Storage::$storage,)* }
            }
        }
    };
}

column_types! {
    Base64Binary "base64Binary" Text,
    Boolean "boolean" Bool,
    Canonical "canonical" Text,
    Code "code" Text,
    Date "date" Text,
    DateTime "dateTime" Text,
    Decimal "decimal" Decimal,
    Id "id" Text,
    Instant "instant" Text,
    Integer "integer" Int,
    Integer64 "integer64" Int,
    Markdown "markdown" Text,
    Oid "oid" Text,
    PositiveInt "positiveInt" Int,
    String "string" Text,
    Time "time" Text,
    UnsignedInt "unsignedInt" Int,
    Uri "uri" Text,
    Url "url" Text,
    Uuid "uuid" Text,
    Xhtml "xhtml" Text,
}

impl ColumnType {
    /// The type of this FHIR name, also as a StructureDefinition url.
    pub fn of(name: &str) -> Option<ColumnType> {
        let name = name
            .strip_prefix("http://hl7.org/fhir/StructureDefinition/")
            .unwrap_or(name);
        ColumnType::ALL.iter().copied().find(|t| t.as_str() == name)
    }

    /// The type of a column whose path gives this; the reason where it can be none.
    pub(super) fn inferred(ty: Type) -> Result<ColumnType, String> {
        match (ty.kind, ty.class()) {
            (Kind::Is(name), _) => ColumnType::of(name).ok_or_else(|| complex(ty)),
            (Kind::Unknown, _) => Ok(ColumnType::String),
            (Kind::OneOf(_), Class::Text) => Ok(ColumnType::String),
            (Kind::OneOf(_), Class::Moment) => Ok(ColumnType::DateTime),
            (Kind::OneOf(_), Class::Number) => Ok(ColumnType::Decimal),
            (Kind::OneOf(_), _) => Err(complex(ty)),
        }
    }

    /// Whether a column declared as this can hold what its path gives; the reason where it cannot.
    pub(super) fn accepts(self, ty: Type) -> Result<(), String> {
        if ty.kind == Kind::Unknown {
            return Ok(());
        }
        let given = ColumnType::inferred(ty)?;
        match (self.storage(), given.storage()) {
            (own, other) if own == other => Ok(()),
            (Storage::Decimal, Storage::Int) => Ok(()),
            _ => Err(format!(
                "the column is declared `{}`, but its path gives `{}`",
                self.as_str(),
                given.as_str()
            )),
        }
    }
}

fn complex(ty: Type) -> String {
    match ty.kind {
        Kind::Is(name) => format!(
            "the path gives a `{name}`, which is no primitive: add the element that is wanted"
        ),
        _ => "the path gives a choice of several types: add `.ofType(…)`".to_owned(),
    }
}
