//! Windows of time, by the day rule: see [`engine_patient::system::day_rule`].

use std::borrow::Cow;

use engine_patient::system::date_arithmetic::plus_in;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::day_rule::{is_after, is_before};
use engine_patient::system::zone::Zone;

use super::call::Call;
use super::dates::start_of;
use super::filters::filters;
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
         ago is outside, today is inside. Without a date, or with one too imprecise, it may be in it or \
         not.",
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
    let (at, zone) = (call.at(), call.zone());
    let Some(limit) = plus_in(at, length.negated(), zone) else {
        return Val::unknown("a date outside the years 1 to 9999");
    };
    filters(call, |value| {
        told(began(value).map(|start| {
            let late_enough = is_after(start, limit, zone);
            let seen = is_after(start, at, zone).map(|after| !after);
            match (late_enough, seen) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }
        }))
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
    by(call, |start, limit, zone| {
        is_after(start, limit, zone).map(|after| !after)
    })
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
