//! What a path is compiled against.

use super::literal::Literal;
use super::types::Type;

/// What a path is compiled against.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'c> {
    /// The resource type that rows are made of.
    pub resource: &'static str,
    /// The type of what the path starts from.
    pub focus: Type,
    /// What `%name` stands for.
    pub constants: &'c [Constant],
}

/// What `%name` stands for.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// Without the `%`.
    pub name: String,
    /// The value.
    pub value: Literal,
    /// Its FHIR type.
    pub ty: &'static str,
}
