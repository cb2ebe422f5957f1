//! What can be wrong with a view: when it is loaded, and when it is run.

use std::fmt;

use engine_patient::finding::{Code, Finding};

/// A mistake at a place in the JSON, such as `select[0].column[2].path`; at none for the document as a
/// whole.
pub(super) fn wrong(code: Code, at: impl Into<String>, message: impl Into<String>) -> Finding {
    placed(Finding::error(code, message), at)
}

/// Something to look at.
pub(super) fn doubtful(code: Code, at: impl Into<String>, message: impl Into<String>) -> Finding {
    placed(Finding::warning(code, message), at)
}

/// At a place in the JSON: its FHIRPath.
pub(super) fn placed(finding: Finding, at: impl Into<String>) -> Finding {
    match at.into() {
        at if at.is_empty() => finding.at("ViewDefinition"),
        at => finding.at(format!("ViewDefinition.{at}")),
    }
}

/// A value of one resource that a view cannot use: the cell is null, or the rows are left out. Never
/// contains data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ViewNote {
    /// Where in the view: column `family`, or `where[0].path`.
    pub place: String,
    /// What is wrong with the value.
    pub problem: &'static str,
}

impl fmt::Display for ViewNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Why a view could not be run on a resource. Never contains data.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("view `{view}`, {place}: {problem}")]
pub struct ViewRunError {
    /// The name of the view.
    pub view: String,
    /// Where in it: column `family`, or `where[0].path`.
    pub place: String,
    /// What is wrong.
    pub problem: &'static str,
}
