//! Which measures a job is about: official ones, care gaps, SQL measures; and what they are called.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use engine_patient::finding::{Code, did_you_mean, listed};
use engine_patient::program::{Artifact, PatientProgram};
use measures::official::ElmMeasures;
use measures::package::{Scoring, select_each};
use measures::prepared::{Prepared, twice};
use measures::result::Improvement;
use measures::structure::{MeasureStructure, distinguish};
use rules::Rule;

use crate::error::RunError;
use crate::evaluate::ProgramMeasure;
use crate::job::{GapsTask, Job, RunTask};
use crate::rule_files::{Tell, load_rules};
use crate::sql::{SqlMeasure, built_in};

/// What is to be evaluated.
#[derive(Default)]
pub struct Selected {
    /// Evaluated for each patient.
    pub programs: Vec<ProgramMeasure>,
    /// Asked in SQL.
    pub queries: Vec<SqlMeasure>,
    /// The packages, where there are any.
    pub packages: Option<Prepared>,
    /// Value sets of the rules, with their hashes.
    pub value_sets: BTreeMap<String, String>,
    /// Measures of which it is not settled which way is better.
    pub unsettled: Vec<String>,
}

/// What is run beside packages.
struct Beside<'b> {
    /// Files or folders of rules.
    rules: &'b [PathBuf],
    /// What is built in, also where there are packages.
    built_in: bool,
    /// Also SQL measures.
    sql: bool,
}

/// The built-in SQL measures.
pub fn sql_measures() -> Result<Vec<SqlMeasure>, RunError> {
    built_in().map_err(|e| RunError::Internal(listed(&e)))
}

/// Whether somebody means this measure: by id or url, each also with `|version`.
pub fn is_called(artifact: &Artifact, name: &str) -> bool {
    let (name, version) = match name.split_once('|') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    };
    (name == &*artifact.id || name == &*artifact.url)
        && version.is_none_or(|v| v == &*artifact.version)
}

/// A rule as a measure.
fn care_gap(rule: Arc<Rule>) -> ProgramMeasure {
    let improvement = match rule.improvement.as_str() {
        "decrease" => Improvement::Decrease,
        _ => Improvement::Increase,
    };
    ProgramMeasure::care_gap(rule as Arc<dyn PatientProgram>, improvement)
}

impl Selected {
    /// For results: packages, rules and SQL measures.
    pub fn for_run(job: &Job, task: &RunTask, tell: &mut Tell<'_>) -> Result<Selected, RunError> {
        let beside = Beside {
            rules: &task.rules,
            built_in: task.built_in,
            sql: true,
        };
        let mut selected = Selected::of(job, beside, tell)?;
        if selected.programs.is_empty()
            && let Some(query) = selected.queries.first()
        {
            sql_only(job, task, &query.name)?;
        }
        if job.subject.is_some() {
            selected.queries.clear();
        }
        Ok(selected)
    }

    /// For gaps: packages and rules.
    pub fn for_gaps(job: &Job, task: &GapsTask, tell: &mut Tell<'_>) -> Result<Selected, RunError> {
        let beside = Beside {
            rules: &task.rules,
            built_in: task.built_in,
            sql: false,
        };
        let mut selected = Selected::of(job, beside, tell)?;
        // Whether a measure has gaps at all.
        let has_gaps = |structure: &&Arc<MeasureStructure>| {
            let mut groups = structure.groups.iter();
            groups.any(|g| g.scoring == Scoring::Proportion)
        };
        let structures = selected.programs.iter().flat_map(|p| &p.structures);
        let (settled, open): (Vec<_>, Vec<_>) =
            structures.filter(has_gaps).partition(|s| s.is_settled());
        let open: Vec<String> = open.iter().map(|s| s.name.to_string()).collect();
        if !open.is_empty() && (settled.is_empty() || job.packages.strict) {
            return Err(unsettled(&open));
        }
        selected.unsettled = open;
        Ok(selected)
    }

    /// The packages of a job, and what is run beside them; named, so that each is told apart.
    fn of(job: &Job, beside: Beside<'_>, tell: &mut Tell<'_>) -> Result<Selected, RunError> {
        let official = !job.packages.paths.is_empty();
        if !official {
            job.packages.refuse_better()?;
        }
        let wanted = &job.packages.measures;
        let asked = |a: &Artifact| wanted.is_empty() || wanted.iter().any(|m| is_called(a, m));
        // Only the user's own rules where the built-in ones were not asked for.
        let built_in = !official || beside.built_in;
        let all = load_rules(beside.rules, &job.packages.terminology, tell)?;
        let own = load_rules(&[], &[], tell)?;
        let same = |a: &Artifact, b: &Artifact| a.url == b.url && a.version == b.version;
        let rules = all
            .into_iter()
            .filter(|rule| built_in || !own.iter().any(|o| same(&o.artifact, &rule.artifact)));
        let mut selected = Selected::default();
        for rule in rules {
            if asked(&rule.artifact) {
                let sets = rule.value_sets.iter();
                let sets = sets.map(|(_, s)| (s.canonical(), s.hash().to_string()));
                selected.value_sets.extend(sets);
            }
            selected.programs.push(care_gap(rule));
        }
        if built_in && beside.sql {
            selected.queries = sql_measures()?;
        }
        let known: Vec<Artifact> = selected
            .programs
            .iter()
            .flat_map(|p| p.program.artifacts())
            .chain(selected.queries.iter().map(|q| &q.artifact))
            .cloned()
            .collect();
        let mut packages = job.packages.clone();
        if !wanted.is_empty() {
            // Names of rules and SQL measures are none of the packages.
            packages
                .measures
                .retain(|m| !known.iter().any(|a| is_called(a, m)));
            if official && packages.measures.len() < wanted.len() {
                ambiguous(job, &known)?;
            }
            selected
                .programs
                .retain(|p| p.program.artifacts().iter().any(asked));
            selected.queries.retain(|q| asked(&q.artifact));
            if let (false, Some(unknown)) = (official, packages.measures.first()) {
                let ids: Vec<&str> = known.iter().map(|a| &*a.id).collect();
                let near = did_you_mean(unknown, ids.iter().copied());
                let help = near.map_or(format!("known are {}", ids.join(", ")), |n| {
                    format!("did you mean `{n}`?")
                });
                let what = match beside.sql {
                    true => "measure",
                    false => "care gap",
                };
                return Err(RunError::User(format!(
                    "--measure {unknown}: there is no such {what}; {help}"
                )));
            }
        }
        let only_others = !wanted.is_empty() && packages.measures.is_empty();
        if official && !only_others {
            selected.packages = Some(packages.prepare(job.limits, tell)?);
        }
        selected.name()?;
        Ok(selected)
    }

    /// For explanations: official measures.
    pub fn for_explanation(job: &Job, tell: &mut Tell<'_>) -> Result<Selected, RunError> {
        let prepared = job.packages.prepare(job.limits, tell)?;
        if prepared.built.program.is_none() {
            return Err(RunError::User("the packages hold no measure".into()));
        }
        let mut selected = Selected {
            packages: Some(prepared),
            ..Selected::default()
        };
        selected.add_official();
        Ok(selected)
    }

    /// The official measures of the packages.
    pub fn official(&self) -> Option<&Arc<ElmMeasures>> {
        self.packages.as_ref()?.built.program.as_ref()
    }

    /// Official measures are evaluated like any others.
    fn add_official(&mut self) {
        let Some(built) = self.packages.as_ref().map(|p| &p.built) else {
            return;
        };
        if let Some(program) = &built.program {
            let official = ProgramMeasure {
                program: Arc::clone(program) as Arc<dyn PatientProgram>,
                structures: built.structures.clone(),
            };
            self.programs.insert(0, official);
        }
    }

    /// Names for the measures of a run, packages and others together.
    fn name(&mut self) -> Result<(), RunError> {
        self.add_official();
        let queries = self.queries.iter();
        let mut of_queries: Vec<Arc<MeasureStructure>> =
            queries.map(|q| Arc::new(q.structure())).collect();
        let structures = self
            .programs
            .iter_mut()
            .flat_map(|p| p.structures.iter_mut());
        let mut all: Vec<&mut Arc<MeasureStructure>> =
            structures.chain(of_queries.iter_mut()).collect();
        distinguish(&mut all).map_err(twice)?;
        for (query, structure) in self.queries.iter_mut().zip(of_queries) {
            query.name = Arc::clone(&structure.name);
        }
        Ok(())
    }

    /// `url|version` of all measures.
    pub fn canonicals(&self) -> Vec<String> {
        let of_programs = self.programs.iter().flat_map(|p| &p.structures);
        let of_queries = self.queries.iter().map(|q| q.structure().canonical());
        of_programs
            .map(|s| s.canonical())
            .chain(of_queries)
            .collect()
    }
}

/// A measure in SQL has counts, and says nothing of a patient.
fn sql_only(job: &Job, task: &RunTask, name: &str) -> Result<(), RunError> {
    let option = match (&job.subject, task.by) {
        (None, None) => return Ok(()),
        (Some(_), _) => "--subject",
        (None, Some(_)) => "--by",
    };
    Err(RunError::User(format!(
        "{option}: `{name}` is a measure in SQL, which has counts and no patients: leave {option} out, or name other measures"
    )))
}

/// Gaps of these measures might be the wrong way round.
pub(crate) fn unsettled(names: &[String]) -> RunError {
    RunError::User(format!(
        "no gaps of {}: which way is better is contradicted (see above); settle it, for each, with --better MEASURE=increase or --better MEASURE=decrease",
        names.join(", ")
    ))
}

/// A name that both a measure of the packages and another one have says neither.
fn ambiguous(job: &Job, known: &[Artifact]) -> Result<(), RunError> {
    // What is left alone was told with the rules.
    let loaded = job.packages.load(&mut |_| {})?;
    for name in &job.packages.measures {
        let built_in = known.iter().find(|a| is_called(a, name));
        let names = [name.clone()];
        let Some(built_in) = built_in else { continue };
        let (found, issues) = select_each(&loaded.package, &names);
        let mut all: Vec<String> = found.iter().map(|m| format!("`{}`", m.key())).collect();
        // Several of the packages have the name: the finding lists them.
        let several = issues.iter().filter(|i| i.code == Code::SeveralMeasures);
        all.extend(several.filter_map(|i| i.help.clone()));
        if !all.is_empty() {
            return Err(RunError::User(format!(
                "--measure {name}: there is one in the packages and one outside them; say which: `{}|{}` or {}",
                built_in.url,
                built_in.version,
                all.join(", ")
            )));
        }
    }
    Ok(())
}
