//! What can be wrong with a path: when it is compiled, and when it is run.

use std::fmt;

/// Why a path is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathError {
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong: lower case, names in backticks.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl PathError {
    pub(crate) fn new(column: usize, message: impl Into<String>) -> Self {
        PathError {
            column,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        PathError {
            help: Some(help.into()),
            ..self
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PathError {}

/// Why a path could not be run on a resource. Never contains data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PathRunError(pub &'static str);
