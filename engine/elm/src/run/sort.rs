//! Sorting: the `sort` of a query, and `Sort`.

use std::cmp::Ordering;

use crate::context::cx::{Fault, Out};
use crate::context::known::same_one;
use crate::fhir::property::follow;
use crate::operators::compare::order;
use crate::operators::merge_sort::merge_sort;
use crate::run::eval::Evaluator;
use crate::tree::node::Node;
use crate::tree::query::{SortBy, SortKey};
use crate::values::value::Val;

/// Of two dates of which one is a part of the other, the whole comes first.
fn coarser_first(a: &Val<'_>, b: &Val<'_>) -> Ordering {
    match (a, b) {
        (Val::Date(a) | Val::DateTime(a), Val::Date(b) | Val::DateTime(b)) => {
            a.precision().cmp(&b.precision())
        }
        (Val::Time(a), Val::Time(b)) => a.precision.cmp(&b.precision),
        _ => Ordering::Equal,
    }
}

impl<'a> Evaluator<'a> {
    /// A list in order. What order it is in may be in doubt although what is in it is not.
    pub(crate) fn sorted(&mut self, source: &'a Node, keys: &'a [SortKey]) -> Out<'a> {
        let before = self.cx.take_doubt();
        let source = self.eval(source)?;
        let own = self.cx.take_doubt();
        let Val::List(items) = source else {
            // `sort` of null is null.
            self.cx.set_doubt(before.or(own));
            return Ok(Val::Null);
        };
        let mut items = items.to_vec();
        self.sort(&mut items, keys)?;
        let made = self.cx.list(&items)?;
        let order = self.cx.take_doubt();
        self.cx.set_doubt(before.or(own).or(order));
        if own.or(order).is_none() {
            return Ok(made);
        }
        let mut known = self.cx.known(&source, own);
        // Nothing that is asked of the items later on takes this back.
        if order.is_some() {
            known.perhaps = None;
        }
        self.cx.noted(made, known)
    }

    /// Stable; nulls first when ascending, as CQL has it. What cannot be compared stays in its order,
    /// and raises doubt: what is first or last of them is not certain.
    pub(crate) fn sort(
        &mut self,
        items: &mut Vec<Val<'a>>,
        keys: &'a [SortKey],
    ) -> Result<(), Fault> {
        let mut keyed = Vec::with_capacity(items.len());
        for item in items.iter() {
            let mut own = Vec::with_capacity(keys.len());
            for key in keys {
                own.push(match &key.by {
                    SortBy::Item => *item,
                    SortBy::Path(path) => follow(&self.cx, *item, path)?,
                    SortBy::Expression(slot, expression) => {
                        self.set(*slot, *item)?;
                        self.eval(expression)?
                    }
                });
            }
            keyed.push((own, *item));
        }
        self.cx.charge(items.len())?;
        let mut order: Vec<usize> = (0..keyed.len()).collect();
        merge_sort(&mut order, |a, b| {
            self.cx.charge(1)?;
            let (Some((a, one)), Some((b, other))) = (keyed.get(*a), keyed.get(*b)) else {
                return Err(Fault::bug("a row is sorted that is not there"));
            };
            let before = self.cx.doubt();
            let order = self.order_keys(a, b, keys)?;
            if same_one(one, other) {
                self.cx.set_doubt(before);
            }
            Ok(order == Ordering::Greater)
        })?;
        let sorted = order.iter().filter_map(|i| keyed.get(*i));
        *items = sorted.map(|(_, item)| *item).collect();
        Ok(())
    }

    fn order_keys(
        &self,
        a: &[Val<'a>],
        b: &[Val<'a>],
        keys: &[SortKey],
    ) -> Result<Ordering, Fault> {
        for ((a, b), key) in a.iter().zip(b).zip(keys) {
            let found = match (a.is_null(), b.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => match order(&self.cx, *a, *b)? {
                    Some(told) => told,
                    None => {
                        self.undecided(&[*a, *b]);
                        coarser_first(a, b)
                    }
                },
            };
            let found = if key.descending {
                found.reverse()
            } else {
                found
            };
            if found.is_ne() {
                return Ok(found);
            }
        }
        Ok(Ordering::Equal)
    }
}
