//! Rules and measures of files as services.

use std::sync::Arc;

use cds_hooks::{
    CardService, RuleSet, Service, measure_services, rule_services, services_by_set, within_reach,
};
use cds_server::settings::{GroupBy, Rules};
use cds_server::{Loaded, NotLoaded};
use engine_patient::terminology::Beyond;
use measures::prepared::Packages;
use measures_run::rule_files::{bindings, live, load_rules_of};
use rules::{Rule, Status};

use crate::failure::Failure;

/// Loads what the settings name. What is for people is in what comes back; nothing is printed.
pub fn load(wanted: &Rules) -> Result<Loaded, NotLoaded> {
    let mut notes: Vec<String> = vec![];
    match services(wanted, &mut |note| notes.push(note.to_owned())) {
        Ok(services) => Ok(Loaded { services, notes }),
        Err(why) => Err(with_notes(why, &notes)),
    }
}

/// Files and folders that are not there, all of them, where there are several; of one is told by who reads it.
fn missing(wanted: &Rules) -> Result<(), Failure> {
    let lists = [
        ("rules", &wanted.paths),
        ("terminology", &wanted.terminology),
        ("drugs", &wanted.drugs),
        ("packages", &wanted.packages),
        ("shadow", &wanted.shadow),
    ];
    let paths = lists
        .into_iter()
        .flat_map(|(what, paths)| paths.iter().map(move |path| (what, path)));
    let gone = paths.filter(|(_, path)| !path.exists());
    let lines: Vec<String> = gone
        .map(|(what, path)| {
            format!(
                "{}: there is no such file or folder ({what})",
                path.display()
            )
        })
        .collect();
    match lines.len() {
        0 | 1 => Ok(()),
        _ => Err(Failure::User(lines.join("\n"))),
    }
}

fn services(wanted: &Rules, tell: &mut (dyn FnMut(&str) + Send)) -> Result<Vec<Service>, Failure> {
    missing(wanted)?;
    let terminology = wanted.terminology_paths();
    let beyond = match wanted.packages.is_empty() {
        true => Beyond::Nothing,
        false => Beyond::Packages,
    };
    let all = load_rules_of(&wanted.paths, wanted.built_in, &terminology, beyond, tell)?;
    let rules = live(all, wanted.drafts, tell);
    let candidates = match wanted.shadow.is_empty() {
        true => vec![],
        // A candidate may have the id of a rule that is live: they are read apart.
        false => load_rules_of(&wanted.shadow, false, &terminology, beyond, tell)?,
    };
    let candidates: Vec<Arc<Rule>> = candidates.into_iter().filter_map(candidate).collect();
    if !candidates.is_empty() && wanted.group_by == GroupBy::Rule {
        return Err(Failure::User(
            "candidates (`shadow`) are evaluated where the live rules are: that takes services by set, not by rule (group_by)".to_owned(),
        ));
    }
    let packages = Packages {
        paths: wanted.packages.clone(),
        measures: wanted.measures.clone(),
        bindings: bindings(&terminology)?,
        terminology,
        allow_missing_value_sets: wanted.allow_missing_value_sets,
        better: wanted.better.clone(),
        strict: wanted.strict,
        ..Packages::default()
    };
    let (built_in, own): (Vec<_>, Vec<_>) = rules
        .into_iter()
        .partition(|rule| wanted.built_in && is_built_in(rule));
    let (beside_built_in, beside_own): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|rule| {
            built_in
                .iter()
                .any(|live| live.artifact.id == rule.artifact.id)
        });
    let mut reach = Reach {
        refused: vec![],
        tell,
    };
    let built_in = reach.parts(rule_services([built_in, beside_built_in].concat()));
    let own = reach.parts(rule_services([own, beside_own].concat()));
    let taken: Vec<String> = built_in
        .iter()
        .chain(&own)
        .map(|part| part.id().to_owned())
        .collect();
    let measures = measures_of(&packages, &taken, reach.tell)?;
    let measures = reach.parts(measures);
    let Reach { refused, tell } = reach;
    let nothing = built_in.is_empty() && own.is_empty() && measures.is_empty();
    if (wanted.strict && !refused.is_empty()) || nothing {
        return Err(Failure::Unsupported(nothing_served(
            &refused,
            wanted.strict,
        )));
    }
    refused.iter().for_each(|why| tell(why));
    Ok(match wanted.group_by {
        GroupBy::Rule => {
            let parts = built_in.into_iter().chain(own).chain(measures);
            parts.map(Service::of).collect()
        }
        GroupBy::Set => services_by_set(vec![
            set("tandem", "Tandem starter library", built_in),
            set("own", "Own rules", own),
            set("measures", "Open measures", measures),
        ]),
    })
}

fn set(id: &str, title: &str, parts: Vec<Arc<dyn CardService>>) -> RuleSet {
    RuleSet {
        id: id.to_owned(),
        title: title.to_owned(),
        rules: vec![],
        others: parts,
        is_one_id: false,
    }
}

/// What a client can prefetch is served; of the rest is kept why not.
struct Reach<'t> {
    refused: Vec<String>,
    tell: &'t mut (dyn FnMut(&str) + Send),
}

impl Reach<'_> {
    fn parts(&mut self, parts: Vec<Arc<dyn CardService>>) -> Vec<Arc<dyn CardService>> {
        let reach = within_reach(parts);
        self.refused.extend(reach.refused);
        reach.served
    }
}

fn measures_of(
    packages: &Packages,
    taken: &[String],
    tell: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<Arc<dyn CardService>>, Failure> {
    if !packages.paths.is_empty() {
        return Ok(measure_services(packages, taken, &mut *tell)?);
    }
    packages.refuse_better()?;
    match packages.measures.is_empty() {
        true => Ok(vec![]),
        false => Err(Failure::User(
            "--measure chooses among the measures of packages: give them with --package".to_owned(),
        )),
    }
}

/// Whether it is the one that is built in, and not one of the user's that has its id.
fn is_built_in(rule: &Rule) -> bool {
    let file = rules::built_in_file(&rule.artifact.id);
    file.is_some_and(|(name, _)| rule.file == name)
}

/// A rule on trial, whatever its file says; one that is retired is none.
fn candidate(mut rule: Arc<Rule>) -> Option<Arc<Rule>> {
    if rule.status == Status::Retired {
        return None;
    }
    // Nobody else has it: it was read just now.
    Arc::get_mut(&mut rule)?.status = Status::Shadow;
    Some(rule)
}

/// What was told before it failed belongs to it.
fn with_notes(why: Failure, notes: &[String]) -> NotLoaded {
    let with = |text: String| {
        // What is wrong first: whose it is stands before it.
        let mut lines = vec![text];
        lines.extend(notes.iter().cloned());
        lines.join("\n")
    };
    match why {
        Failure::No(text) | Failure::User(text) => NotLoaded::User(with(text)),
        Failure::Unsupported(text) => NotLoaded::Unsupported(with(text)),
        Failure::Internal(text) => NotLoaded::Internal(with(text)),
    }
}

fn nothing_served(refused: &[String], strict: bool) -> String {
    let mut lines = refused.to_vec();
    lines.push(match (refused.is_empty(), strict) {
        (true, _) => "there is no service to serve".to_owned(),
        (false, true) => "nothing is served, because of --strict".to_owned(),
        (false, false) => "no other service is left to serve".to_owned(),
    });
    lines.join("\n")
}
