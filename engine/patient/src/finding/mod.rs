//! What is wrong with content, in one form for all languages and formats: what, how bad, whose turn it
//! is, where, and what instead.
//!
//! | | |
//! |---|---|
//! | [`Code`] | the kind of finding; its table (`table.rs`) says what it means and how to mend it |
//! | [`Severity`], [`Blame`] | whether it stands in the way, and who has to act: the exit code |
//! | [`Place`] | a file with line and column, a FHIRPath, a node of ELM; several of them together |
//! | [`Source`] | the text that a place is in, from which the line is shown |
//! | `render` | the text for people ([`Finding`]'s `Display`) |
//! | `json` | the form for machines ([`Finding::to_json`]) |
//! | `github`, `sarif` | the forms that reviews of changes read: [`Finding::to_github`], [`Finding::to_sarif`] |
//! | [`grouped`] | those that say the same as one; [`told`] is their text for people; [`identical`]: the same for machines |
//! | [`did_you_mean`] | what was meant by a word that is not known |
//!
//! Codes of rules are words, since clinicians meet them while they write; those of content that others
//! made (`T…` terminology, `E…` ELM, `P…` packages, `F…` FHIRPath, `V…` views) are numbers, as its
//! validators have them. Neither changes once it is published.

mod code;
mod github;
mod group;
mod json;
mod nearest;
mod place;
mod render;
mod sarif;
mod source;
mod table;
pub mod visible;

#[cfg(test)]
mod tests;

pub use code::{Code, Entry, ExampleOf};
pub use group::{Group, grouped, identical, told};
pub use nearest::did_you_mean;
pub(crate) use nearest::{distance, is_oid, only_digits_differ};
pub use place::{ElmNode, Place, Span};
pub use source::Source;

use std::sync::Arc;

/// Whether it stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Info,
    /// The content can be used; an answer may be wrong because of this.
    Warning,
    /// The content cannot be used.
    Error,
}

impl Severity {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blame {
    /// The content may be right; Tandem does not do that.
    Unsupported,
    /// The content or the call is wrong.
    User,
    /// Tandem is wrong.
    Bug,
}

impl Blame {
    /// As it is printed for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Blame::User => "user",
            Blame::Unsupported => "unsupported",
            Blame::Bug => "bug",
        }
    }
}

/// One thing that is wrong, or worth knowing. They sort by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub place: Box<Place>,
    /// Whether it stands in the way.
    pub severity: Severity,
    /// Who has to act.
    pub blame: Blame,
    /// The kind.
    pub code: Code,
    /// What is wrong: lower case, names in backticks. Never values of patients.
    pub message: String,
    /// What to write or do instead.
    pub help: Option<String>,
    /// The measures that it concerns, by name; empty where it is about none, or about all.
    pub measures: Vec<String>,
}

impl Finding {
    fn new(severity: Severity, blame: Blame, code: Code, message: String) -> Self {
        Finding {
            place: Box::default(),
            severity,
            blame,
            code,
            message,
            help: None,
            measures: vec![],
        }
    }

    /// A mistake in the content.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Blame::User, code, message.into())
    }

    /// Content that may be right and cannot be used.
    pub fn unsupported(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Blame::Unsupported, code, message.into())
    }

    /// A fault of ours.
    pub fn bug(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Blame::Bug, code, message.into())
    }

    /// Something to look at.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Blame::User, code, message.into())
    }

    /// Something worth knowing.
    pub fn info(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, Blame::User, code, message.into())
    }

    /// The same, not supported instead of wrong.
    #[must_use]
    pub fn not_supported(mut self) -> Self {
        self.blame = Blame::Unsupported;
        self
    }

    /// With what to do instead.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        self.maybe_help(Some(help.into()))
    }

    /// With what to do instead, if that is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// `did you mean …`, or else `otherwise`.
    #[must_use]
    pub fn meant(self, near: Option<&str>, otherwise: impl Into<String>) -> Self {
        match near {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(otherwise),
        }
    }

    /// In a file, as the user named it.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<Arc<str>>) -> Self {
        self.place.file = file.into();
        self
    }

    /// At an element of a resource, by FHIRPath.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.place.path = Some(path.into());
        self
    }

    /// At these characters of a text.
    #[must_use]
    pub fn spanning(mut self, span: Span) -> Self {
        self.place.span = Some(span);
        self
    }

    /// At a line, and a column in it, that are known without the text.
    #[must_use]
    pub fn on_line(mut self, line: Option<usize>, column: Option<usize>) -> Self {
        self.place.span = line.map(|line| Span::line(line, column));
        self
    }

    /// Somewhere else.
    #[must_use]
    pub fn placed(mut self, place: Place) -> Self {
        self.place = Box::new(place);
        self
    }

    /// About a value set or code system.
    #[must_use]
    pub fn about(mut self, canonical: impl Into<Arc<str>>) -> Self {
        self.place.canonical = Some(canonical.into());
        self
    }

    /// Whether it stands in the way.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The node of ELM.
    pub fn node(&self) -> Option<&ElmNode> {
        self.place.node.as_ref()
    }

    /// The definition of ELM that it stands in.
    pub fn definition(&self) -> Option<&str> {
        self.node()?.definition.as_deref()
    }

    /// ELM `localId` of the nearest node.
    pub fn local_id(&self) -> Option<&str> {
        self.node()?.local_id.as_deref()
    }

    /// The characters that are meant, in the text that was checked.
    pub fn chars(&self) -> (usize, usize) {
        self.place.span.as_ref().map_or((0, 0), |s| s.chars)
    }

    /// The line, from 1.
    pub fn line(&self) -> Option<usize> {
        self.place.span.as_ref().map(|s| s.line)
    }

    /// The column, from 1.
    pub fn column(&self) -> Option<usize> {
        self.place.span.as_ref()?.column
    }
}

impl std::error::Error for Finding {}

/// Whose turn it is where some of them are errors: a bug makes the rest doubtful, and a mistake has to
/// be mended before it is known whether the rest is supported.
pub fn blame<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Option<Blame> {
    let errors = findings.into_iter().filter(|f| f.is_error());
    errors.map(|f| f.blame).max()
}

/// How many of each: `2 errors, 1 unsupported feature, 3 warnings`, `more than` that where not all are
/// shown; empty for none.
pub fn count<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> String {
    let mut numbers = [0usize; 5];
    let mut more = "";
    for finding in findings {
        // Stands for those that are not shown, however many, and is none itself.
        if finding.code == Code::More {
            more = "more than ";
            continue;
        }
        let kind = match (finding.severity, finding.blame) {
            (Severity::Error, Blame::Bug) => 0,
            (Severity::Error, Blame::User) => 1,
            (Severity::Error, Blame::Unsupported) => 2,
            (Severity::Warning, _) => 3,
            (Severity::Info, _) => 4,
        };
        if let Some(number) = numbers.get_mut(kind) {
            *number += 1;
        }
    }
    let names = [
        ("bug", "bugs"),
        ("error", "errors"),
        ("unsupported feature", "unsupported features"),
        ("warning", "warnings"),
        ("note", "notes"),
    ];
    let parts = numbers.iter().zip(names).filter(|(n, _)| **n > 0);
    let parts = parts.map(|(n, (one, many))| format!("{n} {}", if *n == 1 { one } else { many }));
    format!("{more}{}", parts.collect::<Vec<_>>().join(", "))
}

/// Texts of findings, one after the other.
pub fn listed<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> String {
    let texts: Vec<String> = findings.into_iter().map(ToString::to_string).collect();
    texts.join("\n\n")
}
