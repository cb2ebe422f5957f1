//! Picking measures of a package by what people call them.

use super::definition::{ImprovementNotation, MeasureDefinition};
use super::library_source::LibrarySource;
use super::{Package, Refused};
use engine_patient::finding::{Code, Finding, did_you_mean};

/// The measures that are asked for, each once, in the order asked; all that can be used if nothing is.
///
/// A measure is known by id, name, url or identifier (`CMS122FHIR`), each also with `|version`.
///
/// # Errors
/// Every name that fits no measure, or several, or one that was refused.
pub fn select<'p>(
    package: &'p Package,
    ids: &[String],
) -> Result<Vec<&'p MeasureDefinition>, Vec<Finding>> {
    let (chosen, issues) = select_each(package, ids);
    if issues.is_empty() {
        Ok(chosen)
    } else {
        Err(issues)
    }
}

/// As [`select`], with what could be picked beside what could not.
pub fn select_each<'p>(
    package: &'p Package,
    ids: &[String],
) -> (Vec<&'p MeasureDefinition>, Vec<Finding>) {
    if ids.is_empty() {
        return (package.measures.iter().collect(), vec![]);
    }
    let mut chosen: Vec<&MeasureDefinition> = vec![];
    let mut issues = vec![];
    for id in ids {
        match one(package, id) {
            Ok(measure) if chosen.iter().any(|m| std::ptr::eq(*m, measure)) => {}
            Ok(measure) => chosen.push(measure),
            Err(issue) => issues.push(*issue),
        }
    }
    (chosen, issues)
}

/// Tells which way is better of measures, as `--better NAME=increase` does.
///
/// # Errors
/// A text that is not of this form, or a name that no measure has, or several.
pub fn set_better(package: &mut Package, all: &[String]) -> Result<(), Vec<Finding>> {
    let mut issues = vec![];
    for text in all {
        let split = text.rsplit_once('=');
        let parsed = split.and_then(|(name, word)| Some((name, ImprovementNotation::of(word)?)));
        let Some((name, better)) = parsed else {
            let message = format!("`--better {text}` is not understood");
            let help =
                "write the measure and `increase` or `decrease`: `--better CMS122FHIR=decrease`";
            issues.push(Finding::error(Code::BetterOption, message).help(help));
            continue;
        };
        match one(package, name) {
            Ok(found) => {
                let key = found.key();
                let own = package.measures.iter_mut().find(|m| m.key() == key);
                match own.map(|measure| measure.better.replace(better)) {
                    Some(Some(before)) if before != better => {
                        let message = format!("`--better` says both ways of measure `{name}`");
                        let help = "say it once: `increase` or `decrease`";
                        issues.push(Finding::error(Code::BetterOption, message).help(help));
                    }
                    _ => {}
                }
            }
            // One that cannot be run is told elsewhere.
            Err(issue) if issue.code == Code::MeasureRefused => {}
            Err(issue) => issues.push(*issue),
        }
    }
    if issues.is_empty() {
        Ok(())
    } else {
        Err(issues)
    }
}

fn one<'p>(package: &'p Package, id: &str) -> Result<&'p MeasureDefinition, Box<Finding>> {
    let (name, version) = match id.split_once('|') {
        Some((name, version)) => (name, Some(version)),
        None => (id, None),
    };
    let named = |m: &&MeasureDefinition| names(m).any(|n| n == name);
    let all: Vec<&MeasureDefinition> = package.measures.iter().filter(named).collect();
    let mut fits = all.clone();
    fits.retain(|m| version.is_none() || m.version.as_deref() == version);
    match (fits.as_slice(), all.as_slice()) {
        ([measure], _) => Ok(measure),
        ([], []) => Err(Box::new(unknown(package, name))),
        ([], some) => {
            let message = format!("measure `{name}` is not in the package in this version");
            let help = format!("it has {}", versions(name, some));
            Err(Box::new(
                Finding::error(Code::NoSuchMeasure, message).help(help),
            ))
        }
        (several, _) => {
            let message = format!(
                "`{id}` is the name of {} measures of the package",
                several.len()
            );
            let help = format!("say which: {}", versions(name, several));
            Err(Box::new(
                Finding::error(Code::SeveralMeasures, message).help(help),
            ))
        }
    }
}

fn versions(name: &str, measures: &[&MeasureDefinition]) -> String {
    let same = |m: &&MeasureDefinition| {
        let of = measures.iter().filter(|o| o.version == m.version);
        of.count() > 1
    };
    let text = |m: &&MeasureDefinition| match (&m.version, &m.url) {
        // The version does not tell them apart, the url does.
        (_, Some(_)) if same(m) => format!("`{}`", m.key()),
        (Some(version), _) => format!("`{name}|{version}`"),
        (None, _) => format!("`{}`", m.source),
    };
    let all: Vec<String> = measures.iter().map(text).collect();
    all.join(", ")
}

fn unknown(package: &Package, name: &str) -> Finding {
    let is = |r: &&Refused| r.names.iter().any(|n| n == name);
    if let Some(refused) = package.refused.iter().find(is) {
        let message = format!("measure `{name}` cannot be evaluated");
        let help = format!("see the errors about `{}`", refused.label);
        return Finding::error(Code::MeasureRefused, message)
            .help(help)
            .in_file(&*refused.source);
    }
    let issue = Finding::error(
        Code::NoSuchMeasure,
        format!("no measure of the package is called `{name}`"),
    );
    let all: Vec<&str> = package.measures.iter().flat_map(names).collect();
    // Official names are long; the beginning is what people say.
    let begins = |n: &&&str| {
        let head = n.get(..name.len());
        !name.is_empty() && head.is_some_and(|h| h.eq_ignore_ascii_case(name))
    };
    let near = all.iter().find(begins).copied();
    let near =
        near.or_else(|| did_you_mean(name, all.iter().copied().filter(|n| !n.contains("://"))));
    let labels: Vec<&str> = package
        .measures
        .iter()
        .map(MeasureDefinition::label)
        .collect();
    let otherwise = match labels.as_slice() {
        [] => "the package has no measure that can be evaluated".to_owned(),
        some if some.len() <= 50 => format!("the package has `{}`", some.join("`, `")),
        some => format!(
            "the package has {} measures; give the id of one",
            some.len()
        ),
    };
    issue.meant(near, otherwise)
}

fn names(measure: &MeasureDefinition) -> impl Iterator<Item = &str> {
    let named = [&measure.id, &measure.name, &measure.url];
    let named = named.into_iter().flatten();
    named.chain(&measure.identifiers).map(String::as_str)
}

/// Name of the library in which a measure's expressions are looked up.
#[must_use]
pub fn main_library_name(measure: &MeasureDefinition) -> Option<&str> {
    measure.main_library.as_ref().map(|l| l.name.as_str())
}

/// The library in which a measure's expressions are looked up.
#[must_use]
pub fn main_library<'p>(
    package: &'p Package,
    measure: &MeasureDefinition,
) -> Option<&'p LibrarySource> {
    let id = measure.main_library.as_ref()?;
    let same = |s: &&LibrarySource| s.name == id.name && s.version == id.version;
    package.libraries.iter().find(same)
}
