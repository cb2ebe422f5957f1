//! Why a rule said what it said at a call, in lines.

use engine_cel::Clause;
use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use rules::{Decision, Rule};

use crate::rows::Explained;

/// Deeper parts are left out: `rule eval --explain` has them.
const DEPTH: usize = 6;

/// Most lines of an explanation.
const LINES: usize = 60;

pub(crate) fn explained(
    rule: &Rule,
    decision: &Decision,
    record: &PatientRecord,
    context: &EvaluationContext,
) -> Result<Explained, EvaluationError> {
    let mut why = vec![];
    for (criterion, clause) in rule.explain(record, context)? {
        let truth = clause.truth.map_or("", |t| t.as_str());
        why.push(format!("{criterion}: {truth}"));
        lines(&clause, &[], 1, &mut why);
    }
    if why.len() > LINES {
        let more = why.len() - LINES;
        why.truncate(LINES);
        why.push(format!("and {more} lines more"));
    }
    Ok(Explained {
        details: decision.cards.iter().map(|c| c.detail.clone()).collect(),
        why,
    })
}

/// `above`: the items of the part around it, which say nothing new further down.
fn lines(clause: &Clause, above: &[String], depth: usize, out: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let outcome = match (clause.truth, &clause.value) {
        (Some(truth), _) => truth.as_str(),
        (None, Some(value)) => value,
        (None, None) => "",
    };
    let below = clause.clauses.iter().any(|c| c.reason == clause.reason);
    let reason = clause.reason.as_ref().filter(|_| !below);
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    out.push(format!("{indent}{outcome} ⇐ {}{reason}", clause.text));
    if clause.items != above {
        out.extend(
            clause
                .items
                .iter()
                .map(|item| format!("{indent}  - {item}")),
        );
    }
    if depth < DEPTH {
        let shown = match clause.items.is_empty() {
            true => above,
            false => &clause.items,
        };
        for part in &clause.clauses {
            lines(part, shown, depth + 1, out);
        }
    }
}
