//! The functions of rules, beside CEL's operators and macros: one table names them all.

use super::row::{Function, FunctionInfo, Param, Returns};
use Param as P;
use Returns as R;

const fn row(
    name: &'static str,
    function: Function,
    params: &'static [Param],
    returns: Returns,
    example: &'static str,
    doc: &'static str,
) -> FunctionInfo {
    FunctionInfo {
        name,
        function,
        params,
        returns,
        doc,
        example,
    }
}

/// All functions, by name. Each can be called as `f(x, y)` or `x.f(y)`.
pub const FUNCTIONS: &[FunctionInfo] = &[
    row(
        "active",
        Function::Active,
        &[P::Element("Condition")],
        R::Bool,
        "Condition(\"diabetes\").exists(c, active(c) && start(c) <= at)",
        "Whether a Condition goes on: clinical status active, recurrence or relapse, no abatement at \
         or before the moment of evaluation, not refuted. Unknown without a clinical status and \
         without an abatement.",
    ),
    row(
        "ageInYearsAt",
        Function::AgeInYearsAt,
        &[P::Time],
        R::Int,
        "ageInYearsAt(at) >= 45",
        "The patient's completed years (CQL AgeInYearsAt); who was born on 29 February is a year \
         older on 28 February of a common year. Of who is born later, whole years before the birth: 0, \
         then -1 and so on; `patient.birthDate <= at` leaves them out. Unknown without a birth date. By a year or month of \
         birth it lies between two numbers: a comparison is unknown only where it depends on which.",
    ),
    row(
        "component",
        Function::Component,
        &[P::Element("Observation"), P::ValueSet],
        R::Components,
        "Observation(\"bp\").exists(o, component(o, \"systolic\").exists(c, quantityIn(c.value, \"mm[Hg]\") < 140))",
        "The components of an Observation whose code is in the value set. Empty where there are none.",
    ),
    row(
        "contains",
        Function::Contains,
        &[P::Text, P::Text],
        R::Bool,
        "Condition().exists(c, c.code.text.contains(\"fracture\"))",
        "Whether the first text contains the second.",
    ),
    row(
        "date",
        Function::Date,
        &[P::DateText],
        R::Time,
        "start(Encounter().latest()) >= date(\"2024-01-01\")",
        "A date or date-time, written as in FHIR.",
    ),
    row(
        "days",
        Function::Days,
        &[P::Int],
        R::Duration,
        "at - days(30)",
        "So many days.",
    ),
    row(
        "deceased",
        Function::Deceased,
        &[P::Time],
        R::Bool,
        "!deceased(period_start)",
        "Whether the patient was dead at a moment: at and after `deceasedDateTime`, at every moment with \
         `deceasedBoolean: true` alone. Not where nothing is recorded or it is `false`. Unknown without a \
         Patient, where the date is too imprecise, cannot be read, or contradicts the flag.",
    ),
    row(
        "double",
        Function::Double,
        &[P::Number],
        R::Double,
        "double(3)",
        "The number as a decimal number.",
    ),
    row(
        "during",
        Function::During,
        &[P::ListOfResources, P::Time, P::Time],
        R::First,
        "Observation(\"hba1c\").during(at - months(12), at).size() > 0",
        "The resources that began between two dates, both inclusive. A resource whose date is missing, \
         too imprecise or cannot be read may be one of them or not: what it would decide is unknown.",
    ),
    row(
        "earliest",
        Function::Earliest,
        &[P::ListOfResources],
        R::Item,
        "Encounter().earliest()",
        "The resource that began first; of several at the same moment the one with the lower id. \
         Unknown for an empty list, and where dates do not tell.",
    ),
    row(
        "end",
        Function::End,
        &[P::When],
        R::Time,
        "end(Encounter().latest())",
        "When a resource, Period or date ended (for a Condition: its abatement). Unknown where it is \
         not given or cannot be read.",
    ),
    row(
        "endsWith",
        Function::EndsWith,
        &[P::Text, P::Text],
        R::Bool,
        "patient.name.exists(n, n.family.endsWith(\"son\"))",
        "Whether the first text ends with the second.",
    ),
    row(
        "first",
        Function::First,
        &[P::List],
        R::Item,
        "patient.name.first().family",
        "The first item; unknown for an empty list.",
    ),
    row(
        "hours",
        Function::Hours,
        &[P::Int],
        R::Duration,
        "at - hours(24)",
        "So many hours.",
    ),
    row(
        "int",
        Function::Int,
        &[P::Number],
        R::Int,
        "int(3.7)",
        "The number without its fraction.",
    ),
    row(
        "inValueSet",
        Function::InValueSet,
        &[P::Concept, P::ValueSet],
        R::Bool,
        "Encounter().exists(e, inValueSet(e.type, \"visit\"))",
        "Whether a code is in the value set (CQL InValueSet).",
    ),
    row(
        "isFinal",
        Function::IsFinal,
        &[P::Element("Observation")],
        R::Bool,
        "Observation(\"hba1c\").filter(o, isFinal(o)).size() > 0",
        "Whether an Observation's status is final, amended or corrected. Unknown without a status.",
    ),
    row(
        "isUnknown",
        Function::IsUnknown,
        &[P::Any],
        R::Bool,
        "isUnknown(patient.birthDate)",
        "Whether the value cannot be told. Never unknown itself.",
    ),
    row(
        "latest",
        Function::Latest,
        &[P::ListOfResources],
        R::Item,
        "Observation(\"hba1c\").latest()",
        "The resource that began last; of several at the same moment the one with the higher id. \
         Unknown for an empty list, and where dates do not tell.",
    ),
    row(
        "max",
        Function::Max,
        &[P::ListOfNumbers],
        R::Item,
        "[1, 2].max()",
        "The greatest number; unknown for an empty list.",
    ),
    row(
        "min",
        Function::Min,
        &[P::ListOfNumbers],
        R::Item,
        "[1, 2].min()",
        "The least number; unknown for an empty list.",
    ),
    row(
        "months",
        Function::Months,
        &[P::Int],
        R::Duration,
        "at - months(12)",
        "So many calendar months; a day past the end of a month becomes its last day.",
    ),
    row(
        "orElse",
        Function::OrElse,
        &[P::Any, P::LikeFirst],
        R::First,
        "orElse(patient.active, true)",
        "The first value, or the second where the first is unknown. Says openly what missing data is \
         taken for.",
    ),
    row(
        "quantityIn",
        Function::QuantityIn,
        &[P::Quantity, P::Text],
        R::Double,
        "quantityIn(Observation(\"hba1c\").latest().value, \"%\") > 9.0",
        "The number of a Quantity in this UCUM unit, converted exactly where it is given in another. \
         Unknown where the value or the unit is missing, cannot be converted, or has a comparator such \
         as `<`.",
    ),
    row(
        "size",
        Function::Size,
        &[P::List],
        R::Int,
        "Encounter().size() > 2",
        "How many items. Of some it may be unknown whether they are in the list: a comparison is \
         unknown where it depends on them.",
    ),
    row(
        "start",
        Function::Start,
        &[P::When],
        R::Time,
        "start(Encounter().latest()) > at - days(30)",
        "When a resource, Period or date began: the clinically relevant time, such as `effective`, \
         `onset` or `period`. Unknown where it is not given or cannot be read.",
    ),
    row(
        "startsWith",
        Function::StartsWith,
        &[P::Text, P::Text],
        R::Bool,
        "patient.name.exists(n, n.family.startsWith(\"Mac\"))",
        "Whether the first text starts with the second.",
    ),
    row(
        "string",
        Function::String,
        &[P::NumberOrText],
        R::Text,
        "string(3)",
        "The number as text.",
    ),
    row(
        "weeks",
        Function::Weeks,
        &[P::Int],
        R::Duration,
        "at - weeks(6)",
        "So many weeks of seven days.",
    ),
    row(
        "years",
        Function::Years,
        &[P::Int],
        R::Duration,
        "at - years(10)",
        "So many calendar years; 29 February becomes 28 where it must.",
    ),
];

/// The row of a function.
pub fn find(name: &str) -> Option<&'static FunctionInfo> {
    FUNCTIONS.iter().find(|f| f.name == name)
}
