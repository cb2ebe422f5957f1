//! `tandem rule test`: rules are checked, and their cases run.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use engine_cel::deciding;
use engine_patient::finding::{Finding, listed};
use measures_run::rule_files::{RuleFolders, load_rules, rule_sources, same_id, terminology};
use rules::{CaseOutcome, Rule as ClinicalRule};
use serde_json::{Value, json};

use super::decision_json::clause_json;
use super::eval::print_clause;
use crate::commands::measure::tell;
use crate::failure::{Done, Failure};
use crate::format::Format;
use crate::visible::in_line;
use crate::width;
use crate::wrap::wrap;

/// What was found in all rules.
#[derive(Default)]
struct Tested {
    rules: usize,
    /// Rules that could not be read, whose cases did not run.
    refused: usize,
    passed: usize,
    failed: usize,
    warnings: usize,
    /// Of rules that cannot be used.
    broken: Vec<Finding>,
    json: Vec<Value>,
}

pub fn test(paths: &[PathBuf], value_sets: &[PathBuf], format: Format) -> Done {
    let mut tested = Tested::default();
    if paths.is_empty() {
        for rule in load_rules(&[], value_sets, &mut tell)? {
            tested.run(&rule, &rule.warnings, format);
        }
    } else {
        tested.files(paths, value_sets, format)?;
    }
    tested.end(format)
}

impl Tested {
    fn files(
        &mut self,
        paths: &[PathBuf],
        value_sets: &[PathBuf],
        format: Format,
    ) -> Result<(), Failure> {
        let store = terminology(value_sets, &mut tell)?;
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        let mut folders = RuleFolders::new(&store);
        for source in rule_sources(paths, &mut tell)? {
            let rule = match folders.load(&source.path) {
                Ok(rule) => rule,
                Err(found) => {
                    self.broken.extend(found);
                    self.refused += 1;
                    continue;
                }
            };
            match ids.entry(rule.artifact.id.to_string()) {
                Entry::Occupied(other) => {
                    self.broken
                        .push(same_id(&rule, &format!("`{}`", other.get())));
                }
                Entry::Vacant(place) => {
                    place.insert(rule.file.clone());
                }
            }
            let (errors, mut warnings): (Vec<Finding>, Vec<Finding>) =
                rule.coverage().into_iter().partition(Finding::is_error);
            warnings.extend(rule.warnings.iter().cloned());
            warnings.sort();
            if !warnings.is_empty() && format == Format::Table {
                tell(&listed(&warnings));
            }
            self.run(&rule, &warnings, format);
            self.broken.extend(errors);
        }
        Ok(())
    }

    /// Runs the cases of a rule.
    fn run(&mut self, rule: &ClinicalRule, warnings: &[Finding], format: Format) {
        let outcomes = rule.run_cases();
        let bad = outcomes.iter().filter(|o| !o.failures.is_empty());
        let failed = bad.clone().count();
        let passed = outcomes.len() - failed;
        self.rules += 1;
        self.passed += passed;
        self.failed += failed;
        self.warnings += warnings.len();
        match format {
            Format::Json => self.json.push(to_json(rule, warnings, &outcomes)),
            _ => {
                say!("{}: {passed} passed, {failed} failed", rule.artifact.id);
                bad.for_each(|outcome| print(rule, outcome));
            }
        }
    }

    /// Sums up; the exit code.
    fn end(self, format: Format) -> Done {
        if format == Format::Json {
            let findings: Vec<_> = self.broken.iter().map(Finding::to_json).collect();
            let summary = json!({
                "rules": self.rules, "refused": self.refused, "passed": self.passed, "failed": self.failed,
                "errors": self.broken.len(), "warnings": self.warnings,
            });
            data!(
                "{:#}",
                json!({ "rules": self.json, "findings": findings, "summary": summary })
            );
            crate::commands::verdict(&self.broken)?;
        } else if self.rules > 0 {
            say!(
                "{}: {} passed, {} failed{}{}",
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
        match (self.broken.is_empty(), self.failed) {
            (false, _) => Err(Failure::of(&self.broken)),
            (true, 0) => Ok(std::process::ExitCode::SUCCESS),
            (true, failed) => Err(Failure::No(format!("{} failed", many(failed, "case")))),
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
        print_clause(of, &[], 3);
    }
    say!("");
}

fn to_json(rule: &ClinicalRule, warnings: &[Finding], outcomes: &[CaseOutcome]) -> Value {
    let case = |o: &CaseOutcome| {
        let differences = o.differences.iter().map(|d| {
            json!({
                "field": d.field, "expected": d.expected, "found": d.found, "reason": d.reason,
            })
        });
        let why = o.why.iter().map(
            |w| json!({ "field": w.field, "line": w.line, "outcome": clause_json(&w.clause) }),
        );
        json!({
            "name": o.name, "line": o.line, "passed": o.failures.is_empty(),
            "failures": o.failures,
            "differences": differences.collect::<Vec<_>>(),
            "why": why.collect::<Vec<_>>(),
        })
    };
    json!({
        "rule": &*rule.artifact.id, "version": &*rule.artifact.version, "file": rule.file,
        "warnings": warnings.iter().map(Finding::to_json).collect::<Vec<_>>(),
        "cases": outcomes.iter().map(case).collect::<Vec<_>>(),
    })
}
