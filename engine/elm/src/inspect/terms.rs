//! The terms of a criterion: what stands under its top-level `and`, or where that is an `or` under it,
//! through definitions. Each can be evaluated alone, to tell which of them a patient fails or meets.

use crate::context::fault::{Fault, Out};
use crate::inspect::expressions::ExpressionView;
use crate::run::evaluator::Evaluator;
use crate::tree::libraries::{Clause, CompiledLibraries, Expression};
use crate::tree::node::{Kind, NO_CLAUSE, Node};

/// A term: a place in the tree of a definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    definition: u32,
    /// From the root: `false` is the left side of an `and`, or of an `or`.
    path: Vec<bool>,
    /// For people: the definition it is, or the one it stands in.
    pub label: String,
}

/// What joins the terms.
#[derive(Clone, Copy)]
enum Joined {
    And,
    Or,
}

/// Deepest nesting of `and` or `or` that is taken apart.
const DEPTH: usize = 32;
/// Most terms of an expression; what is beyond stays whole.
const TERMS: usize = 1000;

impl CompiledLibraries {
    /// The terms of an expression, in the order of the text. An expression without `and` is one term.
    pub fn terms(&self, expression: Expression) -> Vec<Term> {
        let mut out = vec![];
        self.split((expression.0, vec![]), Joined::And, 0, &mut out);
        out
    }

    /// The alternatives of an expression, in the order of the text. An expression without `or` is one.
    pub fn alternatives(&self, expression: Expression) -> Vec<Term> {
        let mut out = vec![];
        self.split((expression.0, vec![]), Joined::Or, 0, &mut out);
        out
    }

    fn split(
        &self,
        (definition, path): (u32, Vec<bool>),
        joined: Joined,
        depth: usize,
        out: &mut Vec<Term>,
    ) {
        let Some(node) = self.node_at(definition, &path) else {
            return;
        };
        let apart = depth < DEPTH && out.len() < TERMS;
        match (&node.kind, joined) {
            (Kind::And(_), Joined::And) | (Kind::Or(_), Joined::Or) if apart => {
                for side in [false, true] {
                    let mut path = path.clone();
                    path.push(side);
                    self.split((definition, path), joined, depth + 1, out);
                }
            }
            // A term that is a definition is taken apart too where it is joined likewise, or another name.
            (Kind::Def(index), _) if apart => {
                self.split((*index, vec![]), joined, depth + 1, out);
            }
            _ => {
                let name = self
                    .definitions
                    .get(definition as usize)
                    .map_or("", |d| &d.name);
                let label = if path.is_empty() {
                    name.to_owned()
                } else {
                    match self.clauses.get(node.clause as usize) {
                        Some(clause) => format!("{name}: {}", place(clause)),
                        None => format!("{name}: a part"),
                    }
                };
                out.push(Term {
                    definition,
                    path,
                    label,
                });
            }
        }
    }

    pub(crate) fn node_at(&self, definition: u32, path: &[bool]) -> Option<&Node> {
        let mut node = &self.definitions.get(definition as usize)?.node;
        for side in path {
            let (Kind::And(both) | Kind::Or(both)) = &node.kind else {
                return None;
            };
            let [left, right] = &**both;
            node = if *side { right } else { left };
        }
        Some(node)
    }

    /// Where a term stands.
    pub fn place_of(&self, term: &Term) -> Option<ExpressionView<'_>> {
        let node = self.node_at(term.definition, &term.path)?;
        Some(ExpressionView::new(self, node))
    }

    /// The definition that a term is the whole of, or stands in.
    pub fn definition_of(&self, term: &Term) -> (Expression, bool) {
        (Expression(term.definition), term.path.is_empty())
    }

    /// The clause of a term, where the ELM names it.
    pub fn clause_of(&self, term: &Term) -> Option<&Clause> {
        let node = self.node_at(term.definition, &term.path)?;
        (node.clause != NO_CLAUSE)
            .then(|| self.clauses.get(node.clause as usize))
            .flatten()
    }
}

fn place(clause: &Clause) -> String {
    match &clause.locator {
        Some(locator) => format!("{} at {locator}", clause.node),
        None => format!("{} {}", clause.node, clause.local_id),
    }
}

impl<'a> Evaluator<'a> {
    /// The value of a term.
    pub fn term(&mut self, term: &Term) -> Out<'a> {
        let compiled = self.compiled;
        if term.path.is_empty() {
            return self.expression(Expression(term.definition));
        }
        let definition = compiled.definitions.get(term.definition as usize);
        let node = compiled.node_at(term.definition, &term.path);
        match definition.zip(node) {
            Some((definition, node)) => self.framed(definition.frame, |e| e.eval(node)),
            None => Err(Fault::bug("a term that is not there")),
        }
    }
}
