//! Operators and functions on values. An unknown operand makes the result unknown, with its reason.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use super::deceased::deceased;
use super::eval::Evaluation;
use super::functions::Function;
use super::node::{Arithmetic, Order};
use super::value::Val;
use engine_patient::fhir::clinical_time::{ClinicalTime, Unreadable, clinical_time, time_of};
use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{Reading, date_at};
use engine_patient::record::{Element, Kind};
use engine_patient::requirements::{concept_in, is_entered_in_error};
use engine_patient::system::compare::compare as compare_dates;
use engine_patient::system::date_arithmetic::{self, CalendarDuration};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::duration::years_between;
use engine_patient::system::zone::{UTC, Zone};
use engine_patient::systems;
use engine_patient::terminology::ValueSet;

const NOT_COMPARABLE: Val<'static> = Val::Unknown(std::borrow::Cow::Borrowed(
    "values of different kinds cannot be compared",
));

/// The reason two dates have no order.
const IMPRECISE: &str = "a date is too imprecise to compare";

fn compare(a: &Val<'_>, b: &Val<'_>, zone: &Zone) -> Result<Ordering, Val<'static>> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => Ok(a.cmp(b)),
        (Val::Str(a), Val::Str(b)) => Ok(a.cmp(b)),
        (Val::Bool(a), Val::Bool(b)) => Ok(a.cmp(b)),
        (Val::Time(a), Val::Time(b)) => {
            compare_dates(*a, *b, None, zone).ok_or(Val::unknown(IMPRECISE))
        }
        _ => {
            let numbers = a.number().zip(b.number());
            numbers
                .and_then(|(a, b)| a.partial_cmp(&b))
                .ok_or(NOT_COMPARABLE)
        }
    }
}

/// Whichever of the two is unknown.
fn known<'r>(a: Val<'r>, b: Val<'r>) -> Result<(Val<'r>, Val<'r>), Val<'r>> {
    match (a, b) {
        (Val::Between(_, _, reason), _) | (_, Val::Between(_, _, reason)) => {
            Err(Val::Unknown(reason))
        }
        (unknown @ Val::Unknown(_), _) | (_, unknown @ Val::Unknown(_)) => Err(unknown),
        pair => Ok(pair),
    }
}

/// The least and the most that a number can be, and why it is not one.
fn range<'v, 'r>(value: &'v Val<'r>) -> Option<(f64, f64, Option<&'v Cow<'r, str>>)> {
    match value {
        // Counts of items are small.
        #[expect(clippy::cast_precision_loss, reason = "documented above")]
        Val::Between(least, most, reason) => Some((*least as f64, *most as f64, Some(reason))),
        other => other.number().map(|n| (n, n, None)),
    }
}

/// A comparison with a number of which only bounds are known; `None` where both are known.
fn order_ranges<'r>(order: Order, a: &Val<'r>, b: &Val<'r>) -> Option<Val<'r>> {
    let ((a1, a2, a_why), (b1, b2, b_why)) = (range(a)?, range(b)?);
    let why = a_why.or(b_why)?;
    let (surely, surely_not) = match order {
        Order::Less => (a2 < b1, a1 >= b2),
        Order::LessOrEqual => (a2 <= b1, a1 > b2),
        Order::Greater => (a1 > b2, a2 <= b1),
        Order::GreaterOrEqual => (a1 >= b2, a2 < b1),
    };
    Some(match (surely, surely_not) {
        (true, _) => Val::Bool(true),
        (_, true) => Val::Bool(false),
        _ => Val::Unknown(why.clone()),
    })
}

pub(super) fn order<'r>(order: Order, a: Val<'r>, b: Val<'r>, zone: &Zone) -> Val<'r> {
    if let Some(told) = order_ranges(order, &a, &b) {
        return told;
    }
    let (a, b) = match known(a, b) {
        Ok(pair) => pair,
        Err(unknown) => return unknown,
    };
    if let (Val::Time(a), Val::Time(b)) = (&a, &b) {
        return order_times(order, *a, *b, zone).map_or(Val::unknown(IMPRECISE), Val::Bool);
    }
    match compare(&a, &b, zone) {
        Ok(found) => Val::Bool(match order {
            Order::Less => found.is_lt(),
            Order::LessOrEqual => found.is_le(),
            Order::Greater => found.is_gt(),
            Order::GreaterOrEqual => found.is_ge(),
        }),
        Err(unknown) => unknown,
    }
}

/// By the bounds of what each can stand for: a whole day is not after its own last millisecond.
pub(super) fn order_times(order: Order, a: DateTime, b: DateTime, zone: &Zone) -> Option<bool> {
    let less = |a: DateTime, b: DateTime| {
        if compare_dates(a, b, None, zone) == Some(Ordering::Equal) {
            return Some(false);
        }
        match (
            a.latest(zone) < b.earliest(zone),
            a.earliest(zone) >= b.latest(zone),
        ) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    };
    match order {
        Order::Less => less(a, b),
        Order::Greater => less(b, a),
        Order::LessOrEqual => less(b, a).map(|l| !l),
        Order::GreaterOrEqual => less(a, b).map(|l| !l),
    }
}

pub(super) fn equal<'r>(a: Val<'r>, b: Val<'r>, zone: &Zone) -> Val<'r> {
    if let (Some((a1, a2, a_why)), Some((b1, b2, b_why))) = (range(&a), range(&b))
        && a_why.or(b_why).is_some()
        && (a2 < b1 || b2 < a1)
    {
        return Val::Bool(false);
    }
    match known(a, b) {
        Ok((a, b)) => match compare(&a, &b, zone) {
            Ok(found) => Val::Bool(found.is_eq()),
            Err(unknown) => unknown,
        },
        Err(unknown) => unknown,
    }
}

pub(super) fn arithmetic<'r>(op: Arithmetic, a: Val<'r>, b: Val<'r>) -> Val<'r> {
    use Arithmetic::{Add, Divide, Modulo, Multiply, Subtract};
    let (a, b) = match known(a, b) {
        Ok(pair) => pair,
        Err(unknown) => return unknown,
    };
    match (op, a, b) {
        (_, Val::Int(a), Val::Int(b)) => {
            let value = match op {
                Add => a.checked_add(b),
                Subtract => a.checked_sub(b),
                Multiply => a.checked_mul(b),
                Divide => a.checked_div(b),
                Modulo => a.checked_rem(b),
            };
            value.map_or(
                Val::unknown("division by zero, or a number too large"),
                Val::Int,
            )
        }
        (Add, Val::Time(t), Val::Duration(d)) | (Add, Val::Duration(d), Val::Time(t)) => {
            shift(t, d)
        }
        (Subtract, Val::Time(t), Val::Duration(d)) => shift(t, d.negated()),
        (Add, Val::Duration(a), Val::Duration(b)) => Val::Duration(a.and(b)),
        (Subtract, Val::Duration(a), Val::Duration(b)) => Val::Duration(a.and(b.negated())),
        (Add, Val::Str(a), Val::Str(b)) => Val::Str((a.into_owned() + &b).into()),
        (Add, Val::List(a), Val::List(b)) => Val::List(a.iter().chain(b.iter()).cloned().collect()),
        (_, a, b) => {
            let Some((a, b)) = a.number().zip(b.number()) else {
                return Val::unknown("these values cannot be calculated with");
            };
            let value = match op {
                Add => a + b,
                Subtract => a - b,
                Multiply => a * b,
                Divide => a / b,
                Modulo => a % b,
            };
            if value.is_finite() {
                Val::Double(value)
            } else {
                Val::unknown("division by zero, or a number too large")
            }
        }
    }
}

fn shift<'r>(time: DateTime, by: CalendarDuration) -> Val<'r> {
    date_arithmetic::plus(time, by).map_or(
        Val::unknown("a date outside the years 1 to 9999"),
        Val::Time,
    )
}

pub(super) fn negate(value: Val<'_>) -> Val<'_> {
    match value {
        Val::Int(i) => i
            .checked_neg()
            .map_or(Val::unknown("a number too large"), Val::Int),
        Val::Double(d) => Val::Double(-d),
        Val::Duration(d) => Val::Duration(d.negated()),
        other => other,
    }
}

/// `inValueSet` and `component`.
pub(super) fn with_value_set<'r>(function: Function, value: Val<'r>, set: &ValueSet) -> Val<'r> {
    match value {
        Val::Element(element) if function == Function::Component => {
            let Some(components) = element.get_named("component") else {
                return Val::List(Arc::new([]));
            };
            let has_code = |c: &Element<'r>| {
                c.get_named("code")
                    .is_some_and(|code| concept_in(code, set))
            };
            let found: Vec<Val<'r>> = components
                .items()
                .filter(has_code)
                .map(Val::Element)
                .collect();
            if found.is_empty() {
                let codes = components.items().filter_map(|c| c.get_named("code"));
                let seen = systems::of_concepts(codes);
                let component = Name::of("Observation").map(|ty| (ty, "component.code"));
                let reason = component.and_then(|c| systems::mismatch(c, set, &seen));
                if let Some(reason) = reason {
                    return Val::Unknown(reason.into());
                }
            }
            Val::List(found.into())
        }
        Val::Element(element) => Val::Bool(concept_in(element, set)),
        Val::List(items) => {
            let mut unknown = None;
            for item in items.iter() {
                match item.item() {
                    (Val::Element(e), None) if concept_in(*e, set) => return Val::Bool(true),
                    (Val::Element(e), Some(reason)) if concept_in(*e, set) => {
                        unknown = unknown.or(Some(reason));
                    }
                    (Val::Unknown(reason), _) => unknown = unknown.or(Some(reason)),
                    _ => {}
                }
            }
            unknown.map_or(Val::Bool(false), |reason| Val::Unknown(reason.clone()))
        }
        Val::Unknown(reason) | Val::Between(_, _, reason) => Val::Unknown(reason),
        _ => Val::unknown("a code was expected"),
    }
}

pub(super) fn call<'r>(
    evaluation: &Evaluation<'r>,
    function: Function,
    first: Val<'r>,
    rest: &[Val<'r>],
) -> Val<'r> {
    match function {
        Function::IsUnknown => return Val::Bool(first.why_unknown().is_some()),
        Function::OrElse => {
            return match first.why_unknown() {
                Some(_) => rest.first().cloned().unwrap_or(first),
                None => first,
            };
        }
        _ => {}
    }
    let unknown = std::iter::once(&first).chain(rest).find_map(|v| match v {
        Val::Unknown(reason) | Val::Between(_, _, reason) => Some(reason),
        _ => None,
    });
    if let Some(reason) = unknown {
        return Val::Unknown(reason.clone());
    }
    let zone = &evaluation.context.zone;
    match (function, first, rest) {
        (Function::Active, Val::Element(c), _) => active(c, evaluation.context.at, zone),
        (Function::AgeInYearsAt, Val::Time(at), _) => age(evaluation, at),
        (Function::Contains, Val::Str(a), [Val::Str(b)]) => Val::Bool(a.contains(b.as_ref())),
        (Function::StartsWith, Val::Str(a), [Val::Str(b)]) => Val::Bool(a.starts_with(b.as_ref())),
        (Function::EndsWith, Val::Str(a), [Val::Str(b)]) => Val::Bool(a.ends_with(b.as_ref())),
        (Function::Days, Val::Int(n), _) => duration(n, |n| CalendarDuration::days(n).into()),
        (Function::Weeks, Val::Int(n), _) => {
            duration(n, |n| n.checked_mul(7).map(CalendarDuration::days))
        }
        (Function::Months, Val::Int(n), _) => duration(n, |n| CalendarDuration::months(n).into()),
        (Function::Years, Val::Int(n), _) => {
            duration(n, |n| n.checked_mul(12).map(CalendarDuration::months))
        }
        (Function::Hours, Val::Int(n), _) => duration(n, |n| {
            Some(CalendarDuration::millis(i64::from(n) * 3_600_000))
        }),
        (Function::Deceased, Val::Time(at), _) => deceased(evaluation.record, at, zone),
        (Function::Double, value, _) => value
            .number()
            .map_or(Val::unknown("not a number"), Val::Double),
        (Function::Int, value, _) => truncate(&value),
        (Function::String, value, _) => match value {
            Val::Int(i) => Val::Str(i.to_string().into()),
            Val::Double(d) => Val::Str(d.to_string().into()),
            other => other,
        },
        (Function::During, Val::List(items), [Val::Time(from), Val::Time(to)]) => {
            during(&items, *from, *to, zone)
        }
        (Function::Earliest, Val::List(items), _) => extreme(&items, Ordering::Less, zone),
        (Function::Latest, Val::List(items), _) => extreme(&items, Ordering::Greater, zone),
        (Function::Start, value, _) => moment(value, true),
        (Function::End, value, _) => moment(value, false),
        (Function::First, Val::List(items), _) => match items.first() {
            Some(_) => at(&items, 0),
            None => Val::unknown("the list is empty"),
        },
        (Function::IsFinal, Val::Element(o), _) => match o.get_named("status") {
            Some(status) if status.as_str().is_none() => {
                Val::unknown("`Observation.status` cannot be read")
            }
            Some(status) => Val::Bool(
                ["final", "amended", "corrected"]
                    .iter()
                    .any(|s| status.is_str(s)),
            ),
            None => Val::unknown("`Observation.status` is missing"),
        },
        (Function::Max, Val::List(items), _) => most(&items, Ordering::Greater),
        (Function::Min, Val::List(items), _) => most(&items, Ordering::Less),
        (Function::QuantityIn, Val::Element(q), [Val::Str(unit)]) => quantity_in(q, unit),
        (Function::QuantityIn, ..) => Val::unknown("the value is no quantity"),
        (Function::Size, Val::List(items), _) => size(&items),
        _ => Val::unknown("a function was given a value of another kind"),
    }
}

/// How many items; between two numbers where it cannot be told of some whether they are in the list.
fn size<'r>(items: &[Val<'r>]) -> Val<'r> {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut perhaps = items.iter().filter_map(|item| item.item().1);
    match perhaps.next() {
        Some(reason) => {
            let sure = items.len() - 1 - perhaps.count();
            Val::Between(count(sure), count(items.len()), reason.clone())
        }
        None => Val::Int(count(items.len())),
    }
}

/// The item at a position: unknown where one before it may not be in the list.
pub(super) fn at<'r>(items: &[Val<'r>], position: i64) -> Val<'r> {
    let position = usize::try_from(position).unwrap_or(usize::MAX);
    let perhaps = items.iter().take(position.saturating_add(1));
    if let Some(reason) = perhaps.filter_map(|item| item.item().1).next() {
        return Val::Unknown(reason.clone());
    }
    let none = Val::unknown("the list has no item at this position");
    items.get(position).cloned().unwrap_or(none)
}

fn duration<'r>(n: i64, make: impl Fn(i32) -> Option<CalendarDuration>) -> Val<'r> {
    let made = i32::try_from(n).ok().and_then(make);
    made.map_or(Val::unknown("a duration too large"), Val::Duration)
}

fn truncate<'r>(value: &Val<'_>) -> Val<'r> {
    match value {
        Val::Int(i) => Val::Int(*i),
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        Val::Double(d) if d.abs() < 9e15 => Val::Int(*d as i64),
        _ => Val::unknown("a number too large"),
    }
}

fn most<'r>(items: &[Val<'r>], wanted: Ordering) -> Val<'r> {
    if let Some(reason) = items.iter().find_map(Val::why_unknown) {
        return Val::Unknown(reason.clone());
    }
    let best = items.iter().reduce(|a, b| match compare(b, a, &UTC) {
        Ok(order) if order == wanted => b,
        _ => a,
    });
    best.cloned().unwrap_or(Val::unknown("the list is empty"))
}

/// Whether a Condition goes on at this moment.
fn active<'r>(condition: Element<'_>, at: DateTime, zone: &Zone) -> Val<'r> {
    if is_entered_in_error(condition) || status_is(condition, "verificationStatus", &["refuted"]) {
        return Val::Bool(false);
    }
    if status_is(
        condition,
        "clinicalStatus",
        &["inactive", "remission", "resolved"],
    ) {
        return Val::Bool(false);
    }
    let time = clinical_time("Condition", condition);
    if let Some(element) = time.unreadable_end {
        return Val::Unknown(format!("`Condition.{element}` cannot be read").into());
    }
    match time.end.map(|end| compare_dates(end, at, None, zone)) {
        Some(Some(Ordering::Less | Ordering::Equal)) => return Val::Bool(false),
        Some(None) => return Val::unknown("`Condition.abatement` is too imprecise"),
        _ => {}
    }
    if status_is(
        condition,
        "clinicalStatus",
        &["active", "recurrence", "relapse"],
    ) {
        return Val::Bool(true);
    }
    Val::unknown("`Condition.clinicalStatus` is missing")
}

fn status_is(resource: Element<'_>, element: &str, codes: &[&str]) -> bool {
    let codings = resource.path(&[element, "coding"]);
    codings.is_some_and(|all| {
        let mut all = all.items().filter_map(|c| c.get_named("code"));
        all.any(|code| codes.iter().any(|wanted| code.is_str(wanted)))
    })
}

fn age<'r>(evaluation: &Evaluation<'r>, at: DateTime) -> Val<'r> {
    let Some(patient) = evaluation.record.patient() else {
        return Val::unknown("no Patient resource was given");
    };
    let name = Name::of("birthDate");
    let born = match name.map_or(Reading::Absent, |name| date_at(patient, name, "date")) {
        Reading::Value(born) => born,
        Reading::Absent => return Val::unknown("`Patient.birthDate` is missing"),
        Reading::Unreadable => return Val::unknown("`Patient.birthDate` cannot be read"),
    };
    let years = years_between(born, at);
    years.map_or(
        Val::unknown("`Patient.birthDate` is too imprecise"),
        Val::Int,
    )
}

/// When an element of whatever kind began and ended.
fn times(element: Element<'_>) -> ClinicalTime {
    match element.resource_type() {
        Some(ty) => clinical_time(ty.as_str(), element),
        None => time_of(element),
    }
}

fn moment(value: Val<'_>, start: bool) -> Val<'_> {
    match value {
        Val::Element(element) => {
            let part = if start {
                start_of(element)
            } else {
                end_of(element)
            };
            part.map_or_else(Val::Unknown, Val::Time)
        }
        Val::Time(time) => Val::Time(time),
        _ => Val::unknown("this value has no date"),
    }
}

/// When an element began, or why that cannot be told.
fn start_of<'r>(element: Element<'_>) -> Result<DateTime, Cow<'r, str>> {
    let time = times(element);
    let missing = "the date of a resource is missing";
    time.start
        .ok_or_else(|| why(element, time.unreadable_start, missing))
}

/// When it ended, or why that cannot be told.
fn end_of<'r>(element: Element<'_>) -> Result<DateTime, Cow<'r, str>> {
    let time = times(element);
    let missing = "the end date of a resource is missing";
    time.end
        .ok_or_else(|| why(element, time.unreadable_end, missing))
}

/// What is there and cannot be read is named with its resource type.
fn why<'r>(
    element: Element<'_>,
    unreadable: Option<Unreadable>,
    missing: &'static str,
) -> Cow<'r, str> {
    match (unreadable, element.resource_type()) {
        (Some(part), Some(ty)) => format!("`{}.{part}` cannot be read", ty.as_str()).into(),
        (Some(part), None) => format!("`{part}` cannot be read").into(),
        (None, _) => missing.into(),
    }
}

fn during<'r>(items: &[Val<'r>], from: DateTime, to: DateTime, zone: &Zone) -> Val<'r> {
    let mut kept = vec![];
    for item in items {
        let (value, _) = item.item();
        let Val::Element(element) = value else {
            // Of a resource that is not known the date is not either.
            kept.extend(
                value
                    .why_unknown()
                    .map(|reason| Val::Unknown(reason.clone())),
            );
            continue;
        };
        let perhaps = |reason| Val::Maybe(Arc::new(value.clone()), reason);
        let start = match start_of(*element) {
            Ok(start) => start,
            Err(reason) => {
                kept.push(perhaps(reason));
                continue;
            }
        };
        let (after, before) = (
            compare_dates(start, from, None, zone),
            compare_dates(start, to, None, zone),
        );
        match (after.map(Ordering::is_ge), before.map(Ordering::is_le)) {
            (Some(false), _) | (_, Some(false)) => {}
            (Some(true), Some(true)) => kept.push(item.clone()),
            _ => kept.push(perhaps(IMPRECISE.into())),
        }
    }
    Val::List(kept.into())
}

/// The resource that began last (`Greater`) or first (`Less`).
fn extreme<'r>(items: &[Val<'r>], wanted: Ordering, zone: &Zone) -> Val<'r> {
    let mut best: Option<(Element<'r>, DateTime, &Val<'r>)> = None;
    let mut dated = vec![];
    for item in items {
        let (value, _) = item.item();
        let Val::Element(element) = value else {
            if let Some(reason) = value.why_unknown() {
                return Val::Unknown(reason.clone());
            }
            continue;
        };
        let start = match start_of(*element) {
            Ok(start) => start,
            Err(reason) => return Val::Unknown(reason),
        };
        dated.push(start);
        let better = match best {
            None => true,
            Some((other, time, _)) => {
                // By the first instant they can stand for; whether that is certain is asked below.
                let by_time = start.earliest(zone).cmp(&time.earliest(zone));
                let by_id = || element.get_str("id").cmp(&other.get_str("id"));
                by_time.then_with(by_id) == wanted
            }
        };
        if better {
            best = Some((*element, start, item));
        }
    }
    let Some((element, time, item)) = best else {
        return Val::unknown("there is none to take the date of");
    };
    // Of a resource that may not be in the list: it would be the one.
    if let (_, Some(reason)) = item.item() {
        return Val::Unknown(reason.clone());
    }
    let certain = |other: &DateTime| matches!(compare_dates(time, *other, None, zone), Some(o) if o == wanted || o.is_eq());
    if dated.iter().all(certain) {
        Val::Element(element)
    } else {
        Val::unknown(IMPRECISE)
    }
}

fn quantity_in<'r>(quantity: Element<'_>, unit: &str) -> Val<'r> {
    if quantity.kind() != Kind::Object || quantity.get_named("coding").is_some() {
        return Val::unknown("the value is no quantity");
    }
    if quantity.get_named("comparator").is_some() {
        return Val::unknown("the value is only a bound (`comparator`)");
    }
    let Some(value) = quantity.get_named("value").and_then(|v| v.as_f64()) else {
        return Val::unknown("the quantity has no number");
    };
    let ucum = quantity
        .get_named("system")
        .is_some_and(|s| s.is_str("http://unitsofmeasure.org"));
    match quantity.get_named("code") {
        Some(code) if ucum && code.is_str(unit) => Val::Double(value),
        Some(_) if ucum => Val::unknown("the quantity is in another unit"),
        _ => Val::unknown("the quantity has no UCUM unit"),
    }
}
