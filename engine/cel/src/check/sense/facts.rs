//! Reads of a condition what it says of its values.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::difference::difference;
use super::fact::{Allowed, Fact, Facts, Range};
use super::known::Known;
use super::origin::Origin;
use super::text::Text;
use super::trace::origin;
use crate::functions::{FunctionInfo, Role};
use crate::nodes::{Node, NodeKind};
use crate::operators::Order;
use crate::value::Val;

/// Most facts that are kept of a definition.
const MOST: usize = 64;

/// What a condition says.
pub fn facts(node: &Node, known: &dyn Known, scope: &[Origin], text: &Text) -> Facts {
    let one = |subject: Option<String>, allowed| match subject {
        Some(subject) => Facts {
            all: vec![Fact {
                subject,
                allowed,
                text: text.of(node.span),
                span: node.span,
            }],
            complete: true,
        },
        None => Facts::default(),
    };
    let of = |node: &Node| origin(node, known, scope);
    match &node.kind {
        NodeKind::And(terms) => {
            let mut together = Facts {
                all: vec![],
                complete: true,
            };
            for term in terms {
                let facts = facts(term, known, scope, text);
                together.complete &= facts.complete;
                together.all.extend(facts.all);
            }
            together.complete &= together.all.len() <= MOST;
            together.all.truncate(MOST);
            together
        }
        NodeKind::Not(inner) => {
            let inner = facts(inner, known, scope, text);
            match inner.all.as_slice() {
                [fact] if inner.complete => match fact.negated() {
                    Some(fact) => Facts {
                        all: vec![Fact {
                            text: text.of(node.span),
                            span: node.span,
                            ..fact
                        }],
                        complete: true,
                    },
                    None => Facts::default(),
                },
                _ => Facts::default(),
            }
        }
        NodeKind::Define(index) => {
            let mut facts = known.facts(*index).cloned().unwrap_or_default();
            facts.all.iter_mut().for_each(|fact| fact.span = node.span);
            facts
        }
        NodeKind::Order(order, pair) => {
            let [a, b] = &**pair;
            if let Some(limit) = number(b) {
                let of = of(a);
                return one(
                    of.same,
                    Allowed::Range(Range::of(*order, limit, true, of.count)),
                );
            }
            if let Some(limit) = number(a) {
                let of = of(b);
                let order = turned(*order);
                return one(
                    of.same,
                    Allowed::Range(Range::of(order, limit, true, of.count)),
                );
            }
            match difference(a, b, known, scope) {
                Some(between) => {
                    let order = if between.turned {
                        turned(*order)
                    } else {
                        *order
                    };
                    let range = between.range(order);
                    one(Some(between.subject), Allowed::Range(range))
                }
                None => Facts::default(),
            }
        }
        NodeKind::Equal(pair) | NodeKind::NotEqual(pair) => {
            let equal = matches!(node.kind, NodeKind::Equal(_));
            let [a, b] = &**pair;
            let (value, constant) = match &a.kind {
                NodeKind::Constant(_) => (b, a),
                _ => (a, b),
            };
            if let Some(written) = word(constant) {
                let texts = BTreeSet::from([written]);
                let allowed = match equal {
                    true => Allowed::OneOf(texts),
                    false => Allowed::NoneOf(texts),
                };
                return one(of(value).same, allowed);
            }
            match number(constant).filter(|_| equal) {
                Some(n) => {
                    let of = of(value);
                    let facts = one(of.same, Allowed::Range(Range::only(n, of.count)));
                    Facts {
                        complete: false,
                        ..facts
                    }
                }
                None => Facts::default(),
            }
        }
        NodeKind::In(pair) => {
            let [item, list] = &**pair;
            let NodeKind::List(items) = &list.kind else {
                return Facts::default();
            };
            let words: Option<BTreeSet<String>> = items.iter().map(word).collect();
            match words {
                Some(words) => one(of(item).same, Allowed::OneOf(words)),
                None => Facts::default(),
            }
        }
        NodeKind::Call(
            FunctionInfo {
                role: Role::IsFinal,
                ..
            },
            args,
        ) => {
            let codes = ["final", "amended", "corrected"].map(String::from);
            let status = args.first().and_then(|o| of(o).same);
            let status = status.map(|o| format!("{o}.status"));
            one(status, Allowed::OneOf(codes.into()))
        }
        _ => Facts::default(),
    }
}

fn number(node: &Node) -> Option<Decimal> {
    match &node.kind {
        NodeKind::Constant(value) => value.number(),
        _ => None,
    }
}

fn word(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Constant(Val::Str(text)) => Some(text.to_string()),
        _ => None,
    }
}

fn turned(order: Order) -> Order {
    match order {
        Order::Less => Order::Greater,
        Order::LessOrEqual => Order::GreaterOrEqual,
        Order::Greater => Order::Less,
        Order::GreaterOrEqual => Order::LessOrEqual,
    }
}
