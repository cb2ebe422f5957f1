//! Through an expression, each part to the checks that look at it.

use super::look::Look;
use super::origin::Origin;
use super::{codes, constant, unit_kinds, units, value_sets};
use crate::functions::Role;
use crate::nodes::{Comprehension, Node, NodeKind};

/// Looks at an expression and all its parts.
pub fn look_at(look: &mut Look<'_>, node: &Node) {
    walk(look, node);
    unit_kinds::part(look, node);
}

fn walk(look: &mut Look<'_>, node: &Node) {
    match &node.kind {
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
        | NodeKind::PeriodEnd => {}
        NodeKind::Retrieve(index) => value_sets::retrieve(look, *index, node.span),
        NodeKind::Select(select) | NodeKind::Has(select) => walk(look, &select.operand),
        NodeKind::And(terms) => {
            all(look, terms);
            constant::and(look, terms);
        }
        NodeKind::Or(terms) => {
            alternatives(look, terms);
            constant::or(look, terms);
        }
        NodeKind::Not(inner) | NodeKind::Negate(inner) => walk(look, inner),
        NodeKind::Conditional(parts) => {
            let [condition, a, b] = &**parts;
            walk(look, condition);
            alternatives(look, [a, b]);
        }
        NodeKind::Order(order, pair) => {
            all(look, &**pair);
            units::together(look, pair);
            constant::order(look, node, *order, pair);
        }
        NodeKind::Equal(pair) | NodeKind::NotEqual(pair) => {
            let equal = matches!(node.kind, NodeKind::Equal(_));
            all(look, &**pair);
            units::together(look, pair);
            codes::equality(look, pair, equal);
            constant::equality(look, node, pair, equal);
        }
        NodeKind::Arithmetic(operation, _, pair) => {
            all(look, &**pair);
            if operation.keeps_units() {
                units::together(look, pair);
            }
        }
        NodeKind::In(pair) => {
            all(look, &**pair);
            codes::membership(look, pair);
        }
        NodeKind::Index(pair) => all(look, &**pair),
        NodeKind::List(items) => {
            all(look, items);
            items
                .array_windows()
                .for_each(|pair| units::together(look, pair));
        }
        NodeKind::Fold(_, inner) => comprehension(look, inner, None),
        NodeKind::Map(inner, condition) => comprehension(look, inner, condition.as_deref()),
        NodeKind::Call(function, args) => {
            match function.role {
                Role::OrElse => alternatives(look, args),
                _ => all(look, args),
            }
            match function.role {
                Role::QuantityIn | Role::ValueIn | Role::LatestValue | Role::ListValue => {
                    units::quantity_in(look, args);
                }
                Role::Filter => constant::window(look, node, args),
                Role::During => constant::during(look, node, args),
                Role::StartsWith | Role::EndsWith | Role::Contains => {
                    codes::part_of_text(look, function.role, args);
                }
                _ => {}
            }
        }
        NodeKind::InValueSet(function, set, args) => {
            all(look, args);
            value_sets::function(look, function.role, *set, args, node.span);
            if function.role == Role::ComponentValue {
                units::quantity_in(look, args);
            }
        }
    }
}

fn all<'n>(look: &mut Look<'_>, nodes: impl IntoIterator<Item = &'n Node>) {
    nodes.into_iter().for_each(|node| walk(look, node));
}

/// Parts of which another counts where one cannot be told.
fn alternatives<'n>(look: &mut Look<'_>, nodes: impl IntoIterator<Item = &'n Node>) {
    nodes.into_iter().for_each(|node| look_at(look, node));
}

fn comprehension(look: &mut Look<'_>, inner: &Comprehension, condition: Option<&Node>) {
    walk(look, &inner.range);
    let item = look.origin(&inner.range);
    let outer = look.scope.len();
    look.scope.resize(inner.slot, Origin::default());
    look.scope.push(item);
    condition.into_iter().for_each(|node| look_at(look, node));
    look_at(look, &inner.body);
    look.scope.truncate(outer.min(inner.slot));
}
