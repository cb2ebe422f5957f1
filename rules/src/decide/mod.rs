//! One patient: the outcome for a card, and the rows for a measure.

mod alert;
mod card;
mod clauses;
mod evidence;
mod explain_alert;
mod fill;
mod gap;
mod last_evidence;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use clauses::Clauses;
use engine_cel::{Clause, Compiled, Evaluation};
use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::system::truth::Truth;

use crate::outcome::{Decision, Outcome};
use crate::program::Question;
use crate::rule::Rule;

impl Rule {
    pub(crate) fn evaluation<'r>(
        &'r self,
        record: &'r PatientRecord,
        context: &'r EvaluationContext,
    ) -> Evaluation<'r> {
        Evaluation::new(
            record,
            context,
            &self.requirements,
            &self.program.sets,
            &self.program.expressions.defines,
        )
        .with_drugs(Arc::clone(&self.program.drugs))
    }

    /// The outcome for one patient at one moment, with the cards if there are any to show.
    ///
    /// # Errors
    /// Our bugs only.
    pub fn decide(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Decision, EvaluationError> {
        let evaluation = self.evaluation(record, context);
        match &self.program.expressions.question {
            Question::Gap(gap) => self.decide_gap(gap, &evaluation),
            Question::Alert(alert) => self.decide_alert(alert, &evaluation),
        }
    }

    /// Why the criteria came out as they did, part by part. Shows values of the patient.
    ///
    /// # Errors
    /// Our bugs only.
    pub fn explain(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Vec<(&'static str, Clause)>, EvaluationError> {
        let evaluation = self.evaluation(record, context);
        match &self.program.expressions.question {
            Question::Gap(gap) => self.explain_gap(gap, &evaluation),
            Question::Alert(alert) => self.explain_alert(alert, &evaluation),
        }
    }

    /// A clause, of the living only where the rule is not for the dead.
    fn with_alive<'r>(
        &'r self,
        evaluation: &Evaluation<'r>,
        written: Clause,
        whole: Outcome,
    ) -> Result<Clause, EvaluationError> {
        let Some(alive) = &self.program.expressions.alive else {
            return Ok(written);
        };
        Ok(Clause {
            text: format!("{} && ({})", alive.source, written.text),
            truth: Some(whole.truth),
            reason: whole.reason,
            clauses: vec![evaluation.explain(alive)?, written],
            ..Clause::default()
        })
    }

    /// Whether the patient is alive; true where the rule is for the dead, too.
    fn alive<'r>(&'r self, evaluation: &Evaluation<'r>) -> Result<Outcome, EvaluationError> {
        match &self.program.expressions.alive {
            Some(alive) => outcome(evaluation, alive),
            None => Ok(Outcome {
                truth: Truth::True,
                reason: None,
            }),
        }
    }
}

fn outcome<'r>(
    evaluation: &Evaluation<'r>,
    expression: &'r Compiled,
) -> Result<Outcome, EvaluationError> {
    Ok(Outcome::of(&evaluation.evaluate(expression)?))
}
