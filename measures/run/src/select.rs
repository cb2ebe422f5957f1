//! Which measures a job is about: official ones, care gaps, SQL measures; and what they are called.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use engine_patient::finding::{Code, did_you_mean, listed};
use engine_patient::program::{Artifact, PatientProgram};
use engine_patient::terminology::Beyond;
use measures::official::ElmMeasures;
use measures::package::called::{Fit, best};
use measures::package::{Loaded, Scoring, fit_in, fitting_keys, select_each};
use measures::prepared::{Prepared, twice};
use measures::result::Improvement;
use measures::structure::{MeasureStructure, distinguish};
use rules::Rule;

use crate::error::RunError;
use crate::evaluate::ProgramMeasure;
use crate::job::{BesidePackages, GapsTask, Job, RunTask};
use crate::rule_files::{Tell, live, load_rules, load_rules_beside};
use crate::sql::{SqlMeasure, built_in};

/// What is to be evaluated.
#[derive(Default)]
pub struct Selected {
    /// Evaluated for each patient.
    pub programs: Vec<ProgramMeasure>,
    /// The care gaps among them: what comes behind official measures, in the same order.
    pub rules: Vec<Arc<Rule>>,
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

/// How well a name, perhaps with `|version`, fits a measure outside packages: by id, title or url, or by
/// the beginning of one.
fn fit_of(artifact: &Artifact, asked: &str) -> Option<Fit> {
    let (name, version) = match asked.split_once('|') {
        Some((name, version)) => (name, Some(version)),
        None => (asked, None),
    };
    let names = [&*artifact.id, &*artifact.url, &*artifact.title];
    best(name, names).filter(|_| version.is_none_or(|v| v == &*artifact.version))
}

/// Which of these a name means: all of one name, or the one that begins so.
fn meant(known: &[Artifact], asked: &str) -> Result<Option<(Fit, Vec<usize>)>, Several> {
    let fits: Vec<Option<Fit>> = known.iter().map(|a| fit_of(a, asked)).collect();
    let Some(fit) = fits.iter().flatten().min().copied() else {
        return Ok(None);
    };
    let all = fits.iter().enumerate().filter(|(_, f)| **f == Some(fit));
    let all: Vec<usize> = all.map(|(at, _)| at).collect();
    if fit == Fit::Begins && all.len() > 1 {
        let ids = all.iter().filter_map(|at| known.get(*at));
        return Err(Several(ids.map(|a| format!("`{}`", a.id)).collect()));
    }
    Ok(Some((fit, all)))
}

/// Measures outside packages that begin with what was asked.
struct Several(Vec<String>);

impl Several {
    /// They alone, or beside those of the packages.
    fn refused(mut self, of_packages: Vec<String>, asked: &str) -> RunError {
        self.0.extend(of_packages);
        RunError::User(format!(
            "--measure {asked}: {} measures begin so; say which: {}",
            self.0.len(),
            self.0.join(", ")
        ))
    }
}

/// That a measure was taken for another word than its own.
fn tell_taken(asked: &str, fit: Fit, taken: Option<&Artifact>, tell: &mut Tell<'_>) {
    if let (Fit::AnyCase | Fit::Begins, Some(taken)) = (fit, taken) {
        tell(&format!(
            "note: --measure {asked} is taken as `{}`",
            taken.id
        ));
    }
}

/// A rule as a measure.
fn care_gap(rule: Arc<Rule>) -> ProgramMeasure {
    let improvement = match rule.improvement {
        Some(rules::Improvement::Decrease) => Improvement::Decrease,
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
        // Only the user's own rules where the built-in ones were not asked for.
        let built_in = !official || beside.built_in;
        let beyond = match official {
            true => Beyond::Packages,
            false => Beyond::Nothing,
        };
        let all = load_rules_beside(beside.rules, &job.packages.terminology, beyond, tell)?;
        let own = load_rules(&[], &[], tell)?;
        let same = |a: &Artifact, b: &Artifact| a.url == b.url && a.version == b.version;
        let rules = all
            .into_iter()
            .filter(|rule| built_in || !own.iter().any(|o| same(&o.artifact, &rule.artifact)));
        // What is no measure is not run as one; where it is asked for by name, that is said.
        let (rules, alerts): (Vec<Arc<Rule>>, Vec<Arc<Rule>>) =
            rules.partition(|rule| rule.is_measure());
        let rules = live(rules, false, tell);
        let mut selected = Selected::default();
        if built_in && beside.sql {
            selected.queries = sql_measures()?;
        }
        let known: Vec<Artifact> = rules
            .iter()
            .map(|rule| rule.artifact.clone())
            .chain(selected.queries.iter().map(|q| q.artifact.clone()))
            .collect();
        let loaded = official.then(|| job.packages.load(tell)).transpose()?;
        let mut packages = job.packages.clone();
        let mut chosen: Vec<usize> = (0..known.len()).collect();
        if !wanted.is_empty() {
            chosen.clear();
            packages.measures.clear();
            for name in wanted {
                let of_packages = loaded.as_ref().and_then(|l| fit_in(&l.package, name));
                match (meant(&known, name), of_packages) {
                    // What begins so in the packages is no question where one outside has the name.
                    (Ok(Some((fit, all))), theirs) if theirs.is_none_or(|t| fit < t) => {
                        let first = all.first().and_then(|at| known.get(*at));
                        tell_taken(name, fit, first, tell);
                        chosen.extend(all);
                    }
                    (Ok(Some((fit, all))), Some(theirs)) if fit == theirs => {
                        let first = all.first().and_then(|at| known.get(*at));
                        // In another version than asked the packages have none of this name.
                        ambiguous(loaded.as_ref(), first, name)?;
                        chosen.extend(all);
                    }
                    (Ok(None), None) if alerts.iter().any(|a| &*a.artifact.id == name.as_str()) => {
                        return Err(no_measure(name));
                    }
                    (Ok(None), None) if !official => return Err(no_such(name, &known, beside.sql)),
                    (Err(several), None) => return Err(several.refused(vec![], name)),
                    // Both only begin so: neither is meant before the other.
                    (Err(several), Some(Fit::Begins)) => {
                        let package = loaded.as_ref().map(|l| &l.package);
                        let theirs = package.map(|p| fitting_keys(p, name));
                        return Err(several.refused(theirs.unwrap_or_default(), name));
                    }
                    _ => packages.measures.push(name.clone()),
                }
            }
        }
        for (at, rule) in rules.into_iter().enumerate() {
            if chosen.contains(&at) {
                let sets = rule.value_sets.iter();
                let sets = sets.map(|(_, s)| (s.canonical(), s.hash().to_string()));
                selected.value_sets.extend(sets);
                selected.rules.push(Arc::clone(&rule));
                selected.programs.push(care_gap(rule));
            }
        }
        let first_query = known.len().saturating_sub(selected.queries.len());
        let mut at = first_query;
        selected.queries.retain(|_| {
            at += 1;
            chosen.contains(&(at - 1))
        });
        let only_others = !wanted.is_empty() && packages.measures.is_empty();
        if let Some(loaded) = loaded.filter(|_| !only_others) {
            let prepared = packages.prepare_loaded(loaded, job.limits, Some(job.period), tell)?;
            selected.packages = Some(prepared);
        }
        selected.name()?;
        Ok(selected)
    }

    /// For explanations: packages and rules.
    pub fn for_explanation(
        job: &Job,
        rules: &BesidePackages,
        tell: &mut Tell<'_>,
    ) -> Result<Selected, RunError> {
        let beside = Beside {
            rules: &rules.rules,
            built_in: rules.built_in,
            sql: false,
        };
        let selected = Selected::of(job, beside, tell)?;
        match (selected.programs.is_empty(), &selected.packages) {
            (true, Some(_)) => Err(RunError::User("the packages hold no measure".into())),
            (true, None) => Err(RunError::User("there is no care gap to explain".into())),
            _ => Ok(selected),
        }
    }

    /// The care gaps, each with the measure that it is.
    pub fn care_gaps(&self) -> impl Iterator<Item = (&Arc<Rule>, &Arc<MeasureStructure>)> {
        let first = usize::from(self.official().is_some());
        let others = self.programs.iter().skip(first);
        let structures = others.filter_map(|program| program.structures.first());
        self.rules.iter().zip(structures)
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

/// No measure outside packages is called so, and there are no packages.
fn no_such(name: &str, known: &[Artifact], sql: bool) -> RunError {
    let ids: Vec<&str> = known.iter().map(|a| &*a.id).collect();
    let near = did_you_mean(name, ids.iter().copied());
    let help = near.map_or(format!("known are {}", ids.join(", ")), |n| {
        format!("did you mean `{n}`?")
    });
    let what = if sql { "measure" } else { "care gap" };
    RunError::User(format!("--measure {name}: there is no such {what}; {help}"))
}

/// What is called so is no measure.
fn no_measure(name: &str) -> RunError {
    RunError::User(format!(
        "--measure {name}: this rule is an alert, which has no rate; `tandem rule rehearse` tells how often it would have fired, \
         `tandem rule eval` why of a patient"
    ))
}

/// A name that both a measure of the packages and another one have says neither.
fn ambiguous(
    loaded: Option<&Loaded>,
    outside: Option<&Artifact>,
    name: &str,
) -> Result<(), RunError> {
    let (Some(loaded), Some(outside)) = (loaded, outside) else {
        return Ok(());
    };
    let (found, issues) = select_each(&loaded.package, &[name.to_owned()]);
    let mut all: Vec<String> = found.iter().map(|m| format!("`{}`", m.key())).collect();
    // Several of the packages have the name: the finding lists them.
    let several = issues.iter().filter(|i| i.code == Code::SeveralMeasures);
    all.extend(several.filter_map(|i| i.help.clone()));
    if all.is_empty() {
        return Ok(());
    }
    Err(RunError::User(format!(
        "--measure {name}: there is one in the packages and one outside them; say which: `{}|{}` or {}",
        outside.url,
        outside.version,
        all.join(", ")
    )))
}
