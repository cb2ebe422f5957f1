//! What a rule says of a patient, for programs. It holds patient data.

use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use rules::Rule;
use serde_json::json;

use super::explained::Explained;
use crate::failure::Failure;

pub fn print(
    rule: &Rule,
    record: &PatientRecord,
    context: &EvaluationContext,
) -> Result<(), Failure> {
    let bug = |bug: EvaluationError| Failure::Internal(bug.to_string());
    let decision = rule.decide(record, context).map_err(bug)?;
    let explained = rule.explain(record, context).map_err(bug)?;
    let mut shown = Explained::default();
    let criteria = explained.iter().map(
        |(criterion, clause)| json!({ "criterion": criterion, "outcome": shown.json(clause) }),
    );
    let card = decision.cards.iter().map(|card| {
        json!({
            "indicator": card.indicator.as_str(), "summary": card.summary, "detail": card.detail,
            "source": card.source.as_ref().map(|source| &source.label),
            "suggestions": card.suggestions.iter().map(|s| &s.label).collect::<Vec<_>>(),
        })
    });
    let out = json!({
        "rule": &*rule.artifact.id,
        "version": &*rule.artifact.version,
        "at": context.at.to_string(),
        "applies": decision.applicability.as_str(),
        "reason": decision.unknown_reason,
        "hook": context.call.as_ref().map(|call| &*call.hook),
        "actedOn": decision.acted_on,
        "due": decision.due.map(|due| due.to_string()),
        "cards": card.collect::<Vec<_>>(),
        "criteria": criteria.collect::<Vec<_>>(),
    });
    data!("{out:#}");
    Ok(())
}
