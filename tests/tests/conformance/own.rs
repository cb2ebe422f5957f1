//! Decks of our own (`tests/decks`, in the format of those that others publish): they are in the repository,
//! so that a clone alone has evidence. What is expected was written by reasoning, as the cases say.
//!
//! Cases are compared one by one, observed values included; then the measure's totals with their sums, its
//! scores (proportion, median), its strata too.

use std::collections::BTreeMap;
use std::path::Path;

use measures::package::{AggregateMethod, GroupDefinition, PopulationCode as Code, Scoring};
use measures::result::{Counts, MeasureResult};
use serde_json::Value;

use crate::{Score, ecqm, replication};

/// Runs them all.
pub fn run() -> Score {
    let mut score = Score::new("own");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("decks");
    let libraries = folder.join("libraries");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let decks = ecqm::decks_of(&folder);
    assert_eq!(decks.len(), 4);
    for deck in decks {
        let name = deck.file_name().unwrap().to_string_lossy().into_owned();
        let scratch = tempfile::tempdir().unwrap();
        let lake = ecqm::lake_of(&deck.join("data"), scratch.path(), &runtime);
        for outcome in ecqm::outcomes(&runtime, &deck, &libraries, &lake, true) {
            let wrong: Vec<String> = [outcome.populations, outcome.observations].concat();
            let result = match wrong.is_empty() {
                true => Ok(()),
                false => Err(wrong.join("; ")),
            };
            let shown = format!("{name}/{} {}", outcome.case, outcome.name);
            score.case(&name, &shown, result, None);
        }
        let (results, _) = replication::run(&deck, &folder, &deck.join("data"), 8, 2);
        let [result] = results.as_slice() else {
            panic!("{name}: {} results", results.len());
        };
        let result = match totals(&deck, result) {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(wrong.join("; ")),
        };
        score.case(&name, &format!("{name}: totals"), result, None);
    }
    score
}

/// The totals of a deck's only group against its cases.
fn totals(deck: &Path, result: &MeasureResult) -> Vec<String> {
    let text = std::fs::read_to_string(deck.join("expected.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let groups: Vec<&Value> = cases.iter().map(|case| &case["groups"][0]).collect();
    let (definition, own) = (&result.structure.groups[0], &result.groups[0]);
    let mut wrong = vec![];
    differences("whole", definition, &own.counts, &groups, &mut wrong);

    let mut strata: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for group in &groups {
        for stratum in group["stratifiers"].as_array().into_iter().flatten() {
            let name = stratum["value"].as_str().unwrap();
            strata.entry(name).or_default().push(stratum);
        }
    }
    let found = own.strata.iter().flatten();
    let mut found: BTreeMap<&str, &Counts> = found.map(|(name, c)| (&**name, c)).collect();
    for (name, expected) in strata {
        match found.remove(name) {
            Some(counts) => differences(name, definition, counts, &expected, &mut wrong),
            None => wrong.push(format!("no stratum {name}")),
        }
    }
    // Whoever is in no population may have a stratum: it counts nobody.
    found.retain(|_, counts| counts.populations.iter().any(|p| p.count > 0));
    wrong.extend(found.keys().map(|name| format!("a stratum {name}")));

    let method = definition
        .populations
        .iter()
        .find_map(|p| p.aggregate_method);
    if method == Some(AggregateMethod::Median) {
        let observed = groups.iter().filter_map(|g| g["observations"].as_array());
        let mut observed: Vec<f64> = observed
            .flatten()
            .filter_map(|o| o["value"].as_f64())
            .collect();
        observed.sort_by(f64::total_cmp);
        let half = observed.len() / 2;
        let median = match observed.len() % 2 {
            0 => f64::midpoint(observed[half - 1], observed[half]),
            _ => observed[half],
        };
        let got = own
            .counts
            .measured(definition)
            .map(|(score, _)| score.as_f64());
        if got != Some(median) {
            wrong.push(format!("median: expected {median}, got {got:?}"));
        }
    }
    wrong
}

/// Counts against the sums of what is expected.
fn differences(
    what: &str,
    definition: &GroupDefinition,
    counts: &Counts,
    expected: &[&Value],
    wrong: &mut Vec<String>,
) {
    for population in &definition.populations {
        let code = population.code.as_str();
        if code == "measure-observation" {
            continue;
        }
        let (got, wanted) = (
            counts.count(definition, population.code),
            sum(expected, code),
        );
        if got != wanted {
            wrong.push(format!("{what}.{code}: expected {wanted}, got {got}"));
        }
    }
    if definition.scoring == Scoring::Proportion {
        let of = |code| match definition.populations.iter().any(|p| p.code == code) {
            true => sum(expected, code.as_str()),
            false => 0,
        };
        let counted = of(Code::Numerator) - of(Code::NumeratorExclusion);
        let among =
            of(Code::Denominator) - of(Code::DenominatorExclusion) - of(Code::DenominatorException);
        let wanted = (among > 0).then(|| counted as f64 / among as f64);
        let got = counts.measured(definition).map(|(score, _)| score.as_f64());
        if got != wanted {
            wrong.push(format!(
                "{what}: expected a score of {wanted:?}, got {got:?}"
            ));
        }
    }
}

/// Every case says a number for every population: one that is missing or misspelt would count as none.
fn sum(expected: &[&Value], code: &str) -> u64 {
    let of = |case: &&Value| {
        let said = case["populations"][code].as_u64();
        said.unwrap_or_else(|| panic!("no `{code}` in {case}"))
    };
    expected.iter().map(of).sum()
}
