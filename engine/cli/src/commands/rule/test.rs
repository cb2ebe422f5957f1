//! `tandem rule test`: rules are checked, and their cases run.

use std::path::PathBuf;

use engine_cel::deciding;
use engine_patient::finding::{Finding, listed};
use rules::{CaseOutcome, ConditionSeen, Rule as ClinicalRule};
use serde_json::{Value, json};

use super::explained::Explained;
use super::files::{RuleFile, RuleFiles};
use super::mutation::{Mutation, mutate};
use super::shown;
use super::watch::watch;
use crate::commands::measure::tell;
use crate::failure::{Done, Failure};
use crate::format::Format;
use crate::visible::in_line;
use crate::width;
use crate::wrap::wrap;

/// What is asked of a test.
pub struct Asked {
    pub paths: Vec<PathBuf>,
    pub value_sets: Vec<PathBuf>,
    pub coverage: bool,
    pub mutate: bool,
    pub watch: bool,
    pub format: Format,
}

/// What was found in all rules.
#[derive(Default)]
struct Tested {
    rules: usize,
    /// Rules that could not be read, whose cases did not run.
    refused: usize,
    passed: usize,
    failed: usize,
    warnings: usize,
    /// True and false that were seen of conditions, and how many there are.
    seen: (usize, usize),
    /// Changes that no case found, and that the file says nothing about.
    survived: usize,
    /// Rules of which no change was tried, because their cases fail.
    untried: usize,
    /// Of rules that cannot be used.
    broken: Vec<Finding>,
    json: Vec<Value>,
}

pub fn test(asked: &Asked) -> Done {
    if !asked.watch {
        return once(asked);
    }
    if asked.paths.is_empty() {
        let text = "--watch needs files or folders to watch: the built-in rules do not change";
        return Err(Failure::User(text.into()));
    }
    let watched: Vec<PathBuf> = asked
        .paths
        .iter()
        .chain(&asked.value_sets)
        .cloned()
        .collect();
    match watch(&watched, || once(asked).map(|_| ()))? {}
}

fn once(asked: &Asked) -> Done {
    let all = RuleFiles::read(&asked.paths, &asked.value_sets)?;
    let changes = match asked.mutate {
        true => mutate(&all).into_iter().map(Some).collect(),
        false => vec![None; all.rules.len()],
    };
    let mut tested = Tested {
        refused: all.refused,
        ..Tested::default()
    };
    for (file, changes) in all.rules.iter().zip(changes) {
        tested.one(file, changes.as_ref(), asked)?;
    }
    let (errors, others): (Vec<Finding>, Vec<Finding>) =
        all.wrong.into_iter().partition(Finding::is_error);
    if !others.is_empty() && asked.format == Format::Table {
        tell(&listed(&others));
    }
    tested.broken.extend(errors);
    tested.broken.sort();
    tested.end(asked)
}

impl Tested {
    /// Runs the cases of a rule, and tells what they do not show.
    fn one(
        &mut self,
        file: &RuleFile,
        changes: Option<&Mutation>,
        asked: &Asked,
    ) -> Result<(), Failure> {
        let rule = &file.rule;
        let mut warnings = rule.warnings.clone();
        if !file.built_in {
            let found = rule.coverage().into_iter();
            let (errors, others): (Vec<Finding>, Vec<Finding>) = found.partition(Finding::is_error);
            self.broken.extend(errors);
            warnings.extend(others);
            warnings.sort();
            if !warnings.is_empty() && asked.format == Format::Table {
                tell(&listed(&warnings));
            }
        }
        let seen = rule.conditions_seen(&file.written);
        let seen = seen.map_err(|bug| Failure::Internal(bug.to_string()))?;
        let outcomes = rule.run_cases();
        let bad = outcomes.iter().filter(|o| !o.failures.is_empty());
        let failed = bad.clone().count();
        let passed = outcomes.len() - failed;
        let (some, all) = shown::counted(&seen);
        self.seen = (self.seen.0 + some, self.seen.1 + all);
        self.rules += 1;
        self.passed += passed;
        self.failed += failed;
        self.warnings += warnings.len();
        self.survived += changes.map_or(0, Mutation::open);
        self.untried += usize::from(changes.is_some_and(|c| !c.is_tried()));
        match asked.format {
            Format::Json => {
                let value = to_json(rule, &warnings, &outcomes, &seen, changes);
                self.json.push(value);
            }
            _ => {
                say!("{}: {passed} passed, {failed} failed", rule.artifact.id);
                bad.for_each(|outcome| print(rule, outcome));
                shown::print(&seen, asked.coverage);
                if let Some(changes) = changes {
                    changes.print(&rule.file);
                }
            }
        }
        Ok(())
    }

    /// Sums up; the exit code.
    fn end(self, asked: &Asked) -> Done {
        if asked.format == Format::Json {
            let findings: Vec<_> = self.broken.iter().map(Finding::to_json).collect();
            let (seen, all) = self.seen;
            let mut summary = json!({
                "rules": self.rules, "refused": self.refused, "passed": self.passed, "failed": self.failed,
                "errors": self.broken.len(), "warnings": self.warnings,
                "conditions": { "outcomesSeen": seen, "outcomes": all },
            });
            if let (true, Some(fields)) = (asked.mutate, summary.as_object_mut()) {
                let survived = (self.untried < self.rules).then_some(self.survived);
                fields.insert("survivors".into(), survived.into());
                fields.insert("rulesNotTried".into(), self.untried.into());
            }
            data!(
                "{:#}",
                json!({ "rules": self.json, "findings": findings, "summary": summary })
            );
            crate::commands::verdict(&self.broken)?;
        } else if self.rules > 0 {
            let coverage = match asked.coverage {
                true => format!("; conditions {}", shown::percent(self.seen)),
                false => String::new(),
            };
            let survived = match asked.mutate {
                true if self.untried == 0 => {
                    format!("; {} survived", many(self.survived, "change"))
                }
                true if self.untried == self.rules => {
                    "; no changes tried, because cases fail".to_owned()
                }
                true => format!(
                    "; {} survived, none tried of {} whose cases fail",
                    many(self.survived, "change"),
                    many(self.untried, "rule")
                ),
                false => String::new(),
            };
            say!(
                "{}: {} passed, {} failed{}{}{coverage}{survived}",
                many(self.rules, "rule"),
                many(self.passed, "case"),
                self.failed,
                match self.refused {
                    0 => String::new(),
                    count => format!("; {} refused", many(count, "rule")),
                },
                match self.warnings {
                    0 => String::new(),
                    count => format!("; {}", many(count, "warning")),
                }
            );
        }
        match (self.broken.is_empty(), self.failed, self.survived) {
            (false, ..) => Err(Failure::of(&self.broken)),
            (true, 0, 0) => Ok(std::process::ExitCode::SUCCESS),
            (true, 0, survived) => {
                let text = format!(
                    "{} survived that no case finds: add a case, or say under `survivors` why none can",
                    many(survived, "change")
                );
                Err(Failure::No(text))
            }
            (true, failed, _) => Err(Failure::No(format!("{} failed", many(failed, "case")))),
        }
    }
}

fn many(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// A failed case: what differed, and why. Its data is made up, so that it can be shown.
fn print(rule: &ClinicalRule, outcome: &CaseOutcome) {
    say!(
        "\n  {}:{}: {}",
        rule.file,
        outcome.line,
        in_line(&outcome.name)
    );
    for failure in &outcome.failures {
        let width = width::of_output().saturating_sub(4);
        for line in wrap(&in_line(failure), width) {
            say!("    {line}");
        }
    }
    for why in &outcome.why {
        let of = &why.clause;
        let decided = deciding(of);
        let text = format!("why: {} ({}:{}): {decided}", why.field, rule.file, why.line);
        for line in wrap(&in_line(&text), width::of_output().saturating_sub(4)) {
            say!("    {line}");
        }
        Explained::default().print(of, &[], 3);
    }
    say!("");
}

fn to_json(
    rule: &ClinicalRule,
    warnings: &[Finding],
    outcomes: &[CaseOutcome],
    seen: &[ConditionSeen],
    changes: Option<&Mutation>,
) -> Value {
    let case = |o: &CaseOutcome| {
        let differences = o.differences.iter().map(|d| {
            json!({
                "field": d.field, "expected": d.expected, "found": d.found, "reason": d.reason,
            })
        });
        let why = o.why.iter().map(
            |w| json!({ "field": w.field, "line": w.line, "outcome": Explained::default().json(&w.clause) }),
        );
        json!({
            "name": o.name, "line": o.line, "passed": o.failures.is_empty(),
            "failures": o.failures,
            "differences": differences.collect::<Vec<_>>(),
            "why": why.collect::<Vec<_>>(),
        })
    };
    let mut out = json!({
        "rule": &*rule.artifact.id, "version": &*rule.artifact.version, "file": rule.file,
        "warnings": warnings.iter().map(Finding::to_json).collect::<Vec<_>>(),
        "cases": outcomes.iter().map(case).collect::<Vec<_>>(),
        "conditions": shown::as_json(seen),
    });
    if let (Some(changes), Some(fields)) = (changes, out.as_object_mut()) {
        fields.insert("changes".into(), changes.json());
    }
    out
}
