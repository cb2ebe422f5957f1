//! What an expression needs of a drug to be anything but false: so that the rows of a table, and the items
//! of a list, are looked up by drug instead of being asked one after the other.

use std::sync::Arc;

use crate::nodes::{Compiled, NamedDrugs, Node, NodeKind};
use crate::value::Val;

/// Of what an expression asks which drug it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The item of `for_each`.
    Item,
    /// The variable of a comprehension.
    Local(usize),
}

impl Compiled {
    /// The sets of which one must have the drug of the item of `for_each`, else the expression is false,
    /// whatever else is so. `None` where it may hold for any drug. `defines` are those that it was compiled
    /// with.
    pub fn drugs_of_item(&self, defines: &[Compiled]) -> Option<Vec<NamedDrugs>> {
        needed(&self.node, Asked::Item, defines)
    }
}

/// The same of a node, and of a drug that it asks for.
pub(crate) fn needed(node: &Node, asked: Asked, defines: &[Compiled]) -> Option<Vec<NamedDrugs>> {
    match &node.kind {
        // One that is false decides, whatever the others are, unknown ones too.
        NodeKind::And(terms) => {
            let mut all = terms.iter().filter_map(|t| needed(t, asked, defines));
            let first = all.next()?;
            Some(all.fold(first, |a, b| if b.len() < a.len() { b } else { a }))
        }
        NodeKind::Or(terms) => {
            let each = terms.iter().map(|t| needed(t, asked, defines));
            Some(each.collect::<Option<Vec<_>>>()?.concat())
        }
        // A definition knows the item and no variable.
        NodeKind::Define(index) if asked == Asked::Item => {
            needed(&defines.get(*index)?.node, asked, defines)
        }
        NodeKind::Call(function, args) if matches!(function.name, "isDrug" | "inDrugClass") => {
            let [of, drugs] = args.as_slice() else {
                return None;
            };
            let fits = match (&of.kind, asked) {
                (NodeKind::Item, Asked::Item) => true,
                (NodeKind::Local(slot), Asked::Local(own)) => *slot == own,
                _ => false,
            };
            let named = match &drugs.kind {
                NodeKind::Column(column) => NamedDrugs::Column(*column),
                NodeKind::Constant(Val::Drugs(set)) => NamedDrugs::Always(Arc::clone(set)),
                _ => return None,
            };
            fits.then(|| vec![named])
        }
        _ => None,
    }
}
