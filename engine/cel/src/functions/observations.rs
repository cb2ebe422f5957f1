//! Values of Observations: of one, of the latest of several, of all of them.

use std::borrow::Cow;
use std::sync::LazyLock;

use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::{Name, choice_name};
use engine_patient::fhir::reading;
use engine_patient::record::Element;
use engine_patient::system::decimal::{add, divide, subtract};
use rust_decimal::Decimal;

use super::call::Call;
use super::codes::components;
use super::filters::filters;
use super::latest::last_ones;
use super::quantity::quantity_in;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::value::Val;

/// What has a `value[x]`.
const MEASURED: &[&str] = &["Observation", "Observation.Component"];

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "withResult",
        params: &[P::OneOrMany(&[
            "Observation",
            "DiagnosticReport",
            "Observation.Component",
        ])],
        returns: R::Filtered,
        code: with_result,
        role: Role::Filter,
        doc: "Of a list what has a result, of one resource whether it does: an Observation or a component \
         with a value, an Observation with a component that has one, a DiagnosticReport with results, a \
         conclusion or an attached document.",
        example: "Observation(\"hba1c\").completed().withResult().size()",
        gives: "3",
        ..PLAIN
    },
    FunctionInfo {
        name: "valueIn",
        params: &[P::Element("Observation"), P::Text],
        returns: R::Double,
        code: value_in,
        role: Role::ValueIn,
        doc: "The number of an Observation in this UCUM unit: `quantityIn(o.value, …)`.",
        example: "Observation(\"hba1c\").exists(o, valueIn(o, \"%\") > 9.0)",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "latestValue",
        params: &[P::ListOf(&["Observation"]), P::Text],
        returns: R::Double,
        code: latest_value,
        role: Role::LatestValue,
        doc: "The number of the Observation that began last, in this UCUM unit. Where it cannot be told \
         which of several is the last, as of one day without times, it lies between the least and the greatest of theirs: a comparison \
         is unknown only where it depends on which. Unknown for an empty list.",
        example: "Observation(\"hba1c\").latestValue(\"%\")",
        gives: "9.4",
        ..PLAIN
    },
    FunctionInfo {
        name: "lowest",
        params: &[P::ListOf(MEASURED), P::Text],
        returns: R::Double,
        code: lowest,
        role: Role::ListValue,
        doc: "The least of the numbers of Observations or of components, in this UCUM unit. Where it cannot be told of some \
         whether they are in the list, it lies between two numbers. Unknown for an empty list, and where \
         the number of one is.",
        example: "Observation(\"hba1c\").lowest(\"%\")",
        gives: "7",
        ..PLAIN
    },
    FunctionInfo {
        name: "highest",
        params: &[P::ListOf(MEASURED), P::Text],
        returns: R::Double,
        code: highest,
        role: Role::ListValue,
        doc: "The greatest of the numbers of Observations, in this UCUM unit; otherwise as `lowest`.",
        example: "Observation(\"hba1c\").inLast(years(1)).highest(\"%\")",
        gives: "9.4",
        ..PLAIN
    },
    FunctionInfo {
        name: "average",
        params: &[P::ListOf(MEASURED), P::Text],
        returns: R::Double,
        code: average,
        role: Role::ListValue,
        doc: "The mean of the numbers of Observations, in this UCUM unit. Unknown for an empty list, where \
         the number of one is, and where it cannot be told of one whether it is in the list.",
        example: "Observation(\"weight\").average(\"kg\")",
        gives: "81",
        ..PLAIN
    },
    FunctionInfo {
        name: "change",
        params: &[P::ListOf(&["Observation"]), P::Text],
        returns: R::Double,
        code: change,
        role: Role::ListValue,
        doc: "The number of the Observation that began last, less that of the one before it, in this UCUM \
         unit: below zero where it fell. Unknown with less than two, and where dates do not tell which two.",
        example: "Observation(\"weight\").change(\"kg\")",
        gives: "-2",
        ..PLAIN
    },
    FunctionInfo {
        name: "componentValue",
        params: &[P::Element("Observation"), P::ValueSet, P::Text],
        returns: R::Double,
        code: component_value,
        role: Role::ComponentValue,
        doc: "The number of an Observation's component whose code is in the value set, in this UCUM unit; \
         of several it lies between the least and the greatest. Unknown where there is none.",
        example: "componentValue(Observation(\"bp\").latest(), \"systolic\", \"mm[Hg]\")",
        gives: "150",
        ..PLAIN
    },
];

const NO_VALUE: &str = "`Observation.value` is missing";

/// The properties of `value[x]`, of an Observation and of its components.
static VALUES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    let element = Model::r4().element("Observation", "value");
    let types = element.map_or(&[][..], |e| &e.types);
    let names = types.iter().map(|ty| choice_name("value", ty));
    names.filter_map(|name| Name::of(&name)).collect()
});

/// The value of an Observation or of a component.
fn value_of<'r>(element: Element<'r>) -> Option<Element<'r>> {
    let mut names = VALUES.iter();
    names.find_map(|name| reading::present(element, *name))
}

/// Whether there is a value; one that is withheld is there.
fn has_value(element: Element<'_>) -> bool {
    let withheld = |name: &Name| reading::is_withheld(element, *name);
    value_of(element).is_some() || VALUES.iter().any(withheld)
}

fn with_result<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    filters(call, |value| {
        let Val::Element(element) = value else {
            return call.other_kind();
        };
        let any = |name: &str| {
            element
                .get_named(name)
                .is_some_and(|e| e.items().count() > 0)
        };
        let report = element
            .resource_type()
            .is_some_and(|ty| ty.as_str() == "DiagnosticReport");
        Val::Bool(match report {
            true => ["result", "conclusion", "conclusionCode", "presentedForm"]
                .into_iter()
                .any(any),
            false => {
                let parts = element.get_named("component");
                has_value(*element) || parts.is_some_and(|all| all.items().any(has_value))
            }
        })
    })
}

/// The number of an Observation in a unit.
pub(super) fn number_of<'r>(call: &Call<'_, '_>, observation: Element<'_>, unit: &str) -> Val<'r> {
    match value_of(observation) {
        Some(value) => quantity_in(call, value, unit),
        None => Val::unknown(NO_VALUE),
    }
}

fn value_in<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Element(observation), Val::Str(unit)] => number_of(call, *observation, unit),
        _ => call.other_kind(),
    }
}

fn latest_value<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items), Val::Str(unit)] = call.args else {
        return call.other_kind();
    };
    let last = match last_ones(items, call.zone()) {
        Ok(last) => last,
        Err(reason) => return Val::Unknown(reason),
    };
    let values = last.all.iter().map(|(o, _)| number_of(call, *o, unit));
    one_of(values, last.why)
}

/// One number of several; `why` says why not which.
pub(super) fn one_of<'r>(values: impl Iterator<Item = Val<'r>>, why: Cow<'r, str>) -> Val<'r> {
    let mut bounds: Option<(Decimal, Decimal)> = None;
    let mut bound = None;
    for value in values {
        let (low, high) = match (&value, value.number()) {
            (Val::Between(low, high, reason), _) => {
                bound = bound.or_else(|| Some(reason.clone()));
                (*low, *high)
            }
            (_, Some(number)) => (number, number),
            _ => return value,
        };
        let (least, most) = bounds.unwrap_or((low, high));
        bounds = Some((least.min(low), most.max(high)));
    }
    match bounds {
        Some((least, most)) if least == most => Val::Decimal(least),
        Some((least, most)) => Val::Between(least, most, bound.unwrap_or(why)),
        None => Val::unknown("there is none to take the value of"),
    }
}

fn lowest<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    extreme(call, Decimal::min)
}

fn highest<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    extreme(call, Decimal::max)
}

/// The least or the greatest: of those that are in the list, and of all. Of a number of which only bounds are
/// known it lies between the least or greatest of the lower and that of the upper ones.
fn extreme<'r>(call: &Call<'_, 'r>, better: fn(Decimal, Decimal) -> Decimal) -> Val<'r> {
    let [Val::List(items), Val::Str(unit)] = call.args else {
        return call.other_kind();
    };
    type Bounds = Option<(Decimal, Decimal)>;
    let (mut sure, mut all, mut why) = (None::<(Decimal, Decimal)>, None, None);
    for item in items.iter() {
        let (value, maybe) = item.item();
        let number = match value {
            Val::Element(observation) => number_of(call, *observation, unit),
            other => other.clone(),
        };
        let (low, high) = match (&number, number.number()) {
            (Val::Between(low, high, reason), _) => {
                why = why.or_else(|| Some(reason.clone()));
                (*low, *high)
            }
            (_, Some(number)) => (number, number),
            _ => return number,
        };
        let with = |so_far: Bounds| {
            let (l, h) = so_far.unwrap_or((low, high));
            Some((better(l, low), better(h, high)))
        };
        all = with(all);
        match maybe {
            None => sure = with(sure),
            reason => why = why.or(reason.cloned()),
        }
    }
    match (sure, all, why) {
        (Some(sure), Some(all), why) => {
            let (least, most) = (sure.0.min(all.0), sure.1.max(all.1));
            match (least == most, why) {
                (false, Some(why)) => Val::Between(least, most, why),
                _ => Val::Decimal(least),
            }
        }
        (None, _, Some(why)) => Val::Unknown(why),
        _ => Val::unknown("there is none to take the value of"),
    }
}

/// The numbers of all, in the order of the list; the first that cannot be told instead.
fn numbers<'r>(
    call: &Call<'_, 'r>,
    items: &[Val<'r>],
    unit: &str,
) -> Result<Vec<Decimal>, Val<'r>> {
    let number = |item: &Val<'r>| match item {
        Val::Element(observation) => {
            let value = number_of(call, *observation, unit);
            value.number().ok_or_else(|| no_number(value))
        }
        other => {
            let reason = other.why_unknown().cloned();
            Err(reason.map_or(Val::unknown("an Observation was expected"), Val::Unknown))
        }
    };
    items.iter().map(number).collect()
}

/// Why a value is no number; of a bound nothing is calculated.
fn no_number(value: Val<'_>) -> Val<'_> {
    match value {
        Val::Between(_, _, reason) => Val::Unknown(reason),
        value => value,
    }
}

fn average<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items), Val::Str(unit)] = call.args else {
        return call.other_kind();
    };
    let numbers = match numbers(call, items, unit) {
        Ok(numbers) => numbers,
        Err(unknown) => return unknown,
    };
    let mut all = numbers.iter().copied();
    let Some(first) = all.next() else {
        return Val::unknown("there is none to take the value of");
    };
    let sum = all.try_fold(first, add);
    let mean = sum.and_then(|sum| divide(sum, Decimal::from(numbers.len())));
    mean.map_or(Val::unknown("a number too large"), Val::Decimal)
}

fn change<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items), Val::Str(unit)] = call.args else {
        return call.other_kind();
    };
    if let Some(reason) = items.iter().find_map(Val::why_unknown) {
        return Val::Unknown(reason.clone());
    }
    // The last, and the last of the others.
    let mut rest: Vec<Val<'r>> = items.to_vec();
    let mut found = vec![];
    for _ in 0..2 {
        let last = match last_ones(&rest, call.zone()) {
            Ok(last) => last,
            Err(reason) => return Val::Unknown(reason),
        };
        let [(one, _)] = last.all.as_slice() else {
            return Val::Unknown(last.why);
        };
        let value = number_of(call, *one, unit);
        match value.number() {
            Some(number) => found.push(number),
            None => return no_number(value),
        }
        rest.retain(|item| !matches!(item, Val::Element(e) if e.index == one.index));
    }
    let [last, before] = found.as_slice() else {
        return call.other_kind();
    };
    subtract(*last, *before).map_or(Val::unknown("a number too large"), Val::Decimal)
}

fn component_value<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let ([Val::Element(observation), Val::Str(unit)], Some(set)) = (call.args, call.set) else {
        return match call.args.iter().find_map(Val::why_unknown) {
            Some(reason) => Val::Unknown(reason.clone()),
            None => call.other_kind(),
        };
    };
    let found = match components(*observation, set) {
        Val::List(found) => found,
        unknown => return unknown,
    };
    if found.is_empty() {
        return Val::unknown("an Observation has no such component");
    }
    let values = found.iter().map(|component| match component {
        Val::Element(component) => number_of(call, *component, unit),
        other => other.clone(),
    });
    one_of(values, "an Observation has several such components".into())
}
