//! What the checks of an expression's meaning share: its text, what is known around it, what they found.

use engine_patient::finding::{self, Code, Finding};

use super::known::Known;
use super::origin::Origin;
use super::text::Text;
use super::trace::origin;
use crate::nodes::{Node, Span};

/// A look at one expression.
pub struct Look<'l> {
    pub known: &'l dyn Known,
    pub text: &'l Text,
    /// The origins of variables in scope, innermost last.
    pub scope: Vec<Origin>,
    pub found: Vec<Finding>,
}

impl Look<'_> {
    pub fn origin(&self, node: &Node) -> Origin {
        origin(node, self.known, &self.scope)
    }

    pub fn error(&mut self, code: Code, message: String, span: Span, help: Option<String>) {
        self.tell(Finding::error(code, message), span, help);
    }

    pub fn warning(&mut self, code: Code, message: String, span: Span, help: Option<String>) {
        self.tell(Finding::warning(code, message), span, help);
    }

    fn tell(&mut self, finding: Finding, (from, to): Span, help: Option<String>) {
        let finding = finding.maybe_help(help);
        self.found
            .push(finding.spanning(finding::Span::chars(from, to)));
    }
}
