//! Dates: when resources began and ended, durations.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use engine_patient::record::Element;
use engine_patient::system::compare::compare;
use engine_patient::system::date_arithmetic::CalendarDuration;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::duration::{Moment, Unit, difference};

use super::call::Call;
use super::moments::{end_of, start_of};
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use super::windows::has_begun;
use crate::operators::IMPRECISE;
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "daysBetween",
        params: &[P::When, P::When],
        returns: R::Int,
        code: days_between,
        doc: "How many midnights lie between when the first began and when the second did; below zero where \
         the second is earlier. Of dates known to the month or year it lies between two numbers.",
        example: "daysBetween(Observation(\"hba1c\").earliest(), date(\"2025-08-01\"))",
        gives: "547",
        ..PLAIN
    },
    FunctionInfo {
        name: "date",
        params: &[P::DateText],
        returns: R::Time,
        code: date,
        role: Role::Date,
        doc: "A date or date-time, written as in FHIR.",
        example: "start(Encounter().latest()) >= date(\"2024-01-01\")",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "days",
        params: &[P::Int],
        returns: R::Duration,
        code: days,
        role: Role::Days,
        doc: "So many days.",
        example: "at - days(30)",
        gives: "2025-12-01T12:00:00Z",
        ..PLAIN
    },
    FunctionInfo {
        name: "weeks",
        params: &[P::Int],
        returns: R::Duration,
        code: weeks,
        role: Role::Weeks,
        doc: "So many weeks of seven days.",
        example: "at - weeks(6)",
        gives: "2025-11-19T12:00:00Z",
        ..PLAIN
    },
    FunctionInfo {
        name: "hours",
        params: &[P::Int],
        returns: R::Duration,
        code: hours,
        doc: "So many hours.",
        example: "at - hours(24)",
        gives: "2025-12-30T12:00:00Z",
        ..PLAIN
    },
    FunctionInfo {
        name: "months",
        params: &[P::Int],
        returns: R::Duration,
        code: months,
        role: Role::Months,
        doc: "So many calendar months; a day past the end of a month becomes its last day.",
        example: "at - months(12)",
        gives: "2024-12-31T12:00:00Z",
        ..PLAIN
    },
    FunctionInfo {
        name: "years",
        params: &[P::Int],
        returns: R::Duration,
        code: years,
        role: Role::Years,
        doc: "So many calendar years; 29 February becomes 28 where it must.",
        example: "at - years(10)",
        gives: "2015-12-31T12:00:00Z",
        ..PLAIN
    },
    FunctionInfo {
        name: "start",
        params: &[P::When],
        returns: R::Time,
        code: start,
        doc: "When a resource, Period or date began: the clinically relevant time, such as `effective`, \
         `onset` or `period`. Unknown where it is not given or cannot be read.",
        example: "start(Encounter().latest()) > at - days(30)",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "end",
        params: &[P::When],
        returns: R::Time,
        code: end,
        doc: "When a resource, Period or date ended (for a Condition: its abatement). Unknown where it is \
         not given or cannot be read.",
        example: "end(Encounter().latest())",
        gives: "2024-02-01T09:20:00Z",
        ..PLAIN
    },
    FunctionInfo {
        name: "month",
        params: &[P::When],
        returns: R::Int,
        code: month,
        doc: "The month of the year, 1 to 12, of a date, or of when a resource or Period began; as it is written, \
         in the time zone of its own (that of the run for `at`). Unknown where only the year is known.",
        example: "month(at) in [10, 11, 12, 1, 2, 3]",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "during",
        params: &[P::ListOfResources, P::Time, P::Time],
        returns: R::First,
        code: during,
        role: Role::During,
        doc: "The resources that began between two dates, both inclusive. A resource whose date is missing, \
         too imprecise or cannot be read may be one of them or not: what it would decide is unknown.",
        example: "Observation(\"hba1c\").during(at - months(12), at).size() > 0",
        gives: "true",
        ..PLAIN
    },
];

fn start<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    moment(call, start_of)
}

fn end<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    moment(call, end_of)
}

/// The checker puts the date itself in its place.
fn date<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    call.args
        .first()
        .cloned()
        .unwrap_or_else(|| call.other_kind())
}

fn days_between<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let began = |value: &Val<'r>| match value {
        Val::Element(element) => start_of(*element),
        Val::Time(time) => Ok(*time),
        _ => Err("this value has no date".into()),
    };
    let [a, b] = call.args else {
        return call.other_kind();
    };
    let (a, b) = match (began(a), began(b)) {
        (Ok(a), Ok(b)) => (Moment::DateTime(a), Moment::DateTime(b)),
        (Err(reason), _) | (_, Err(reason)) => return Val::Unknown(reason),
    };
    match difference(a, b, Unit::Of(Precision::Day), call.zone()) {
        Some((least, most)) if least == most => Val::Int(least),
        Some((least, most)) => Val::Between(least.into(), most.into(), IMPRECISE.into()),
        None => call.other_kind(),
    }
}

/// As CQL's `month from`.
fn month<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match moment(call, start_of) {
        Val::Time(time) if time.precision() >= Precision::Month => {
            Val::Int(i64::from(time.civil().1))
        }
        Val::Time(_) => Val::unknown("of a date only the year is known"),
        unknown => unknown,
    }
}

fn days<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    duration(call, |n| CalendarDuration::days(n).into())
}

fn weeks<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    duration(call, |n| n.checked_mul(7).map(CalendarDuration::days))
}

fn months<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    duration(call, |n| CalendarDuration::months(n).into())
}

fn years<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    duration(call, |n| n.checked_mul(12).map(CalendarDuration::months))
}

fn hours<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    duration(call, |n| {
        Some(CalendarDuration::millis(i64::from(n) * 3_600_000))
    })
}

fn duration<'r>(call: &Call<'_, 'r>, make: impl Fn(i32) -> Option<CalendarDuration>) -> Val<'r> {
    let [Val::Int(n)] = call.args else {
        return call.other_kind();
    };
    let made = i32::try_from(*n).ok().and_then(make);
    made.map_or(Val::unknown("a duration too large"), Val::Duration)
}

fn moment<'r>(
    call: &Call<'_, 'r>,
    of: impl Fn(Element<'r>) -> Result<DateTime, Cow<'r, str>>,
) -> Val<'r> {
    match call.args {
        [Val::Element(element)] => of(*element).map_or_else(Val::Unknown, Val::Time),
        [Val::Time(time)] => Val::Time(*time),
        _ => Val::unknown("this value has no date"),
    }
}

fn during<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items), Val::Time(from), Val::Time(to)] = call.args else {
        return call.other_kind();
    };
    let (from, to, zone) = (*from, *to, call.zone());
    let mut kept = vec![];
    for item in items.iter() {
        let (value, _) = item.item();
        let Val::Element(element) = value else {
            // Of what is not known the date is not either: it may be one of them or not.
            if let Some(reason) = value.why_unknown() {
                kept.push(Val::Maybe(Arc::new(value.clone()), reason.clone()));
            }
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
        let after = compare(start, from, None, zone).map(Ordering::is_ge);
        let before = compare(start, to, None, zone).map(Ordering::is_le);
        // Up to now is what has begun, and clocks differ.
        let before = match before {
            Some(false) if to == call.at() && after == Some(true) => {
                match has_begun(call, value, start) {
                    Ok(begun) => begun,
                    Err(reason) => {
                        kept.push(perhaps(reason));
                        continue;
                    }
                }
            }
            before => before,
        };
        match (after, before) {
            (Some(false), _) | (_, Some(false)) => {}
            (Some(true), Some(true)) => kept.push(item.clone()),
            _ => kept.push(perhaps(IMPRECISE.into())),
        }
    }
    Val::List(kept.into())
}
