//! Results as a table for people, and as CSV: a line a group.

use crate::improvement_direction::Direction;
use crate::package::{GroupDefinition, PopulationCode as Code, StratifierDefinition};
use crate::result::{Counts, MeasureResult};
use crate::score_text::could_be;
pub use crate::score_text::score;

/// Populations that have a column of their own, and how it is called.
const COLUMNS: [(Code, &str); 8] = [
    (Code::InitialPopulation, "initial population"),
    (Code::Denominator, "denominator"),
    (Code::MeasurePopulation, "measure population"),
    (Code::DenominatorExclusion, "exclusions"),
    (Code::MeasurePopulationExclusion, "population exclusions"),
    (Code::DenominatorException, "exceptions"),
    (Code::Numerator, "numerator"),
    (Code::NumeratorExclusion, "numerator exclusions"),
];

/// Heading and rows: what is in a report's groups, and what could not be told beside it. Columns that
/// no group needs are left out. `number` writes a count.
pub fn table(
    results: &[MeasureResult],
    number: &dyn Fn(u64) -> String,
) -> (Vec<&'static str>, Vec<Vec<String>>) {
    table_of(results, number, &|_| true)
}

/// Whether groups count in an initial population, a denominator and a numerator only. The others need
/// columns of their own: observations, a measure population.
pub fn is_plain(definition: &GroupDefinition) -> bool {
    let own = [Code::MeasurePopulation, Code::MeasureObservation];
    own.iter().all(|code| definition.position(*code).is_none())
}

/// The rows of those groups that are wanted.
pub fn table_of(
    results: &[MeasureResult],
    number: &dyn Fn(u64) -> String,
    wanted: &dyn Fn(&GroupDefinition) -> bool,
) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let groups = || {
        results.iter().flat_map(|result| {
            let groups = result
                .structure
                .groups
                .iter()
                .zip(&result.groups)
                .enumerate();
            groups.map(move |(index, (definition, own))| (result, index, definition, &own.counts))
        })
    };
    let mut heading = vec!["measure", "group"];
    heading.extend(COLUMNS.map(|(_, name)| name));
    heading.extend([
        "observations",
        "score",
        "better",
        "not evaluable",
        "score could be",
    ]);
    let mut rows: Vec<Vec<String>> = vec![];
    for (result, index, definition, counts) in groups().filter(|(_, _, d, _)| wanted(d)) {
        let several = result.structure.groups.len() > 1;
        let mut row = vec![result.structure.name.to_string()];
        row.push(if several {
            definition.name(index)
        } else {
            String::new()
        });
        row.extend(populations(definition, counts, None, number));
        row.push(observations(definition, counts, None).map_or_else(String::new, number));
        row.push(score(definition, counts));
        row.push(better(result, index).map_or_else(String::new, Direction::short));
        row.push(number(counts.unknown));
        row.push(could_be(definition, counts, None));
        rows.push(row);
    }
    let kept: Vec<bool> = (0..heading.len())
        .map(|column| {
            // What a table always has, and whatever has something in it. Of exclusions zeros, too.
            let always = ["measure", "score", "not evaluable"];
            let name = heading.get(column).copied().unwrap_or_default();
            let filled = |row: &Vec<String>| row.get(column).is_some_and(|cell| !cell.is_empty());
            always.contains(&name) || rows.iter().any(filled)
        })
        .collect();
    let keep = |column: &usize| kept.get(*column).copied().unwrap_or(false);
    let chosen = |all: Vec<String>| -> Vec<String> {
        let cells = all.into_iter().enumerate();
        cells
            .filter(|(c, _)| keep(c))
            .map(|(_, cell)| cell)
            .collect()
    };
    let heading = heading.into_iter().enumerate();
    let heading = heading.filter(|(c, _)| keep(c)).map(|(_, h)| h).collect();
    (heading, rows.into_iter().map(chosen).collect())
}

/// Which way is better; nothing for a group without a score.
fn better(result: &MeasureResult, group: usize) -> Option<&Direction> {
    let mut told = result.structure.told_directions();
    let direction = told.find(|(index, _)| *index == group);
    direction.map(|(_, direction)| direction)
}

/// The counts of [`COLUMNS`]; empty where a group does not have a population, or its strata leave it out.
fn populations(
    definition: &GroupDefinition,
    counts: &Counts,
    by: Option<&StratifierDefinition>,
    number: &dyn Fn(u64) -> String,
) -> [String; COLUMNS.len()] {
    COLUMNS.map(|(code, _)| {
        let position = definition.position(code);
        let own = position.and_then(|at| at.get(&definition.populations));
        match own.is_some_and(|own| definition.is_divided(own, by)) {
            true => number(counts.count(definition, code)),
            false => String::new(),
        }
    })
}

/// How many observations have a value, where a group has any that the strata do not leave out.
fn observations(
    definition: &GroupDefinition,
    counts: &Counts,
    by: Option<&StratifierDefinition>,
) -> Option<u64> {
    let observed = definition.populations.iter().zip(&counts.populations);
    let observed = observed
        .filter(|(own, _)| own.code == Code::MeasureObservation && definition.is_divided(own, by));
    let counts: Vec<u64> = observed.map(|(_, own)| own.observed.count()).collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

/// The first line of results as CSV.
pub const CSV_HEADING: [&str; 22] = [
    "measure",
    "version",
    "group",
    "stratifier",
    "stratum",
    "initial_population",
    "denominator",
    "measure_population",
    "denominator_exclusion",
    "measure_population_exclusion",
    "denominator_exception",
    "numerator",
    "numerator_exclusion",
    "observations",
    "score",
    "not_evaluable",
    "unit",
    "better",
    "better_source",
    "score_low",
    "score_high",
    "score_could_be",
];

/// A line of CSV a group and stratum. Populations that a group does not have, or that a stratifier does
/// not apply to, are empty, as is the score of strata that have none.
pub fn csv_rows(results: &[MeasureResult]) -> Vec<Vec<String>> {
    let mut lines = vec![];
    for result in results {
        let artifact = &result.structure.artifact;
        let groups = result
            .structure
            .groups
            .iter()
            .zip(&result.groups)
            .enumerate();
        for (index, (definition, own)) in groups {
            let mut line = |by: Option<&StratifierDefinition>, stratum: &str, counts: &Counts| {
                let group = definition.name(index);
                let names = [
                    &*result.structure.name,
                    &*artifact.version,
                    &group,
                    by.and_then(StratifierDefinition::name).unwrap_or_default(),
                    stratum,
                ];
                let mut cells: Vec<String> = names.map(str::to_owned).to_vec();
                cells.extend(populations(definition, counts, by, &|n| n.to_string()));
                let observed = observations(definition, counts, by);
                cells.push(observed.map_or_else(String::new, |n| n.to_string()));
                let scored = definition.is_scored(by);
                let measured = counts.measured(definition).filter(|_| scored);
                let (score, unit) = measured.unzip();
                cells.push(score.map_or_else(String::new, |s| s.as_f64().to_string()));
                cells.push(counts.unknown.to_string());
                let unit = unit.flatten();
                cells.push(unit.map_or_else(String::new, |unit| unit.to_string()));
                let better = better(result, index).map_or([""; 2], Direction::cells);
                cells.extend(better.map(str::to_owned));
                let (low, high) = counts.rate_bounds().filter(|_| scored).unzip();
                let rate = |rate: Option<f64>| rate.map_or_else(String::new, |r| r.to_string());
                cells.extend([rate(low), rate(high), could_be(definition, counts, by)]);
                lines.push(cells);
            };
            line(None, "", &own.counts);
            for (stratifier, strata) in definition.stratifiers.iter().zip(&own.strata) {
                for (stratum, counts) in strata {
                    line(Some(stratifier), stratum, counts);
                }
            }
        }
    }
    lines
}

/// A group's counts of several places (organizations, practitioners, …), each under its name: heading and
/// rows. Columns that no row needs are left out. `number` writes a count.
pub fn places_table<'r>(
    by: &'r str,
    definition: &GroupDefinition,
    places: &[(String, &Counts)],
    number: &dyn Fn(u64) -> String,
) -> (Vec<&'r str>, Vec<Vec<String>>) {
    parts_table(by, (definition, None), places, number)
}

/// The strata of a stratifier, as [`places_table`]: only the populations that it applies to, and the
/// score where those make one.
pub fn strata_table<'r>(
    by: &'r str,
    definition: &GroupDefinition,
    stratifier: &StratifierDefinition,
    strata: &[(String, &Counts)],
    number: &dyn Fn(u64) -> String,
) -> (Vec<&'r str>, Vec<Vec<String>>) {
    parts_table(by, (definition, Some(stratifier)), strata, number)
}

fn parts_table<'r>(
    by: &'r str,
    (definition, stratifier): (&GroupDefinition, Option<&StratifierDefinition>),
    parts: &[(String, &Counts)],
    number: &dyn Fn(u64) -> String,
) -> (Vec<&'r str>, Vec<Vec<String>>) {
    let mut columns: Vec<(&str, Vec<String>)> = vec![(by, vec![])];
    columns.extend(COLUMNS.map(|(_, name)| (name, vec![])));
    columns
        .extend(["observations", "score", "not evaluable", "score could be"].map(|n| (n, vec![])));
    for (name, counts) in parts {
        let observed = observations(definition, counts, stratifier);
        let last = [
            observed.map_or_else(String::new, number),
            match definition.is_scored(stratifier) {
                true => score(definition, counts),
                false => String::new(),
            },
            number(counts.unknown),
            could_be(definition, counts, stratifier),
        ];
        let populations = populations(definition, counts, stratifier, number);
        let cells = std::iter::once(name.clone()).chain(populations).chain(last);
        for ((_, column), cell) in columns.iter_mut().zip(cells) {
            column.push(cell);
        }
    }
    let mut first = true;
    columns.retain(|(_, cells)| std::mem::take(&mut first) || cells.iter().any(|c| !c.is_empty()));
    let row = |index: usize| {
        let cells = columns.iter().map(|(_, cells)| cells.get(index).cloned());
        cells.map(Option::unwrap_or_default).collect()
    };
    let rows = (0..parts.len()).map(row).collect();
    (columns.iter().map(|(name, _)| *name).collect(), rows)
}
