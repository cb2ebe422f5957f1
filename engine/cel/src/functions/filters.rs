//! Conditions on one resource, asked of one or of each of a list.

use std::sync::Arc;

use super::call::Call;
use crate::value::Val;

/// Of one resource whether it is so; of a list those that are. Of which it cannot be told may be in it.
pub(super) fn filters<'r>(call: &Call<'_, 'r>, holds: impl Fn(&Val<'r>) -> Val<'r>) -> Val<'r> {
    let items = match call.args.first() {
        Some(Val::List(items)) => items,
        Some(value) => return holds(value),
        None => return call.other_kind(),
    };
    let mut kept = Vec::with_capacity(items.len());
    for item in items.iter() {
        let (value, maybe) = item.item();
        let told = match value {
            // Of what is not known nothing else is, and so not whether it stays.
            Val::Unknown(_) => value.clone(),
            value => holds(value),
        };
        match (told, maybe) {
            (Val::Bool(false), _) => {}
            (Val::Unknown(reason), None) => {
                kept.push(Val::Maybe(Arc::new(value.clone()), reason));
            }
            _ => kept.push(item.clone()),
        }
    }
    Val::List(kept.into())
}
