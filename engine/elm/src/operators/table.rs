//! The operators: one row each, by chapter.

use crate::operators::operator::{CertainItems, Operator, WhenEmpty};
use crate::operators::{
    aggregate, arithmetic, bounds, clinical, compare, convert, datetime, duration, equality,
    interval, interval_expand, interval_relations, interval_sets, list, logical, patterns,
    statistics, strings,
};

use CertainItems::{AnyDecides, OfBoth, OfEither, OfFirst, OfFirstIfSecondIsSure, OfLists};
use Operator as Row;
use WhenEmpty::{
    AsAll, AsAny, AsFirst, FalseOfEmpty, FalseOfFalse, FalseOfNoCode, Negation, NullOfEmpty,
    NullOfNull, TrueOfNull,
};

const OPERAND: &[&str] = &["operand"];
const TWO: &[&str] = &["operand*2"];
const SOURCE: &[&str] = &["source"];
const CODE_AND_SYSTEM: &[&str] = &["code", "codesystem"];

/// Every operator whose node consists of its operands.
pub static OPERATORS: &[Operator] = &[
    // §13 logical
    Row::new("13", "Xor", TWO, logical::xor).infix("xor"),
    Row::new("13", "Not", OPERAND, logical::not)
        .prefix("not ")
        .when_empty(Negation),
    // §14 nullological
    Row::new("14", "IsNull", OPERAND, logical::is_null)
        .suffix(" is null")
        .when_empty(TrueOfNull),
    Row::new("14", "IsTrue", OPERAND, logical::is_true)
        .suffix(" is true")
        .when_empty(FalseOfFalse),
    Row::new("14", "IsFalse", OPERAND, logical::is_false).suffix(" is false"),
    // §22 types
    Row::new("22", "ToBoolean", OPERAND, convert::to_boolean).unwritten(),
    Row::new(
        "22",
        "ConvertsToBoolean",
        OPERAND,
        convert::converts_to_boolean,
    ),
    Row::new("22", "ToConcept", OPERAND, convert::to_concept)
        .unwritten()
        .constant(),
    Row::new("22", "ConvertsToDate", OPERAND, convert::converts_to_date),
    Row::new("22", "ToDate", OPERAND, convert::to_date).unwritten(),
    Row::new(
        "22",
        "ConvertsToDateTime",
        OPERAND,
        convert::converts_to_date_time,
    ),
    Row::new("22", "ToDateTime", OPERAND, convert::to_date_time).unwritten(),
    Row::new(
        "22",
        "ConvertsToDecimal",
        OPERAND,
        convert::converts_to_decimal,
    ),
    Row::new("22", "ToDecimal", OPERAND, convert::to_decimal)
        .unwritten()
        .constant(),
    Row::new(
        "22",
        "ConvertsToInteger",
        OPERAND,
        convert::converts_to_integer,
    ),
    Row::new("22", "ToInteger", OPERAND, convert::to_integer).unwritten(),
    Row::new("22", "ConvertsToLong", OPERAND, convert::converts_to_long),
    Row::new("22", "ToLong", OPERAND, convert::to_long)
        .unwritten()
        .constant(),
    Row::new(
        "22",
        "ConvertsToQuantity",
        OPERAND,
        convert::converts_to_quantity,
    ),
    Row::new("22", "ToQuantity", OPERAND, convert::to_quantity)
        .unwritten()
        .constant(),
    Row::new("22", "ConvertsToRatio", OPERAND, convert::converts_to_ratio),
    Row::new("22", "ToRatio", OPERAND, convert::to_ratio).unwritten(),
    Row::new("22", "ToList", OPERAND, convert::to_list)
        .unwritten()
        .constant(),
    Row::new("22", "ToChars", OPERAND, convert::to_chars).unwritten(),
    Row::new(
        "22",
        "ConvertsToString",
        OPERAND,
        convert::converts_to_string,
    ),
    Row::new("22", "ToString", OPERAND, convert::to_string),
    Row::new("22", "ConvertsToTime", OPERAND, convert::converts_to_time),
    Row::new("22", "ToTime", OPERAND, convert::to_time).unwritten(),
    Row::new(
        "22",
        "CanConvertQuantity",
        TWO,
        convert::can_convert_quantity,
    ),
    Row::new("22", "ConvertQuantity", TWO, convert::convert_quantity),
    // §12 comparison
    Row::new("12", "Equal", TWO, equality::op_equal)
        .infix("=")
        .comparison()
        .when_empty(NullOfNull),
    Row::new("12", "Equivalent", TWO, equality::op_equivalent).infix("~"),
    Row::new("12", "NotEqual", TWO, equality::op_not_equal)
        .infix("!=")
        .comparison(),
    Row::new("12", "Less", TWO, compare::less)
        .infix("<")
        .comparison()
        .when_empty(NullOfNull),
    Row::new("12", "Greater", TWO, compare::greater)
        .infix(">")
        .comparison()
        .when_empty(NullOfNull),
    Row::new("12", "LessOrEqual", TWO, compare::less_or_equal)
        .infix("<=")
        .comparison()
        .when_empty(NullOfNull),
    Row::new("12", "GreaterOrEqual", TWO, compare::greater_or_equal)
        .infix(">=")
        .comparison()
        .when_empty(NullOfNull),
    // §16 arithmetic
    Row::new("16", "Add", TWO, arithmetic::add).infix("+"),
    Row::new("16", "Subtract", TWO, arithmetic::subtract).infix("-"),
    Row::new("16", "Multiply", TWO, arithmetic::multiply).infix("*"),
    Row::new("16", "Divide", TWO, arithmetic::divide).infix("/"),
    Row::new("16", "TruncatedDivide", TWO, arithmetic::truncated_divide),
    Row::new("16", "Modulo", TWO, arithmetic::modulo),
    Row::new("16", "Ceiling", OPERAND, arithmetic::ceiling),
    Row::new("16", "Floor", OPERAND, arithmetic::floor),
    Row::new("16", "Truncate", OPERAND, arithmetic::truncate),
    Row::new("16", "Abs", OPERAND, arithmetic::abs),
    Row::new("16", "Negate", OPERAND, arithmetic::negate).constant(),
    Row::new("16", "Round", &["operand", "precision?"], arithmetic::round),
    Row::new("16", "Ln", OPERAND, arithmetic::ln),
    Row::new("16", "Exp", OPERAND, arithmetic::exp),
    Row::new("16", "Log", TWO, arithmetic::log),
    Row::new("16", "Power", TWO, arithmetic::power),
    Row::new("16", "Successor", OPERAND, bounds::successor),
    Row::new("16", "Predecessor", OPERAND, bounds::predecessor),
    Row::new("16", "Precision", OPERAND, bounds::precision),
    Row::new("16", "LowBoundary", TWO, bounds::low_boundary),
    Row::new("16", "HighBoundary", TWO, bounds::high_boundary),
    // §17 strings
    Row::new("17", "Concatenate", &["operand*"], strings::concatenate).infix("&"),
    Row::new("17", "Combine", &["source", "separator?"], strings::combine),
    Row::new(
        "17",
        "Split",
        &["stringToSplit", "separator?"],
        strings::split,
    ),
    Row::new(
        "17",
        "SplitOnMatches",
        &["stringToSplit", "separatorPattern"],
        patterns::split_on_matches,
    ),
    Row::new("17", "Length", OPERAND, list::length),
    Row::new("17", "Upper", OPERAND, strings::upper),
    Row::new("17", "Lower", OPERAND, strings::lower),
    Row::new("17", "Indexer", TWO, list::indexer),
    Row::new(
        "17",
        "PositionOf",
        &["pattern", "string"],
        strings::position_of,
    ),
    Row::new(
        "17",
        "LastPositionOf",
        &["pattern", "string"],
        strings::last_position_of,
    ),
    Row::new(
        "17",
        "Substring",
        &["stringToSub", "startIndex", "length?"],
        strings::substring,
    ),
    Row::new("17", "StartsWith", TWO, strings::starts_with),
    Row::new("17", "EndsWith", TWO, strings::ends_with),
    Row::new("17", "Matches", TWO, patterns::matches),
    Row::new(
        "17",
        "ReplaceMatches",
        &["operand*3"],
        patterns::replace_matches,
    ),
    // §18 dates and times
    Row::new("18", "DurationBetween", TWO, duration::duration_between),
    Row::new("18", "DifferenceBetween", TWO, duration::difference_between),
    Row::new("18", "DateFrom", OPERAND, datetime::date_from),
    Row::new("18", "TimeFrom", OPERAND, datetime::time_from),
    Row::new(
        "18",
        "TimezoneFrom",
        OPERAND,
        datetime::timezone_offset_from,
    ),
    Row::new(
        "18",
        "TimezoneOffsetFrom",
        OPERAND,
        datetime::timezone_offset_from,
    ),
    Row::new(
        "18",
        "DateTimeComponentFrom",
        OPERAND,
        datetime::date_time_component_from,
    ),
    Row::new("18", "TimeOfDay", &[], datetime::time_of_day),
    Row::new("18", "Today", &[], datetime::today),
    Row::new("18", "Now", &[], datetime::now),
    Row::new("18", "Date", &["year", "month?", "day?"], datetime::date).constant(),
    Row::new(
        "18",
        "DateTime",
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
        datetime::date_time,
    ),
    Row::new(
        "18",
        "Time",
        &["hour", "minute?", "second?", "millisecond?"],
        datetime::time,
    )
    .constant(),
    Row::new("18", "CalculateAge", OPERAND, duration::calculate_age),
    Row::new("18", "CalculateAgeAt", TWO, duration::calculate_age_at),
    // §18, §19 timing
    Row::new("18", "SameAs", TWO, interval_relations::same_as)
        .infix("same as")
        .comparison()
        .when_empty(NullOfNull),
    Row::new(
        "18",
        "SameOrBefore",
        TWO,
        interval_relations::same_or_before,
    )
    .infix("same or before")
    .comparison()
    .when_empty(NullOfNull),
    Row::new("18", "SameOrAfter", TWO, interval_relations::same_or_after)
        .infix("same or after")
        .comparison()
        .when_empty(NullOfNull),
    Row::new("18", "Before", TWO, interval_relations::before)
        .infix("before")
        .comparison()
        .when_empty(NullOfNull),
    Row::new("18", "After", TWO, interval_relations::after)
        .infix("after")
        .comparison()
        .when_empty(NullOfNull),
    // §19 intervals
    Row::new("19", "PointFrom", OPERAND, interval::point_from),
    Row::new("19", "Width", OPERAND, interval::width),
    Row::new("19", "Size", OPERAND, interval::size),
    Row::new("19", "Start", OPERAND, interval::start)
        .prefix("start of ")
        .when_empty(NullOfNull),
    Row::new("19", "End", OPERAND, interval::end)
        .prefix("end of ")
        .when_empty(NullOfNull),
    Row::new("19", "Meets", TWO, interval_relations::meets).comparison(),
    Row::new("19", "MeetsBefore", TWO, interval_relations::meets_before).comparison(),
    Row::new("19", "MeetsAfter", TWO, interval_relations::meets_after).comparison(),
    Row::new("19", "Overlaps", TWO, interval_relations::overlaps)
        .infix("overlaps")
        .comparison(),
    Row::new(
        "19",
        "OverlapsBefore",
        TWO,
        interval_relations::overlaps_before,
    )
    .infix("overlaps before")
    .comparison(),
    Row::new(
        "19",
        "OverlapsAfter",
        TWO,
        interval_relations::overlaps_after,
    )
    .infix("overlaps after")
    .comparison(),
    Row::new("19", "Starts", TWO, interval_relations::starts).comparison(),
    Row::new("19", "Ends", TWO, interval_relations::ends).comparison(),
    Row::new("19", "Collapse", TWO, interval_sets::collapse),
    Row::new("19", "Expand", TWO, interval_expand::expand),
    // §19, §20: on intervals and lists
    Row::new("19", "Contains", TWO, list::contains)
        .infix("contains")
        .comparison(),
    Row::new("19", "ProperContains", TWO, list::proper_contains).comparison(),
    Row::new("19", "In", TWO, list::in_)
        .infix("in")
        .comparison(),
    Row::new("19", "ProperIn", TWO, list::proper_in)
        .infix("properly in")
        .comparison(),
    Row::new("19", "Includes", TWO, list::includes)
        .infix("includes")
        .comparison(),
    Row::new("19", "IncludedIn", TWO, list::included_in)
        .infix("during")
        .comparison(),
    Row::new("19", "ProperIncludes", TWO, list::proper_includes)
        .infix("properly includes")
        .comparison(),
    Row::new("19", "ProperIncludedIn", TWO, list::proper_included_in)
        .infix("properly included in")
        .comparison(),
    Row::new("19", "Union", &["operand*"], list::union)
        .infix("union")
        .when_empty(AsAll)
        .certain(OfEither)
        .pairwise(),
    Row::new("19", "Intersect", &["operand*"], list::intersect)
        .infix("intersect")
        .when_empty(AsAny)
        .certain(OfBoth)
        .pairwise(),
    Row::new("19", "Except", &["operand*"], list::except)
        .infix("except")
        .when_empty(AsFirst)
        .certain(OfFirstIfSecondIsSure)
        .pairwise(),
    // §20 lists
    Row::new("20", "Exists", OPERAND, list::exists)
        .prefix("exists ")
        .when_empty(FalseOfEmpty)
        .certain(AnyDecides),
    Row::new("20", "Times", TWO, list::times),
    Row::new("20", "First", SOURCE, list::first).when_empty(NullOfEmpty),
    Row::new("20", "Last", SOURCE, list::last).when_empty(NullOfEmpty),
    Row::new(
        "20",
        "Slice",
        &["source", "startIndex?", "endIndex?"],
        list::slice,
    ),
    Row::new("20", "IndexOf", &["source", "element"], list::index_of),
    Row::new("20", "Flatten", OPERAND, list::flatten)
        .when_empty(AsFirst)
        .certain(OfLists),
    Row::new("20", "Distinct", OPERAND, list::distinct)
        .when_empty(AsFirst)
        .certain(OfFirst),
    Row::new("20", "SingletonFrom", OPERAND, list::singleton_from).when_empty(NullOfEmpty),
    Row::new("20", "Children", SOURCE, list::children),
    Row::new("20", "Descendants", SOURCE, list::descendants),
    Row::new("20", "Descendents", SOURCE, list::descendants),
    // §21 aggregates
    Row::new("21", "Count", SOURCE, aggregate::count),
    Row::new("21", "Sum", SOURCE, aggregate::sum),
    Row::new("21", "Product", SOURCE, aggregate::product),
    Row::new("21", "Min", SOURCE, aggregate::min),
    Row::new("21", "Max", SOURCE, aggregate::max),
    Row::new("21", "Avg", SOURCE, aggregate::avg),
    Row::new("21", "GeometricMean", SOURCE, statistics::geometric_mean),
    Row::new("21", "Median", SOURCE, statistics::median),
    Row::new("21", "Mode", SOURCE, statistics::mode),
    Row::new("21", "Variance", SOURCE, statistics::variance),
    Row::new(
        "21",
        "PopulationVariance",
        SOURCE,
        statistics::population_variance,
    ),
    Row::new("21", "StdDev", SOURCE, statistics::std_dev),
    Row::new(
        "21",
        "PopulationStdDev",
        SOURCE,
        statistics::population_std_dev,
    ),
    Row::new("21", "AllTrue", SOURCE, aggregate::all_true),
    Row::new("21", "AnyTrue", SOURCE, aggregate::any_true),
    // §23 clinical
    Row::new("23", "ExpandValueSet", OPERAND, clinical::expand_value_set),
];

/// `MinValue`: its node has a type, no operands.
pub static MIN_VALUE: Operator = Row::new("16", "MinValue", &[], bounds::min_value);
/// `MaxValue`: its node has a type, no operands.
pub static MAX_VALUE: Operator = Row::new("16", "MaxValue", &[], bounds::max_value);
/// `InCodeSystem` and `AnyInCodeSystem`: the code system stands in the node as a reference.
pub static IN_CODE_SYSTEM: Operator = Row::new(
    "23",
    "InCodeSystem",
    CODE_AND_SYSTEM,
    clinical::in_code_system,
)
.when_empty(FalseOfNoCode);

/// The operator of this node.
pub fn operator(name: &str) -> Option<&'static Operator> {
    static BY_NAME: std::sync::LazyLock<rustc_hash::FxHashMap<&'static str, &'static Operator>> =
        std::sync::LazyLock::new(|| OPERATORS.iter().map(|row| (row.name, row)).collect());
    BY_NAME.get(name).copied()
}
