//! Running the tests that stand in a rule's file.

use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;

use crate::case::{Case, CaseOutcome};
use crate::outcome::Outcome;
use crate::rule::Rule;

impl Rule {
    /// Runs the rule's own tests.
    pub fn run_cases(&self) -> Vec<CaseOutcome> {
        self.cases.iter().map(|case| self.run(case)).collect()
    }

    fn run(&self, case: &Case) -> CaseOutcome {
        let mut failures = vec![];
        let mut record = PatientRecord::new();
        for json in &case.resources {
            if let Err(e) = record.push(json) {
                failures.push(format!("a resource cannot be read: {e}"));
            }
        }
        for ty in &case.unavailable {
            record.set_unavailable(*ty);
        }
        let decision = match self.decide(&record, &EvaluationContext::at(case.at)) {
            Ok(decision) => decision,
            Err(bug) => {
                failures.push(bug.to_string());
                return CaseOutcome {
                    name: case.name.clone(),
                    line: case.line,
                    failures,
                };
            }
        };
        let expect = &case.expect;
        let criteria = [
            ("eligible", expect.eligible, &decision.eligible),
            ("excluded", expect.excluded, &decision.excluded),
            ("satisfied", expect.satisfied, &decision.satisfied),
        ];
        for (name, wanted, found) in criteria {
            if let Some(wanted) = wanted.filter(|w| *w != found.truth) {
                failures.push(format!(
                    "`{name}` should be {wanted}, is {}",
                    because(found)
                ));
            }
        }
        let reason = decision.unknown_reason.as_deref();
        if decision.applicability != expect.applies {
            let why = reason.map(|r| format!(": {r}")).unwrap_or_default();
            let (wanted, found) = (expect.applies.as_str(), decision.applicability.as_str());
            failures.push(format!("`applies` should be {wanted}, is {found}{why}"));
        }
        let summary = decision.card.as_ref().map(|card| card.summary.as_str());
        if let Some(wanted) = expect.summary.as_deref().filter(|w| Some(*w) != summary) {
            failures.push(format!(
                "`summary` should be \"{wanted}\", is {}",
                quoted(summary, "no card")
            ));
        }
        if let Some(wanted) = expect
            .reason
            .as_deref()
            .filter(|w| !reason.is_some_and(|r| r.contains(w)))
        {
            failures.push(format!(
                "`reason` should contain \"{wanted}\", is {}",
                quoted(reason, "nothing")
            ));
        }
        let due = decision.due.map(|due| due.to_string());
        if let Some(wanted) = expect
            .due
            .as_deref()
            .filter(|w| !due.as_deref().is_some_and(|d| d.starts_with(w)))
        {
            failures.push(format!(
                "`due` should be {wanted}, is {}",
                due.as_deref().unwrap_or("not known")
            ));
        }
        CaseOutcome {
            name: case.name.clone(),
            line: case.line,
            failures,
        }
    }
}

fn because(outcome: &Outcome) -> String {
    match &outcome.reason {
        Some(reason) => format!("{}: {reason}", outcome.truth),
        None => outcome.truth.to_string(),
    }
}

fn quoted(text: Option<&str>, nothing: &str) -> String {
    text.map_or_else(|| nothing.to_owned(), |t| format!("\"{t}\""))
}
