//! `tandem measure test`

use std::path::{Path, PathBuf};

use clap::Args;
use datasets::import::{ImportOptions, import};
use engine_population::lake::Lake;
use measures_run::deck::{DeckOptions, run};
use serde::Deserialize;
use serde_json::json;

use super::arguments::{parse_zone, profile_mode};
use crate::commands::{bar, import::new_lake_id, now_ms, runtime, threads};
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::listing::Listing;

/// Run measures over test decks with expected results, and compare.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure test decks/CMS122FHIR
  tandem measure test decks/* --allow-missing-valuesets --known known.json
A deck is a folder with measure.json, valuesets.ndjson, data/ (a bulk export) and expected.json (each
of them .json or .ndjson, also .gz and .zst); its libraries stand in the sibling folder `libraries` or
where --libraries says. The data goes through import and a lake like any other.")]
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
    /// Go on where value sets are missing: membership in them is unknown, a retrieve by them finds
    /// nothing, and what rests on that is counted as it is but not evaluable, with the set's name.
    #[arg(long, visible_alias = "allow-missing-value-sets")]
    allow_missing_valuesets: bool,
    /// Trust profile tags (`meta.profile`) alone.
    #[arg(long)]
    strict_profiles: bool,
    /// Run the library FHIRHelpers as ELM instead of natively.
    #[arg(long, hide = true)]
    elm_helpers: bool,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place
    /// such as America/New_York, whose summer time is kept.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// Forget `meta.profile` of the data, to see what content alone decides.
    #[arg(long)]
    without_tags: bool,
    /// How to print the cases.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
}

#[derive(Deserialize)]
struct Known {
    measure: String,
    case: String,
    #[serde(default)]
    reason: String,
}

/// What came of a case.
struct Case {
    case: String,
    name: String,
    outcome: &'static str,
    /// Why it is known to differ.
    reason: Option<String>,
    differences: Vec<String>,
}

const PASSED: &str = "passed";
const FAILED: &str = "failed";
const KNOWN: &str = "known";
const OBSERVED: &str = "observed values differ";

/// Outcomes of a deck, or of all.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    known: usize,
    /// Passed, but for observed values.
    observed: usize,
}

impl Tally {
    fn add(&mut self, cases: &[Case]) {
        for case in cases {
            match case.outcome {
                FAILED => self.failed += 1,
                KNOWN => self.known += 1,
                other => {
                    self.passed += 1;
                    self.observed += usize::from(other == OBSERVED);
                }
            }
        }
    }
}

/// What `decks/*` names beside decks: files, and the libraries that the decks share.
fn stands_beside_decks(path: &Path) -> bool {
    let libraries = path.file_name().is_some_and(|name| name == "libraries");
    path.is_file() || libraries && !path.join("data").exists()
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
        let mut decks: Vec<(String, Option<Vec<Case>>)> = vec![];
        for deck in &self.deck {
            if self.deck.len() > 1 && stands_beside_decks(deck) {
                progress.suspend(|| note!("{}: no deck, passed over", deck.display()));
                progress.inc(1);
                continue;
            }
            progress.set_message(name_of(deck));
            let cases = match self.deck(deck, &known) {
                Ok(cases) => Some(cases),
                // One broken deck must not hide the others.
                Err(failure) => {
                    broken.push(failure);
                    None
                }
            };
            all.add(cases.as_deref().unwrap_or_default());
            if self.format == Format::Table {
                progress.suspend(|| print_deck(&name_of(deck), cases.as_deref()));
            } else {
                decks.push((name_of(deck), cases));
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        match self.format {
            Format::Json => print_json(&decks, &all),
            Format::Csv => print_csv(decks)?,
            _ => print_sums(&all),
        }
        let mut broken = broken.into_iter();
        match broken.next() {
            Some(first) => {
                for other in broken {
                    other.tell();
                }
                Err(first)
            }
            None if all.failed > 0 => Err(Failure::No(format!(
                "{} of {} cases failed",
                all.failed,
                all.passed + all.failed + all.known
            ))),
            None => Ok(std::process::ExitCode::SUCCESS),
        }
    }

    fn deck(&self, deck: &Path, known: &[Known]) -> Result<Vec<Case>, Failure> {
        let options = DeckOptions {
            zone: parse_zone(&self.time_zone)?,
            allow_missing_value_sets: self.allow_missing_valuesets,
            profile_mode: profile_mode(self.strict_profiles),
            native_helpers: !self.elm_helpers,
            threads: threads(),
        };
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
                bases: vec![],
                strict: false,
                limits: Default::default(),
                threads: threads(),
                now_ms: now,
                lake_id: new_lake_id(now),
            },
            &std::sync::Arc::default(),
        )?;
        let runtime = runtime()?;
        let lake = runtime.block_on(Lake::open(&scratch.path().join("lake"), None))?;
        let beside = deck.parent().unwrap_or(Path::new(".")).join("libraries");
        let libraries = self.libraries.as_deref().unwrap_or(&beside);
        let outcomes = runtime.block_on(run(deck, libraries, &lake, &options))?;
        let deck = name_of(deck);
        let case = |outcome: measures_run::deck::CaseOutcome| {
            let known = known
                .iter()
                .find(|k| k.case == outcome.case && k.measure == deck);
            let (came, reason) = match (outcome.populations.is_empty(), known) {
                (true, _) if outcome.observations.is_empty() => (PASSED, None),
                (true, _) => (OBSERVED, None),
                (false, Some(known)) => (KNOWN, Some(known.reason.clone())),
                (false, None) => (FAILED, None),
            };
            let differences = outcome.populations.iter().chain(&outcome.observations);
            Case {
                differences: differences.map(ToString::to_string).collect(),
                case: outcome.case,
                name: outcome.name,
                outcome: came,
                reason,
            }
        };
        Ok(outcomes.into_iter().map(case).collect())
    }
}

fn print_deck(deck: &str, cases: Option<&[Case]>) {
    let Some(cases) = cases else {
        say!("{deck}: not run");
        return;
    };
    let mut tally = Tally::default();
    tally.add(cases);
    let known = match tally.known {
        0 => String::new(),
        n => format!(", {n} known disagreements"),
    };
    say!(
        "{deck}: {} passed, {} failed{known}",
        tally.passed,
        tally.failed
    );
    for case in cases.iter().filter(|case| case.outcome != PASSED) {
        let reason = case.reason.as_ref();
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        say!("  {}: {} {}{reason}", case.outcome, case.case, case.name);
        if case.outcome != KNOWN {
            case.differences.iter().for_each(|d| say!("    {d}"));
        }
    }
}

fn print_sums(all: &Tally) {
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
}

fn print_json(decks: &[(String, Option<Vec<Case>>)], all: &Tally) {
    let case = |case: &Case| {
        json!({
            "case": case.case, "name": case.name, "outcome": case.outcome,
            "reason": case.reason, "differences": case.differences,
        })
    };
    let deck = |(deck, cases): &(String, Option<Vec<Case>>)| {
        let own = cases.as_deref().unwrap_or_default();
        json!({
            "deck": deck, "run": cases.is_some(), "cases": own.iter().map(case).collect::<Vec<_>>(),
        })
    };
    data!(
        "{:#}",
        json!({
            "decks": decks.iter().map(deck).collect::<Vec<_>>(),
            "passed": all.passed, "failed": all.failed, "known": all.known,
        })
    );
}

/// A line a case.
fn print_csv(decks: Vec<(String, Option<Vec<Case>>)>) -> Result<(), Failure> {
    let mut rows = Listing::new(&["deck", "case", "name", "outcome", "reason", "differences"]);
    for (deck, cases) in decks {
        let Some(cases) = cases else {
            let not_run: Vec<_> = [deck.as_str(), "", "", "not run", "", ""]
                .map(Into::into)
                .into();
            rows.push(not_run);
            continue;
        };
        for case in cases {
            rows.push(vec![
                deck.as_str().into(),
                case.case.into(),
                case.name.into(),
                case.outcome.into(),
                case.reason.into(),
                case.differences.join("; ").into(),
            ]);
        }
    }
    rows.csv()
}

/// A copy of the data without `meta.profile`, in the order of the files.
fn untagged(data: &Path, scratch: &Path) -> Result<PathBuf, Failure> {
    let failed = |e: std::io::Error| Failure::Internal(format!("{}: {e}", data.display()));
    let target = scratch.join("untagged");
    std::fs::create_dir_all(&target).map_err(failed)?;
    let found = sources::list(&[data], sources::DATA).map_err(Failure::User)?;
    for (number, source) in found.files.iter().enumerate() {
        let shown = source.path.display();
        let wrong = |e: &dyn std::fmt::Display| Failure::User(format!("{shown}: {e}"));
        let bytes = sources::read(source).map_err(|e| wrong(&e))?;
        let mut out = String::new();
        for resource in serde_json::Deserializer::from_slice(&bytes).into_iter() {
            let mut resource: serde_json::Value = resource.map_err(|e| wrong(&e))?;
            forget_profiles(&mut resource);
            out += &resource.to_string();
            out.push('\n');
        }
        let name = format!("{number:09}.ndjson");
        std::fs::write(target.join(name), out).map_err(failed)?;
    }
    Ok(target)
}

/// Of a resource, and of those in a Bundle.
fn forget_profiles(resource: &mut serde_json::Value) {
    if let Some(meta) = resource.get_mut("meta").and_then(|m| m.as_object_mut()) {
        meta.remove("profile");
    }
    let entries = resource.get_mut("entry").and_then(|e| e.as_array_mut());
    let inside = entries.into_iter().flatten();
    inside
        .filter_map(|entry| entry.get_mut("resource"))
        .for_each(forget_profiles);
}

fn from_json<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<T, Failure> {
    let text =
        sources::read_text(path).map_err(|e| Failure::User(format!("{}: {e}", path.display())))?;
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
