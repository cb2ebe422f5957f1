//! Lists: whether there is one, how many, which of them.

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "exists",
        params: &[P::List],
        returns: R::Bool,
        code: exists,
        role: Role::Exists,
        doc: "Whether there is one. Unknown where it cannot be told of any whether it is in the list, and \
         of one at least whether it is not. With a variable and a condition, `list.exists(x, …)`, whether \
         there is one of which that holds.",
        example: "Procedure(\"colonoscopy\").completed().inLast(years(10)).exists()",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "isEmpty",
        params: &[P::List],
        returns: R::Bool,
        code: is_empty,
        role: Role::IsEmpty,
        doc: "Whether there is none: the opposite of `exists()`.",
        example: "Encounter().inLast(months(6)).isEmpty()",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "first",
        params: &[P::List],
        returns: R::Item,
        code: first,
        role: Role::Item,
        doc: "The first item; unknown for an empty list.",
        example: "patient.name.first().family",
        gives: "Macdonald",
        ..PLAIN
    },
    FunctionInfo {
        name: "size",
        params: &[P::List],
        returns: R::Int,
        code: size,
        role: Role::Size,
        doc: "How many items. Of some it may be unknown whether they are in the list: a comparison is \
         unknown where it depends on them.",
        example: "Encounter().size() > 2",
        gives: "false",
        ..PLAIN
    },
];

/// How many items; between two numbers where it cannot be told of some whether they are in the list.
fn size<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items)] = call.args else {
        return call.other_kind();
    };
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut perhaps = items.iter().filter_map(|item| item.item().1);
    let Some(reason) = perhaps.next() else {
        return Val::Int(count(items.len()));
    };
    let sure = items.len() - 1 - perhaps.count();
    // What is not here may be any number of them.
    let is_open =
        |item: &Val<'_>| matches!(item, Val::Maybe(v, _) if matches!(**v, Val::Unknown(_)));
    let most = match items.iter().any(is_open) {
        true => i64::MAX,
        false => count(items.len()),
    };
    Val::Between(count(sure).into(), most.into(), reason.clone())
}

fn exists<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items)] = call.args else {
        return call.other_kind();
    };
    let mut perhaps = None;
    for item in items.iter() {
        match item.why_unknown() {
            None => return Val::Bool(true),
            reason => perhaps = perhaps.or(reason),
        }
    }
    perhaps.map_or(Val::Bool(false), |reason| Val::Unknown(reason.clone()))
}

fn is_empty<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match exists(call) {
        Val::Bool(exists) => Val::Bool(!exists),
        unknown => unknown,
    }
}

fn first<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::List(items)] if items.is_empty() => Val::unknown("the list is empty"),
        [Val::List(items)] => item_at(items, 0),
        _ => call.other_kind(),
    }
}

/// The item at a position: unknown where one before it may not be in the list.
pub(crate) fn item_at<'r>(items: &[Val<'r>], position: i64) -> Val<'r> {
    let position = usize::try_from(position).unwrap_or(usize::MAX);
    let perhaps = items.iter().take(position.saturating_add(1));
    if let Some(reason) = perhaps.filter_map(|item| item.item().1).next() {
        return Val::Unknown(reason.clone());
    }
    let none = Val::unknown("the list has no item at this position");
    items.get(position).cloned().unwrap_or(none)
}
