//! The parts of a criterion that all must hold, or one of which is enough: where a population loses its
//! patients.

use engine_patient::program::EvaluationError;
use engine_patient::system::truth::Truth;

use super::evaluate::Evaluation;
use super::explain::{truth_of, written};
use super::nodes::{Compiled, Node, NodeKind};

/// A part of a criterion.
#[derive(Clone, Copy, Debug)]
pub struct Term<'c> {
    compiled: &'c Compiled,
    node: &'c Node,
}

impl Term<'_> {
    /// What is written there, on one line.
    pub fn text(&self) -> String {
        let source: Vec<char> = self.compiled.source.chars().collect();
        written(&source, self.node.span)
    }
}

impl Compiled {
    /// All of it as one part.
    pub fn whole(&self) -> Term<'_> {
        Term {
            compiled: self,
            node: &self.node,
        }
    }

    /// What stands under its `&&`, else under its `||`, definitions that are nothing else taken apart; and
    /// whether one of them is enough.
    pub fn top_terms<'c>(&'c self, defines: &'c [Compiled]) -> (Vec<Term<'c>>, bool) {
        let gathered = |any: bool| {
            let mut out = vec![];
            gather(self, &self.node, defines, any, &mut out);
            out
        };
        let all = gathered(false);
        let any = gathered(true);
        match all.len() == 1 && any.len() > 1 {
            true => (any, true),
            false => (all, false),
        }
    }
}

fn gather<'c>(
    compiled: &'c Compiled,
    node: &'c Node,
    defines: &'c [Compiled],
    any: bool,
    out: &mut Vec<Term<'c>>,
) {
    let terms = |node: &'c Node| match &node.kind {
        NodeKind::And(terms) if !any => Some(terms),
        NodeKind::Or(terms) if any => Some(terms),
        _ => None,
    };
    let definition = match &node.kind {
        NodeKind::Define(index) => defines.get(*index),
        _ => None,
    };
    let (owner, found) = match definition {
        Some(definition) => (definition, terms(&definition.node)),
        None => (compiled, terms(node)),
    };
    match found {
        Some(all) => all
            .iter()
            .for_each(|term| gather(owner, term, defines, any, out)),
        None => out.push(Term { compiled, node }),
    }
}

impl<'r> Evaluation<'r> {
    /// Whether a part holds.
    ///
    /// # Errors
    /// Where something is not as the checker left it: our bug.
    pub fn term(&self, term: Term<'r>) -> Result<Truth, EvaluationError> {
        let mut locals = term.compiled.locals();
        let value = self.within(term.compiled, || self.node(term.node, &mut locals));
        self.sound(truth_of(&value).0)
    }
}
