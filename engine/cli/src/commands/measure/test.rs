//! `tandem measure test`

use std::path::{Path, PathBuf};

use clap::Args;
use datasets::import::{ImportOptions, import};
use engine_population::lake::Lake;
use measures_run::deck::{DeckOptions, run};
use serde::Deserialize;

use super::arguments::{parse_zone, profile_mode};
use crate::commands::{bar, import::new_lake_id, now_ms, runtime, threads};
use crate::failure::{Done, Failure};

/// Run measures over test decks with expected results, and compare.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure test decks/CMS122FHIR
  tandem measure test decks/* --allow-missing-valuesets --known known.json
A deck is a folder with measure.json, valuesets.ndjson, data/ (a bulk export) and expected.json (each
of them .json or .ndjson, also .gz and .zst); its libraries stand in the sibling folder `libraries` or
where --libraries says. The data goes through import and a lake like any other. Exit code 1: a case failed that --known does not name.")]
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
        let mut tally = Tally::default();
        let mut lines = vec![];
        for outcome in outcomes {
            let (case, name) = (&outcome.case, &outcome.name);
            if outcome.populations.is_empty() {
                tally.passed += 1;
                if !outcome.observations.is_empty() {
                    tally.observed += 1;
                    lines.push(format!("  observed values differ: {case} {name}"));
                    lines.extend(outcome.observations.iter().map(|d| format!("    {d}")));
                }
                continue;
            }
            let is_known = |k: &&Known| k.case == *case && name_of(deck) == k.measure;
            if let Some(known) = known.iter().find(is_known) {
                tally.known += 1;
                lines.push(format!("  known: {case} {name}: {}", known.reason));
                continue;
            }
            tally.failed += 1;
            lines.push(format!("  failed: {case} {name}"));
            let differences = outcome.populations.iter().chain(&outcome.observations);
            lines.extend(differences.map(|d| format!("    {d}")));
        }
        Ok((tally, lines))
    }
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
