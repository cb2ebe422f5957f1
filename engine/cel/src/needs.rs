//! What an expression needs: data requirements of which each must find something, or the expression is
//! `false` whatever else the data says. From it a population run leaves out patients.
//!
//! Found for what is safe: over an empty list `exists` is false and `size` is 0, and one `false` decides
//! an `&&` whatever is unknown beside it. A filter or a map of an empty list is empty. What is not listed
//! here needs nothing.

use std::collections::BTreeSet;

use super::functions::{FunctionInfo, Role};
use super::nodes::{Compiled, Fold, Node, NodeKind};
use super::operators::Order;
use super::value::Val;

impl Compiled {
    /// The numbers of the data requirements, ascending. `definitions` are those of the checker, in the
    /// order of their calls.
    pub fn needs(&self, definitions: &[Compiled]) -> BTreeSet<usize> {
        let mut search = Search {
            definitions,
            seen: BTreeSet::new(),
            needs: BTreeSet::new(),
        };
        search.is(false, &self.node);
        search.needs
    }
}

struct Search<'c> {
    definitions: &'c [Compiled],
    /// Definitions that were looked at, and for what: once is enough.
    seen: BTreeSet<(usize, Option<bool>)>,
    needs: BTreeSet<usize>,
}

impl<'c> Search<'c> {
    /// Requirements without a match of one of which the expression has this value.
    fn is(&mut self, value: bool, node: &'c Node) {
        match &node.kind {
            NodeKind::And(terms) if !value => terms.iter().for_each(|term| self.is(false, term)),
            NodeKind::Or(terms) if value => terms.iter().for_each(|term| self.is(true, term)),
            NodeKind::Not(inner) => self.is(!value, inner),
            NodeKind::Define(index) => {
                if let Some(definition) = self.definition(*index, Some(value)) {
                    self.is(value, definition);
                }
            }
            NodeKind::Fold(Fold::Exists | Fold::ExistsOne, inner) if !value => {
                self.is_empty(&inner.range);
            }
            NodeKind::Fold(Fold::All, inner) if value => self.is_empty(&inner.range),
            NodeKind::Order(order, pair) => self.size(value, pair, |a, b| match order {
                Order::Less => a < b,
                Order::LessOrEqual => a <= b,
                Order::Greater => a > b,
                Order::GreaterOrEqual => a >= b,
            }),
            NodeKind::Equal(pair) => self.size(value, pair, |a, b| a == b),
            NodeKind::NotEqual(pair) => self.size(value, pair, |a, b| a != b),
            NodeKind::Call(info, args) if info.role == Role::Exists && !value => {
                args.iter().for_each(|list| self.is_empty(list));
            }
            NodeKind::Call(info, args) if info.role == Role::IsEmpty && value => {
                args.iter().for_each(|list| self.is_empty(list));
            }
            // What is known stays as it is.
            NodeKind::Call(
                FunctionInfo {
                    role: Role::OrElse, ..
                },
                args,
            ) => {
                if let Some(first) = args.first() {
                    self.is(value, first);
                }
            }
            _ => {}
        }
    }

    /// A comparison of how many items a list has with a number: its value where there are none.
    fn size(&mut self, value: bool, pair: &'c [Node; 2], compare: impl Fn(i64, i64) -> bool) {
        let [a, b] = pair;
        let (list, told) = match (&a.kind, &b.kind) {
            (size, NodeKind::Constant(Val::Int(n))) => (counted(size), compare(0, *n)),
            (NodeKind::Constant(Val::Int(n)), size) => (counted(size), compare(*n, 0)),
            _ => return,
        };
        if let Some(list) = list.filter(|_| told == value) {
            self.is_empty(list);
        }
    }

    /// Requirements without a match of one of which the list is empty.
    fn is_empty(&mut self, list: &'c Node) {
        match &list.kind {
            NodeKind::Retrieve(index) => {
                self.needs.insert(*index);
            }
            NodeKind::Define(index) => {
                if let Some(definition) = self.definition(*index, None) {
                    self.is_empty(definition);
                }
            }
            // Of a list: one resource is no list.
            NodeKind::Call(info, args) if matches!(info.role, Role::Filter | Role::During) => {
                if let Some(list) = args.first() {
                    self.is_empty(list);
                }
            }
            NodeKind::Fold(Fold::Filter, inner) | NodeKind::Map(inner, _) => {
                self.is_empty(&inner.range);
            }
            _ => {}
        }
    }

    fn definition(&mut self, index: usize, value: Option<bool>) -> Option<&'c Node> {
        let definition = self.definitions.get(index)?;
        self.seen.insert((index, value)).then_some(&definition.node)
    }
}

/// The list of `list.size()`.
fn counted(node: &NodeKind) -> Option<&Node> {
    match node {
        NodeKind::Call(
            FunctionInfo {
                role: Role::Size, ..
            },
            args,
        ) => args.first(),
        _ => None,
    }
}

#[cfg(test)]
#[path = "needs_tests.rs"]
mod tests;
