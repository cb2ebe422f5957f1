//! The conditions of an expression: every part of it that is true or false.

use super::functions::{FunctionInfo, Returns, Role};
use super::nodes::{Compiled, Fold, Node, NodeKind, Span};
use super::types::Ty;

/// A part of an expression that is true or false. Names of definitions that stand beside it, literals, and
/// `!x` beside its `x` are none: they have nothing of their own to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Condition {
    /// Its characters.
    pub span: Span,
    /// What [`engine_patient::outcomes_seen`] knows it by, as long as its expression is there.
    pub key: usize,
}

/// The address: a compiled expression does not move while it is evaluated.
pub(crate) fn key(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

impl Compiled {
    /// Its conditions, the whole before its parts. The first `shared` definitions are written elsewhere: their
    /// names are conditions where they are used.
    pub fn conditions(&self, shared: usize) -> Vec<Condition> {
        let mut found = vec![];
        gather(&self.node, self.ty == Ty::Bool, shared, &mut found);
        found
    }
}

/// `wanted`: whether it stands where true or false is wanted.
fn gather(node: &Node, wanted: bool, shared: usize, found: &mut Vec<Condition>) {
    let mut add = |is: bool| {
        if is {
            let key = key(node);
            found.push(Condition {
                span: node.span,
                key,
            });
        }
    };
    // Which of the parts stand where true or false is wanted.
    let parts: Vec<bool> = match &node.kind {
        NodeKind::And(terms) | NodeKind::Or(terms) => {
            add(true);
            vec![true; terms.len()]
        }
        NodeKind::Not(_) => vec![true],
        NodeKind::Conditional(_) => {
            add(wanted);
            vec![true, wanted, wanted]
        }
        NodeKind::Fold(fold, _) => {
            add(*fold != Fold::Filter);
            vec![false, true]
        }
        NodeKind::Map(_, Some(_)) => vec![false, true, false],
        NodeKind::Order(..)
        | NodeKind::Equal(_)
        | NodeKind::NotEqual(_)
        | NodeKind::In(_)
        | NodeKind::Has(_)
        | NodeKind::HasCell(_) => {
            add(true);
            vec![]
        }
        NodeKind::Call(row, args) if row.role == Role::OrElse => {
            add(wanted);
            vec![wanted; args.len()]
        }
        NodeKind::Call(row, _) | NodeKind::InValueSet(row, ..) => {
            add(wanted || gives_bool(row));
            vec![]
        }
        NodeKind::Select(_) | NodeKind::Index(_) | NodeKind::Item | NodeKind::Column(_) => {
            add(wanted);
            vec![]
        }
        NodeKind::Local(_) => {
            add(wanted);
            vec![]
        }
        NodeKind::Define(index) => {
            add(wanted && *index < shared);
            vec![]
        }
        _ => vec![],
    };
    for (number, part) in node.parts().into_iter().enumerate() {
        let wanted = parts.get(number).copied().unwrap_or(false);
        gather(part, wanted, shared, found);
    }
}

fn gives_bool(row: &FunctionInfo) -> bool {
    row.returns == Returns::Bool
}
