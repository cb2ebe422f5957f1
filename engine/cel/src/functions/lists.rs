//! Lists: how many, which one, the most.

use std::cmp::Ordering;

use crate::value::Val;

/// How many items; between two numbers where it cannot be told of some whether they are in the list.
pub(super) fn size<'r>(items: &[Val<'r>]) -> Val<'r> {
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
pub(crate) fn at<'r>(items: &[Val<'r>], position: i64) -> Val<'r> {
    let position = usize::try_from(position).unwrap_or(usize::MAX);
    let perhaps = items.iter().take(position.saturating_add(1));
    if let Some(reason) = perhaps.filter_map(|item| item.item().1).next() {
        return Val::Unknown(reason.clone());
    }
    let none = Val::unknown("the list has no item at this position");
    items.get(position).cloned().unwrap_or(none)
}

/// The greatest or the least number.
pub(super) fn most<'r>(items: &[Val<'r>], wanted: Ordering) -> Val<'r> {
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
