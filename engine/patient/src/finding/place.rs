//! Where a finding stands.

use std::fmt;
use std::sync::Arc;

/// A place: what of it is known. A FHIR resource in a file has a file, perhaps a line, and a path; a
/// node of ELM a file and the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// File as the user named it; empty where there is none.
    pub file: Arc<str>,
    /// Line and column in it, or in the expression that stands at `path`.
    pub span: Option<Span>,
    /// FHIRPath from the top of the file's resource, such as `Measure.group[0].population[1].criteria`.
    pub path: Option<String>,
    /// The node of a library's logic.
    pub node: Option<ElmNode>,
    /// Canonical of the value set or code system concerned.
    pub canonical: Option<Arc<str>>,
}

/// Characters of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// From 1.
    pub line: usize,
    /// From 1; none where only the line is known.
    pub column: Option<usize>,
    /// How many characters of the line are meant, at least 1.
    pub length: usize,
    /// The text of the line, where it can be shown.
    pub text: Option<String>,
    /// The first character and the one after the last in the text that was checked, from 0.
    pub chars: (usize, usize),
}

/// A node of ELM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ElmNode {
    /// `Name|version`.
    pub library: Arc<str>,
    /// The definition it stands in, where it stands in one.
    pub definition: Option<Arc<str>>,
    /// ELM `localId` of the nearest node that has one.
    pub local_id: Option<Arc<str>>,
    /// ELM `locator`: lines and columns of the CQL source.
    pub locator: Option<Arc<str>>,
}

impl Span {
    /// A line, and a column in it, without its text.
    pub fn line(line: usize, column: Option<usize>) -> Self {
        Span {
            line,
            column,
            length: 1,
            text: None,
            chars: (0, 0),
        }
    }

    /// Characters of an expression whose text is added later ([`super::Source::span`]).
    pub fn chars(from: usize, to: usize) -> Self {
        Span {
            chars: (from, to),
            ..Span::line(1, None)
        }
    }
}

impl ElmNode {
    /// A library as a whole.
    pub fn library(id: impl Into<Arc<str>>) -> Self {
        ElmNode {
            library: id.into(),
            definition: None,
            local_id: None,
            locator: None,
        }
    }
}

impl Place {
    /// A file, and what is known of the place in it.
    pub fn in_file(file: impl Into<Arc<str>>) -> Self {
        Place {
            file: file.into(),
            ..Place::default()
        }
    }

    /// A file, the line and column in it and the FHIRPath, each if it is known.
    pub fn known(
        file: impl Into<Arc<str>>,
        line: Option<usize>,
        column: Option<usize>,
        path: Option<String>,
    ) -> Self {
        Place {
            span: line.map(|line| Span::line(line, column)),
            path,
            ..Place::in_file(file)
        }
    }

    /// A node of ELM.
    pub fn of_elm(file: impl Into<Arc<str>>, node: ElmNode) -> Self {
        Place {
            node: Some(node),
            ..Place::in_file(file)
        }
    }
}

/// `file:line:column path`, what of it is known; a line of an expression is shown, not numbered.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(span) = self.span.as_ref().filter(|_| self.is_of_file()) {
            write!(f, ":{}", span.line)?;
            if let Some(column) = span.column {
                write!(f, ":{column}")?;
            }
        }
        if let Some(path) = self.path.as_ref().filter(|p| !p.is_empty()) {
            let space = if self.file.is_empty() { "" } else { " " };
            write!(f, "{space}{path}")?;
        }
        if let Some(node) = &self.node {
            write!(f, ": {node}")?;
        }
        Ok(())
    }
}

impl Place {
    /// Whether the span counts lines of the file, not of an expression at `path`.
    pub(super) fn is_of_file(&self) -> bool {
        let of_expression =
            self.path.is_some() && self.span.as_ref().is_some_and(|s| s.text.is_some());
        !self.file.is_empty() && !of_expression
    }
}

impl fmt::Display for ElmNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "library {}", self.library)?;
        if let Some(definition) = &self.definition {
            write!(f, ", definition \"{definition}\"")?;
        }
        if let Some(id) = &self.local_id {
            write!(f, ", localId {id}")?;
        }
        if let Some(locator) = &self.locator {
            write!(f, ", CQL {locator}")?;
        }
        Ok(())
    }
}
