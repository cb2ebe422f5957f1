//! `tandem rule test --mutate`: small changes of rules, each of which a case has to find.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine_patient::finding::Span;
use measures_run::rule_files::RuleFolders;
use rules::{BuiltInShared, RuleMutant, load_changed};
use serde_json::{Value, json};

use super::explained::line;
use super::files::{RuleFile, RuleFiles};
use crate::commands::threads;

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The changed rule is refused by the check: nobody would ship it.
    Refused,
    /// A case fails.
    Found,
    /// No case tells the changed rule from the right one.
    Survived,
}

/// What became of the changes of one rule.
#[derive(Clone, Default)]
pub struct Mutation {
    found: usize,
    refused: usize,
    /// Those that no case found, with the reason that the file gives.
    survivors: Vec<RuleMutant>,
    /// Whether cases fail: then nothing was tried.
    has_failed: bool,
    /// What the file excuses and needs no excuse: its line, and the change.
    stale: Vec<(usize, String)>,
}

/// A rule, one of its changes, what became of it.
type Ran = (usize, usize, Fate);

/// The changes of all rules whose cases pass, tried on all processors.
pub fn mutate(all: &RuleFiles) -> Vec<Mutation> {
    let mutants: Vec<Vec<RuleMutant>> = all.rules.iter().map(of).collect();
    let jobs = mutants.iter().enumerate();
    let jobs = jobs.flat_map(|(rule, own)| (0..own.len()).map(move |mutant| (rule, mutant)));
    let jobs: Vec<(usize, usize)> = jobs.collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Ran>> = Mutex::new(vec![]);
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                let mut folders = RuleFolders::new(&all.store);
                let built_in = BuiltInShared::new(&all.store);
                while let Some((rule, mutant)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let file = all.rules.get(*rule);
                    let change = mutants.get(*rule).and_then(|own| own.get(*mutant));
                    let Some((file, change)) = file.zip(change) else {
                        continue;
                    };
                    let changed = match file.built_in {
                        true => match &built_in {
                            Ok(shared) => shared.beside(&file.rule.file, |beside| {
                                load_changed(&file.written, change, beside)
                            }),
                            Err(found) => Err(found.clone()),
                        },
                        false => folders.beside(Path::new(&file.rule.file), |beside| {
                            load_changed(&file.written, change, beside)
                        }),
                    };
                    let fate = match changed {
                        Err(_) => Fate::Refused,
                        Ok(changed) if changed.passes() => Fate::Survived,
                        Ok(_) => Fate::Found,
                    };
                    if let Ok(mut done) = done.lock() {
                        done.push((*rule, *mutant, fate));
                    }
                }
            });
        }
    });
    let mut ran = done.into_inner().unwrap_or_default();
    ran.sort_by_key(|(rule, mutant, _)| (*rule, *mutant));
    let files = all.rules.iter().zip(&mutants).enumerate();
    files
        .map(|(number, (file, mutants))| {
            let own = ran.iter().filter(|(rule, ..)| *rule == number);
            summed(file, mutants, own)
        })
        .collect()
}

/// What a rule that fails its cases is changed to tells nothing.
fn of(file: &RuleFile) -> Vec<RuleMutant> {
    match file.rule.passes() {
        true => file.rule.mutants(&file.written),
        false => vec![],
    }
}

fn summed<'r>(
    file: &RuleFile,
    mutants: &[RuleMutant],
    ran: impl Iterator<Item = &'r Ran>,
) -> Mutation {
    let mut out = Mutation::default();
    if !file.rule.passes() {
        out.has_failed = true;
        return out;
    }
    for (_, number, fate) in ran {
        match fate {
            Fate::Refused => out.refused += 1,
            Fate::Found => out.found += 1,
            Fate::Survived => out.survivors.extend(mutants.get(*number).cloned()),
        }
    }
    let used: HashSet<&str> = out.survivors.iter().map(|s| s.change.as_str()).collect();
    let stale = file.written.excuses().into_iter();
    let stale = stale.filter(|excuse| !used.contains(excuse.change.as_str()));
    out.stale = stale.map(|excuse| (excuse.line, excuse.change)).collect();
    out
}

impl Mutation {
    /// Survivors that the file says nothing about.
    pub fn open(&self) -> usize {
        self.survivors.iter().filter(|s| s.excuse.is_none()).count()
    }

    pub fn tried(&self) -> usize {
        self.found + self.refused + self.survivors.len()
    }

    /// Whether changes were tried: not of a rule whose cases fail.
    pub fn is_tried(&self) -> bool {
        !self.has_failed
    }

    pub fn print(&self, file: &str) {
        if !self.is_tried() {
            say!("  changes: none tried, because cases fail");
            return;
        }
        let excused = self.survivors.len() - self.open();
        let with = match excused {
            0 => String::new(),
            n => format!(", {n} of them with a reason in the file"),
        };
        say!(
            "  changes: {} tried, {} found by a case, {} refused by the check, {} survived{with}",
            self.tried(),
            self.found,
            self.refused,
            self.survivors.len(),
        );
        for survivor in self.survivors.iter().filter(|s| s.excuse.is_none()) {
            let (field, change) = (&survivor.field, &survivor.change);
            line(
                4,
                &format!("{}: {field}: {change}", place(file, &survivor.span)),
            );
        }
        for (at, change) in &self.stale {
            line(
                4,
                &format!(
                    "{file}:{at}: no such change survives, remove it from `survivors`: {change}"
                ),
            );
        }
    }

    pub fn json(&self) -> Value {
        let survivors = self.survivors.iter().map(|s| {
            json!({
                "field": s.field, "change": s.change, "line": s.span.line,
                "column": s.span.column, "reason": s.excuse,
            })
        });
        let stale = self.stale.iter();
        let stale = stale.map(|(line, change)| json!({ "line": line, "change": change }));
        if !self.is_tried() {
            // No count of survivors: none was looked for.
            return json!({ "tried": 0, "reason": "cases fail" });
        }
        json!({
            "tried": self.tried(), "found": self.found, "refused": self.refused,
            "survivors": survivors.collect::<Vec<_>>(),
            "stale": stale.collect::<Vec<_>>(),
        })
    }
}

/// `file:line:column`
pub fn place(file: &str, span: &Span) -> String {
    match span.column {
        Some(column) => format!("{file}:{}:{column}", span.line),
        None => format!("{file}:{}", span.line),
    }
}
