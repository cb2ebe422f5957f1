//! Where an expression stands in its source. The parser counts bytes and knows single tokens.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, SourceInfo};

use crate::nodes::Span;

/// The places of the expressions of one source.
pub(super) struct Places {
    source: Vec<char>,
    /// The character that each byte belongs to.
    chars: Vec<usize>,
    info: SourceInfo,
}

impl Places {
    pub(super) fn new(source: &str, info: SourceInfo) -> Self {
        Places {
            source: source.chars().collect(),
            chars: byte_to_char(source),
            info,
        }
    }

    /// What is written there, without white space.
    pub(super) fn text(&self, (start, end): Span) -> String {
        let written = self.source.get(start..end).unwrap_or_default();
        written.iter().filter(|c| !c.is_whitespace()).collect()
    }

    /// After an expression that ends here and the dot of a selection, white space around it: where the
    /// field of this name stands.
    pub(super) fn field(&self, end: usize, name: &str) -> Span {
        let gap = |c: &&char| c.is_whitespace() || **c == '.';
        let after = self.source.get(end..).unwrap_or_default();
        let start = end + after.iter().take_while(gap).count();
        let length = name.chars().count();
        (start, (start + length).min(self.source.len()))
    }

    /// The place of the expression's own token.
    pub(super) fn token(&self, expr: &IdedExpr) -> Span {
        let (start, stop) = self.info.offset_for(expr.id).unwrap_or((0, 0));
        let place = |byte: u32| {
            self.chars
                .get(byte as usize)
                .copied()
                .unwrap_or(self.source.len())
        };
        let mut start = place(start);
        let mut end = place(stop.saturating_add(1)).clamp(start, self.source.len());
        // The parser places a call at its bracket: its name stands before that.
        if let Expr::Call(call) = &expr.expr {
            let name: Vec<char> = call.func_name.chars().collect();
            let before = start.checked_sub(name.len());
            if let Some(before) = before.filter(|b| self.source.get(*b..start) == Some(&name)) {
                start = before;
            }
        }
        // And a negative number after its sign.
        if is_negative(expr) {
            let before = self.source.get(..start).unwrap_or_default();
            let gap = before.iter().rev().take_while(|c| c.is_whitespace());
            let sign = start.checked_sub(gap.count() + 1);
            let minus = |at: &usize| self.source.get(*at) == Some(&'-');
            start = sign.filter(minus).unwrap_or(start);
        }
        // And a selection at its dot.
        if let (Expr::Select(select), Some('.')) = (&expr.expr, self.source.get(start)) {
            end = (end + select.field.chars().count()).min(self.source.len());
        }
        (start, end)
    }

    /// The place of the whole expression: from the first to the last token under it, brackets
    /// closed.
    pub(super) fn span(&self, expr: &IdedExpr) -> Span {
        let (mut start, mut end) = self.token(expr);
        let mut stack = children(expr);
        while let Some(child) = stack.pop() {
            let (s, e) = self.token(child);
            if e > s {
                (start, end) = (start.min(s), end.max(e));
            }
            stack.extend(children(child));
        }
        // Brackets are no tokens of their own: take in those that are opened or closed half.
        for (open, close) in [('(', ')'), ('[', ']')] {
            (start, end) = self.closed((start, end), open, close);
        }
        // `has(x.y)` is placed at its bracket.
        if let Expr::Select(select) = &expr.expr
            && select.test
        {
            let before = self.source.get(..start).unwrap_or_default();
            if before.ends_with(&['h', 'a', 's']) {
                start -= 3;
            }
        }
        (start, end)
    }

    /// With the brackets that are opened or closed half in it.
    fn closed(&self, (mut start, mut end): Span, open: char, close: char) -> Span {
        let (mut opened, mut closed) = (0usize, 0usize);
        for c in self.source.get(start..end).unwrap_or_default() {
            match c {
                c if *c == open => opened += 1,
                c if *c == close && opened > 0 => opened -= 1,
                c if *c == close => closed += 1,
                _ => {}
            }
        }
        while closed > 0 && start > 0 {
            match self.source.get(start - 1) {
                Some(c) if *c == open => closed -= 1,
                Some(c) if c.is_whitespace() => {}
                _ => break,
            }
            start -= 1;
        }
        while opened > 0 && end < self.source.len() {
            match self.source.get(end) {
                Some(c) if *c == open => opened += 1,
                Some(c) if *c == close => opened -= 1,
                _ => {}
            }
            end += 1;
        }
        (start, end)
    }
}

/// Whether it is a literal with a sign: to the grammar that is a part of it.
fn is_negative(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Literal(LiteralValue::Int(i)) => *i.inner() < 0,
        Expr::Literal(LiteralValue::Double(d)) => d.inner().is_sign_negative(),
        _ => false,
    }
}

fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Select(select) => vec![select.operand.as_ref()],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Comprehension(c) => vec![&c.iter_range, &c.loop_step],
        _ => vec![],
    }
}

/// The number of the character each byte belongs to.
fn byte_to_char(source: &str) -> Vec<usize> {
    let chars = source.chars().enumerate();
    chars
        .flat_map(|(i, c)| std::iter::repeat_n(i, c.len_utf8()))
        .collect()
}
