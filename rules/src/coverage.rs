//! What the cases of a rule do not show: criteria and definitions with one outcome in all of them.

use engine_cel::{Compiled, Ty};
use engine_patient::finding::{Code, Finding, Span};
use engine_patient::program::EvaluationError;
use engine_patient::system::truth::Truth;

use crate::program::{Gap, Question};
use crate::rule::Rule;

/// Which outcomes there were.
#[derive(Clone, Copy, Default)]
struct Seen {
    yes: bool,
    no: bool,
}

impl Seen {
    fn add(&mut self, truth: Truth) {
        match truth {
            Truth::True => self.yes = true,
            Truth::False => self.no = true,
            Truth::Unknown => {}
        }
    }
}

/// Of all cases.
struct Coverage {
    eligible: Seen,
    excluded: Seen,
    satisfied: Seen,
    excluded_terms: Vec<Seen>,
    satisfied_terms: Vec<Seen>,
    defines: Vec<Seen>,
}

impl Rule {
    /// What its cases do not show. An error where none is of a patient for whom it is done already: then
    /// nothing shows that the rule ever falls silent.
    pub fn coverage(&self) -> Vec<Finding> {
        // What the cases of an alert must show is demanded when it is loaded.
        let Question::Gap(gap) = &self.program.expressions.question else {
            return vec![];
        };
        // A bug of ours fails the case, and is told there.
        let Ok(seen) = self.seen(gap) else {
            return vec![];
        };
        let expressions = &self.program.expressions;
        let places = &self.places;
        let mut found = vec![];
        let mut tell = |finding: Finding, help: String, span: &Span| {
            let finding = finding.help(help).in_file(self.file.as_str());
            found.push(finding.spanning(span.clone()));
        };
        let expected = |case: &crate::case::Case| case.expect.satisfied == Some(Truth::True);
        if !seen.satisfied.yes && !self.cases.iter().any(expected) {
            let message =
                "no case shows a patient for whom it is done: `satisfied` is true in none";
            let help =
                "add one whose data closes the gap, with `expect: {applies: no, satisfied: true}`";
            let finding = Finding::error(Code::MissingCase, message);
            tell(finding, help.into(), &places.cases);
        }
        let mut warn = |what: String, outcome: &str, help: String, span: &Span| {
            let message = format!("{what} is {outcome} in no case");
            tell(Finding::warning(Code::OneOutcome, message), help, span);
        };
        // What is written as `true` or as a name of `define` has nothing of its own to show. What the library
        // defines is shown nowhere but where it is used.
        let (of_library, _) = self
            .program
            .define_names
            .split_at(self.program.of_library.min(self.program.define_names.len()));
        let is_shared = |text: &str| of_library.iter().any(|name| name == text);
        let counts =
            |compiled: &Compiled| !compiled.is_plain() || is_shared(compiled.source.trim());
        if !seen.eligible.no && counts(&gap.eligible) {
            let help = "add a patient whom the rule is not for, with `expect: {applies: no, eligible: false}`";
            warn("`eligible`".into(), "false", help.into(), &places.eligible);
        }
        if !seen.excluded.yes && counts(&gap.excluded) {
            let help =
                "add a patient who is left out, with `expect: {applies: no, excluded: true}`";
            warn("`excluded`".into(), "true", help.into(), &places.excluded);
        }
        for (field, compiled, terms, spans, whole) in [
            (
                "excluded",
                &gap.excluded,
                &seen.excluded_terms,
                &places.excluded_terms,
                seen.excluded,
            ),
            (
                "satisfied",
                &gap.satisfied,
                &seen.satisfied_terms,
                &places.satisfied_terms,
                seen.satisfied,
            ),
        ] {
            let alternatives = compiled.alternatives();
            if !whole.yes || alternatives.len() < 2 {
                continue;
            }
            for ((term, span), (from, to)) in terms.iter().zip(spans).zip(alternatives) {
                let text = text(compiled, from, to);
                // Names of the file are told where they are defined.
                let named = self.program.define_names.contains(&text) && !is_shared(&text);
                if !term.yes && !named {
                    let help = format!("add a case in which this part of `{field}` holds");
                    warn(format!("`{text}`"), "true", help, span);
                }
            }
        }
        // The library's are shown by its other rules, too.
        let own = self.program.of_library;
        let names = self.program.define_names.iter();
        let defines = names.zip(&expressions.defines).skip(own);
        let seen = seen.defines.iter().skip(own).zip(&places.defines);
        for ((name, compiled), (seen, span)) in defines.zip(seen) {
            let missing = match (seen.yes, seen.no) {
                _ if compiled.ty != Ty::Bool || compiled.is_plain() => continue,
                (true, true) => continue,
                (false, false) => "true or false",
                (false, true) => "true",
                (true, false) => "false",
            };
            let help = format!("add a case in which it is {missing}");
            warn(format!("the definition `{name}`"), missing, help, span);
        }
        found.sort_by_key(|f| (f.line(), f.column()));
        found
    }

    fn seen(&self, gap: &Gap) -> Result<Coverage, EvaluationError> {
        let expressions = &self.program.expressions;
        let none = |compiled: &Compiled| vec![Seen::default(); compiled.alternatives().len()];
        let mut seen = Coverage {
            eligible: Seen::default(),
            excluded: Seen::default(),
            satisfied: Seen::default(),
            excluded_terms: none(&gap.excluded),
            satisfied_terms: none(&gap.satisfied),
            defines: vec![Seen::default(); expressions.defines.len()],
        };
        for case in &self.cases {
            // What cannot be read fails the case, and is told there.
            let (record, _) = case.record();
            let (context, _) = case.context();
            let decision = self.decide(&record, &context)?;
            for (name, seen) in [
                ("eligible", &mut seen.eligible),
                ("excluded", &mut seen.excluded),
                ("satisfied", &mut seen.satisfied),
            ] {
                if let Some(outcome) = decision.criterion(name) {
                    seen.add(outcome.truth);
                }
            }
            let evaluation = self.evaluation(&record, &context);
            for (terms, compiled) in [
                (&mut seen.excluded_terms, &gap.excluded),
                (&mut seen.satisfied_terms, &gap.satisfied),
            ] {
                let outcomes = evaluation.alternatives(compiled)?;
                terms
                    .iter_mut()
                    .zip(outcomes)
                    .for_each(|(seen, truth)| seen.add(truth));
            }
            for (seen, compiled) in seen.defines.iter_mut().zip(&expressions.defines) {
                if compiled.ty == Ty::Bool {
                    let outcomes = evaluation.evaluate(compiled)?;
                    seen.add(engine_cel::explain::truth_of(&outcomes).0);
                }
            }
        }
        Ok(seen)
    }
}

fn text(compiled: &Compiled, from: usize, to: usize) -> String {
    let text: String = compiled.source.chars().skip(from).take(to - from).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
