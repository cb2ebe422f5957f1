//! What is known of a value without any patient: where it comes from, in which unit, of which codes.

use engine_patient::fhir::codes::RequiredCodes;

use crate::nodes::Span;

/// What is known of a value.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The same for expressions that have the same value for each patient; `None` where it is not told.
    pub same: Option<String>,
    /// The elements it is read from, such as `Observation("hba1c").value`, whichever of the resources.
    pub from: Option<String>,
    /// The type and the element it is read from.
    pub element: Option<(&'static str, String)>,
    /// The codes it must be of, and what of them it is.
    pub codes: Option<(Part, &'static RequiredCodes)>,
    /// The text that it is for every patient.
    pub text: Option<String>,
    /// The unit that the number is in.
    pub unit: Option<String>,
    /// Whether it is a whole number that is never negative.
    pub count: bool,
}

/// Which part of a code a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Concept,
    System,
    Code,
    /// The code of one Coding of a CodeableConcept.
    CodingCode,
}

/// A unit that a value is taken in.
#[derive(Clone, Debug)]
pub struct UnitInUse {
    /// The value, written the same wherever it stands, where that is known.
    pub of: Option<String>,
    /// The elements it is read from.
    pub shown: String,
    pub unit: String,
    pub span: Span,
    /// Whether it stands in a definition, and was looked at there.
    pub defined: bool,
    /// Whether it is needed only where the definition is to hold.
    pub joined: bool,
}

/// The units that must go for an expression to be known.
#[derive(Clone, Debug, Default)]
pub struct Units {
    pub all: Vec<UnitInUse>,
    /// Whether a code decides somewhere in it.
    pub asks_codes: bool,
}
