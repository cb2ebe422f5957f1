//! What is not known, and what it is taken for.

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
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
        doc: "The first value, or the second where nothing is known of the first. Says openly what missing \
         data is taken for. A list of which some items are only perhaps in it stays, and so does a number \
         that is known to lie between two: what they decide is known.",
        example: "orElse(patient.active, true)",
        gives: "true",
    },
    FunctionInfo {
        name: "doubtful",
        params: &[P::List],
        returns: R::First,
        code: doubtful,
        doc: "Of a list those items of which it cannot be told whether they are in it, for a card that names \
         them: `medications().doubtful()` are those that the patient may take. A filter leaves out what surely \
         is not so.",
        example: "Condition().filter(c, c.severity.text == \"severe\").doubtful().size()",
        gives: "1",
        ..PLAIN
    },
];

/// The items of which something is known, and not that they are in the list.
fn doubtful<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items)] = call.args else {
        return call.other_kind();
    };
    let perhaps = items.iter().filter_map(|item| match item {
        Val::Maybe(value, _) if !matches!(**value, Val::Unknown(_)) => Some((**value).clone()),
        _ => None,
    });
    Val::List(perhaps.collect())
}

/// How the reasons begin of what is asked of an empty list.
const NONE: &str = "there is none ";

fn is_unknown<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let value = call.args.first();
    Val::Bool(value.is_some_and(|v| v.why_unknown().is_some()))
}

fn or_else<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        // Of two that are unknown the reason that tells more: data that cannot be used, not data that is
        // not there.
        [first @ Val::Unknown(reason), Val::Unknown(_)] if !reason.starts_with(NONE) => {
            first.clone()
        }
        [first, second] if nothing_is_known(first) => second.clone(),
        [first, ..] => first.clone(),
        [] => call.other_kind(),
    }
}

/// Whether a value is unknown as a whole; a list, whether nobody could be asked for any of it.
fn nothing_is_known(value: &Val<'_>) -> bool {
    match value {
        Val::Unknown(_) => true,
        Val::List(items) => {
            let unasked = |item: &Val<'_>| matches!(item.item(), (Val::Unknown(_), Some(_)));
            !items.is_empty() && items.iter().all(unasked)
        }
        _ => false,
    }
}
