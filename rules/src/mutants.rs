//! Slips in a rule, one at a time: a case has to find each.

use std::sync::Arc;

use engine_cel::Mutant;
use engine_patient::finding::Span;

use crate::case::Case;
use crate::conditions_seen::written;
use crate::rule::Rule;
use crate::written::{ExpressionPlace, Written, field};
use crate::yaml::{Node, Value};

/// A rule with one small change.
#[derive(Clone, Debug)]
pub struct RuleMutant {
    /// The field that is changed: `eligible`, `define.year_ago`.
    pub field: String,
    /// `years(1) → years(2)`
    pub change: String,
    /// Where what is changed stands.
    pub span: Span,
    /// Why no case can find it, as the file says under `survivors`.
    pub excuse: Option<String>,
    place: ExpressionPlace,
    mutant: Mutant,
    /// No change is of a case: they are not read again.
    cases: Arc<[Case]>,
}

/// A change that the file says no case can find.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excuse {
    /// As [`RuleMutant::change`].
    pub change: String,
    /// Why.
    pub reason: String,
    /// Its line in the file.
    pub line: usize,
}

impl Rule {
    /// All small changes of what decides; not of what a card only shows, which cases do not compare.
    pub fn mutants(&self, file: &Written) -> Vec<RuleMutant> {
        let excuses = file.excuses();
        let cases: Arc<[Case]> = self.cases.clone().into();
        let mut all = vec![];
        for expression in self.every_expression().into_iter().filter(|e| e.decides) {
            let source = &expression.compiled.source;
            let Some(place) = file.place_of(&expression) else {
                continue;
            };
            for mutant in expression.compiled.mutants(self.program.of_library) {
                let change = change(source, &mutant);
                let excuse = excuses.iter().find(|e| e.change == change);
                all.push(RuleMutant {
                    field: expression.field.clone(),
                    span: file.span(&place, mutant.span),
                    excuse: excuse.map(|e| e.reason.clone()),
                    change,
                    place: place.clone(),
                    cases: Arc::clone(&cases),
                    mutant,
                });
            }
        }
        all
    }

    /// Whether all its cases pass.
    pub fn passes(&self) -> bool {
        let mut cases = self.cases.iter();
        cases.all(|case| self.passes_case(case))
    }
}

impl RuleMutant {
    pub(crate) fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The tree of the changed file.
    pub(crate) fn tree(&self, file: &Written) -> Node {
        file.changed(&self.place, self.mutant.span, &self.mutant.new)
    }
}

impl Written {
    /// The changes that no case can find, as the file says under `survivors`. What of it is wrong is told
    /// where the file is loaded.
    pub fn excuses(&self) -> Vec<Excuse> {
        let Some(Value::Sequence(items)) = self.field("survivors").map(|n| &n.value) else {
            return vec![];
        };
        let of = |item: &Node, name| Some(field(item, name)?.scalar()?.text.trim().to_owned());
        let each = items.iter().filter_map(|item| {
            Some(Excuse {
                change: one_line(&of(item, "change")?),
                reason: of(item, "reason")?,
                line: self.text.position(item.at).0,
            })
        });
        each.collect()
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The part before, and after: `start(o) > limit → start(o) >= limit`.
fn change(source: &str, mutant: &Mutant) -> String {
    let (from, to) = mutant.span;
    let (start, end) = (mutant.part.0.min(from), mutant.part.1.max(to));
    let old = written(source, (start, end));
    let head: String = source.chars().take(from).skip(start).collect();
    let tail: String = source.chars().take(end).skip(to).collect();
    let new = one_line(&format!("{head}{}{tail}", mutant.new));
    format!("{old} → {new}")
}
