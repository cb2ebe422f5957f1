//! Conditions that have one outcome for every patient: warnings, since a condition that holds may be what is
//! wanted for an expression by itself. A rule has no use for one.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use engine_patient::finding::Code;
use rust_decimal::Decimal;

use super::difference::{difference, duration};
use super::fact::{Allowed, Fact};
use super::facts::facts;
use super::look::Look;
use crate::nodes::{Node, NodeKind};
use crate::operators::Order;
use crate::value::Val;

/// A comparison by order.
pub fn order(look: &mut Look<'_>, node: &Node, order: Order, [a, b]: &[Node; 2]) {
    let both = (constant(a), constant(b));
    let told = match both {
        (Some(a), Some(b)) => compared(a, b),
        _ => difference(a, b, look.known, &look.scope).and_then(|d| d.order()),
    };
    if let Some(told) = told {
        let holds = match order {
            Order::Less => told == Ordering::Less,
            Order::LessOrEqual => told != Ordering::Greater,
            Order::Greater => told == Ordering::Greater,
            Order::GreaterOrEqual => told != Ordering::Less,
        };
        return outcome(
            look,
            node,
            holds,
            "both sides are the same for every patient",
        );
    }
    alone(look, node);
}

/// `==` and `!=`
pub fn equality(look: &mut Look<'_>, node: &Node, [a, b]: &[Node; 2], equal: bool) {
    if let (Some(x), Some(y)) = (constant(a), constant(b)) {
        if let Some(order) = compared(x, y) {
            let holds = (order == Ordering::Equal) == equal;
            outcome(look, node, holds, "both sides are written out");
        }
        return;
    }
    let (first, second) = (look.origin(a).same, look.origin(b).same);
    if first.is_some() && first == second {
        return outcome(look, node, equal, "both sides are the same");
    }
    alone(look, node);
}

fn constant(node: &Node) -> Option<&Val<'static>> {
    match &node.kind {
        NodeKind::Constant(value) => Some(value),
        _ => None,
    }
}

fn compared(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    match (a, b) {
        (Val::Str(a), Val::Str(b)) => Some(a.cmp(b)),
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        _ => Some(a.number()?.cmp(&b.number()?)),
    }
}

/// A comparison whose value is of a kind that decides it: a count is never negative.
fn alone(look: &mut Look<'_>, node: &Node) {
    let facts = facts(node, look.known, &look.scope, look.text);
    for fact in &facts.all {
        if fact.is_never() {
            outcome(look, node, false, "a count is a whole number from 0 on");
        } else if fact.is_always() {
            outcome(look, node, true, "a count is never negative");
        }
    }
}

fn outcome(look: &mut Look<'_>, node: &Node, holds: bool, why: &str) {
    let text = look.text.of(node.span);
    let (code, word) = match holds {
        true => (Code::AlwaysHolds, "always holds"),
        false => (Code::NeverHolds, "never holds"),
    };
    let message = format!("`{text}` {word}: {why}");
    let help = "compare an element of the patient's data with a value it can have".to_owned();
    look.warning(code, message, node.span, Some(help));
}

/// Terms that are to hold together.
pub fn and(look: &mut Look<'_>, terms: &[Node]) {
    for term in terms {
        if let Some(Val::Bool(false)) = constant(term) {
            let message = "with `false` among its terms this never holds".to_owned();
            look.warning(
                Code::NeverHolds,
                message,
                term.span,
                Some("remove it".into()),
            );
        }
    }
    let facts: Vec<Fact> = terms
        .iter()
        .flat_map(|term| facts(term, look.known, &look.scope, look.text).all)
        // What holds for nobody by itself was told where it stands.
        .filter(|fact| !fact.is_never())
        .collect();
    if let Some((one, other)) = apart(&facts) {
        let message = format!(
            "`{}` never holds together with `{}`: no value is both",
            other.text, one.text
        );
        let help = "write `||` where one of them is enough, or correct a limit".to_owned();
        look.warning(Code::NeverHolds, message, other.span, Some(help));
    }
}

/// Terms of which one is enough.
pub fn or(look: &mut Look<'_>, terms: &[Node]) {
    for term in terms {
        if let Some(Val::Bool(true)) = constant(term) {
            let message = "with `true` among its terms this always holds".to_owned();
            look.warning(
                Code::AlwaysHolds,
                message,
                term.span,
                Some("remove it".into()),
            );
        }
    }
    let single = |term: &Node| {
        let facts = facts(term, look.known, &look.scope, look.text);
        let complete = facts.complete;
        match <[Fact; 1]>::try_from(facts.all) {
            Ok([fact]) if complete && !fact.is_always() => fact.negated(),
            _ => None,
        }
    };
    let negated: Vec<Fact> = terms.iter().filter_map(single).collect();
    if let Some((one, other)) = apart(&negated) {
        let message = format!(
            "`{}` or `{}` always holds: every value is one of both",
            one.text, other.text
        );
        let help = "write `&&` where both are meant, or correct a limit".to_owned();
        look.warning(Code::AlwaysHolds, message, other.span, Some(help));
    }
}

/// The first two that no value meets together, or that with those between leave none.
fn apart(facts: &[Fact]) -> Option<(&Fact, &Fact)> {
    // What the facts so far leave of each value: numbers, and texts.
    let mut left: BTreeMap<(&str, bool), Allowed> = BTreeMap::new();
    for (number, fact) in facts.iter().enumerate() {
        let subject = (fact.subject.as_str(), fact.allowed.is_range());
        match left.entry(subject) {
            Entry::Vacant(free) => {
                free.insert(fact.allowed.clone());
            }
            Entry::Occupied(mut taken) => {
                taken.get_mut().narrow(&fact.allowed);
                if taken.get().is_empty() {
                    let before = facts.get(..number).unwrap_or_default();
                    return beside(before, fact).map(|other| (other, fact));
                }
            }
        }
    }
    None
}

/// The one beside which another never holds; where none is so alone, the one with which nothing is left.
fn beside<'f>(before: &'f [Fact], fact: &Fact) -> Option<&'f Fact> {
    let about = || before.iter().filter(|other| other.subject == fact.subject);
    let narrowed = |mut allowed: Allowed, other: &Fact| {
        allowed.narrow(&other.allowed);
        allowed
    };
    let alone = |other: &&Fact| narrowed(fact.allowed.clone(), other).is_empty();
    let mut left = fact.allowed.clone();
    let mut last = |other: &&Fact| {
        left.narrow(&other.allowed);
        left.is_empty()
    };
    about()
        .find(alone)
        .or_else(|| about().find(|other| last(other)))
}

/// `inLast(list, length)`
pub fn window(look: &mut Look<'_>, node: &Node, args: &[Node]) {
    let Some(length) = args.get(1) else { return };
    if duration(length).is_some_and(|(days, _)| days <= Decimal::ZERO) {
        let text = look.text.of(length.span);
        let message = format!(
            "of the last `{text}` is nothing: it goes back from `at` by a length above zero"
        );
        let help = "write how far back, as in `inLast(months(12))`".to_owned();
        look.warning(Code::NeverHolds, message, node.span, Some(help));
    }
}

/// `during(list, from, to)`
pub fn during(look: &mut Look<'_>, node: &Node, args: &[Node]) {
    let [_, from, to] = args else { return };
    let told = difference(from, to, look.known, &look.scope).and_then(|d| d.order());
    if told == Some(Ordering::Greater) {
        let (text, to) = (look.text.of(from.span), look.text.of(to.span));
        let message = format!("`{text}` is after `{to}`: nothing lies between them");
        let help = format!("write the earlier date first: `during({to}, {text})`");
        look.warning(Code::NeverHolds, message, node.span, Some(help));
    }
}
