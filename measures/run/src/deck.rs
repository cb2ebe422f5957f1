//! Test decks: official measures with cases and their expected results.
//!
//! A deck is a folder with `measure.json`, `valuesets.ndjson`, `data/` (a bulk export) and
//! `expected.json`, each of them JSON or NDJSON, packed or not; its libraries stand in a sibling folder.
//! The data goes through a lake and the same path as any run.
#![allow(clippy::disallowed_methods, reason = "a deck is files")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arrow::array::AsArray;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::finding::{Finding, grouped, told};
use engine_patient::program::RowOptions;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};
use measures::official::{BuildOptions, build};
use measures::package::{Loaded, PopulationCode, PopulationIndex, load};
use measures::prepared::ALL;
use measures::structure::MeasureStructure;
use measures::subject::Subject;
use serde::Deserialize;
use sources::{FHIR, named};

use crate::error::RunError;
use crate::evaluate::{Pass, ProgramMeasure, run_programs};
use crate::rows::read_rows;

/// A case of `expected.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Its name in the deck.
    pub case: String,
    #[serde(default)]
    pub name: String,
    pub patient: String,
    period_start: String,
    period_end: String,
    groups: Vec<CaseGroup>,
}

#[derive(Deserialize)]
struct CaseGroup {
    #[serde(default)]
    id: String,
    populations: BTreeMap<String, u64>,
    #[serde(default)]
    observations: Vec<CaseObservation>,
}

#[derive(Deserialize)]
struct CaseObservation {
    id: String,
    value: serde_json::Number,
}

/// How to run decks.
#[derive(Clone, Debug)]
pub struct DeckOptions {
    /// Where what has no offset is taken to be.
    pub zone: Zone,
    pub allow_missing_value_sets: bool,
    pub profile_mode: ProfileMode,
    /// Run FHIRHelpers natively.
    pub native_helpers: bool,
    pub threads: usize,
}

/// The outcome of a case.
#[derive(Debug)]
pub struct CaseOutcome {
    pub case: String,
    pub name: String,
    /// Populations that are not as expected; empty where the case passed.
    pub populations: Vec<String>,
    /// Observed values that are not as expected.
    pub observations: Vec<String>,
}

/// A file of a deck, as it is called or packed; where there is none, the name that it should have.
fn file_of(deck: &Path, name: &str) -> PathBuf {
    named(deck, name, FHIR).unwrap_or_else(|| deck.join(name))
}

/// The cases of a deck.
pub fn cases(deck: &Path) -> Result<Vec<Case>, RunError> {
    let path = file_of(deck, "expected.json");
    let text = sources::read_text(&path)
        .map_err(|e| RunError::User(format!("{}: {e}", path.display())))?;
    serde_json::from_str(&text).map_err(|e| RunError::User(format!("{}: {e}", path.display())))
}

/// Runs the measure of a deck over a lake with its data, once per period of its cases.
pub async fn run(
    deck: &Path,
    libraries: &Path,
    lake: &Lake,
    options: &DeckOptions,
) -> Result<Vec<CaseOutcome>, RunError> {
    let mut package = vec![file_of(deck, "measure.json"), libraries.to_owned()];
    package.extend(named(deck, "valuesets.ndjson", FHIR));
    run_loaded(deck, &load(&package), lake, options).await
}

/// As [`run`], with a package that was loaded before, perhaps with the measures of other decks too. The
/// deck's own is that of its `measure.json`.
pub async fn run_loaded(
    deck: &Path,
    loaded: &Loaded,
    lake: &Lake,
    options: &DeckOptions,
) -> Result<Vec<CaseOutcome>, RunError> {
    let cases = cases(deck)?;
    let file = file_of(deck, "measure.json").to_string_lossy().into_owned();
    let measures = loaded.package.measures.iter();
    let measures: Vec<_> = measures.filter(|m| m.source == file).collect();
    // What is wrong with the measure of another deck is that one's matter.
    let own = |i: &&Finding| *i.place.file == *file || i.measures.is_empty();
    let errors = loaded.issues.iter().filter(|i| i.is_error()).filter(own);
    let mut wrong: Vec<Finding> = errors.cloned().collect();
    let mut periods: Vec<(&str, &str)> = cases
        .iter()
        .map(|c| (c.period_start.as_str(), c.period_end.as_str()))
        .collect();
    periods.sort_unstable();
    periods.dedup();
    let mut outcomes = vec![];
    let build_options = BuildOptions {
        allow_missing_value_sets: options.allow_missing_value_sets,
        profile_mode: options.profile_mode,
        native_helpers: options.native_helpers,
        everything: false,
    };
    let built = build(&loaded.package, &measures, &build_options);
    let findings = built.findings.iter().filter(|f| f.is_error());
    wrong.extend(findings.cloned());
    if !wrong.is_empty() {
        return Err(RunError::User(told(&grouped(&wrong), ALL)));
    }
    let Some(program) = built.program else {
        return Err(RunError::User(format!(
            "{}: there is no measure",
            deck.display()
        )));
    };
    let programs = [ProgramMeasure {
        program,
        structures: built.structures.clone(),
    }];
    let patients = patients_of(lake, options.threads).await?;
    for (start, end) in periods {
        let date = |text: &str| {
            let shown = file_of(deck, "expected.json");
            let wrong = || {
                RunError::User(format!(
                    "{}: `{text}` is no date of a period",
                    shown.display()
                ))
            };
            DateTime::parse(text).ok_or_else(wrong)
        };
        let context = EvaluationContext::for_period(date(start)?, date(end)?, options.zone.clone());
        let scratch = tempfile::tempdir()?;
        let rows = scratch.path().join("results.parquet");
        let pass = Pass {
            lake,
            measures: &programs,
            context: &context,
            rows: RowOptions {
                sparse: true,
                ..RowOptions::default()
            },
            subject: None,
            threads: options.threads,
            file: &rows,
        };
        run_programs(&pass).await?;
        let of_period = |c: &&Case| c.period_start == start && c.period_end == end;
        let wanted: Vec<&Case> = cases.iter().filter(of_period).collect();
        let mut found: Vec<Option<Differences>> = vec![];
        found.resize_with(wanted.len(), || None);
        read_rows(Some(&rows), &built.structures, &mut |subject| {
            for (case, slot) in wanted.iter().zip(&mut found) {
                if case.patient == subject.patient
                    && let Some(structure) = built.structures.get(subject.measure)
                {
                    *slot = Some(differences(case, structure, subject));
                }
            }
        })?;
        for (case, found) in wanted.iter().zip(found) {
            // Who has no rows is in no population.
            let nothing = || match (patients.contains(&case.patient), built.structures.first()) {
                (true, Some(structure)) => {
                    differences(case, structure, &Subject::nobody(structure))
                }
                _ => (vec!["the data has no such patient".to_owned()], vec![]),
            };
            let (populations, observations) = found.unwrap_or_else(nothing);
            outcomes.push(CaseOutcome {
                case: case.case.clone(),
                name: case.name.clone(),
                populations,
                observations,
            });
        }
    }
    Ok(outcomes)
}

/// The patients whose Patient resource is in the lake.
async fn patients_of(lake: &Lake, threads: usize) -> Result<BTreeSet<String>, RunError> {
    let session = session(lake, threads)?;
    register_tables(&session, lake)?;
    let known = "SELECT cast(patient_id AS VARCHAR) FROM patients";
    let mut out = BTreeSet::new();
    for batch in session.sql(known).await?.collect().await? {
        let ids = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8);
        let ids = ids.map_err(|e| RunError::Internal(e.to_string()))?;
        out.extend(ids.as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    Ok(out)
}

/// Populations, and observed values.
type Differences = (Vec<String>, Vec<String>);

/// Expected and found, where they differ.
fn differences(case: &Case, structure: &MeasureStructure, subject: &Subject) -> Differences {
    let (mut out, mut observed) = (vec![], vec![]);
    for (place, expected) in case.groups.iter().enumerate() {
        let by_id = structure
            .groups
            .iter()
            .position(|g| g.id.as_deref() == Some(&expected.id));
        let place = by_id.unwrap_or(place);
        let (Some(definition), Some(own)) =
            (structure.groups.get(place), subject.groups.get(place))
        else {
            out.push(format!("the measure has no group `{}`", expected.id));
            continue;
        };
        for (code, wanted) in &expected.populations {
            let of_code = definition.populations.iter().zip(&own.populations);
            let got: u64 = of_code
                .filter(|(p, _)| p.code.as_str() == code)
                .map(|(_, m)| m.count)
                .sum();
            if got != *wanted {
                out.push(format!(
                    "{}.{code}: expected {wanted}, got {got}",
                    expected.id
                ));
            }
        }
        let observing = PopulationIndex::each(&definition.populations);
        let observing = observing.filter(|(_, p)| p.code == PopulationCode::MeasureObservation);
        let observing: Vec<PopulationIndex> = observing.map(|(i, _)| i).collect();
        if expected.observations.is_empty() {
            continue;
        }
        for (number, population) in observing.iter().enumerate() {
            // `MeasureObservation_1_2_1`: group, which of several, count; one has no number.
            let of_this = |o: &&CaseObservation| {
                let parts: Vec<&str> = o.id.split('_').collect();
                match (observing.len(), parts.get(2)) {
                    (0 | 1, _) => true,
                    (_, Some(part)) => part.parse() == Ok(number + 1),
                    (_, None) => false,
                }
            };
            let wanted = expected.observations.iter().filter(of_this);
            let wanted = sorted(wanted.map(|o| o.value.to_string()));
            let got = own.observations.iter();
            let got = got.filter(|o| o.population == *population && o.stratum.is_none());
            let got = sorted(got.filter_map(|o| o.value).map(|v| v.to_string()));
            if wanted != got {
                observed.push(format!(
                    "{}.measure-observation {}: expected [{}], got [{}]",
                    expected.id,
                    number + 1,
                    wanted.join(", "),
                    got.join(", ")
                ));
            }
        }
    }
    (out, observed)
}

/// Numbers as texts without trailing zeros, in their order.
fn sorted(numbers: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = numbers
        .map(|n| match n.contains('.') {
            true => n.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => n,
        })
        .collect();
    all.sort();
    all
}
