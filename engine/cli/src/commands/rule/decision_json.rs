//! What a rule says of a patient, for programs. It holds patient data.

use engine_cel::Clause;
use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use rules::Rule;
use serde_json::{Value, json};

use crate::failure::Failure;

pub fn print(
    rule: &Rule,
    record: &PatientRecord,
    context: &EvaluationContext,
) -> Result<(), Failure> {
    let bug = |bug: EvaluationError| Failure::Internal(bug.to_string());
    let decision = rule.decide(record, context).map_err(bug)?;
    let explained = rule.explain(record, context).map_err(bug)?;
    let criteria = explained.iter().map(
        |(criterion, clause)| json!({ "criterion": criterion, "outcome": clause_json(clause) }),
    );
    let card = decision.cards.iter().map(|card| {
        json!({
            "indicator": card.indicator.as_str(), "summary": card.summary, "detail": card.detail,
        })
    });
    let out = json!({
        "rule": &*rule.artifact.id,
        "version": &*rule.artifact.version,
        "at": context.at.to_string(),
        "applies": decision.applicability.as_str(),
        "reason": decision.unknown_reason,
        "due": decision.due.map(|due| due.to_string()),
        "cards": card.collect::<Vec<_>>(),
        "criteria": criteria.collect::<Vec<_>>(),
    });
    data!("{out:#}");
    Ok(())
}

/// A part of a rule and its value, and what it is made of.
pub fn clause_json(clause: &Clause) -> Value {
    json!({
        "text": clause.text,
        "truth": clause.truth.map(|t| t.as_str()),
        "value": clause.value,
        "reason": clause.reason,
        "clauses": clause.clauses.iter().map(clause_json).collect::<Vec<_>>(),
    })
}
