//! A text in which findings stand.

use std::sync::Arc;

use super::place::Span;

/// So much of a line is shown: findings of one long line must not take its square in memory.
const MAX_LINE: usize = 1000;

/// A file or an expression: its name and characters.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the user named it; empty for an expression on its own.
    pub file: Arc<str>,
    chars: Vec<char>,
    /// The first character of each line.
    lines: Vec<usize>,
}

impl Source {
    /// Of a text.
    pub fn new(file: impl Into<Arc<str>>, text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let ends = chars.iter().enumerate().filter(|(_, c)| **c == '\n');
        let lines = std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect();
        Source {
            file: file.into(),
            chars,
            lines,
        }
    }

    /// Its characters.
    pub fn chars(&self) -> &[char] {
        &self.chars
    }

    /// Line and column from 1 of a character.
    pub fn position(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.chars.len());
        let line = self.lines.partition_point(|start| *start <= at);
        let start = line
            .checked_sub(1)
            .and_then(|l| self.lines.get(l))
            .copied()
            .unwrap_or(0);
        (line.max(1), at - start + 1)
    }

    /// A line's text without its end, counted from 1; of a very long one its beginning.
    pub fn line(&self, line: usize) -> String {
        let start = line.checked_sub(1).and_then(|l| self.lines.get(l)).copied();
        let rest = start.and_then(|s| self.chars.get(s..)).unwrap_or_default();
        rest.iter()
            .take_while(|c| !matches!(c, '\n' | '\r'))
            .take(MAX_LINE)
            .collect()
    }

    /// These characters; of several lines the first is marked.
    pub fn span(&self, (from, to): (usize, usize)) -> Span {
        let (line, column) = self.position(from);
        let text = self.line(line);
        let rest = (text.chars().count() + 1).saturating_sub(column);
        Span {
            line,
            column: Some(column),
            length: to.saturating_sub(from).min(rest).max(1),
            text: Some(text),
            chars: (from, to),
        }
    }
}
