//! Criteria references: which population an observation, numerator or denominator is taken from.
//!
//! Exports carry references that are no ids any more (`Denominator_1` where the id is a uuid). Such a
//! reference is followed where one population only can be meant, with a warning.

use super::definition::{PopulationCode, PopulationDefinition, Scoring};
use super::element::Report;
use super::issue::Issue;

use PopulationCode as P;

/// Fills [`PopulationDefinition::reference`]; tells what cannot be resolved or does not fit.
pub(super) fn resolve(
    report: &mut Report,
    scoring: Scoring,
    populations: &mut [PopulationDefinition],
) {
    let resolved: Vec<Option<usize>> = (0..populations.len())
        .map(|index| target(report, scoring, populations, index))
        .collect();
    for (population, reference) in populations.iter_mut().zip(resolved) {
        population.reference = reference;
    }
    if scoring == Scoring::Ratio {
        two_initial_populations(report, populations);
    }
}

fn target(
    report: &mut Report,
    scoring: Scoring,
    populations: &[PopulationDefinition],
    index: usize,
) -> Option<usize> {
    let population = populations.get(index)?;
    let allowed = allowed(scoring, population.code);
    let Some(reference) = &population.criteria_reference else {
        return without(report, scoring, populations, population);
    };
    let found = match find(populations, index, allowed, reference) {
        Found::Id(at) => at,
        Found::Stale(at) => {
            let meant = populations.get(at).map_or("", name);
            let message = format!(
                "criteria reference `{reference}` is the id of no population of the group; taken as `{meant}`"
            );
            let help = format!("write `{meant}`");
            report.add(&population.path, Issue::warning("P063", message).help(help));
            at
        }
        Found::Several => {
            let message =
                format!("criteria reference `{reference}` fits several populations of the group");
            report.add(
                &population.path,
                Issue::error("P064", message).help(ids(populations, allowed)),
            );
            return None;
        }
        Found::None => {
            let message = format!("criteria reference `{reference}` is no population of the group");
            report.add(
                &population.path,
                Issue::error("P064", message).help(ids(populations, allowed)),
            );
            return None;
        }
    };
    let code = populations.get(found)?.code;
    if !allowed.is_empty() && !allowed.contains(&code) {
        let message = format!(
            "`{}` of `{}` scoring refers to `{reference}`, which is a `{}`",
            population.code.as_str(),
            scoring.as_str(),
            code.as_str()
        );
        report.add(
            &population.path,
            Issue::error("P066", message).help(ids(populations, allowed)),
        );
        return None;
    }
    Some(found)
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

/// The population where no reference is given: told if that leaves it open.
fn without(
    report: &mut Report,
    scoring: Scoring,
    populations: &[PopulationDefinition],
    population: &PopulationDefinition,
) -> Option<usize> {
    if population.code != P::MeasureObservation {
        return None;
    }
    let allowed = allowed(scoring, population.code);
    match scoring {
        Scoring::ContinuousVariable => only(populations, |p| allowed.contains(&p.code)),
        Scoring::Ratio => {
            let message =
                "the observation does not say whether it is of the numerator or the denominator";
            let help = format!(
                "add the extension `cqfm-criteriaReference`: {}",
                ids(populations, allowed)
            );
            report.add(&population.path, Issue::error("P065", message).help(help));
            None
        }
        _ => None,
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
        if part.criteria_reference.is_none() {
            let word = part.code.as_str();
            let message = format!("with two initial populations, the `{word}` has to name its own");
            let allowed = allowed(Scoring::Ratio, part.code);
            let help = format!(
                "add the extension `cqfm-criteriaReference`: {}",
                ids(populations, allowed)
            );
            report.add(&part.path, Issue::error("P065", message).help(help));
        }
    }
    for (index, population) in populations.iter().enumerate() {
        let used = populations.iter().any(|p| p.reference == Some(index));
        let complete = populations.iter().filter(|p| p.reference.is_some()).count() >= 2;
        if population.code == P::InitialPopulation && complete && !used {
            let message = format!(
                "no numerator or denominator refers to `{}`",
                name(population)
            );
            let help = "let each refer to its own initial population, or remove this one";
            report.add(&population.path, Issue::warning("P066", message).help(help));
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
