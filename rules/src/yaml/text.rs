//! The file's text, and findings in it.

use engine_patient::diagnostic::{Diagnostic, Severity};

use super::align::align;
use super::node::{Node, Value};

/// So much of a line is shown: findings of one long line must not take its square in memory.
const MAX_LINE: usize = 1000;

/// A file's name and characters.
#[derive(Clone, Debug)]
pub struct Text {
    /// As the user named it.
    pub file: String,
    chars: Vec<char>,
    /// The first character of each line.
    lines: Vec<usize>,
}

impl Text {
    /// Of a file.
    pub fn new(file: &str, text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let ends = chars.iter().enumerate().filter(|(_, c)| **c == '\n');
        let lines = std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect();
        Text {
            file: file.to_owned(),
            chars,
            lines,
        }
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

    /// An error at these characters of the file; of several lines the first is marked.
    pub fn error(
        &self,
        code: &'static str,
        message: String,
        (at, end): (usize, usize),
        help: Option<String>,
    ) -> Diagnostic {
        let (line, column) = self.position(at);
        let text = self.line(line);
        let rest = (text.chars().count() + 1).saturating_sub(column);
        let length = end.saturating_sub(at).min(rest).max(1);
        let file = self.file.clone();
        let severity = Severity::Error;
        Diagnostic {
            severity,
            code,
            message,
            file,
            line,
            column,
            length,
            text,
            help,
        }
    }

    /// The characters of the file behind characters of a scalar's value.
    pub fn span_in(&self, node: &Node, (from, to): (usize, usize)) -> (usize, usize) {
        let Value::Scalar(scalar) = &node.value else {
            return (node.at, node.end);
        };
        let places = align(&self.chars, node.at, node.end, scalar.style, &scalar.text);
        let at = places
            .get(from)
            .or(places.last())
            .copied()
            .unwrap_or(node.at);
        // The end is after the last character: folded space between is not marked.
        let last = to.checked_sub(1).filter(|last| *last >= from);
        let end = last
            .and_then(|last| places.get(last))
            .map_or(at, |last| last + 1);
        (at, end)
    }
}
