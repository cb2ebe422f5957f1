//! Which function it is, and what it makes of its arguments.

use std::cmp::Ordering;

use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_arithmetic::CalendarDuration;

use super::condition::active;
use super::dates::{during, extreme, moment};
use super::deceased::deceased;
use super::lists::{at, most, size};
use super::patient::age;
use super::quantity::quantity_in;
use super::row::Function;
use crate::value::Val;
use rust_decimal::prelude::ToPrimitive;

/// Whom it is about, and when.
pub(crate) struct Scene<'r> {
    pub(crate) record: &'r PatientRecord,
    pub(crate) context: &'r EvaluationContext,
}

/// The value of a call. An unknown argument makes it unknown, with its reason.
pub(crate) fn call<'r>(
    scene: &Scene<'_>,
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
    let zone = &scene.context.zone;
    match (function, first, rest) {
        (Function::Active, Val::Element(c), _) => active(c, scene.context.at, zone),
        (Function::AgeInYearsAt, Val::Time(at), _) => age(scene.record, at),
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
        (Function::Deceased, Val::Time(at), _) => deceased(scene.record, at, zone),
        (Function::Double, value, _) => value
            .number()
            .map_or(Val::unknown("not a number"), Val::Decimal),
        (Function::Int, value, _) => truncate(&value),
        (Function::String, value, _) => match value {
            Val::Int(i) => Val::Str(i.to_string().into()),
            Val::Decimal(d) => Val::Str(d.normalize().to_string().into()),
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

fn duration<'r>(n: i64, make: impl Fn(i32) -> Option<CalendarDuration>) -> Val<'r> {
    let made = i32::try_from(n).ok().and_then(make);
    made.map_or(Val::unknown("a duration too large"), Val::Duration)
}

fn truncate<'r>(value: &Val<'_>) -> Val<'r> {
    match value {
        Val::Int(i) => Val::Int(*i),
        Val::Decimal(d) => d
            .trunc()
            .to_i64()
            .map_or(Val::unknown("a number too large"), Val::Int),
        _ => Val::unknown("not a number"),
    }
}
