//! Of `exists` and the like: which items failed which part of the condition.

use engine_patient::describe::described;

use super::evaluate::Evaluation;
use super::explain::{ITEMS, Tried, told, truth_of, written};
use super::nodes::{Comprehension, Node, NodeKind};
use super::value::Val;
use engine_patient::system::truth::Truth;

impl<'r> Evaluation<'r> {
    /// What the items came to, the latest first, and of how many that is not told.
    pub(crate) fn tried(
        &self,
        inner: &'r Comprehension,
        source: &[char],
        locals: &mut Vec<Val<'r>>,
    ) -> (Vec<Tried>, usize) {
        let Val::List(items) = self.node(&inner.range, locals) else {
            return (vec![], 0);
        };
        let mut items: Vec<&Val<'r>> = items.iter().collect();
        // A stable sort: what has no date stays where it is, at the end.
        items.sort_by_cached_key(|item| std::cmp::Reverse(date(item)));
        let mut all = vec![];
        for item in items.iter().take(ITEMS) {
            let (value, maybe) = item.item();
            if let Some(place) = locals.get_mut(inner.slot) {
                *place = value.clone();
            }
            let outcome = self.node(&inner.body, locals);
            let decided = self.decided(&inner.body, locals);
            let (truth, reason) = truth_of(&self.node(decided, locals));
            let mut because = format!("{} is {truth}", written(source, decided.span));
            let values = self.compared(decided, source, locals);
            if let Some(reason) = reason {
                because.push_str(&format!(": {reason}"));
            } else if !values.is_empty() {
                because.push_str(&format!(": {}", values.join(", ")));
            }
            if let Some(maybe) = maybe {
                because.push_str(&format!("; whether it is in the list is unknown: {maybe}"));
            }
            all.push(Tried {
                item: told(value),
                truth: truth_of(&outcome).0,
                because,
            });
        }
        (all, items.len().saturating_sub(ITEMS))
    }

    /// The items that a step of a chain leaves out, or perhaps leaves out: `.inLast(months(3))`.
    pub(crate) fn left_out(
        &self,
        node: &'r Node,
        args: &'r [Node],
        kept: &Val<'r>,
        source: &[char],
        locals: &mut Vec<Val<'r>>,
    ) -> (Vec<Tried>, usize) {
        let (Some(first), Val::List(kept)) = (args.first(), kept) else {
            return (vec![], 0);
        };
        let Val::List(items) = self.node(first, locals) else {
            return (vec![], 0);
        };
        let step = written(source, (first.span.1, node.span.1));
        // Of `active(list)` the step is written before its list.
        let step = match step.starts_with('.') {
            true => step,
            false => written(source, node.span),
        };
        let mut out: Vec<(Option<String>, Tried)> = vec![];
        for item in items.iter() {
            let now = kept.iter().find(|other| is_same(other, item));
            let (truth, because) = match now.map(Val::item) {
                None => (Truth::False, format!("left out by {step}")),
                // It was doubtful before, and is told there.
                Some((_, Some(_))) if item.item().1.is_some() => continue,
                Some((_, Some(reason))) => {
                    (Truth::Unknown, format!("{step} cannot be told: {reason}"))
                }
                Some((_, None)) => continue,
            };
            let tried = Tried {
                item: told(item.item().0),
                truth,
                because,
            };
            out.push((date(item), tried));
        }
        out.sort_by(|a, b| b.0.cmp(&a.0));
        let more = out.len().saturating_sub(ITEMS);
        let told = out.into_iter().take(ITEMS).map(|(_, tried)| tried);
        (told.collect(), more)
    }

    /// The part that made a condition what it is: of `a && b` that is false the first that is false.
    fn decided(&self, node: &'r Node, locals: &mut Vec<Val<'r>>) -> &'r Node {
        let whole = truth_of(&self.node(node, locals)).0;
        let terms = match &node.kind {
            NodeKind::And(terms) | NodeKind::Or(terms) => terms,
            _ => return node,
        };
        let same = |term: &&'r Node| truth_of(&self.node(term, locals)).0 == whole;
        let same: Vec<&'r Node> = terms.iter().filter(same).collect();
        // Where all have to be, as of an `&&` that holds, none decides.
        match (same.len() == terms.len(), same.first()) {
            (false, Some(first)) => self.decided(first, locals),
            _ => node,
        }
    }

    /// The values of both sides of a comparison, or what a function was given.
    fn compared(&self, node: &'r Node, source: &[char], locals: &mut Vec<Val<'r>>) -> Vec<String> {
        let sides: Vec<&'r Node> = match &node.kind {
            NodeKind::Order(_, pair)
            | NodeKind::Equal(pair)
            | NodeKind::NotEqual(pair)
            | NodeKind::In(pair) => pair.iter().collect(),
            NodeKind::Call(_, args) | NodeKind::InValueSet(_, _, args) => args.iter().collect(),
            NodeKind::Not(inner) => vec![inner],
            _ => vec![],
        };
        let plain = |node: &&&Node| {
            !matches!(
                node.kind,
                NodeKind::Constant(_)
                    | NodeKind::Local(_)
                    | NodeKind::List(_)
                    | NodeKind::At
                    | NodeKind::Patient
            )
        };
        let sides: Vec<&'r Node> = sides.iter().filter(plain).copied().collect();
        let told = sides.into_iter().map(|side| {
            let value = self.node(side, locals);
            format!("{} is {}", written(source, side.span), told(&value))
        });
        told.collect()
    }
}

/// Whether two items are one resource of the record.
fn is_same(a: &Val<'_>, b: &Val<'_>) -> bool {
    match (a.item().0, b.item().0) {
        (Val::Element(a), Val::Element(b)) => {
            std::ptr::eq(a.record, b.record) && a.index == b.index
        }
        _ => false,
    }
}

/// When a resource was, as written; of others nothing.
fn date(item: &Val<'_>) -> Option<String> {
    match item.item().0 {
        Val::Element(element) => described(*element)?.date,
        _ => None,
    }
}
