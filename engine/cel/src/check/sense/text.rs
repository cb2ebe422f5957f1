//! The text of an expression.

use crate::nodes::Span;

/// The text of an expression.
pub struct Text(Vec<char>);

impl Text {
    pub fn new(source: &str) -> Self {
        Text(source.chars().collect())
    }

    /// What is written there, on one line; a long text is cut.
    pub fn of(&self, (start, end): Span) -> String {
        const LONGEST: usize = 60;
        let written: String = self.0.get(start..end).unwrap_or_default().iter().collect();
        let line = written.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.chars().count() > LONGEST {
            true => line.chars().take(LONGEST - 1).chain(['…']).collect(),
            false => line,
        }
    }
}
