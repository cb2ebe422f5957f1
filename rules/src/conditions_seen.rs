//! What the cases of a rule show of every condition in it: whether it was true, false and unknown in one.

use std::sync::Arc;

use engine_patient::finding::Span;
use engine_patient::outcomes_seen::{OutcomesSeen, Seen};
use engine_patient::program::EvaluationError;

use crate::rule::Rule;
use crate::written::Written;

/// A condition of a rule, and its outcomes in the cases.
#[derive(Clone, Debug)]
pub struct ConditionSeen {
    /// The field that it is part of: `eligible`, `define.year_ago`.
    pub field: String,
    /// Its text, on one line.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Its outcomes.
    pub seen: Seen,
}

impl ConditionSeen {
    /// Whether it was true in a case, and false in one.
    pub fn is_shown(&self) -> bool {
        self.seen.yes && self.seen.no
    }
}

impl Rule {
    /// Every condition that is written in the rule's file, in its order, with the outcomes that it had in
    /// the cases. What a case does not get to is not evaluated: `b` of `a && b` where `a` is false.
    ///
    /// # Errors
    /// Our bugs only.
    pub fn conditions_seen(&self, file: &Written) -> Result<Vec<ConditionSeen>, EvaluationError> {
        let seen = Arc::new(OutcomesSeen::default());
        for case in &self.cases {
            // What cannot be read fails the case, and is told there.
            let (record, _) = case.record();
            let (context, _) = case.context();
            let context = context.noting(Arc::clone(&seen));
            self.decide(&record, &context)?;
        }
        let mut all = vec![];
        for expression in self.every_expression() {
            let compiled = expression.compiled;
            // What stands in the library's file is the library's.
            let Some(place) = file.place_of(&expression) else {
                continue;
            };
            for condition in compiled.conditions(self.program.of_library) {
                all.push(ConditionSeen {
                    field: expression.field.clone(),
                    text: written(&compiled.source, condition.span),
                    span: file.span(&place, condition.span),
                    seen: seen.of(condition.key),
                });
            }
        }
        all.sort_by_key(|c| (c.span.line, c.span.column, std::cmp::Reverse(c.text.len())));
        Ok(all)
    }
}

/// Characters of an expression, on one line.
pub(crate) fn written(source: &str, (from, to): (usize, usize)) -> String {
    let text: String = source.chars().take(to).skip(from).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
