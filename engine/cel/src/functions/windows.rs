//! Windows of time, by the day rule: see [`engine_patient::system::day_rule`].

use std::borrow::Cow;

use engine_patient::now::Begun;
use engine_patient::system::date_arithmetic::plus_in;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::day_rule::{is_after, is_before};
use engine_patient::system::zone::Zone;

use super::call::Call;
use super::filters::filters;
use super::moments::start_of;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::operators::IMPRECISE;
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "inLast",
        params: &[P::WhenOrMany, P::Duration],
        returns: R::Filtered,
        code: in_last,
        role: Role::Filter,
        doc: "Of a list what began so long before the moment of evaluation or later, and not after it; of \
         one resource or date whether it did. A date without a time counts by the day: exactly ten years \
         ago is outside, today is inside. In a call, what has happened by its status counts where it is dated less \
         than 15 minutes ahead, and may be in it or not where it is dated later. Without a date, or with one too \
         imprecise, it may be in it or not.",
        example: "Procedure(\"colonoscopy\").completed().inLast(years(10))",
        gives: "1 [Procedure/colonoscopy-2]",
        ..PLAIN
    },
    FunctionInfo {
        name: "since",
        params: &[P::WhenOrMany, P::Time],
        returns: R::Filtered,
        code: since,
        role: Role::Filter,
        doc: "Of a list what began at this date or later; of one resource or date whether it did. By the \
         day where the times do not tell: the day of the date is inside.",
        example: "Encounter().since(date(\"2024-01-01\")).size()",
        gives: "1",
        ..PLAIN
    },
    FunctionInfo {
        name: "before",
        params: &[P::WhenOrMany, P::Time],
        returns: R::Filtered,
        code: before,
        role: Role::Filter,
        doc: "Of a list what began before this date; of one resource or date whether it did. By the day \
         where the times do not tell: the day of the date is outside.",
        example: "Observation(\"hba1c\").before(date(\"2025-08-01\")).size()",
        gives: "2",
        ..PLAIN
    },
    FunctionInfo {
        name: "asOf",
        params: &[P::WhenOrMany, P::Time],
        returns: R::Filtered,
        code: as_of,
        role: Role::Filter,
        doc: "Of a list what began at this date or earlier: what is later is not known yet. Of one \
         resource or date whether it did. By the day where the times do not tell: the day of the date is \
         inside.",
        example: "Observation(\"hba1c\").asOf(at).size()",
        gives: "3",
        ..PLAIN
    },
];

fn in_last<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [_, Val::Duration(length)] = call.args else {
        return call.other_kind();
    };
    let zone = call.zone();
    let Some(limit) = plus_in(call.at(), length.negated(), zone) else {
        return Val::unknown("a date outside the years 1 to 9999");
    };
    filters(call, |value| {
        let start = match began(value) {
            Ok(start) => start,
            Err(reason) => return Val::Unknown(reason),
        };
        match (is_after(start, limit, zone), has_begun(call, value, start)) {
            (Some(false), _) | (_, Ok(Some(false))) => Val::Bool(false),
            (Some(true), Ok(Some(true))) => Val::Bool(true),
            (Some(true), Err(reason)) => Val::Unknown(reason),
            _ => Val::unknown(IMPRECISE),
        }
    })
}

fn since<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    by(call, |start, limit, zone| {
        is_before(start, limit, zone).map(|before| !before)
    })
}

fn before<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    by(call, is_before)
}

fn as_of<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [_, Val::Time(limit)] = call.args else {
        return call.other_kind();
    };
    if *limit != call.at() {
        return by(call, |start, limit, zone| {
            is_after(start, limit, zone).map(|after| !after)
        });
    }
    filters(call, |value| {
        let start = began(value);
        told(start.and_then(|start| has_begun(call, value, start)))
    })
}

/// Whether something has begun by the moment of evaluation; `None` where its date is too imprecise.
///
/// # Errors
/// What has happened by its status, and is dated ahead of a call by more than clocks differ.
pub(super) fn has_begun<'r>(
    call: &Call<'_, 'r>,
    value: &Val<'r>,
    start: DateTime,
) -> Result<Option<bool>, Cow<'r, str>> {
    let now = call.now();
    match is_after(start, now.at, now.zone) {
        Some(true) if has_happened(value) => match now.begun(start) {
            Begun::Yes => Ok(Some(true)),
            Begun::NotYet => Ok(Some(false)),
            Begun::Ahead => Err(AHEAD.into()),
        },
        after => Ok(after.map(|after| !after)),
    }
}

const AHEAD: &str = "the date of a resource lies in the future";

/// What a status says that is to come, or came to nothing.
const TO_COME: [&str; 13] = [
    "booked",
    "cancelled",
    "draft",
    "entered-in-error",
    "intended",
    "not-done",
    "pending",
    "planned",
    "preparation",
    "proposed",
    "registered",
    "scheduled",
    "waitlist",
];

/// Whether a resource is of something that was: nothing that is planned, and no mere date.
fn has_happened(value: &Val<'_>) -> bool {
    let Val::Element(resource) = value else {
        return false;
    };
    let status = resource.get_named("status");
    resource.resource_type().is_some()
        && !status.is_some_and(|status| TO_COME.iter().any(|code| status.is_str(code)))
}

fn by<'r>(
    call: &Call<'_, 'r>,
    compare: impl Fn(DateTime, DateTime, &Zone) -> Option<bool>,
) -> Val<'r> {
    let [_, Val::Time(limit)] = call.args else {
        return call.other_kind();
    };
    filters(call, |value| {
        told(began(value).map(|start| compare(start, *limit, call.zone())))
    })
}

/// When a resource began; a date itself.
fn began<'r>(value: &Val<'r>) -> Result<DateTime, Cow<'r, str>> {
    match value {
        Val::Element(element) => start_of(*element),
        Val::Time(time) => Ok(*time),
        _ => Err("this value has no date".into()),
    }
}

fn told<'r>(outcome: Result<Option<bool>, Cow<'r, str>>) -> Val<'r> {
    match outcome {
        Ok(Some(told)) => Val::Bool(told),
        Ok(None) => Val::unknown(IMPRECISE),
        Err(reason) => Val::Unknown(reason),
    }
}
