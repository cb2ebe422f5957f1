//! What an expression needs: retrieves without a match of which it can neither be true nor hold
//! anything. From it a population run leaves out patients of whom nothing can hold.
//!
//! Found for patterns that are safe whatever else the logic does: over an empty list `exists` is
//! false, a query is empty, and `and` with a false side is false.

use std::collections::BTreeSet;

use super::node::{Kind, Node, OpFn};
use super::unit::{Expression, Unit};
use super::{clinical, compare, interval, list, logical};

/// Each group needs a match of one of its retrieves.
pub type Groups = Vec<BTreeSet<u32>>;

/// Deepest look into definitions and functions.
const DEPTH: u32 = 64;
/// Most groups kept of an expression: more would only filter a little more.
const GROUPS: usize = 8;

impl Unit {
    /// The retrieves (places in [`Unit::retrieves`]) that an expression needs a match of.
    pub fn decisive(&self, expression: Expression) -> Groups {
        let definition = self.definitions.get(expression.0 as usize);
        let mut groups = definition.map_or(vec![], |d| self.needs(&d.node, &[], 0));
        groups.sort();
        groups.dedup();
        groups
    }

    /// What any of several expressions needs.
    pub fn decisive_of_any(&self, expressions: impl Iterator<Item = Expression>) -> Groups {
        let mut all = expressions.map(|e| self.decisive(e));
        let first = all.next().unwrap_or_default();
        all.fold(first, either)
    }

    fn needs(&self, node: &Node, arguments: &[Groups], depth: u32) -> Groups {
        if depth > DEPTH {
            return vec![];
        }
        let of = |node: &Node| self.needs(node, arguments, depth + 1);
        let mut groups = match &node.kind {
            Kind::Retrieve(index) => vec![BTreeSet::from([*index])],
            Kind::Def(index) => match self.definitions.get(*index as usize) {
                // The arguments of a function mean nothing in a definition.
                Some(definition) => self.needs(&definition.node, &[], depth + 1),
                None => vec![],
            },
            Kind::Local(slot) => arguments.get(*slot as usize).cloned().unwrap_or_default(),
            Kind::Once(_, node) | Kind::As(node, _, _) | Kind::Property(node, _) => of(node),
            Kind::And(both) => {
                let [a, b] = &**both;
                all(of(a), of(b))
            }
            Kind::Or(both) => {
                let [a, b] = &**both;
                either(of(a), of(b))
            }
            Kind::Op(operator, args, _) => self.operator(*operator, args, &of),
            Kind::Call(function, args) => match self.functions.get(*function as usize) {
                Some(function) => {
                    let arguments: Vec<Groups> = args.iter().map(of).collect();
                    self.needs(&function.node, &arguments, depth + 1)
                }
                None => vec![],
            },
            Kind::Query(query) => {
                if query.aggregate.is_some() {
                    return vec![];
                }
                let mut groups = vec![];
                for source in &query.sources {
                    groups = all(groups, of(&source.expression));
                }
                for relationship in query.relationships.iter().filter(|r| !r.without) {
                    groups = all(groups, of(&relationship.expression));
                    groups = all(groups, of(&relationship.such_that));
                }
                match &query.condition {
                    Some(condition) => all(groups, of(condition)),
                    None => groups,
                }
            }
            Kind::InValueSet(code, _) => of(code),
            Kind::Filter(source, _, _) | Kind::Sort(source, _) => of(source),
            _ => vec![],
        };
        groups.truncate(GROUPS);
        groups
    }

    fn operator(&self, operator: OpFn, args: &[Node], of: &dyn Fn(&Node) -> Groups) -> Groups {
        let is = |other: OpFn| std::ptr::fn_addr_eq(operator, other);
        match args {
            // `x is not null`
            [inner] if is(logical::not) => match &inner.kind {
                Kind::Op(inner, args, _)
                    if std::ptr::fn_addr_eq(*inner, logical::is_null as OpFn) =>
                {
                    args.first().map_or(vec![], of)
                }
                _ => vec![],
            },
            [list]
                if is(list::exists)
                    || is(list::distinct)
                    || is(list::flatten)
                    || is(list::first)
                    || is(list::last)
                    || is(list::singleton_from)
                    || is(logical::is_true)
                    || is(interval::start)
                    || is(interval::end) =>
            {
                of(list)
            }
            [a, b] if is(list::union) => either(of(a), of(b)),
            [a, b] if is(list::intersect) => all(of(a), of(b)),
            [a, _] if is(list::except) => of(a),
            // Null where one side is null.
            [a, b]
                if is(compare::op_equal)
                    || is(compare::greater)
                    || is(compare::greater_or_equal)
                    || is(compare::less)
                    || is(compare::less_or_equal)
                    || is(interval::before)
                    || is(interval::after)
                    || is(interval::same_as)
                    || is(interval::same_or_before)
                    || is(interval::same_or_after)
                    || is(clinical::in_code_system) =>
            {
                all(of(a), of(b))
            }
            _ => vec![],
        }
    }
}

/// What is needed where both must hold.
fn all(mut a: Groups, b: Groups) -> Groups {
    a.extend(b);
    a
}

/// What is needed where one suffices: a match of a group of the one or of a group of the other. The
/// smallest groups say most.
fn either(a: Groups, b: Groups) -> Groups {
    let smallest = |groups: Groups| groups.into_iter().min_by_key(BTreeSet::len);
    match (smallest(a), smallest(b)) {
        (Some(mut a), Some(b)) => {
            a.extend(b);
            vec![a]
        }
        _ => vec![],
    }
}
