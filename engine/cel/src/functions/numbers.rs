//! Numbers.

use std::cmp::Ordering;

use engine_patient::system::decimal::{PLACES, round};
use rust_decimal::prelude::ToPrimitive;

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "round",
        params: &[P::Number, P::Int],
        returns: R::Double,
        code: rounded,
        role: Role::SameUnit,
        doc: "The number to so many places after the point, from the middle away from zero; 0 to 8 places.",
        example: "round(7.25, 1)",
        gives: "7.3",
        ..PLAIN
    },
    FunctionInfo {
        name: "double",
        params: &[P::Number],
        returns: R::Double,
        code: double,
        role: Role::SameUnit,
        doc: "The number as a decimal number.",
        example: "double(3)",
        gives: "3",
        ..PLAIN
    },
    FunctionInfo {
        name: "int",
        params: &[P::Number],
        returns: R::Int,
        code: int,
        role: Role::SameUnit,
        doc: "The number without its fraction.",
        example: "int(3.7)",
        gives: "3",
        ..PLAIN
    },
    FunctionInfo {
        name: "max",
        params: &[P::ListOfNumbers],
        returns: R::Item,
        code: max,
        role: Role::SameUnit,
        doc: "The greatest number; unknown for an empty list.",
        example: "[1, 2].max()",
        gives: "2",
        ..PLAIN
    },
    FunctionInfo {
        name: "min",
        params: &[P::ListOfNumbers],
        returns: R::Item,
        code: min,
        role: Role::SameUnit,
        doc: "The least number; unknown for an empty list.",
        example: "[1, 2].min()",
        gives: "1",
        ..PLAIN
    },
];

fn double<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let number = call.args.first().and_then(Val::number);
    number.map_or(Val::unknown("not a number"), Val::Decimal)
}

fn rounded<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [number, Val::Int(places)] = call.args else {
        return call.other_kind();
    };
    let places = u32::try_from(*places).ok().filter(|n| *n <= PLACES);
    match (number.number(), places) {
        (Some(number), Some(places)) => Val::Decimal(round(number, places)),
        (None, _) => Val::unknown("not a number"),
        (_, None) => Val::unknown("a number has 0 to 8 places"),
    }
}

fn int<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Int(i)] => Val::Int(*i),
        [Val::Decimal(d)] => d
            .trunc()
            .to_i64()
            .map_or(Val::unknown("a number too large"), Val::Int),
        _ => Val::unknown("not a number"),
    }
}

fn max<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    most(call, Ordering::Greater)
}

fn min<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    most(call, Ordering::Less)
}

/// The greatest or the least number.
fn most<'r>(call: &Call<'_, 'r>, wanted: Ordering) -> Val<'r> {
    let [Val::List(items)] = call.args else {
        return call.other_kind();
    };
    if let Some(reason) = items.iter().find_map(Val::why_unknown) {
        return Val::Unknown(reason.clone());
    }
    // The checker takes numbers only.
    let best = items.iter().reduce(|a, b| {
        let order = b.number().zip(a.number()).map(|(b, a)| b.cmp(&a));
        if order == Some(wanted) { b } else { a }
    });
    best.cloned().unwrap_or(Val::unknown("the list is empty"))
}
