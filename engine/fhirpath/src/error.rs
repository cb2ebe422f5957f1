//! What can be wrong with a path: when it is compiled, and when it is run.

use engine_patient::finding::{Code, Finding, Source, Span};

/// A finding on its way out of the compiler: small, since expressions nest deep.
#[derive(Debug)]
pub(crate) struct Refused(Box<Finding>);

impl Refused {
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Refused(Box::new(self.0.help(help)))
    }

    /// With the text of the expression.
    pub(crate) fn shown(self, text: &str) -> Finding {
        let span = Source::new("", text).span(self.0.chars());
        self.0.spanning(span)
    }
}

/// A mistake at a character of the expression, counted from 1.
pub(crate) fn wrong(code: Code, column: usize, message: impl Into<String>) -> Refused {
    placed(Finding::error(code, message), column)
}

/// What FHIRPath has and we do not.
pub(crate) fn unsupported(code: Code, column: usize, message: impl Into<String>) -> Refused {
    placed(Finding::unsupported(code, message), column)
}

/// What is allowed but can hardly be meant.
pub(crate) fn doubtful(code: Code, column: usize, message: impl Into<String>) -> Refused {
    placed(Finding::warning(code, message), column)
}

fn placed(finding: Finding, column: usize) -> Refused {
    let span = Span::chars(column.saturating_sub(1), column);
    Refused(Box::new(finding.spanning(span)))
}

/// Why a path could not be run on a resource. Never contains data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PathRunError(pub &'static str);
