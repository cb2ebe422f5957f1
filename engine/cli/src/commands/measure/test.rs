//! `tandem measure test`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use datasets::import::{ImportOptions, import};
use engine_patient::context::EvaluationContext;
use engine_patient::time::DateTime;
use engine_population::lake::Lake;
use measures::package::PopulationCode;
use measures::run::read_rows;
use measures::shape::MeasureShape;
use measures::subject::Subject;
use serde::Deserialize;

use super::packages::PackageArgs;
use super::parse_zone;
use super::run::{RunRequest, run};
use crate::commands::{bar, import::new_lake_id, now_ms, runtime, threads};
use crate::failure::{Done, Failure};

/// Run measures over test decks with expected results, and compare.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure test decks/CMS122FHIR
  tandem measure test decks/* --allow-missing-valuesets --known known.json
A deck is a folder with measure.json, valuesets.ndjson, data/ (a bulk export) and expected.json; its
libraries stand in the sibling folder `libraries` or where --libraries says. The data goes through
import and a lake like any other. Exit code 1: a case failed that --known does not name.")]
pub struct Test {
    /// Deck folders.
    #[arg(required = true)]
    deck: Vec<PathBuf>,
    /// Folder with the libraries of all decks. Default: `libraries` beside each deck.
    #[arg(long)]
    libraries: Option<PathBuf>,
    /// Disagreements that are known, as JSON: a list of objects with `measure`, `case`, `reason`.
    #[arg(long)]
    known: Option<PathBuf>,
    /// Go on where value sets are missing: what they touch is unknown.
    #[arg(long, visible_alias = "allow-missing-value-sets")]
    allow_missing_valuesets: bool,
    /// Trust profile tags (`meta.profile`) alone.
    #[arg(long)]
    strict_profiles: bool,
    /// Run the library FHIRHelpers as ELM instead of natively.
    #[arg(long, hide = true)]
    elm_helpers: bool,
    /// Offset from UTC of dates and of date-times without an offset.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// Forget `meta.profile` of the data, to see what content alone decides.
    #[arg(long)]
    without_tags: bool,
}

/// A case of `expected.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    case: String,
    #[serde(default)]
    name: String,
    patient: String,
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

#[derive(Deserialize)]
struct Known {
    measure: String,
    case: String,
    #[serde(default)]
    reason: String,
}

/// Outcomes of a deck.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    known: usize,
    /// Passed, but for observed values.
    observed: usize,
}

impl Test {
    pub fn run(self) -> Done {
        let known: Vec<Known> = match &self.known {
            Some(path) => from_json(path)?,
            None => vec![],
        };
        let progress = bar(self.deck.len() as u64, "{bar:40} {pos}/{len} {msg}");
        let mut all = Tally::default();
        let mut broken: Vec<Failure> = vec![];
        for deck in &self.deck {
            progress.set_message(name_of(deck));
            match self.deck(deck, &known) {
                Ok((tally, lines)) => {
                    progress.suspend(|| {
                        let known = match tally.known {
                            0 => String::new(),
                            n => format!(", {n} known disagreements"),
                        };
                        say!(
                            "{}: {} passed, {} failed{known}",
                            name_of(deck),
                            tally.passed,
                            tally.failed
                        );
                        for line in lines {
                            say!("{line}");
                        }
                    });
                    all.passed += tally.passed;
                    all.failed += tally.failed;
                    all.known += tally.known;
                    all.observed += tally.observed;
                }
                // One broken deck must not hide the others.
                Err(failure) => {
                    progress.suspend(|| say!("{}: not run", name_of(deck)));
                    broken.push(failure);
                }
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        if all.observed > 0 {
            say!(
                "{} cases with the populations expected have other observed values",
                all.observed
            );
        }
        if all.known > 0 {
            say!("{} known disagreements", all.known);
        }
        say!("{} passed, {} failed", all.passed, all.failed);
        let mut broken = broken.into_iter();
        match broken.next() {
            Some(first) => {
                for other in broken {
                    other.tell();
                }
                Err(first)
            }
            None if all.failed > 0 => Err(Failure::No(String::new())),
            None => Ok(std::process::ExitCode::SUCCESS),
        }
    }

    fn deck(&self, deck: &Path, known: &[Known]) -> Result<(Tally, Vec<String>), Failure> {
        let cases: Vec<Case> = from_json(&deck.join("expected.json"))?;
        let scratch = tempfile::tempdir()
            .map_err(|e| Failure::Internal(format!("no scratch folder: {e}")))?;
        let data = deck.join("data");
        if !data.is_dir() {
            return Err(Failure::User(format!(
                "{}: there is no such folder",
                data.display()
            )));
        }
        let data = match self.without_tags {
            true => untagged(&data, scratch.path())?,
            false => data,
        };
        let now = now_ms();
        import(
            &ImportOptions {
                paths: vec![data],
                lake: scratch.path().join("lake"),
                buckets: None,
                strict: false,
                threads: threads(),
                now_ms: now,
                lake_id: new_lake_id(now),
            },
            &std::sync::Arc::default(),
        )?;
        let runtime = runtime()?;
        let lake = runtime.block_on(Lake::open(&scratch.path().join("lake"), None))?;
        let mut tally = Tally::default();
        let mut lines = vec![];
        let mut periods: Vec<(String, String)> = cases
            .iter()
            .map(|c| (c.period_start.clone(), c.period_end.clone()))
            .collect();
        periods.sort();
        periods.dedup();
        for (start, end) in periods {
            let of_period = |c: &&Case| c.period_start == start && c.period_end == end;
            let wanted: Vec<&Case> = cases.iter().filter(of_period).collect();
            let differences = self.compare(&runtime, &lake, deck, (&start, &end), &wanted)?;
            for (case, (differences, observed)) in wanted.iter().zip(differences) {
                if differences.is_empty() && !observed.is_empty() {
                    tally.observed += 1;
                    lines.push(format!(
                        "  observations differ: {} {}",
                        case.case, case.name
                    ));
                    lines.extend(observed.iter().map(|d| format!("    {d}")));
                }
                let is_known = |k: &&Known| k.case == case.case && name_of(deck) == k.measure;
                match (differences.is_empty(), known.iter().find(is_known)) {
                    (true, _) => tally.passed += 1,
                    (false, Some(known)) => {
                        tally.known += 1;
                        lines.push(format!(
                            "  known: {} {}: {}",
                            case.case, case.name, known.reason
                        ));
                    }
                    (false, None) => {
                        tally.failed += 1;
                        lines.push(format!("  failed: {} {}", case.case, case.name));
                        lines.extend(differences.iter().map(|d| format!("    {d}")));
                    }
                }
            }
        }
        Ok((tally, lines))
    }

    /// What differs, per case: populations, and observed values.
    fn compare(
        &self,
        runtime: &tokio::runtime::Runtime,
        lake: &Lake,
        deck: &Path,
        (start, end): (&str, &str),
        cases: &[&Case],
    ) -> Result<Vec<Differences>, Failure> {
        let date = |text: &str| {
            DateTime::parse(text).ok_or_else(|| {
                Failure::User(format!(
                    "{}: `{text}` is no date of a period",
                    deck.join("expected.json").display()
                ))
            })
        };
        let zone = parse_zone(&self.time_zone)?;
        let period = (date(start)?, date(end)?);
        let context = EvaluationContext::for_period(period.0, period.1, zone);
        let beside = deck.parent().unwrap_or(Path::new(".")).join("libraries");
        let mut package = vec![
            deck.join("measure.json"),
            self.libraries.clone().unwrap_or(beside),
        ];
        let value_sets = deck.join("valuesets.ndjson");
        if value_sets.exists() {
            package.push(value_sets);
        }
        let packages = PackageArgs {
            package,
            measure: vec![],
            terminology: vec![],
            allow_missing_valuesets: self.allow_missing_valuesets,
            strict_profiles: self.strict_profiles,
            elm_helpers: self.elm_helpers,
        };
        let prepared = packages.prepare_quietly(&packages.options(context.clone()))?;
        let Some((program, measure)) = prepared.program() else {
            return Err(Failure::User(format!(
                "{}: there is no measure",
                deck.display()
            )));
        };
        let programs = [measure];
        let request = RunRequest {
            lake,
            programs: &programs,
            queries: &[],
            period,
            context,
            zone,
            out: None,
            subject: None,
            official: Some(&program),
            prepared: Some(&prepared),
            manifest: None,
            reporter: None,
        };
        let ran = runtime.block_on(run(&request))?;
        let mut found: Vec<Option<Differences>> = vec![];
        found.resize_with(cases.len(), || None);
        read_rows(&ran.rows, &ran.shapes, &mut |subject| {
            for (case, slot) in cases.iter().zip(&mut found) {
                if case.patient == subject.patient
                    && let Some(shape) = ran.shapes.get(subject.measure)
                {
                    *slot = Some(differences(case, shape, subject));
                }
            }
        })?;
        let nobody = || (vec!["the data has no such patient".to_owned()], vec![]);
        Ok(found
            .into_iter()
            .map(|d| d.unwrap_or_else(nobody))
            .collect())
    }
}

/// Populations, and observed values.
type Differences = (Vec<String>, Vec<String>);

/// Expected and found, where they differ.
fn differences(case: &Case, shape: &MeasureShape, subject: &Subject) -> Differences {
    let (mut out, mut observed) = (vec![], vec![]);
    for (place, expected) in case.groups.iter().enumerate() {
        let by_id = shape
            .groups
            .iter()
            .position(|g| g.id.as_deref() == Some(&expected.id));
        let place = by_id.unwrap_or(place);
        let (Some(definition), Some(own)) = (shape.groups.get(place), subject.groups.get(place))
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
        let observing = definition.populations.iter().enumerate();
        let observing = observing.filter(|(_, p)| p.code == PopulationCode::MeasureObservation);
        let observing: Vec<usize> = observing.map(|(i, _)| i).collect();
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

/// A copy of the data without `meta.profile`.
fn untagged(data: &Path, scratch: &Path) -> Result<PathBuf, Failure> {
    let failed = |e: std::io::Error| Failure::Internal(format!("{}: {e}", data.display()));
    let target = scratch.join("untagged");
    std::fs::create_dir_all(&target).map_err(failed)?;
    for entry in std::fs::read_dir(data).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        let mut out = String::new();
        for line in std::fs::read_to_string(&path).map_err(failed)?.lines() {
            let mut resource: serde_json::Value = serde_json::from_str(line)
                .map_err(|e| Failure::User(format!("{}: {e}", path.display())))?;
            if let Some(meta) = resource.get_mut("meta").and_then(|m| m.as_object_mut()) {
                meta.remove("profile");
            }
            out += &resource.to_string();
            out.push('\n');
        }
        std::fs::write(target.join(name), out).map_err(failed)?;
    }
    Ok(target)
}

fn from_json<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::User(format!("{}: {e}", path.display())))?;
    serde_json::from_str(&text).map_err(|e| Failure::User(format!("{}: {e}", path.display())))
}

fn name_of(deck: &Path) -> String {
    let name = deck.canonicalize().ok();
    let name = name.as_deref().unwrap_or(deck).file_name();
    name.map_or_else(
        || deck.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    )
}
