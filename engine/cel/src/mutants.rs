//! Small changes of an expression, each a slip that an author could make. A test that finds none of them
//! shows little. Not every change can be compiled: whoever asks for them tries.

use super::conditions::Condition;
use super::functions::{FunctionInfo, Role};
use super::nodes::{Compiled, Fold, Node, NodeKind, Span};
use super::value::Val;

/// A change of the text of an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// The characters that are replaced.
    pub span: Span,
    /// What stands there instead.
    pub new: String,
    /// The part of the expression that the change is told with; it holds what is replaced.
    pub part: Span,
}

/// Durations, and what each is taken for.
const UNITS: [(&str, &str); 6] = [
    ("years", "months"),
    ("months", "years"),
    ("weeks", "days"),
    ("days", "hours"),
    ("hours", "days"),
    ("minutes", "hours"),
];

impl Compiled {
    /// All changes, in the order of the text. `shared`: as of [`Compiled::conditions`].
    pub fn mutants(&self, shared: usize) -> Vec<Mutant> {
        let mut search = Search {
            source: self.source.chars().collect(),
            found: vec![],
        };
        search.node(&self.node);
        let conditions: Vec<Condition> = self.conditions(shared);
        search.negate(&conditions);
        let mut found = search.found;
        found.sort_by(|a, b| (a.span, &a.new).cmp(&(b.span, &b.new)));
        found.dedup();
        found
    }
}

struct Search {
    source: Vec<char>,
    found: Vec<Mutant>,
}

impl Search {
    fn text(&self, (from, to): Span) -> String {
        self.source
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .collect()
    }

    fn add(&mut self, span: Span, new: impl Into<String>, part: Span) {
        let new = new.into();
        if span.0 < span.1 && new != self.text(span) {
            self.found.push(Mutant { span, new, part });
        }
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Order(_, pair) => self.compared(
                node,
                pair,
                &[
                    ("<=", &["<", ">="]),
                    (">=", &[">", "<="]),
                    ("<", &["<=", ">"]),
                    (">", &[">=", "<"]),
                ],
            ),
            NodeKind::Equal(pair) => self.compared(node, pair, &[("==", &["!="])]),
            NodeKind::NotEqual(pair) => self.compared(node, pair, &[("!=", &["=="])]),
            NodeKind::And(terms) | NodeKind::Or(terms) => self.dropped(node, terms),
            NodeKind::Not(inner) => {
                let text = self.text(self.bracketed(inner.span));
                self.add(node.span, text, node.span);
            }
            NodeKind::Fold(fold @ (Fold::Exists | Fold::All), inner) => {
                let (old, new) = match fold {
                    Fold::Exists => (".exists(", ".all("),
                    _ => (".all(", ".exists("),
                };
                self.after(inner.range.span.1, node, old, new);
            }
            NodeKind::Constant(value) => self.number(node, value),
            NodeKind::Call(row, args) => self.call(row, node, args),
            _ => {}
        }
        for part in node.parts() {
            // A number is told with what it stands in.
            match (&part.kind, &node.kind) {
                (NodeKind::Constant(value), _) => {
                    let before = self.found.len();
                    self.number(part, value);
                    let told = self.found.iter_mut().skip(before);
                    told.for_each(|mutant| mutant.part = node.span);
                }
                _ => self.node(part),
            }
        }
    }

    /// Replaces the operator between two sides.
    fn compared(&mut self, node: &Node, pair: &[Node; 2], words: &[(&str, &[&str])]) {
        let [a, b] = pair;
        let between = (a.span.1, b.span.0);
        let text = self.text(between);
        let found = words
            .iter()
            .find_map(|(old, new)| Some((text.find(old)?, old, new)));
        let Some((at, old, new)) = found else { return };
        let from = between.0
            + text
                .chars()
                .count()
                .min(text.get(..at).map_or(0, |t| t.chars().count()));
        for new in *new {
            self.add((from, from + old.len()), *new, node.span);
        }
    }

    /// Replaces what follows a place.
    fn after(&mut self, at: usize, node: &Node, old: &str, new: &str) {
        let text = self.text((at, node.span.1));
        let Some(gap) = text.find(old) else { return };
        // Nothing but space and brackets may stand between.
        let before = text.get(..gap).unwrap_or_default();
        if before.chars().all(|c| c.is_whitespace() || c == ')') {
            let from = at + before.chars().count();
            self.add((from, from + old.len()), new, node.span);
        }
    }

    /// Leaves out each term.
    fn dropped(&mut self, node: &Node, terms: &[Node]) {
        let spans: Vec<Span> = terms.iter().map(|term| self.bracketed(term.span)).collect();
        for (number, span) in spans.iter().enumerate() {
            let before = number.checked_sub(1).and_then(|n| spans.get(n));
            let after = spans.get(number + 1);
            let with_before = before.map(|before| (before.1, span.1));
            let with_after = after.map(|after| (span.0, after.0));
            let whole = |span: &Span| self.is_balanced(*span);
            if let Some(span) = with_before.into_iter().chain(with_after).find(whole) {
                // Nothing stands there instead; a space keeps words apart.
                self.add(span, " ", node.span);
            }
        }
    }

    /// A number one more and one less, in its last digit.
    fn number(&mut self, node: &Node, value: &Val<'static>) {
        let text = self.text(node.span);
        let digit = |c: char| c.is_ascii_digit() || c == '.';
        if text.is_empty() || !text.chars().all(digit) {
            return;
        }
        match value {
            Val::Int(n) => {
                for new in [n.checked_add(1), n.checked_sub(1)].into_iter().flatten() {
                    if new >= 0 {
                        self.add(node.span, new.to_string(), node.span);
                    }
                }
            }
            Val::Decimal(n) => {
                let scale = text.split_once('.').map_or(0, |(_, d)| d.len());
                let step = rust_decimal::Decimal::new(1, u32::try_from(scale).unwrap_or(0));
                for new in [n.checked_add(step), n.checked_sub(step)]
                    .into_iter()
                    .flatten()
                {
                    if !new.is_sign_negative() {
                        self.add(node.span, format!("{new:.scale$}"), node.span);
                    }
                }
            }
            _ => {}
        }
    }

    /// Another unit of a duration; a step of a chain left out, as `.active()`; the first of `orElse`.
    fn call(&mut self, row: &FunctionInfo, node: &Node, args: &[Node]) {
        let text = self.text(node.span);
        for (old, new) in UNITS {
            let rest = text.strip_prefix(old);
            if rest.is_some_and(|rest| rest.trim_start().starts_with('(')) {
                let (from, _) = node.span;
                self.add((from, from + old.len()), new, node.span);
            }
        }
        let Some(first) = args.first() else { return };
        if matches!(row.role, Role::Filter | Role::During | Role::OrElse) {
            let text = self.text(self.bracketed(first.span));
            self.add(node.span, text, node.span);
        }
    }

    /// Conditions that are a call or an `in` the other way round; of comparisons there are other changes.
    fn negate(&mut self, conditions: &[Condition]) {
        for condition in conditions {
            let text = self.text(condition.span);
            let compares = ["&&", "||", "<", ">", "==", "!=", "?"];
            if !compares.iter().any(|word| text.contains(word)) {
                self.add(condition.span, format!("!({text})"), condition.span);
            }
        }
    }

    /// The place with the brackets around it.
    fn bracketed(&self, (mut from, mut to): Span) -> Span {
        loop {
            let before = self.source.get(..from).unwrap_or_default();
            let after = self.source.get(to..).unwrap_or_default();
            let left = before.iter().rev().position(|c| !c.is_whitespace());
            let right = after.iter().position(|c| !c.is_whitespace());
            let (Some(left), Some(right)) = (left, right) else {
                return (from, to);
            };
            let (open, close) = (from - left - 1, to + right);
            let called = self.source.get(..open).and_then(|t| t.last());
            let is_call = called.is_some_and(|c| c.is_alphanumeric() || *c == '_');
            match (self.source.get(open), self.source.get(close)) {
                (Some('('), Some(')')) if !is_call => (from, to) = (open, close + 1),
                _ => return (from, to),
            }
        }
    }

    fn is_balanced(&self, (from, to): Span) -> bool {
        let mut open = 0i64;
        for c in self.source.get(from..to).unwrap_or_default() {
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if open < 0 {
                return false;
            }
        }
        open == 0
    }
}
