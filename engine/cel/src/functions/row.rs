//! What a row of the table of functions says.

/// A function of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    Active,
    AgeInYearsAt,
    Component,
    Contains,
    Date,
    Days,
    Deceased,
    Double,
    During,
    Earliest,
    End,
    EndsWith,
    First,
    Hours,
    InValueSet,
    Int,
    IsFinal,
    IsUnknown,
    Latest,
    Max,
    Min,
    Months,
    OrElse,
    QuantityIn,
    Size,
    Start,
    StartsWith,
    String,
    Weeks,
    Years,
}

/// What an argument must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Param {
    /// Anything; the result may have the same type.
    Any,
    Int,
    Number,
    /// A number or a text.
    NumberOrText,
    Text,
    /// A date, or something that has one: a resource, a Period, a choice with them.
    When,
    Time,
    /// A CodeableConcept, a Coding, a list of them, or a choice with them.
    Concept,
    /// A Quantity, or a choice with it.
    Quantity,
    List,
    ListOfNumbers,
    ListOfResources,
    /// An element of this type.
    Element(&'static str),
    /// The name of a value set, in quotes.
    ValueSet,
    /// A date in quotes.
    DateText,
    /// The same type as the first argument.
    LikeFirst,
}

/// What comes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returns {
    Bool,
    Int,
    Double,
    Text,
    Time,
    Duration,
    /// The type of the first argument.
    First,
    /// The type of the first argument's items.
    Item,
    Components,
}

/// A row of the table.
pub struct FunctionInfo {
    /// As written in rules.
    pub name: &'static str,
    pub function: Function,
    pub params: &'static [Param],
    pub returns: Returns,
    /// What it does, what is unknown, bounds and units.
    pub doc: &'static str,
    /// A call that the tests compile.
    pub example: &'static str,
}
