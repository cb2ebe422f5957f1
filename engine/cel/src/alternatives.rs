//! The terms of an `||`, each by itself: which of them ever made it true.

use engine_patient::program::EvaluationError;
use engine_patient::system::truth::Truth;

use super::evaluate::Evaluation;
use super::explain::truth_of;
use super::nodes::{Compiled, Node, NodeKind, Span};

impl Compiled {
    /// Where the terms of an `||` stand, each of which makes it true; one place for any other expression.
    pub fn alternatives(&self) -> Vec<Span> {
        self.terms().iter().map(|term| term.span).collect()
    }

    fn terms(&self) -> &[Node] {
        match &self.node.kind {
            NodeKind::Or(terms) => terms,
            _ => std::slice::from_ref(&self.node),
        }
    }

    /// Whether it is a literal or the name of a definition, as it stands.
    pub fn is_plain(&self) -> bool {
        matches!(self.node.kind, NodeKind::Constant(_) | NodeKind::Define(_))
    }
}

impl<'r> Evaluation<'r> {
    /// The outcome of each of [`Compiled::alternatives`].
    ///
    /// # Errors
    /// Where something is not as the checker left it: our bug.
    pub fn alternatives(&self, compiled: &'r Compiled) -> Result<Vec<Truth>, EvaluationError> {
        self.rest();
        let mut locals = compiled.locals();
        let outcomes = self.within(compiled, || {
            let terms = compiled.terms().iter();
            terms
                .map(|term| truth_of(&self.node(term, &mut locals)).0)
                .collect()
        });
        self.sound(outcomes)
    }
}
