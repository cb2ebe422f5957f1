//! The rules that a command is about: those of files and folders, each with its text, or the built-in ones.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::finding::{Code, Finding, listed};
use engine_patient::terminology::TerminologyStore;
use measures_run::rule_files::{RuleFolders, rule_sources, same_id, value_sets};
use rules::{Rule, Written, built_in_file, built_in_with};
use sources::read_text;

use crate::commands::measure::tell;
use crate::failure::Failure;

/// A rule and its file.
pub struct RuleFile {
    pub rule: Arc<Rule>,
    pub written: Written,
    pub built_in: bool,
}

/// The rules that were asked for.
pub struct RuleFiles {
    pub rules: Vec<RuleFile>,
    /// How many could not be read.
    pub refused: usize,
    /// What is wrong with those, and with value sets.
    pub wrong: Vec<Finding>,
    pub store: TerminologyStore,
}

impl RuleFiles {
    /// Those of the paths; the built-in ones where there are none.
    pub fn read(paths: &[PathBuf], sets: &[PathBuf]) -> Result<RuleFiles, Failure> {
        let (store, wrong) = value_sets(sets, &mut tell)?;
        let mut all = RuleFiles {
            rules: vec![],
            refused: 0,
            wrong,
            store,
        };
        match paths.is_empty() {
            true => all.built_in()?,
            false => all.of_paths(paths)?,
        }
        Ok(all)
    }

    fn built_in(&mut self) -> Result<(), Failure> {
        let all = built_in_with(&self.store).map_err(|e| Failure::Internal(listed(&e)))?;
        for rule in all {
            let found = built_in_file(&rule.artifact.id);
            let (file, text) = found.ok_or_else(|| unwritten(&rule))?;
            let written = Written::read(file, text).map_err(|_| unwritten(&rule))?;
            self.rules.push(RuleFile {
                rule,
                written,
                built_in: true,
            });
        }
        Ok(())
    }

    fn of_paths(&mut self, paths: &[PathBuf]) -> Result<(), Failure> {
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        let mut folders = RuleFolders::new(&self.store);
        for source in rule_sources(paths, &mut tell)? {
            let found = folders
                .load(&source.path)
                .and_then(|rule| Ok((rule, written(&source.path)?)));
            let (rule, written) = match found {
                Ok(found) => found,
                Err(found) => {
                    self.wrong.extend(found);
                    self.refused += 1;
                    continue;
                }
            };
            match ids.entry(rule.artifact.id.to_string()) {
                Entry::Occupied(other) => {
                    self.wrong
                        .push(same_id(&rule, &format!("`{}`", other.get())));
                }
                Entry::Vacant(place) => {
                    place.insert(rule.file.clone());
                }
            }
            self.rules.push(RuleFile {
                rule: Arc::new(rule),
                written,
                built_in: false,
            });
        }
        Ok(())
    }
}

/// A file as it was written.
pub fn written(path: &Path) -> Result<Written, Vec<Finding>> {
    let name = path.display().to_string();
    let text = read_text(path).map_err(|e| {
        let text = format!("`{name}` cannot be read: {e}");
        vec![Finding::error(Code::UnreadablePath, text).in_file(&*name)]
    })?;
    Written::read(&name, &text)
}

fn unwritten(rule: &Rule) -> Failure {
    let id = &rule.artifact.id;
    Failure::Internal(format!(
        "the file of the built-in rule `{id}` cannot be read"
    ))
}
