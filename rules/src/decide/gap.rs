//! A care gap: eligible, not excluded, not satisfied.

use engine_cel::{Clause, Evaluation, Val};
use engine_patient::program::EvaluationError;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;

use super::outcome;
use crate::outcome::{Applicability, Decision, Outcome};
use crate::program::Gap;
use crate::rule::Rule;
use crate::words::OnUnknown;

impl Rule {
    pub(super) fn decide_gap<'r>(
        &'r self,
        gap: &'r Gap,
        evaluation: &Evaluation<'r>,
    ) -> Result<Decision, EvaluationError> {
        let eligible = self.eligible(gap, evaluation)?;
        let excluded = outcome(evaluation, &gap.excluded)?;
        let satisfied = outcome(evaluation, &gap.satisfied)?;
        let applies = Outcome::all(&[eligible.clone(), excluded.not(), satisfied.not()]);
        let applicability = Applicability::of(applies.truth);
        // Nothing is due for whom it is not meant.
        let due = match eligible.truth {
            Truth::True => due(gap, evaluation)?,
            Truth::False | Truth::Unknown => None,
        };
        let unknown = applicability == Applicability::Unknown;
        let too_much = [&eligible, &excluded, &satisfied]
            .into_iter()
            .any(Outcome::is_too_much);
        // A limit of ours is no data that is missing: it is never silent.
        let has_unknown_card = unknown && (too_much || self.on_unknown == OnUnknown::Card);
        // It is decided. What it took must not keep the card from telling it.
        evaluation.rest();
        let card = match applicability {
            Applicability::Applies => Some(self.card(evaluation)?),
            _ if has_unknown_card => {
                let criteria = [
                    ("whether it is for this patient", &eligible),
                    ("whether the patient is left out", &excluded),
                    ("whether it is done", &satisfied),
                ];
                let unknown = criteria.iter().filter(|(_, o)| o.truth == Truth::Unknown);
                let reasons =
                    unknown.filter_map(|(question, o)| Some((*question, o.reason.as_deref()?)));
                Some(self.unknown_card(evaluation, reasons)?)
            }
            _ => None,
        };
        let unknown_reason = applies.reason;
        Ok(Decision {
            criteria: vec![
                ("eligible", eligible),
                ("excluded", excluded),
                ("satisfied", satisfied),
            ],
            applicability,
            unknown_reason,
            due,
            cards: card.into_iter().collect(),
            has_unknown_card,
            acted_on: 0,
        })
    }

    pub(super) fn explain_gap<'r>(
        &'r self,
        gap: &'r Gap,
        evaluation: &Evaluation<'r>,
    ) -> Result<Vec<(&'static str, Clause)>, EvaluationError> {
        let written = evaluation.explain(&gap.eligible)?;
        let whole = self.eligible(gap, evaluation)?;
        Ok(vec![
            ("eligible", self.with_alive(evaluation, written, whole)?),
            ("excluded", evaluation.explain(&gap.excluded)?),
            ("satisfied", evaluation.explain(&gap.satisfied)?),
        ])
    }

    /// What the author wrote, of the living; of the dead too where the file says so.
    pub(super) fn eligible<'r>(
        &'r self,
        gap: &'r Gap,
        evaluation: &Evaluation<'r>,
    ) -> Result<Outcome, EvaluationError> {
        let alive = self.alive(evaluation)?;
        if alive.truth == Truth::False {
            return Ok(alive);
        }
        let written = outcome(evaluation, &gap.eligible)?;
        // What the author asks for comes first among reasons.
        Ok(Outcome::all(&[written, alive]))
    }
}

pub(super) fn due<'r>(
    gap: &'r Gap,
    evaluation: &Evaluation<'r>,
) -> Result<Option<DateTime>, EvaluationError> {
    let Some(due) = &gap.due else {
        return Ok(None);
    };
    Ok(match evaluation.evaluate(due)? {
        Val::Time(time) => Some(time),
        _ => None,
    })
}
