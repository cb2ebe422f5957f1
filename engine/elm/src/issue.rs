//! What is wrong with ELM: where it stands, what, and what instead. All findings come at once.

use std::fmt;
use std::sync::Arc;

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// The content is wrong.
    Mistake,
    /// The content may be right; we cannot run it.
    Unsupported,
    /// Worth knowing: the content can be run.
    Warning,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ElmIssue {
    pub family: Family,
    /// Stable short name; the table is [`ElmIssue::CODES`].
    pub code: &'static str,
    /// `Name|version` of the library.
    pub library: Arc<str>,
    /// The file it came from, as the user named it.
    pub source: Arc<str>,
    /// The definition it stands in, where it stands in one.
    pub definition: Option<Arc<str>>,
    /// ELM `localId` of the nearest node that has one.
    pub local_id: Option<Arc<str>>,
    /// ELM `locator`: lines and columns of the CQL source.
    pub locator: Option<Arc<str>>,
    /// What is wrong: lower case, names in backticks.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl ElmIssue {
    /// Every code with its meaning.
    pub const CODES: [(&str, &str); 21] = [
        ("E001", "not JSON, or nested too deep"),
        (
            "E002",
            "not an ELM library, or of another shape than the ELM schema",
        ),
        ("E003", "a node type that the ELM schema does not have"),
        ("E004", "a node type that is not supported, with the reason"),
        (
            "E005",
            "a definition, parameter, code or value set that does not exist",
        ),
        ("E006", "a library that is not in the package"),
        (
            "E007",
            "a library in several versions, none of them the one asked for",
        ),
        (
            "E008",
            "libraries or definitions that include each other in a circle",
        ),
        ("E009", "a function without an overload for these operands"),
        ("E010", "a type that neither CQL nor FHIR R4 has"),
        ("E011", "a literal outside the range of its type"),
        ("E012", "a value set that is missing"),
        ("E013", "a value set that is empty, partial or not expanded"),
        ("E014", "the translator reported errors in this library"),
        (
            "E015",
            "two libraries, or two definitions, of the same name",
        ),
        ("E016", "a data model other than FHIR R4"),
        ("E017", "a name in another case than its definition"),
        ("E018", "a retrieve that cannot be run"),
        ("E019", "a FHIR type that R4 does not have, taken as any"),
        (
            "E020",
            "a property of nothing: taken as of the one alias that has the element, or refused",
        ),
        (
            "E030",
            "a criterion of a type that is neither true nor false",
        ),
    ];
}

impl fmt::Display for ElmIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.family {
            Family::Mistake => "error",
            Family::Unsupported => "not supported",
            Family::Warning => "warning",
        };
        write!(
            f,
            "{severity}[{}]: {}\n  --> {}",
            self.code, self.message, self.source
        )?;
        write!(f, ": library {}", self.library)?;
        if let Some(definition) = &self.definition {
            write!(f, ", definition \"{definition}\"")?;
        }
        if let Some(id) = &self.local_id {
            write!(f, ", localId {id}")?;
        }
        if let Some(locator) = &self.locator {
            write!(f, ", CQL {locator}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n   = help: {help}")?;
        }
        Ok(())
    }
}
