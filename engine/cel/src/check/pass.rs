//! One pass over one expression: what it knows, and what it found to be wrong.

use std::sync::Arc;

use cel::common::ast::SourceInfo;
use engine_patient::finding::{Code, Finding, did_you_mean};
use engine_patient::terminology::ValueSet;

use super::place::Places;
use super::symbols::{Symbols, find, names};
use crate::nodes::{Node, NodeKind, Span};
use crate::problem::problem;
use crate::types::Ty;

pub(super) struct Pass<'c> {
    pub(super) symbols: &'c mut Symbols,
    pub(super) places: Places,
    pub(super) problems: Vec<Finding>,
    /// Comprehension variables in scope, innermost last.
    pub(super) scope: Vec<(String, Ty)>,
    /// Most variables in scope at once.
    pub(super) slots: usize,
    pub(super) depth: usize,
    /// Whether the item of `for_each` or a row was named.
    pub(super) varies: bool,
    /// Whether a row was named.
    pub(super) by_row: bool,
    /// The greatest depth so far, definitions included.
    pub(super) deepest: usize,
}

/// A checked expression and its type.
pub(super) type Checked = (Node, Ty);

impl<'c> Pass<'c> {
    pub(super) fn new(symbols: &'c mut Symbols, source: &str, info: SourceInfo) -> Self {
        Pass {
            symbols,
            places: Places::new(source, info),
            problems: vec![],
            scope: vec![],
            slots: 0,
            depth: 0,
            deepest: 0,
            varies: false,
            by_row: false,
        }
    }

    pub(super) fn problem(
        &mut self,
        code: Code,
        message: String,
        span: Span,
        help: Option<String>,
    ) {
        self.problems.push(problem(code, message, span, help));
    }

    /// A wrong expression: said once, not again by what stands around it.
    pub(super) fn wrong(
        &mut self,
        code: Code,
        message: String,
        span: Span,
        help: Option<String>,
    ) -> Checked {
        self.problem(code, message, span, help);
        let kind = NodeKind::Wrong;
        (Node { kind, span }, Ty::Any)
    }

    /// The value set of a name, and its number.
    pub(super) fn value_set(&mut self, name: &str, span: Span) -> Option<(usize, Arc<ValueSet>)> {
        if let Some((index, set)) = find(&mut self.symbols.value_sets, name) {
            return Some((index, Arc::clone(set)));
        }
        let help = match did_you_mean(name, names(&self.symbols.value_sets)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name it under `value_sets` first".into(),
        };
        self.problem(
            Code::UnknownValueSet,
            format!("unknown value set `{name}`"),
            span,
            Some(help),
        );
        None
    }
}
