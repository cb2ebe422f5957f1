//! Which rules are rehearsed, and what they are compared with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::finding::{Finding, did_you_mean, listed};
use measures_run::rule_files::{RuleFolders, live, rule_sources, same_id, terminology};
use rehearse::{Candidate, Settings};
use rules::{Rule as ClinicalRule, Status};
use sources::RULES;

use crate::commands::measure::tell;
use crate::failure::Failure;

pub type Rules = Vec<Arc<ClinicalRule>>;

/// What names them.
pub struct Named<'n> {
    /// Ids, and files.
    pub rule: &'n [String],
    /// Files and folders.
    pub rules: &'n [PathBuf],
    /// Other versions.
    pub against: &'n [PathBuf],
    /// Whether drafts are wanted that are not named.
    pub drafts: bool,
}

impl Named<'_> {
    /// All files that are named.
    pub fn files(&self) -> Vec<PathBuf> {
        let named = self.rule.iter().map(PathBuf::from);
        let named = named.filter(|path| RULES.takes(path));
        let all = self.rules.iter().chain(self.against).cloned();
        all.chain(named).collect()
    }

    /// The rules that are rehearsed, and the versions they are compared with.
    pub fn rules(&self, value_sets: &[PathBuf]) -> Result<(Rules, Rules), Failure> {
        let store = terminology(value_sets, &mut tell)?;
        let mut folders = RuleFolders::new(&store);
        // All that is wrong with all of them is said at once.
        let mut wrong: Vec<Finding> = vec![];
        let mut file = |path: &Path| match folders.load_file(path, &mut tell) {
            Ok(rule) => Some(Arc::new(rule)),
            Err(found) => {
                wrong.extend(found);
                None
            }
        };
        let others: Rules = self.against.iter().filter_map(|path| file(path)).collect();
        let own = rule_sources(self.rules, &mut tell)?;
        let own: Rules = own.iter().filter_map(|source| file(&source.path)).collect();
        let named = self.rule.iter().map(Path::new);
        let named: BTreeMap<&Path, Arc<ClinicalRule>> = named
            .filter(|path| RULES.takes(path))
            .filter_map(|path| Some((path, file(path)?)))
            .collect();
        for (place, rule) in own.iter().enumerate() {
            let mut before = own.iter().take(place);
            if let Some(other) = before.find(|o| o.artifact.id == rule.artifact.id) {
                wrong.push(same_id(rule, &format!("`{}`", other.file)));
            }
        }
        if !wrong.is_empty() {
            return Err(Failure::of(&wrong));
        }
        let built_in = || {
            let all = rules::built_in_with(&store);
            all.map_err(|found| Failure::Internal(listed(&found)))
        };
        if self.rule.is_empty() {
            let known = match self.rules.is_empty() {
                true => built_in()?,
                false => own,
            };
            // Beside another version only its rule is of interest.
            let compared = |rule: &Arc<ClinicalRule>| {
                others.is_empty() || others.iter().any(|o| o.artifact.id == rule.artifact.id)
            };
            let known = live(known, self.drafts, &mut tell);
            let all: Vec<_> = known.into_iter().filter(compared).collect();
            return match all.is_empty() && !others.is_empty() {
                true => Err(Failure::User(format!(
                    "there is no rule with the id of {}: name the rule to compare with it",
                    several_files(self.against)
                ))),
                false => Ok((all, others)),
            };
        }
        let mut chosen: Rules = vec![];
        let mut known: Option<Rules> = None;
        for name in self.rule {
            let rule = match named.get(Path::new(name)) {
                Some(rule) => Arc::clone(rule),
                None => {
                    if known.is_none() {
                        let mut all = own.clone();
                        all.extend(built_in()?);
                        known = Some(all);
                    }
                    by_id(known.as_deref().unwrap_or_default(), name)?
                }
            };
            if rule.status == Status::Retired {
                return Err(Failure::User(format!(
                    "the rule `{}` is retired: it is never evaluated",
                    rule.artifact.id
                )));
            }
            if chosen.iter().any(|c| c.artifact.id == rule.artifact.id) {
                return Err(Failure::User(format!(
                    "two rules have the id `{}`: to compare two versions, give one with --against",
                    rule.artifact.id
                )));
            }
            chosen.push(rule);
        }
        Ok((chosen, others))
    }

    /// A version to compare with: there is a rule of its id.
    pub fn version(
        &self,
        candidates: &[Candidate],
        other: Arc<ClinicalRule>,
        settings: &Settings,
    ) -> Result<Candidate, Failure> {
        let id = &other.artifact.id;
        match candidates.iter().any(|c| c.rule.artifact.id == *id) {
            true => Ok(Candidate::of(other, settings)),
            false => Err(Failure::User(format!(
                "--against {}: its id is `{id}`, which none of the rules that are rehearsed has ({}): only versions of one rule are compared",
                other.file,
                names(candidates)
            ))),
        }
    }
}

/// Whether two are versions of one rule.
pub fn is_version(one: &Candidate, other: &Candidate) -> bool {
    one.rule.artifact.id == other.rule.artifact.id
}

fn names(candidates: &[Candidate]) -> String {
    let names: Vec<&str> = candidates.iter().map(|c| &*c.rule.artifact.id).collect();
    names.join(", ")
}

fn several_files(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    names.join(", ")
}

fn by_id(known: &[Arc<ClinicalRule>], name: &str) -> Result<Arc<ClinicalRule>, Failure> {
    let found = known.iter().find(|rule| *rule.artifact.id == *name);
    found.cloned().ok_or_else(|| {
        let near = did_you_mean(name, known.iter().map(|r| r.artifact.id.as_ref()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let all: Vec<&str> = known.iter().map(|r| r.artifact.id.as_ref()).collect();
                format!("there are {}; a file must end in .yaml", all.join(", "))
            }
        };
        Failure::User(format!("there is no rule `{name}`: {help}"))
    })
}
