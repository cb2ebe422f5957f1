//! The parts that a node is made of.

use super::nodes::{Compiled, Node, NodeKind, Span};

impl Node {
    /// The nodes right below it, in the order of the text.
    pub(crate) fn parts(&self) -> Vec<&Node> {
        match &self.kind {
            NodeKind::Constant(_)
            | NodeKind::Wrong
            | NodeKind::Local(_)
            | NodeKind::Define(_)
            | NodeKind::Item
            | NodeKind::Column(_)
            | NodeKind::HasCell(_)
            | NodeKind::Hook
            | NodeKind::User
            | NodeKind::Patient
            | NodeKind::At
            | NodeKind::PeriodStart
            | NodeKind::PeriodEnd
            | NodeKind::Retrieve(_) => vec![],
            NodeKind::Select(select) | NodeKind::Has(select) => vec![&select.operand],
            NodeKind::Not(inner) | NodeKind::Negate(inner) => vec![inner],
            NodeKind::Conditional(parts) => parts.iter().collect(),
            NodeKind::Order(_, pair)
            | NodeKind::Equal(pair)
            | NodeKind::NotEqual(pair)
            | NodeKind::Arithmetic(_, _, pair)
            | NodeKind::In(pair)
            | NodeKind::Index(pair) => pair.iter().collect(),
            NodeKind::And(nodes)
            | NodeKind::Or(nodes)
            | NodeKind::List(nodes)
            | NodeKind::Call(_, nodes)
            | NodeKind::InValueSet(_, _, nodes) => nodes.iter().collect(),
            NodeKind::Fold(_, inner) => vec![&inner.range, &inner.body],
            NodeKind::Map(inner, condition) => {
                let condition = condition.as_deref().into_iter();
                let parts = std::iter::once(&inner.range).chain(condition);
                parts.chain([&inner.body]).collect()
            }
        }
    }
}

impl Compiled {
    /// The data requirements that it names, by their numbers, and where.
    pub fn retrieves(&self) -> Vec<(usize, Span)> {
        let (mut found, mut stack) = (vec![], vec![&self.node]);
        while let Some(node) = stack.pop() {
            if let NodeKind::Retrieve(index) = node.kind {
                found.push((index, node.span));
            }
            stack.extend(node.parts());
        }
        found.sort_unstable();
        found
    }

    /// The definitions that it names, by their numbers, each once.
    pub fn definitions(&self) -> Vec<usize> {
        let (mut found, mut stack) = (vec![], vec![&self.node]);
        while let Some(node) = stack.pop() {
            if let NodeKind::Define(index) = node.kind {
                found.push(index);
            }
            stack.extend(node.parts());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
