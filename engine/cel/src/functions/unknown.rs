//! What is not known, and what it is taken for.

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "isUnknown",
        params: &[P::Any],
        returns: R::Bool,
        code: is_unknown,
        role: Role::IsUnknown,
        takes_unknown: true,
        doc: "Whether the value cannot be told. Never unknown itself.",
        example: "isUnknown(patient.birthDate)",
        gives: "false",
    },
    FunctionInfo {
        name: "orElse",
        params: &[P::Any, P::LikeFirst],
        returns: R::First,
        code: or_else,
        role: Role::OrElse,
        takes_unknown: true,
        doc: "The first value, or the second where the first is unknown. Says openly what missing data is \
         taken for.",
        example: "orElse(patient.active, true)",
        gives: "true",
    },
];

fn is_unknown<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let value = call.args.first();
    Val::Bool(value.is_some_and(|v| v.why_unknown().is_some()))
}

fn or_else<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [first, second] if first.why_unknown().is_some() => second.clone(),
        [first, ..] => first.clone(),
        [] => call.other_kind(),
    }
}
