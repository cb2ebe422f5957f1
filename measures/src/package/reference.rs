//! Criteria references: which population an observation, numerator or denominator is taken from.
//!
//! Exports carry references that are no ids any more (`Denominator_1` where the id is a uuid). Such a
//! reference is followed where one population only can be meant, with a warning.

use super::definition::{PopulationCode, PopulationDefinition, PopulationIndex, Scoring};
use super::element::Report;
use engine_patient::finding::{Code, Finding};

use PopulationCode as P;

/// Fills [`PopulationDefinition::reference`]; tells what cannot be resolved or does not fit.
pub(super) fn resolve(
    report: &mut Report,
    scoring: Scoring,
    populations: &mut [PopulationDefinition],
) {
    let mut open = vec![];
    for index in 0..populations.len() {
        let found = target(report, scoring, populations, index);
        match (found, populations.get_mut(index)) {
            (Target::Found(reference), Some(population)) => {
                population.reference = reference.map(PopulationIndex::new)
            }
            (Target::Open, _) => open.push(index),
            _ => {}
        }
    }
    one_reading(report, scoring, populations, open);
    if scoring == Scoring::Ratio {
        two_initial_populations(report, populations);
    }
}

/// Where a reference leads.
enum Target {
    /// To a population; `None` where there is none to refer to, or what is wrong was told.
    Found(Option<usize>),
    /// Nowhere, or an observation of a ratio has none: what else the group says may decide.
    Open,
}

fn target(
    report: &mut Report,
    scoring: Scoring,
    populations: &[PopulationDefinition],
    index: usize,
) -> Target {
    let Some(population) = populations.get(index) else {
        return Target::Found(None);
    };
    let allowed = allowed(scoring, population.code);
    let Some(reference) = &population.criteria_reference else {
        return without(scoring, populations, population);
    };
    let found = match find(populations, index, allowed, reference) {
        Found::Id(at) => at,
        Found::Stale(at) => {
            stale(report, populations, population, reference, at);
            at
        }
        Found::Several => {
            let message =
                format!("criteria reference `{reference}` fits several populations of the group");
            report.add(
                &population.path,
                Finding::error(Code::ReferenceUnknown, message).help(ids(populations, allowed)),
            );
            return Target::Found(None);
        }
        Found::None => return Target::Open,
    };
    let code = populations.get(found).map(|p| p.code);
    if let Some(code) = code.filter(|c| !allowed.is_empty() && !allowed.contains(c)) {
        let message = format!(
            "`{}` of `{}` scoring refers to `{reference}`, which is a `{}`",
            population.code.as_str(),
            scoring.as_str(),
            code.as_str()
        );
        report.add(
            &population.path,
            Finding::error(Code::ReferenceWrong, message).help(ids(populations, allowed)),
        );
        return Target::Found(None);
    }
    Target::Found(Some(found))
}

fn stale(
    report: &mut Report,
    populations: &[PopulationDefinition],
    population: &PopulationDefinition,
    reference: &str,
    at: usize,
) {
    let meant = populations.get(at).map_or("", name);
    let message = format!(
        "criteria reference `{reference}` is the id of no population of the group; taken as `{meant}`"
    );
    let help = format!("write `{meant}`");
    report.add(
        &population.path,
        Finding::warning(Code::ReferenceStale, message).help(help),
    );
}

/// References that lead nowhere (the ids of an authoring tool, left behind in an export), and those that
/// are missing: followed where the group leaves one reading, told where it leaves several or none.
///
/// A reading is a population that may be referred to and that no other of the same code refers to; of
/// several the one whose name the expression, id or description has ("Denominator Observations").
fn one_reading(
    report: &mut Report,
    scoring: Scoring,
    populations: &mut [PopulationDefinition],
    mut open: Vec<usize>,
) {
    // What one leaves over decides about the next.
    while let Some((position, index, at)) = open.iter().enumerate().find_map(|(position, index)| {
        let at = reading(scoring, populations, *index)?;
        Some((position, *index, at))
    }) {
        open.remove(position);
        let Some(population) = populations.get(index) else {
            continue;
        };
        match &population.criteria_reference {
            Some(reference) => stale(report, populations, population, reference, at),
            None => {
                let meant = populations.get(at).map_or("", name);
                let message = format!(
                    "the `{}` does not say which population it is of; taken as `{meant}`",
                    population.code.as_str()
                );
                let help = format!("add the extension `cqfm-criteriaReference`: `{meant}`");
                report.add(
                    &population.path,
                    Finding::warning(Code::ReferenceStale, message).help(help),
                );
            }
        }
        if let Some(population) = populations.get_mut(index) {
            population.reference = Some(PopulationIndex::new(at));
        }
    }
    for population in open.into_iter().filter_map(|index| populations.get(index)) {
        let allowed = allowed(scoring, population.code);
        let issue = match &population.criteria_reference {
            // Nothing refers to anything there, and no number depends on it.
            Some(reference) if allowed.is_empty() => {
                let message = format!(
                    "criteria reference `{reference}` is no population of the group; it is not used"
                );
                Finding::warning(Code::ReferenceUnknown, message).help("remove the extension")
            }
            Some(reference) => {
                let message =
                    format!("criteria reference `{reference}` is no population of the group");
                Finding::error(Code::ReferenceUnknown, message).help(ids(populations, allowed))
            }
            None => {
                let message = "the observation does not say whether it is of the numerator or the denominator";
                let help = format!(
                    "add the extension `cqfm-criteriaReference`: {}",
                    ids(populations, allowed)
                );
                Finding::error(Code::ReferenceMissing, message).help(help)
            }
        };
        report.add(&population.path, issue);
    }
}

/// The one population that a reference can mean.
fn reading(scoring: Scoring, populations: &[PopulationDefinition], index: usize) -> Option<usize> {
    let own = populations.get(index)?;
    let allowed = allowed(scoring, own.code);
    let taken = |at: usize| {
        let observation = own.code == P::MeasureObservation;
        let mut others = populations.iter().enumerate();
        observation
            && others.any(|(i, p)| {
                i != index && p.code == own.code && p.reference == Some(PopulationIndex::new(at))
            })
    };
    let all: Vec<(usize, PopulationCode)> = populations
        .iter()
        .enumerate()
        .filter(|(at, p)| allowed.contains(&p.code) && !taken(*at))
        .map(|(at, p)| (at, p.code))
        .collect();
    if let [(one, _)] = all.as_slice() {
        // A ratio with one observation only may be of either side: the other one has to be there.
        let sides = populations.iter().filter(|p| p.code == own.code).count();
        if own.code != P::MeasureObservation || allowed.len() < 2 || sides > 1 {
            return Some(*one);
        }
    }
    let texts = [
        Some(&own.expression),
        own.id.as_ref(),
        own.description.as_ref(),
    ];
    let says = |code: PopulationCode| {
        let word = letters(code.as_str());
        let mut texts = texts.iter().flatten();
        texts.any(|text| letters(text).contains(&word))
    };
    let named: Vec<&(usize, PopulationCode)> = all.iter().filter(|(_, c)| says(*c)).collect();
    match named.as_slice() {
        [(one, _)] => Some(*one),
        _ => None,
    }
}

/// What a population may refer to; empty for anything.
fn allowed(scoring: Scoring, code: PopulationCode) -> &'static [PopulationCode] {
    match (scoring, code) {
        (Scoring::ContinuousVariable, P::MeasureObservation) => &[P::MeasurePopulation],
        (Scoring::Ratio, P::MeasureObservation) => &[P::Numerator, P::Denominator],
        (Scoring::Ratio, P::Numerator | P::Denominator) => &[P::InitialPopulation],
        _ => &[],
    }
}

/// The population where no reference is given.
fn without(
    scoring: Scoring,
    populations: &[PopulationDefinition],
    population: &PopulationDefinition,
) -> Target {
    if population.code != P::MeasureObservation {
        return Target::Found(None);
    }
    let allowed = allowed(scoring, population.code);
    match scoring {
        Scoring::ContinuousVariable => {
            Target::Found(only(populations, |p| allowed.contains(&p.code)))
        }
        Scoring::Ratio => Target::Open,
        _ => Target::Found(None),
    }
}

/// With two initial populations, numerator and denominator have to say which is theirs.
fn two_initial_populations(report: &mut Report, populations: &[PopulationDefinition]) {
    let initial = populations
        .iter()
        .filter(|p| p.code == P::InitialPopulation);
    if initial.count() < 2 {
        return;
    }
    let parts = |code| populations.iter().filter(move |p| p.code == code);
    for part in parts(P::Numerator).chain(parts(P::Denominator)) {
        if part.criteria_reference.is_none() && part.reference.is_none() {
            let word = part.code.as_str();
            let message = format!("with two initial populations, the `{word}` has to name its own");
            let allowed = allowed(Scoring::Ratio, part.code);
            let help = format!(
                "add the extension `cqfm-criteriaReference`: {}",
                ids(populations, allowed)
            );
            report.add(
                &part.path,
                Finding::error(Code::ReferenceMissing, message).help(help),
            );
        }
    }
    for (index, population) in populations.iter().enumerate() {
        let used = populations
            .iter()
            .any(|p| p.reference == Some(PopulationIndex::new(index)));
        let complete = populations.iter().filter(|p| p.reference.is_some()).count() >= 2;
        if population.code == P::InitialPopulation && complete && !used {
            let message = format!(
                "no numerator or denominator refers to `{}`",
                name(population)
            );
            let help = "let each refer to its own initial population, or remove this one";
            report.add(
                &population.path,
                Finding::warning(Code::ReferenceWrong, message).help(help),
            );
        }
    }
}

enum Found {
    Id(usize),
    Stale(usize),
    Several,
    None,
}

fn find(
    populations: &[PopulationDefinition],
    from: usize,
    allowed: &[PopulationCode],
    reference: &str,
) -> Found {
    let with = |test: &dyn Fn(&PopulationDefinition) -> bool| -> Vec<usize> {
        let all = populations.iter().enumerate();
        all.filter(|(i, p)| *i != from && test(p))
            .map(|(i, _)| i)
            .collect()
    };
    match with(&|p| p.id.as_deref() == Some(reference)).as_slice() {
        [one] => return Found::Id(*one),
        [] => {}
        _ => return Found::Several,
    }
    let kind = letters(reference);
    let same = |text: Option<&str>| text.is_some_and(|t| t.eq_ignore_ascii_case(reference));
    let tests: [&dyn Fn(&PopulationDefinition) -> bool; 3] = [
        &|p| same(p.id.as_deref()),
        &|p| same(Some(&p.expression)),
        &|p| letters(p.code.as_str()) == kind,
    ];
    let fits = |p: &PopulationDefinition| allowed.contains(&p.code);
    let mut several = false;
    // Among those that are allowed first: one expression often serves several populations.
    for only_allowed in [true, false] {
        for test in tests {
            match with(&|p| test(p) && (!only_allowed || fits(p))).as_slice() {
                [one] => return Found::Stale(*one),
                [] => {}
                _ => several = true,
            }
        }
        if several {
            return Found::Several;
        }
    }
    Found::None
}

/// Only letters, lower case: `MeasurePopulation_1` and `measure-population` are the same.
fn letters(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    letters.flat_map(char::to_lowercase).collect()
}

fn only(
    populations: &[PopulationDefinition],
    test: impl Fn(&PopulationDefinition) -> bool,
) -> Option<usize> {
    let mut fits = populations.iter().enumerate().filter(|(_, p)| test(p));
    match (fits.next(), fits.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

fn name(population: &PopulationDefinition) -> &str {
    let id = population.id.as_deref();
    id.unwrap_or_else(|| population.code.as_str())
}

/// What could be written.
fn ids(populations: &[PopulationDefinition], allowed: &[PopulationCode]) -> String {
    let fits = |p: &&PopulationDefinition| {
        p.code != P::MeasureObservation && (allowed.is_empty() || allowed.contains(&p.code))
    };
    let ids: Vec<&str> = populations
        .iter()
        .filter(fits)
        .filter_map(|p| p.id.as_deref())
        .collect();
    if ids.is_empty() {
        return "give the population that is meant an `id` and refer to that".to_owned();
    }
    format!("refer to the population by its id: `{}`", ids.join("`, `"))
}
