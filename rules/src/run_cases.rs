//! Running the tests that stand in a rule's file.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::hook_call::HookCall;
use engine_patient::now::Ahead;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::system::truth::Truth;

use crate::case::{Case, CaseOutcome, Difference, Why};
use crate::outcome::{Applicability, CardText, Decision};
use crate::program::Question;
use crate::rule::Rule;
use crate::words::Indicator;

impl Case {
    /// Its patient, and what of it cannot be read.
    pub(crate) fn record(&self) -> (PatientRecord, Vec<String>) {
        let mut record = PatientRecord::new();
        let mut failures = vec![];
        for json in &self.resources {
            if let Err(e) = record.push(json) {
                failures.push(format!("a resource cannot be read: {e}"));
            }
        }
        for ty in &self.unavailable {
            record.set_unavailable(*ty);
        }
        (record, failures)
    }

    /// The moment and the call, and what of its drafts cannot be read.
    pub(crate) fn context(&self) -> (EvaluationContext, Vec<String>) {
        let mut drafts = PatientRecord::new();
        let mut failures = vec![];
        for json in &self.drafts {
            if let Err(e) = drafts.push(json) {
                failures.push(format!("a draft cannot be read: {e}"));
            }
        }
        let call = HookCall {
            hook: self.hook.as_str().into(),
            user: self.user.as_deref().map(Arc::from),
            encounter: None,
            drafts,
            selections: self
                .selections
                .as_ref()
                .map(|all| all.iter().cloned().collect()),
        };
        let context = EvaluationContext::at(self.at).with_ahead(Ahead::GIVEN);
        let context = context.with_call(Arc::new(call));
        (context, failures)
    }
}

impl Rule {
    /// Runs the rule's own tests.
    pub fn run_cases(&self) -> Vec<CaseOutcome> {
        self.cases.iter().map(|case| self.run(case)).collect()
    }

    /// Whether a case comes out as expected.
    pub(crate) fn passes_case(&self, case: &Case) -> bool {
        let (record, failures) = case.record();
        let (context, more) = case.context();
        let decision = self.decide(&record, &context);
        failures.is_empty()
            && more.is_empty()
            && decision.is_ok_and(|d| self.differences(case, &d).is_empty())
    }

    fn run(&self, case: &Case) -> CaseOutcome {
        let (record, mut failures) = case.record();
        let (mut differences, mut why) = (vec![], vec![]);
        let (context, more) = case.context();
        failures.extend(more);
        match self.decide(&record, &context) {
            Ok(decision) => {
                differences = self.differences(case, &decision);
                failures.extend(differences.iter().map(ToString::to_string));
                match self.why(case, &decision, &differences, &record, &context) {
                    Ok(told) => why = told,
                    Err(bug) => failures.push(bug.to_string()),
                }
            }
            Err(bug) => failures.push(bug.to_string()),
        }
        CaseOutcome {
            name: case.name.clone(),
            line: case.line,
            failures,
            differences,
            why,
        }
    }

    fn differences(&self, case: &Case, decision: &Decision) -> Vec<Difference> {
        let mut all = vec![];
        let mut differs = |field, expected: String, found: String, reason: Option<&String>| {
            let reason = reason.cloned();
            all.push(Difference {
                field,
                expected,
                found,
                reason,
            });
        };
        let expect = &case.expect;
        let criteria = [
            ("eligible", expect.eligible),
            ("excluded", expect.excluded),
            ("satisfied", expect.satisfied),
        ];
        for (name, wanted) in criteria {
            let Some(found) = decision.criterion(name) else {
                continue;
            };
            if let Some(wanted) = wanted.filter(|w| *w != found.truth) {
                let found_is = found.truth.to_string();
                differs(name, wanted.to_string(), found_is, found.reason.as_ref());
            }
        }
        let reason = decision.unknown_reason.as_ref();
        if decision.applicability != expect.applies {
            let (wanted, found) = (expect.applies.as_str(), decision.applicability.as_str());
            differs("applies", wanted.into(), found.into(), reason);
        }
        let summary = decision.card().map(|card| card.summary.as_str());
        if let Some(wanted) = expect.summary.as_deref().filter(|w| Some(*w) != summary) {
            let found = quoted(summary, "no card");
            differs("summary", format!("\"{wanted}\""), found, None);
        }
        let cards = shown(decision);
        let summaries: Vec<&str> = cards.iter().map(|c| c.summary.as_str()).collect();
        if let Some(wanted) = expect.summaries.as_ref().filter(|w| **w != summaries) {
            differs("summaries", list(wanted), list(&summaries), reason);
        }
        if let Some(wanted) = expect
            .cards
            .filter(|w| usize::try_from(*w) != Ok(cards.len()))
        {
            differs("cards", wanted.to_string(), cards.len().to_string(), reason);
        }
        let indicator = decision.card().map(|card| card.indicator);
        if let Some(wanted) = expect.indicator.filter(|w| Some(*w) != indicator) {
            let found = indicator.map_or("no card", Indicator::as_str);
            differs("indicator", wanted.as_str().into(), found.into(), None);
        }
        if let Some(wanted) = &expect.suggestions {
            let first = decision.card().map(|c| c.suggestions.as_slice());
            let labels = first.unwrap_or_default().iter().map(|s| s.label.as_str());
            let labels: Vec<&str> = labels.collect();
            if *wanted != labels {
                differs("suggestions", list(wanted), list(&labels), None);
            }
        }
        let holds = |wanted: &&str| reason.is_some_and(|r| r.contains(wanted));
        if let Some(wanted) = expect.reason.as_deref().filter(|w| !holds(w)) {
            let found = quoted(reason.map(String::as_str), "nothing");
            differs("reason", format!("\"{wanted}\""), found, None);
        }
        let due = decision.due.map(|due| due.to_string());
        let begins = |wanted: &&str| due.as_ref().is_some_and(|d| d.starts_with(wanted));
        if let Some(wanted) = expect.due.as_deref().filter(|w| !begins(w)) {
            let found = due.as_deref().unwrap_or("not known");
            differs("due", wanted.into(), found.into(), None);
        }
        all
    }

    /// The expressions that the differences come from, with their parts.
    fn why(
        &self,
        case: &Case,
        decision: &Decision,
        differences: &[Difference],
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Vec<Why>, EvaluationError> {
        let differs = |field: &str| differences.iter().any(|d| d.field == field);
        let places = &self.places;
        let mut why = vec![];
        let gap = match &self.program.expressions.question {
            Question::Gap(gap) => gap,
            Question::Alert(_) => {
                let asked = ["applies", "reason", "cards", "summaries"];
                if asked.iter().any(|f| differs(f)) {
                    let explained = self.explain(record, context)?;
                    why.extend(explained.into_iter().map(|(field, clause)| Why {
                        field,
                        line: match field {
                            "acted_on" => places.acted_on.line,
                            "for_each" => places.for_each.line,
                            "table" => places.table.line,
                            _ => places.when.line,
                        },
                        clause,
                    }));
                }
                return Ok(why);
            }
        };
        let named = ["eligible", "excluded", "satisfied"]
            .iter()
            .any(|f| differs(f));
        // Which criterion makes the difference is not said: those that keep the rule from what is
        // expected, or any where it should not apply.
        let whole = differs("applies") || differs("reason");
        let keeps = |found: Truth, for_yes: Truth| match case.expect.applies {
            Applicability::Applies => found != for_yes,
            Applicability::Unknown => true,
            Applicability::DoesNotApply => match decision.applicability {
                Applicability::Unknown => found == Truth::Unknown,
                _ => true,
            },
        };
        let blamed = |field: &str, found: Truth, for_yes: Truth| match named {
            true => differs(field),
            false => whole && keeps(found, for_yes),
        };
        let wanted = [
            ("eligible", Truth::True),
            ("excluded", Truth::False),
            ("satisfied", Truth::False),
        ];
        let wanted = wanted.map(|(name, for_yes)| {
            let found = decision.criterion(name);
            found.is_some_and(|found| blamed(name, found.truth, for_yes))
        });
        let lines = [
            places.eligible.line,
            places.excluded.line,
            places.satisfied.line,
        ];
        if wanted.contains(&true) {
            let clauses = self.explain(record, context)?.into_iter();
            for (((field, clause), line), wanted) in clauses.zip(lines).zip(wanted) {
                if wanted {
                    why.push(Why {
                        field,
                        line,
                        clause,
                    });
                }
            }
        }
        if let (true, Some(due)) = (differs("due"), &gap.due) {
            let clause = self.evaluation(record, context).explain(due)?;
            let line = places.due.line;
            why.push(Why {
                field: "due",
                line,
                clause,
            });
        }
        Ok(why)
    }
}

/// The cards without the one that says what could not be checked.
fn shown(decision: &Decision) -> &[CardText] {
    let cards = decision.cards.as_slice();
    match decision.has_unknown_card {
        true => cards.split_last().map(|(_, rest)| rest).unwrap_or_default(),
        false => cards,
    }
}

fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted = texts.iter().map(|t| format!("\"{}\"", t.as_ref()));
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let should = if self.field == "reason" {
            "should contain"
        } else {
            "should be"
        };
        let Difference {
            field,
            expected,
            found,
            ..
        } = self;
        write!(f, "`{field}` {should} {expected}, is {found}")?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

fn quoted(text: Option<&str>, nothing: &str) -> String {
    text.map_or_else(|| nothing.to_owned(), |t| format!("\"{t}\""))
}
