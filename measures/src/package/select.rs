//! Picking measures of a package by what people call them.

use super::called::{Fit, best, fit};
use super::definition::{ImprovementNotation, MeasureDefinition};
use super::library_source::LibrarySource;
use super::{Package, Refused};
use engine_patient::finding::{Code, Finding, did_you_mean};

/// The measures that are asked for, each once, in the order asked; all that can be used if nothing is.
///
/// A measure is known by id, name, title, url or identifier (`CMS122FHIR`), or by the beginning of one
/// that only it has (`CMS122`, `122`), each also with `|version`: see [`super::called`].
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
        let parsed = match text.rsplit_once('=') {
            None => Err(format!(
                "`--better {text}` does not say which way is better"
            )),
            Some((name, _)) if name.trim().is_empty() => {
                Err(format!("`--better {text}` does not say of which measure"))
            }
            Some((name, word)) => way(word)
                .map(|better| (name, better))
                .ok_or_else(|| format!("`--better {text}`: `{word}` is no direction")),
        };
        let (name, better) = match parsed {
            Ok(parsed) => parsed,
            Err(message) => {
                let help = "write `--better MEASURE=lower` or `=higher` (`=decrease` and `=increase` are the same), as in `--better CMS122FHIR=lower`";
                issues.push(Finding::error(Code::BetterOption, message).help(help));
                continue;
            }
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

/// Which way is better, in the words of FHIR or of the tables.
fn way(word: &str) -> Option<ImprovementNotation> {
    match word.trim().to_lowercase().as_str() {
        "lower" => Some(ImprovementNotation::Decrease),
        "higher" => Some(ImprovementNotation::Increase),
        word => ImprovementNotation::of(word),
    }
}

/// The measures that a name fits best, and those that were refused.
fn fitting<'p>(
    package: &'p Package,
    name: &str,
) -> Option<(Fit, Vec<&'p MeasureDefinition>, Vec<&'p Refused>)> {
    let usable = package.measures.iter().map(|m| best(name, names(m)));
    let refused = package.refused.iter().map(|r| fit_of_refused(name, r));
    let (usable, refused): (Vec<_>, Vec<_>) = (usable.collect(), refused.collect());
    let fit = usable.iter().chain(&refused).flatten().min().copied()?;
    let measures = package.measures.iter().zip(&usable);
    let of_refused = package.refused.iter().zip(&refused);
    Some((
        fit,
        measures
            .filter(|(_, f)| **f == Some(fit))
            .map(|(m, _)| m)
            .collect(),
        of_refused
            .filter(|(_, f)| **f == Some(fit))
            .map(|(r, _)| r)
            .collect(),
    ))
}

fn fit_of_refused(name: &str, refused: &Refused) -> Option<Fit> {
    let names = refused.names.iter().map(String::as_str);
    best(name, names.chain([refused.label.as_str()]))
}

/// How well a name, perhaps with `|version`, fits any measure of a package, also one that was refused.
#[must_use]
pub fn fit_in(package: &Package, asked: &str) -> Option<Fit> {
    let name = asked.split_once('|').map_or(asked, |(name, _)| name);
    fitting(package, name).map(|(fit, ..)| fit)
}

/// The measures of a package that a name, perhaps with `|version`, fits best, also those that were
/// refused: as a list of names for people.
#[must_use]
pub fn fitting_keys(package: &Package, asked: &str) -> Vec<String> {
    let name = asked.split_once('|').map_or(asked, |(name, _)| name);
    let (_, measures, refused) = fitting(package, name).unwrap_or((Fit::Begins, vec![], vec![]));
    let measures = measures.iter().map(|m| m.key());
    let refused = refused.iter().map(|r| r.label.clone());
    measures.chain(refused).map(|n| format!("`{n}`")).collect()
}

/// The refused measures that are asked for; all if nothing is.
#[must_use]
pub fn refused_of<'p>(package: &'p Package, ids: &[String]) -> Vec<&'p Refused> {
    let of = |r: &&Refused| {
        ids.is_empty()
            || ids.iter().any(|id| {
                let (name, version) = match id.split_once('|') {
                    Some((name, version)) => (name, Some(version)),
                    None => (id.as_str(), None),
                };
                let fits = fitting(package, name).is_some_and(|(_, measures, refused)| {
                    let decides = version.is_some() || measures.is_empty();
                    decides && refused.iter().any(|one| std::ptr::eq(*one, *r))
                });
                *id == r.label || (fits && (version.is_none() || r.version.as_deref() == version))
            })
    };
    package.refused.iter().filter(of).collect()
}

/// What was asked for by another word than the measure's own, and what was taken for it.
#[must_use]
pub fn taken_for(package: &Package, ids: &[String]) -> Vec<(String, String)> {
    let taken = ids.iter().filter_map(|id| {
        let name = id.split_once('|').map_or(id.as_str(), |(name, _)| name);
        let measure = one(package, id).ok()?;
        let itself = names(measure).any(|n| fit(name, n) == Some(Fit::Exact));
        (!itself).then(|| (id.clone(), measure.label().to_owned()))
    });
    taken.collect()
}

fn one<'p>(package: &'p Package, id: &str) -> Result<&'p MeasureDefinition, Box<Finding>> {
    let (name, version) = match id.split_once('|') {
        Some((name, version)) => (name, Some(version)),
        None => (id, None),
    };
    let Some((fit, all, refused)) = fitting(package, name) else {
        return Err(Box::new(unknown(package, name)));
    };
    let mut fits = all.clone();
    fits.retain(|m| version.is_none() || m.version.as_deref() == version);
    let begins = fit == Fit::Begins && all.len() > 1;
    match (fits.as_slice(), all.as_slice()) {
        ([measure], _) => Ok(measure),
        ([], []) => Err(Box::new(is_refused(name, &refused))),
        ([], some) => {
            let message = format!("measure `{name}` is not in the package in this version");
            let help = match begins {
                true => format!("it has {}", keys(some)),
                false => format!("it has {}", versions(name, some)),
            };
            Err(Box::new(
                Finding::error(Code::NoSuchMeasure, message).help(help),
            ))
        }
        (several, _) if begins => {
            let message = format!(
                "{} measures of the package begin with `{id}`",
                several.len()
            );
            let help = format!("say which: {}", keys(several));
            Err(Box::new(
                Finding::error(Code::SeveralMeasures, message).help(help),
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

/// What options call each.
fn keys(measures: &[&MeasureDefinition]) -> String {
    let all: Vec<String> = measures.iter().map(|m| format!("`{}`", m.handle)).collect();
    all.join(", ")
}

fn is_refused(name: &str, refused: &[&Refused]) -> Finding {
    let message = format!("measure `{name}` cannot be evaluated");
    let labels: Vec<String> = refused.iter().map(|r| format!("`{}`", r.label)).collect();
    let help = format!("see the errors about {}", labels.join(", "));
    let source = refused.first().map_or("", |r| r.source.as_str());
    Finding::error(Code::MeasureRefused, message)
        .help(help)
        .in_file(source)
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
    let issue = Finding::error(
        Code::NoSuchMeasure,
        format!("no measure of the package is called `{name}`"),
    );
    // A number that goes on is another number, and `CMS122v14` the edition of another year: neither is
    // taken, but perhaps meant.
    let without_edition = name.rsplit_once(['v', 'V']).filter(|(head, edition)| {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        head.ends_with(|c: char| c.is_ascii_digit()) && !edition.is_empty() && digits(edition)
    });
    let begins = |m: &&MeasureDefinition| {
        let head = |n: &str| {
            let head = n.get(..name.len());
            !name.is_empty() && head.is_some_and(|h| h.eq_ignore_ascii_case(name))
        };
        names(m).any(head)
            || without_edition.is_some_and(|(head, _)| best(head, names(m)).is_some())
    };
    let begin: Vec<&MeasureDefinition> = package.measures.iter().filter(begins).collect();
    if begin.len() > 1 {
        return issue.help(format!("these begin so: {}", keys(&begin)));
    }
    let near = begin.first().map(|m| m.handle.as_str());
    let all: Vec<&str> = package.measures.iter().flat_map(names).collect();
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
    let named = [&measure.id, &measure.name, &measure.url, &measure.title];
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
