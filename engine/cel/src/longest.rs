//! How long a text can become: a bound on what an expression shows, without a patient.

use super::functions::FunctionInfo;
use super::nodes::{Compiled, Node, NodeKind};
use super::operators::Arithmetic;
use super::types::Ty;
use super::value::Val;

/// A date is shown to the day.
const DATE: usize = 10;

/// `-1234567`
const WHOLE: usize = 8;

/// A decimal is shown to a few digits.
const DECIMAL: usize = 10;

/// `unknown`, which any value may be.
const UNKNOWN: usize = 7;

/// Texts of charts have no bound; a display is rarely longer.
const TEXT: usize = 40;

/// Names of drugs: most ingredients and combinations are shorter.
const DRUG: usize = 40;

impl Compiled {
    /// The most characters that its value is shown with. `column` is the longest text of a column of the
    /// table. Texts that come from charts are taken to have 40.
    pub fn longest(&self, column: &dyn Fn(usize) -> usize) -> usize {
        let by_type = match self.ty {
            Ty::Time => DATE,
            Ty::Int => WHOLE,
            Ty::Double => DECIMAL,
            Ty::Bool => UNKNOWN,
            _ => longest(&self.node, column),
        };
        by_type.max(UNKNOWN)
    }
}

fn longest(node: &Node, column: &dyn Fn(usize) -> usize) -> usize {
    match &node.kind {
        NodeKind::Constant(Val::Str(text)) => text.chars().count(),
        NodeKind::Column(index) => column(*index),
        NodeKind::Conditional(parts) => {
            let [_, a, b] = parts.as_ref();
            longest(a, column).max(longest(b, column))
        }
        NodeKind::Arithmetic(Arithmetic::Add, _, pair) => {
            pair.iter().map(|side| longest(side, column)).sum()
        }
        NodeKind::Call(row, args) => called(row, args, column),
        _ => TEXT,
    }
}

fn called(row: &FunctionInfo, args: &[Node], column: &dyn Fn(usize) -> usize) -> usize {
    match row.name {
        "drugName" => DRUG,
        "string" => DATE.max(DECIMAL),
        "orElse" => {
            let sides = args.iter().map(|side| longest(side, column));
            sides.max().unwrap_or(TEXT)
        }
        _ => TEXT,
    }
}
