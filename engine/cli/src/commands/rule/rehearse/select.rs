//! Which rules are rehearsed, and what they are compared with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::finding::{did_you_mean, listed};
use measures_run::rule_files::{RuleFolders, live, rule_sources, same_id, terminology};
use rehearse::{Candidate, Settings};
use rules::{Rule as ClinicalRule, Status};
use sources::RULES;

use super::Rehearse;
use crate::commands::measure::tell;
use crate::failure::Failure;

pub type Rules = Vec<Arc<ClinicalRule>>;

impl Rehearse {
    /// The rules that are rehearsed, and the versions they are compared with.
    pub(super) fn rules(&self, value_sets: &[PathBuf]) -> Result<(Rules, Rules), Failure> {
        let store = terminology(value_sets, &mut tell)?;
        let mut folders = RuleFolders::new(&store);
        let mut file = |path: &Path| {
            let rule = folders.load_file(path, &mut tell);
            rule.map(Arc::new).map_err(|found| Failure::of(&found))
        };
        let others = self.against.iter().map(|path| file(path));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        let mut own: Vec<Arc<ClinicalRule>> = vec![];
        for source in rule_sources(&self.rules, &mut tell)? {
            let rule = file(&source.path)?;
            if let Some(other) = own.iter().find(|o| o.artifact.id == rule.artifact.id) {
                let other = format!("`{}`", other.file);
                return Err(Failure::of(&[same_id(&rule, &other)]));
            }
            own.push(rule);
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
            let known = live(known, self.status.is_some(), &mut tell);
            let all: Vec<_> = known.into_iter().filter(compared).collect();
            return match all.is_empty() && !others.is_empty() {
                true => Err(Failure::User(format!(
                    "there is no rule with the id of {}: name the rule to compare with it",
                    several_files(&self.against)
                ))),
                false => Ok((all, others)),
            };
        }
        let mut chosen: Vec<Arc<ClinicalRule>> = vec![];
        let mut known: Option<Vec<Arc<ClinicalRule>>> = None;
        for name in &self.rule {
            let rule = match RULES.takes(Path::new(name)) {
                true => file(Path::new(name))?,
                false => {
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

    /// A version with the number of the rule that it is compared with: that of its id, or the only one.
    pub(super) fn pair(
        &self,
        candidates: &[Candidate],
        other: Arc<ClinicalRule>,
        settings: &Settings,
    ) -> Result<(usize, Candidate), Failure> {
        let id = &other.artifact.id;
        let place = candidates.iter().position(|c| c.rule.artifact.id == *id);
        let place = place.or((candidates.len() == 1).then_some(0));
        let place = place.ok_or_else(|| {
            Failure::User(format!(
                "--against {}: none of the rules has the id `{id}`; name the one to compare with it",
                other.file
            ))
        })?;
        Ok((place, Candidate::of(other, settings)))
    }
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
