//! What can be wrong with terminology: findings of the loader and errors of a lookup.

use std::fmt;
use std::sync::Arc;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Info,
    /// An answer may be wrong because of this: an empty or incomplete value set, an ambiguous version.
    Warning,
    /// Content was rejected.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Where in a source a finding stands. Line and column count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line in the source, if known.
    pub line: Option<usize>,
    /// Column in that line, in bytes.
    pub column: Option<usize>,
    /// FHIRPath from the resource in the source, such as `ValueSet.expansion.contains[3].code`.
    pub path: Option<String>,
}

impl Place {
    /// A place known by FHIRPath alone.
    #[must_use]
    pub fn path(path: impl Into<String>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::default()
        }
    }
}

/// One finding: where, what, and what instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminologyIssue {
    /// How much it matters.
    pub severity: Severity,
    /// Stable code of the kind of finding, `T…`; the table is at [`TerminologyIssue::CODES`].
    pub code: &'static str,
    /// Name of the source as the caller gave it, usually a file name.
    pub source: Arc<str>,
    /// Where in that source.
    pub place: Place,
    /// Canonical of the value set or code system concerned, if known.
    pub canonical: Option<Arc<str>>,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl TerminologyIssue {
    /// Every code with its meaning.
    pub const CODES: [(&str, &str); 16] = [
        ("T001", "the source is not UTF-8"),
        (
            "T002",
            "the source is not JSON, or not of the expected shape",
        ),
        ("T003", "the source is not a FHIR resource"),
        ("T004", "a required element is missing"),
        ("T005", "an element has the wrong type"),
        ("T006", "resources of other types were ignored"),
        ("T010", "a value set includes itself"),
        ("T011", "an included value set is unknown"),
        ("T012", "same url and version, different content"),
        ("T013", "several versions, none asked for"),
        ("T014", "two codes share a key"),
        ("T015", "codes are added to a value set of the same url"),
        ("T020", "a value set has no codes"),
        ("T021", "a value set has only a part of its codes"),
        ("T022", "a value set could not be expanded"),
        ("T023", "an expansion contradicts its total"),
    ];

    /// A finding without help and canonical.
    pub(super) fn new(
        severity: Severity,
        code: &'static str,
        source: &Arc<str>,
        place: Place,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            code,
            source: Arc::clone(source),
            place,
            canonical: None,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn about(mut self, canonical: impl Into<Arc<str>>) -> Self {
        self.canonical = Some(canonical.into());
        self
    }
}

impl fmt::Display for TerminologyIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}[{}]: {}", self.severity, self.code, self.message)?;
        write!(f, "  --> {}", self.source)?;
        if let Some(line) = self.place.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.place.column {
                write!(f, ":{column}")?;
            }
        }
        if let Some(path) = &self.place.path {
            write!(f, " {path}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n   = help: {help}")?;
        }
        Ok(())
    }
}

/// A lookup that found nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerminologyError {
    /// No resource has this url.
    #[error("unknown {kind} `{canonical}`{}", did_you_mean(.suggestions))]
    Unknown {
        /// `value set` or `code system`.
        kind: &'static str,
        /// The canonical asked for.
        canonical: String,
        /// Urls of the nearest ones, best first; empty when nothing is near.
        suggestions: Vec<String>,
    },
    /// The url is known, the version is not.
    #[error("unknown version `{version}` of {kind} `{url}`; loaded: {}", .available.join(", "))]
    UnknownVersion {
        /// `value set` or `code system`.
        kind: &'static str,
        /// The url asked for.
        url: String,
        /// The version asked for.
        version: String,
        /// The versions that are loaded, highest first; `(none)` for one without version.
        available: Vec<String>,
    },
}

fn did_you_mean(suggestions: &[String]) -> String {
    match suggestions {
        [] => String::new(),
        some => format!("; did you mean `{}`?", some.join("` or `")),
    }
}
