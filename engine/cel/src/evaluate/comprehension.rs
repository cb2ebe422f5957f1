//! `exists`, `all`, `filter`, `map` and `exists_one` over lists whose items may be unknown.

use std::borrow::Cow;
use std::sync::Arc;

use super::evaluation::{Evaluation, Locals};
use crate::nodes::{Comprehension, Fold, Node};
use crate::value::Val;

impl<'r> Evaluation<'r> {
    pub(super) fn fold(
        &self,
        fold: Fold,
        inner: &'r Comprehension,
        locals: &mut Locals<'r>,
    ) -> Val<'r> {
        // What is false of an item says nothing, but for `all`.
        let drugs = inner.drugs.as_ref().filter(|_| fold != Fold::All);
        let asked = match drugs {
            Some(drugs) => self.asked(&inner.range, drugs, locals),
            None => self.node(&inner.range, locals),
        };
        let range = match asked {
            Val::List(items) => items,
            other => return other,
        };
        let mut unknown = None;
        let mut kept = vec![];
        let mut sure = 0;
        for item in range.iter() {
            let (value, maybe) = item.item();
            self.set(locals, inner, value);
            let body = self.node(&inner.body, locals);
            // What an item says counts for as much as it is in the list.
            let told = match (fold, &body) {
                // What holds of it holds whether it is in the list or not.
                (Fold::All, Val::Bool(true)) => body,
                (Fold::All, Val::Bool(false)) | (_, Val::Bool(true)) => unless(body, maybe),
                _ => body,
            };
            match (fold, told) {
                (Fold::Exists, Val::Bool(true)) => return Val::Bool(true),
                (Fold::All, Val::Bool(false)) => return Val::Bool(false),
                (Fold::ExistsOne, Val::Bool(true)) => sure += 1,
                (Fold::Filter, Val::Bool(true)) => kept.push(value.clone()),
                (Fold::Filter, Val::Unknown(reason)) => {
                    kept.push(Val::Maybe(Arc::new(value.clone()), reason));
                }
                (_, Val::Bool(_)) => {}
                (_, other) => unknown = unknown.or(Some(other)),
            }
        }
        match (unknown, fold) {
            // Two that hold for sure are not one, whatever the others are.
            (Some(_), Fold::ExistsOne) if sure > 1 => Val::Bool(false),
            (_, Fold::Filter) => Val::List(kept.into()),
            (Some(unknown), _) => unknown,
            (None, Fold::Exists) => Val::Bool(false),
            (None, Fold::All) => Val::Bool(true),
            (None, Fold::ExistsOne) => Val::Bool(sure == 1),
        }
    }

    pub(super) fn map(
        &self,
        inner: &'r Comprehension,
        condition: Option<&'r Node>,
        locals: &mut Locals<'r>,
    ) -> Val<'r> {
        let range = match self.node(&inner.range, locals) {
            Val::List(items) => items,
            other => return other,
        };
        let mut out = Vec::with_capacity(range.len());
        for item in range.iter() {
            let (value, maybe) = item.item();
            self.set(locals, inner, value);
            let mut maybe = maybe.cloned();
            match condition.map(|c| self.node(c, locals)) {
                Some(Val::Bool(false)) => continue,
                Some(Val::Unknown(reason)) => maybe = maybe.or(Some(reason)),
                _ => {}
            }
            let value = self.node(&inner.body, locals);
            out.push(match maybe {
                Some(reason) => Val::Maybe(Arc::new(value), reason),
                None => value,
            });
        }
        Val::List(out.into())
    }

    /// Gives the variable of a comprehension its next value.
    fn set(&self, locals: &mut Locals<'r>, inner: &'r Comprehension, value: &Val<'r>) {
        match locals.get_mut(inner.slot) {
            Some(place) => *place = value.clone(),
            None => {
                self.broken(inner.range.span, "there is no place for its items");
            }
        }
    }
}

/// An outcome that holds only if the item is in the list.
pub(super) fn unless<'r>(outcome: Val<'r>, maybe: Option<&Cow<'r, str>>) -> Val<'r> {
    match maybe {
        Some(reason) => Val::Unknown(reason.clone()),
        None => outcome,
    }
}
