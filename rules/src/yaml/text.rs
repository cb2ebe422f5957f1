//! The file's text, and findings in it.

use engine_patient::finding::{Code, Finding, Source, Span};

use super::align::align;
use super::node::{Node, Value};

/// A file's name and characters.
#[derive(Clone, Debug)]
pub struct Text {
    source: Source,
}

impl Text {
    /// Of a file.
    pub fn new(file: &str, text: &str) -> Self {
        Text {
            source: Source::new(file, text),
        }
    }

    /// Its characters.
    pub fn chars(&self) -> &[char] {
        self.source.chars()
    }

    /// The file, as the user named it.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// Line and column from 1 of a character.
    pub fn position(&self, at: usize) -> (usize, usize) {
        self.source.position(at)
    }

    /// Whether this character stands there.
    pub fn is_at(&self, at: usize, wanted: char) -> bool {
        self.source.chars().get(at) == Some(&wanted)
    }

    /// An error at these characters of the file; of several lines the first is marked.
    pub fn error(
        &self,
        code: Code,
        message: String,
        span: (usize, usize),
        help: Option<String>,
    ) -> Finding {
        let error = Finding::error(code, message).maybe_help(help);
        self.placed(error, span)
    }

    /// These characters of the file, with their line.
    pub fn span(&self, span: (usize, usize)) -> Span {
        self.source.span(span)
    }

    /// A finding at these characters of the file.
    pub fn placed(&self, finding: Finding, span: (usize, usize)) -> Finding {
        finding
            .in_file(std::sync::Arc::clone(&self.source.file))
            .spanning(self.source.span(span))
    }

    /// The characters of the file behind characters of a scalar's value.
    pub fn span_in(&self, node: &Node, (from, to): (usize, usize)) -> (usize, usize) {
        let Value::Scalar(scalar) = &node.value else {
            return (node.at, node.end);
        };
        let places = align(
            self.source.chars(),
            node.at,
            node.end,
            scalar.style,
            &scalar.text,
        );
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
