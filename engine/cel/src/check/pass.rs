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

/// How the help for a value set that has no name begins.
const NAME_IT: &str = "name it under `value_sets` first";

/// `I50.9`, `4548-4`, `loinc|4548-4`, `73211009`: a code where the name of a value set stands.
fn is_code(name: &str) -> bool {
    let code = name.rsplit('|').next().unwrap_or(name);
    let digits = code.chars().filter(char::is_ascii_digit).count();
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    name.contains('|') && !name.contains(':') || digits >= 2 && code.chars().all(fits)
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
            None if is_code(name) => format!(
                "this is a code, and a value set is wanted: name one that has the code under `value_sets`, or ask for the code itself with `.exists(x, x.code.coding.exists(k, k.code == \"{}\"))`",
                name.rsplit('|').next().unwrap_or(name)
            ),
            None => {
                let known: Vec<&str> = names(&self.symbols.value_sets).collect();
                let known = match known.len() {
                    1..=12 => format!("; there are `{}`", known.join("`, `")),
                    _ => String::new(),
                };
                format!("{NAME_IT}{known}")
            }
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
