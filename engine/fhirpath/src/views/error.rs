//! What can be wrong with a view: when it is loaded, and when it is run.

use std::fmt;

use crate::PathError;

/// Something wrong in a ViewDefinition, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViewError {
    /// Place in the JSON, such as `select[0].column[2].path`; empty for the document as a whole.
    pub at: String,
    /// What is wrong: lower case, names in backticks.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl ViewError {
    pub(super) fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        ViewError {
            at: at.into(),
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        ViewError {
            help: Some(help.into()),
            ..self
        }
    }

    /// A mistake in a FHIRPath expression that stands there.
    pub(super) fn path(at: &str, error: &PathError) -> Self {
        let message = format!("column {}: {}", error.column, error.message);
        ViewError {
            at: at.to_owned(),
            message,
            help: error.help.clone(),
        }
    }
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "`{}`: ", self.at)?;
        }
        write!(f, "{}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ViewError {}

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
