//! All node types of the ELM schema, and what each is here.

use crate::operators::{
    aggregate, arithmetic, clinical, compare, convert, datetime, interval, list, logical, strings,
};
use crate::tree::node::OpFn;

/// What a node type is here.
pub enum How {
    /// An operator: its operands are the properties named. `operand*2`: a list of two; `operand*`: of
    /// any number; `?` after a name: may be missing.
    Op(OpFn, &'static [&'static str]),
    /// A special form: the compiler knows it.
    Special,
    /// Part of another node, never an expression itself.
    Part,
    /// Abstract in the schema: never in a document.
    Abstract,
    /// Not supported, and why.
    Unsupported(&'static str),
}

use How::{Abstract, Op, Part, Special, Unsupported};

const OPERAND: &[&str] = &["operand"];
const TWO: &[&str] = &["operand*2"];
const SOURCE: &[&str] = &["source"];

/// Every node type by name.
pub const NODES: &[(&str, How)] = &[
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
    ("Xor", Op(logical::xor, TWO)),
    ("Implies", Special),
    ("Not", Op(logical::not, OPERAND)),
    // §15 conditional
    ("If", Special),
    ("CaseItem", Part),
    ("Case", Special),
    // §14 nullological
    ("Null", Special),
    ("IsNull", Op(logical::is_null, OPERAND)),
    ("IsTrue", Op(logical::is_true, OPERAND)),
    ("IsFalse", Op(logical::is_false, OPERAND)),
    ("Coalesce", Special),
    // §22 types
    ("Is", Special),
    ("As", Special),
    ("Convert", Special),
    ("CanConvert", Special),
    ("ToBoolean", Op(convert::to_boolean, OPERAND)),
    (
        "ConvertsToBoolean",
        Op(convert::converts_to_boolean, OPERAND),
    ),
    ("ToConcept", Op(convert::to_concept, OPERAND)),
    ("ConvertsToDate", Op(convert::converts_to_date, OPERAND)),
    ("ToDate", Op(convert::to_date, OPERAND)),
    (
        "ConvertsToDateTime",
        Op(convert::converts_to_date_time, OPERAND),
    ),
    ("ToDateTime", Op(convert::to_date_time, OPERAND)),
    (
        "ConvertsToDecimal",
        Op(convert::converts_to_decimal, OPERAND),
    ),
    ("ToDecimal", Op(convert::to_decimal, OPERAND)),
    (
        "ConvertsToInteger",
        Op(convert::converts_to_integer, OPERAND),
    ),
    ("ToInteger", Op(convert::to_integer, OPERAND)),
    ("ConvertsToLong", Op(convert::converts_to_long, OPERAND)),
    ("ToLong", Op(convert::to_long, OPERAND)),
    (
        "ConvertsToQuantity",
        Op(convert::converts_to_quantity, OPERAND),
    ),
    ("ToQuantity", Op(convert::to_quantity, OPERAND)),
    ("ConvertsToRatio", Op(convert::converts_to_ratio, OPERAND)),
    ("ToRatio", Op(convert::to_ratio, OPERAND)),
    ("ToList", Op(convert::to_list, OPERAND)),
    ("ToChars", Op(convert::to_chars, OPERAND)),
    ("ConvertsToString", Op(convert::converts_to_string, OPERAND)),
    ("ToString", Op(convert::to_string, OPERAND)),
    ("ConvertsToTime", Op(convert::converts_to_time, OPERAND)),
    ("ToTime", Op(convert::to_time, OPERAND)),
    ("CanConvertQuantity", Op(convert::can_convert_quantity, TWO)),
    ("ConvertQuantity", Op(convert::convert_quantity, TWO)),
    // §12 comparison
    ("Equal", Op(compare::op_equal, TWO)),
    ("Equivalent", Op(compare::op_equivalent, TWO)),
    ("NotEqual", Op(compare::op_not_equal, TWO)),
    ("Less", Op(compare::less, TWO)),
    ("Greater", Op(compare::greater, TWO)),
    ("LessOrEqual", Op(compare::less_or_equal, TWO)),
    ("GreaterOrEqual", Op(compare::greater_or_equal, TWO)),
    // §16 arithmetic
    ("Add", Op(arithmetic::add, TWO)),
    ("Subtract", Op(arithmetic::subtract, TWO)),
    ("Multiply", Op(arithmetic::multiply, TWO)),
    ("Divide", Op(arithmetic::divide, TWO)),
    ("TruncatedDivide", Op(arithmetic::truncated_divide, TWO)),
    ("Modulo", Op(arithmetic::modulo, TWO)),
    ("Ceiling", Op(arithmetic::ceiling, OPERAND)),
    ("Floor", Op(arithmetic::floor, OPERAND)),
    ("Truncate", Op(arithmetic::truncate, OPERAND)),
    ("Abs", Op(arithmetic::abs, OPERAND)),
    ("Negate", Op(arithmetic::negate, OPERAND)),
    ("Round", Op(arithmetic::round, &["operand", "precision?"])),
    ("Ln", Op(arithmetic::ln, OPERAND)),
    ("Exp", Op(arithmetic::exp, OPERAND)),
    ("Log", Op(arithmetic::log, TWO)),
    ("Power", Op(arithmetic::power, TWO)),
    ("Successor", Op(arithmetic::successor, OPERAND)),
    ("Predecessor", Op(arithmetic::predecessor, OPERAND)),
    ("MinValue", Special),
    ("MaxValue", Special),
    ("Precision", Op(arithmetic::precision, OPERAND)),
    ("LowBoundary", Op(arithmetic::low_boundary, TWO)),
    ("HighBoundary", Op(arithmetic::high_boundary, TWO)),
    // §17 strings
    ("Concatenate", Op(strings::concatenate, &["operand*"])),
    ("Combine", Op(strings::combine, &["source", "separator?"])),
    (
        "Split",
        Op(strings::split, &["stringToSplit", "separator?"]),
    ),
    (
        "SplitOnMatches",
        Op(
            strings::split_on_matches,
            &["stringToSplit", "separatorPattern"],
        ),
    ),
    ("Length", Op(list::length, OPERAND)),
    ("Upper", Op(strings::upper, OPERAND)),
    ("Lower", Op(strings::lower, OPERAND)),
    ("Indexer", Op(list::indexer, TWO)),
    (
        "PositionOf",
        Op(strings::position_of, &["pattern", "string"]),
    ),
    (
        "LastPositionOf",
        Op(strings::last_position_of, &["pattern", "string"]),
    ),
    (
        "Substring",
        Op(
            strings::substring,
            &["stringToSub", "startIndex", "length?"],
        ),
    ),
    ("StartsWith", Op(strings::starts_with, TWO)),
    ("EndsWith", Op(strings::ends_with, TWO)),
    ("Matches", Op(strings::matches, TWO)),
    (
        "ReplaceMatches",
        Op(strings::replace_matches, &["operand*3"]),
    ),
    // §18 dates and times
    ("DurationBetween", Op(datetime::duration_between, TWO)),
    ("DifferenceBetween", Op(datetime::difference_between, TWO)),
    ("DateFrom", Op(datetime::date_from, OPERAND)),
    ("TimeFrom", Op(datetime::time_from, OPERAND)),
    ("TimezoneFrom", Op(datetime::timezone_offset_from, OPERAND)),
    (
        "TimezoneOffsetFrom",
        Op(datetime::timezone_offset_from, OPERAND),
    ),
    (
        "DateTimeComponentFrom",
        Op(datetime::date_time_component_from, OPERAND),
    ),
    ("TimeOfDay", Op(datetime::time_of_day, &[])),
    ("Today", Op(datetime::today, &[])),
    ("Now", Op(datetime::now, &[])),
    ("Date", Op(datetime::date, &["year", "month?", "day?"])),
    (
        "DateTime",
        Op(
            datetime::date_time,
            &[
                "year",
                "month?",
                "day?",
                "hour?",
                "minute?",
                "second?",
                "millisecond?",
                "timezoneOffset?",
            ],
        ),
    ),
    (
        "Time",
        Op(
            datetime::time,
            &["hour", "minute?", "second?", "millisecond?"],
        ),
    ),
    ("CalculateAge", Op(datetime::calculate_age, OPERAND)),
    ("CalculateAgeAt", Op(datetime::calculate_age_at, TWO)),
    // §18, §19 timing
    ("SameAs", Op(interval::same_as, TWO)),
    ("SameOrBefore", Op(interval::same_or_before, TWO)),
    ("SameOrAfter", Op(interval::same_or_after, TWO)),
    ("Before", Op(interval::before, TWO)),
    ("After", Op(interval::after, TWO)),
    // §19 intervals
    ("PointFrom", Op(interval::point_from, OPERAND)),
    ("Width", Op(interval::width, OPERAND)),
    ("Size", Op(interval::size, OPERAND)),
    ("Start", Op(interval::start, OPERAND)),
    ("End", Op(interval::end, OPERAND)),
    ("Meets", Op(interval::meets, TWO)),
    ("MeetsBefore", Op(interval::meets_before, TWO)),
    ("MeetsAfter", Op(interval::meets_after, TWO)),
    ("Overlaps", Op(interval::overlaps, TWO)),
    ("OverlapsBefore", Op(interval::overlaps_before, TWO)),
    ("OverlapsAfter", Op(interval::overlaps_after, TWO)),
    ("Starts", Op(interval::starts, TWO)),
    ("Ends", Op(interval::ends, TWO)),
    ("Collapse", Op(interval::collapse, TWO)),
    ("Expand", Op(interval::expand, TWO)),
    // §19, §20: on intervals and lists
    ("Contains", Op(list::contains, TWO)),
    ("ProperContains", Op(list::proper_contains, TWO)),
    ("In", Op(list::in_, TWO)),
    ("ProperIn", Op(list::proper_in, TWO)),
    ("Includes", Op(list::includes, TWO)),
    ("IncludedIn", Op(list::included_in, TWO)),
    ("ProperIncludes", Op(list::proper_includes, TWO)),
    ("ProperIncludedIn", Op(list::proper_included_in, TWO)),
    ("Union", Op(list::union, &["operand*"])),
    ("Intersect", Op(list::intersect, &["operand*"])),
    ("Except", Op(list::except, &["operand*"])),
    // §20 lists
    ("Exists", Op(list::exists, OPERAND)),
    ("Times", Op(list::times, TWO)),
    ("Filter", Special),
    ("First", Op(list::first, SOURCE)),
    ("Last", Op(list::last, SOURCE)),
    (
        "Slice",
        Op(list::slice, &["source", "startIndex?", "endIndex?"]),
    ),
    ("IndexOf", Op(list::index_of, &["source", "element"])),
    ("Flatten", Op(list::flatten, OPERAND)),
    ("Sort", Special),
    ("ForEach", Special),
    ("Repeat", Special),
    ("Distinct", Op(list::distinct, OPERAND)),
    ("Current", Special),
    (
        "Iteration",
        Unsupported("the number of the iteration is not kept; no translator writes it"),
    ),
    ("Total", Special),
    ("SingletonFrom", Op(list::singleton_from, OPERAND)),
    ("Children", Op(list::children, SOURCE)),
    ("Descendants", Op(list::descendants, SOURCE)),
    ("Descendents", Op(list::descendants, SOURCE)),
    // §21 aggregates
    ("Aggregate", Special),
    ("Count", Op(aggregate::count, SOURCE)),
    ("Sum", Op(aggregate::sum, SOURCE)),
    ("Product", Op(aggregate::product, SOURCE)),
    ("Min", Op(aggregate::min, SOURCE)),
    ("Max", Op(aggregate::max, SOURCE)),
    ("Avg", Op(aggregate::avg, SOURCE)),
    ("GeometricMean", Op(aggregate::geometric_mean, SOURCE)),
    ("Median", Op(aggregate::median, SOURCE)),
    ("Mode", Op(aggregate::mode, SOURCE)),
    ("Variance", Op(aggregate::variance, SOURCE)),
    (
        "PopulationVariance",
        Op(aggregate::population_variance, SOURCE),
    ),
    ("StdDev", Op(aggregate::std_dev, SOURCE)),
    (
        "PopulationStdDev",
        Op(aggregate::population_std_dev, SOURCE),
    ),
    ("AllTrue", Op(aggregate::all_true, SOURCE)),
    ("AnyTrue", Op(aggregate::any_true, SOURCE)),
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
    ("ExpandValueSet", Op(clinical::expand_value_set, OPERAND)),
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

/// What a node type is; `None` where the schema has no such node.
pub fn find(name: &str) -> Option<&'static How> {
    static BY_NAME: std::sync::LazyLock<rustc_hash::FxHashMap<&'static str, &'static How>> =
        std::sync::LazyLock::new(|| NODES.iter().map(|(name, how)| (*name, how)).collect());
    BY_NAME.get(name).copied()
}
