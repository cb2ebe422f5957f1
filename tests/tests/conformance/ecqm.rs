//! The official measure decks, each through import, a lake and the path of `measure run`: those of the
//! current year, and those of the year before exactly as they were published.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datasets::import::{ImportOptions, import};
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::system::zone::UTC;
use engine_population::lake::Lake;
use measures_run::deck::{CaseOutcome, DeckOptions, run as run_deck, run_loaded};

use crate::Score;

/// Cases that differ from their published expectation, and why: `measure  case  kind  reason`. A case
/// that is listed must differ.
pub const DIFFERENCES: &str = include_str!("../../../measures/conformance/differences.tsv");

/// The same of the year before.
pub const DIFFERENCES_2024: &str =
    include_str!("../../../measures/conformance/differences-2024.tsv");

/// Cases that come out differently where the data has no profile tags, and what is undecidable.
pub const UNTAGGED: &str = include_str!("../../../measures/conformance/untagged.tsv");

/// Differences by measure and case.
fn known(table: &'static str) -> BTreeMap<(&'static str, &'static str), &'static str> {
    let lines = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split('\t');
        let (measure, case, kind) = (fields.next()?, fields.next()?, fields.next()?);
        // Observed values are told by `measure test`, and are no failure.
        (!kind.starts_with("observation")).then(|| ((measure, case), fields.next().unwrap_or(kind)))
    });
    lines.collect()
}

/// Runs every deck of a folder.
pub fn run(folder: &Path) -> Score {
    let mut score = Score::new("ecqm");
    let known = known(DIFFERENCES);
    let libraries = folder.join("libraries");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for deck in decks_of(folder) {
        let name = deck.file_name().unwrap().to_string_lossy().into_owned();
        let scratch = tempfile::tempdir().unwrap();
        let lake = lake_of(&deck.join("data"), scratch.path(), &runtime);
        let native = outcomes(&runtime, &deck, &libraries, &lake, true);
        // FHIRHelpers natively and as ELM: the same for every case.
        let as_elm = outcomes(&runtime, &deck, &libraries, &lake, false);
        for (native, as_elm) in native.iter().zip(&as_elm) {
            assert_eq!(
                native.populations, as_elm.populations,
                "{name} {}: FHIRHelpers",
                native.case
            );
            assert_eq!(
                native.observations, as_elm.observations,
                "{name} {}: FHIRHelpers",
                native.case
            );
        }
        let (passed, failed) = (score.passed, score.failed);
        let untagged = untagged(&deck.join("data"), scratch.path());
        let bare = lake_of(&untagged, &scratch.path().join("bare"), &runtime);
        let bare = outcomes(&runtime, &deck, &libraries, &bare, true);
        for (tagged, bare) in native.iter().zip(&bare) {
            let listed = UNTAGGED
                .lines()
                .any(|line| line.starts_with(&format!("{name}\t{}\t", tagged.case)));
            if (tagged.populations == bare.populations) == listed {
                let what = bare.populations.join("; ");
                score.wrong.push(format!(
                    "{name}/{} without meta.profile: {what}",
                    tagged.case
                ));
            }
        }
        count(&mut score, &name, native, &known);
        println!(
            "{name}: {} passed, {} failed",
            score.passed - passed,
            score.failed - failed
        );
    }
    score
}

/// Runs every deck of the year before. They share one vocabulary, which is loaded once with the
/// measures of all.
pub fn run_2024(folder: &Path) -> Score {
    let mut score = Score::new("ecqm-2024");
    let known = known(DIFFERENCES_2024);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let decks = decks_of(folder);
    let mut package: Vec<PathBuf> = decks.iter().map(|d| d.join("measure.json")).collect();
    package.push(folder.join("libraries"));
    let loaded = measures::package::load(&package);
    for deck in decks {
        let name = deck.file_name().unwrap().to_string_lossy().into_owned();
        let scratch = tempfile::tempdir().unwrap();
        let lake = lake_of(&deck.join("data"), scratch.path(), &runtime);
        let options = options(true);
        let run = run_loaded(&deck, &loaded, &lake, &options);
        match runtime.block_on(run) {
            Ok(outcomes) => count(&mut score, &name, outcomes, &known),
            Err(error) => score.wrong.push(format!("{name} does not run: {error}")),
        }
    }
    score
}

pub fn decks_of(folder: &Path) -> Vec<PathBuf> {
    let mut decks: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("measure.json").exists() && p.join("expected.json").exists())
        .collect();
    decks.sort();
    decks
}

/// Counts the outcomes of a deck.
fn count(
    score: &mut Score,
    name: &str,
    outcomes: Vec<CaseOutcome>,
    known: &BTreeMap<(&'static str, &'static str), &'static str>,
) {
    for outcome in outcomes {
        let why = known.get(&(name, outcome.case.as_str())).copied();
        let result = match outcome.populations.is_empty() {
            true => Ok(()),
            false => Err(outcome.populations.join("; ")),
        };
        let shown = format!("{name}/{} {}", outcome.case, outcome.name);
        score.case(name, &shown, result, why);
    }
}

fn options(native_helpers: bool) -> DeckOptions {
    DeckOptions {
        zone: UTC.clone(),
        // Some public packages are incomplete: see `missing_valuesets.json`.
        allow_missing_value_sets: true,
        profile_mode: ProfileMode::Decide,
        native_helpers,
        threads: 2,
    }
}

pub fn outcomes(
    runtime: &tokio::runtime::Runtime,
    deck: &Path,
    libraries: &Path,
    lake: &Lake,
    native_helpers: bool,
) -> Vec<CaseOutcome> {
    runtime
        .block_on(run_deck(deck, libraries, lake, &options(native_helpers)))
        .unwrap()
}

/// A copy of the data without `meta.profile`.
fn untagged(data: &Path, scratch: &Path) -> PathBuf {
    let target = scratch.join("untagged");
    std::fs::create_dir_all(&target).unwrap();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let mut out = String::new();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let mut resource: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(meta) = resource["meta"].as_object_mut() {
                meta.remove("profile");
            }
            out += &resource.to_string();
            out.push('\n');
        }
        std::fs::write(target.join(path.file_name().unwrap()), out).unwrap();
    }
    target
}

pub fn lake_of(data: &Path, scratch: &Path, runtime: &tokio::runtime::Runtime) -> Lake {
    let options = ImportOptions {
        paths: vec![data.to_owned()],
        lake: scratch.join("lake"),
        buckets: None,
        bases: vec![],
        strict: false,
        limits: Default::default(),
        threads: 2,
        now_ms: 0,
        lake_id: "conformance".into(),
    };
    import(&options, &Arc::default()).unwrap();
    runtime
        .block_on(Lake::open(&scratch.join("lake"), None))
        .unwrap()
}
