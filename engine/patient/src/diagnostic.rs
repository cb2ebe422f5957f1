//! What is wrong with an artifact: where, what, and what instead.

use std::fmt;

/// Whether it keeps the artifact from being used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// It cannot be used.
    Error,
    /// It can, but look at this.
    Warning,
}

/// One finding in an artifact's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable short name, such as `unknown-element`.
    pub code: &'static str,
    /// What is wrong: lower case, names in backticks.
    pub message: String,
    /// File as the user named it.
    pub file: String,
    /// From 1; 0 where there is no line.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub length: usize,
    /// The text of the line, for showing.
    pub text: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}[{}]: {}", self.code, self.message)?;
        match self.line {
            0 => write!(f, "  --> {}", self.file)?,
            line => {
                writeln!(f, "  --> {}:{line}:{}", self.file, self.column)?;
                let width = line.to_string().len();
                let pad = " ".repeat(self.column.saturating_sub(1));
                let marks = "^".repeat(self.length.max(1));
                writeln!(f, "{:width$} |", "")?;
                writeln!(f, "{line} | {}", self.text)?;
                write!(f, "{:width$} | {pad}{marks}", "")?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n   = help: {help}")?;
        }
        Ok(())
    }
}

/// The candidate nearest to `word`, if it is near enough to be what was meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer than any name there is.
    if word.len() > 200 {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1);
    let near = candidates.into_iter().map(|c| (distance(word, c), c));
    let near = near.filter(|(d, _)| *d <= limit);
    near.min_by_key(|(d, c)| (*d, *c)).map(|(_, c)| c)
}

/// Edits between two words, a swap of neighbours counting one; letter case counts nothing.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_word() {
        let words = ["diabetes", "hypertension", "a1c"];
        assert_eq!(did_you_mean("diabetis", words), Some("diabetes"));
        assert_eq!(did_you_mean("daibetes", words), Some("diabetes"));
        assert_eq!(did_you_mean("asthma", words), None);
    }

    #[test]
    fn shows_the_place() {
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            code: "unknown-value-set",
            message: "unknown value set `diabetis`".into(),
            file: "a.yaml".into(),
            line: 14,
            column: 3,
            length: 8,
            text: "x diabetis".into(),
            help: Some("did you mean `diabetes`?".into()),
        };
        let shown = diagnostic.to_string();
        assert!(shown.contains("--> a.yaml:14:3"));
        assert!(
            shown.contains("14 | x diabetis\n   |   ^^^^^^^^\n   = help"),
            "{shown}"
        );
    }
}
