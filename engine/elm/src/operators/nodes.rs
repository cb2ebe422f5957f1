//! All node types of the ELM schema, and what each is here.

use crate::operators::operator::Operator;
use crate::operators::table::OPERATORS;

/// What a node type is here.
#[derive(Clone, Copy)]
pub enum How {
    /// An operator: its node consists of its operands.
    Operator(&'static Operator),
    /// A special form: the compiler knows it.
    Special,
    /// Part of another node, never an expression itself.
    Part,
    /// Abstract in the schema: never in a document.
    Abstract,
    /// Not supported, and why.
    Unsupported(&'static str),
}

use How::{Abstract, Part, Special, Unsupported};

/// Every node type that is no operator, by name.
const OTHERS: &[(&str, How)] = &[
    // ELM, types and libraries
    ("Element", Abstract),
    ("TypeSpecifier", Abstract),
    ("NamedTypeSpecifier", Part),
    ("IntervalTypeSpecifier", Part),
    ("ListTypeSpecifier", Part),
    ("TupleElementDefinition", Part),
    ("TupleTypeSpecifier", Part),
    ("ChoiceTypeSpecifier", Part),
    (
        "ParameterTypeSpecifier",
        Unsupported("generic types occur in no published content"),
    ),
    ("Expression", Abstract),
    ("OperatorExpression", Abstract),
    ("UnaryExpression", Abstract),
    ("BinaryExpression", Abstract),
    ("TernaryExpression", Abstract),
    ("NaryExpression", Abstract),
    ("AggregateExpression", Abstract),
    ("ExpressionDef", Part),
    ("FunctionDef", Part),
    ("ExpressionRef", Special),
    ("FunctionRef", Special),
    ("ParameterDef", Part),
    ("ParameterRef", Special),
    ("OperandDef", Part),
    ("OperandRef", Special),
    ("IdentifierRef", Special),
    ("VersionedIdentifier", Part),
    ("UsingDef", Part),
    ("IncludeDef", Part),
    ("ContextDef", Part),
    ("Library", Part),
    // Values
    ("Literal", Special),
    ("TupleElement", Part),
    ("Tuple", Special),
    ("InstanceElement", Part),
    ("Instance", Special),
    ("Interval", Special),
    ("List", Special),
    ("Property", Special),
    (
        "Search",
        Unsupported("a search parameter path needs a FHIR server; use Property"),
    ),
    // §13 logical
    ("And", Special),
    ("Or", Special),
    ("Implies", Special),
    // §15 conditional
    ("If", Special),
    ("CaseItem", Part),
    ("Case", Special),
    // §14 nullological
    ("Null", Special),
    ("Coalesce", Special),
    // §22 types
    ("Is", Special),
    ("As", Special),
    ("Convert", Special),
    ("CanConvert", Special),
    // §16 arithmetic
    ("MinValue", Special),
    ("MaxValue", Special),
    // §20 lists
    ("Filter", Special),
    ("Sort", Special),
    ("ForEach", Special),
    ("Repeat", Special),
    ("Current", Special),
    (
        "Iteration",
        Unsupported("the number of the iteration is not kept; no translator writes it"),
    ),
    ("Total", Special),
    // §21 aggregates
    ("Aggregate", Special),
    // Queries
    ("AliasedQuerySource", Part),
    ("LetClause", Part),
    ("RelationshipClause", Abstract),
    ("With", Part),
    ("Without", Part),
    ("SortByItem", Abstract),
    ("ByDirection", Part),
    ("ByColumn", Part),
    ("ByExpression", Part),
    ("SortClause", Part),
    ("ReturnClause", Part),
    ("AggregateClause", Part),
    ("Query", Special),
    ("AliasRef", Special),
    ("QueryLetRef", Special),
    // §24 errors and messages
    ("Message", Special),
    // Retrieve
    ("CodeFilterElement", Part),
    ("DateFilterElement", Part),
    ("OtherFilterElement", Part),
    ("IncludeElement", Part),
    ("Retrieve", Special),
    // §23 clinical
    ("CodeSystemDef", Part),
    ("ValueSetDef", Part),
    ("CodeDef", Part),
    ("ConceptDef", Part),
    ("CodeSystemRef", Special),
    ("ValueSetRef", Special),
    ("CodeRef", Special),
    ("ConceptRef", Special),
    ("Code", Special),
    ("Concept", Special),
    ("InCodeSystem", Special),
    ("AnyInCodeSystem", Special),
    ("InValueSet", Special),
    ("AnyInValueSet", Special),
    (
        "Subsumes",
        Unsupported(
            "subsumption needs the hierarchy of a code system, which packages do not carry",
        ),
    ),
    (
        "SubsumedBy",
        Unsupported(
            "subsumption needs the hierarchy of a code system, which packages do not carry",
        ),
    ),
    ("Quantity", Special),
    ("Ratio", Special),
];

/// What a node type is, with its name; `None` where the schema has no such node.
pub fn find(name: &str) -> Option<(&'static str, How)> {
    static BY_NAME: std::sync::LazyLock<rustc_hash::FxHashMap<&'static str, How>> =
        std::sync::LazyLock::new(|| nodes().collect());
    BY_NAME.get_key_value(name).map(|(name, how)| (*name, *how))
}

/// All node types.
pub fn nodes() -> impl Iterator<Item = (&'static str, How)> {
    let operators = OPERATORS.iter().map(|row| (row.name, How::Operator(row)));
    operators.chain(OTHERS.iter().copied())
}
