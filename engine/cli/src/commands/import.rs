//! `tandem import`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use datasets::import::{ImportError, ImportOptions, ImportReport, Limits, Progress, import};

use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};
use crate::table::{bytes, thousands};
use engine_patient::plural::several;

/// Import FHIR R4 data into a lake.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem import export/ --lake lake            a bulk export: .ndjson, .ndjson.gz, .ndjson.zst
  tandem import bundle.json more/ --lake lake  Bundles of any type, and folders
  tandem import <(zcat export.gz) --lake lake  a pipe: lines, packed or not
Importing the same files again changes nothing. Of two versions of a resource the newer
`meta.lastUpdated` (or higher `meta.versionId`) stays, else the one read later. Lines that are no
resources are kept, with file, line and reason, in <lake>/_rejects/; resources with elements that cannot
be read, by id, in <lake>/_unreadable/.
References within a Bundle are resolved by its fullUrls. A resource to be created that has no id gets the
uuid of its fullUrl, else a hash of its content. DELETE entries (also those of the `deleted` files of a
bulk export, and of histories) remove their resource; older snapshots keep it.
Several imports into one lake may run at once, also in several containers: what comes out is what one
after the other gives. One that finds that another landed first merges anew, and says so.
An absolute reference to the server that a Bundle is from, or to one of --base, is a resource of the lake;
to another server it is none. On lines without --base it is taken by its type and id, and counted.
A file that is damaged or cut off is told, and the exit code is 1: what came before the damage is
imported (with --strict nothing is). Links to nothing, loops, and pipes and devices within folders are
passed over and told; a file that may not be read ends the import before it begins.
The import needs disk for a copy of the unpacked data in <lake>/_tmp/ until it is done. Memory follows
the number of threads and the sizes below, not the input; each distinct code and each
deletion takes 400 bytes.")]
pub struct Import {
    /// Files and folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Folder of the lake; made if it is not there.
    #[arg(long)]
    lake: PathBuf,
    /// Number of buckets of a new lake, a power of two. Default: by size; 256 where a
    /// pipe is read, which does not say its size.
    #[arg(long)]
    buckets: Option<u32>,
    /// URL of a FHIR server whose resources these are, as in `https://ehr.example.org/fhir`. May be
    /// given several times.
    #[arg(long, value_name = "URL")]
    base: Vec<String>,
    /// Import nothing if any line is rejected.
    #[arg(long)]
    strict: bool,
    /// Longest line, and largest resource within a Bundle. Longer ones are rejected while they are
    /// read; memory may grow to some times this.
    #[arg(long, value_name = "SIZE", default_value = "64MB", value_parser = crate::units::size)]
    max_resource_size: u64,
    /// Largest document: a Bundle or resource that is a .json file. It is in memory as a whole, and
    /// takes about four times its size.
    #[arg(long, value_name = "SIZE", default_value = "256MB", value_parser = crate::units::size)]
    max_document_size: u64,
    /// How many rejects are kept of each file, and how many values that cannot be read; all are
    /// counted. Of a reject 16 KiB are kept.
    #[arg(long, value_name = "N", default_value_t = Limits::default().rejects)]
    max_rejects: u64,
    /// How to print the report; `csv` has a line a resource type, and no sum.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
}

impl Import {
    pub fn run(self) -> Done {
        let now_ms = super::now_ms();
        let options = ImportOptions {
            paths: self.paths,
            lake: self.lake.clone(),
            buckets: self.buckets,
            bases: self.base,
            strict: self.strict,
            limits: Limits {
                resource: self.max_resource_size,
                document: self.max_document_size,
                rejects: self.max_rejects,
                ..Limits::default()
            },
            threads: super::threads(),
            now_ms,
            lake_id: new_lake_id(now_ms),
        };
        let started = Instant::now();
        let report = run_with_progress(&options);
        match report {
            Ok(report) => {
                crate::say::done(match report.committed {
                    true => format!("the import has landed, as snapshot {}", number(&report)),
                    false => "the import is done, and changed nothing".to_owned(),
                });
                print(self.format, &report, started.elapsed())?;
                tell_notes(&report);
                match report.damaged.len() {
                    0 => Ok(std::process::ExitCode::SUCCESS),
                    n => Err(Failure::No(format!(
                        "{n} of the files could not be read to their end: what came before is imported, the rest is missing. Get them anew, and import them again"
                    ))),
                }
            }
            Err(ImportError::Rejected(report)) => {
                print(self.format, &report, started.elapsed())?;
                Err(ImportError::Rejected(report).into())
            }
            Err(e) => Err(e.into()),
        }
    }
}

/// What is no part of the ledger, on standard error.
pub fn tell_notes(report: &ImportReport) {
    if report.redone > 0 {
        let times = match report.redone {
            1 => "once".to_owned(),
            n => format!("{n} times"),
        };
        note!(
            "note: another import into this lake landed first, so this one was merged anew with it ({times}); nothing is lost or doubled"
        );
    }
    if let Some(why) = &report.delta_behind {
        note!(
            "note: snapshot {} is committed and `tandem` sees it, but the Delta logs that are derived from it could not be written: {why}. Other Delta readers see an older version until the next import, also one that changes nothing, writes them",
            number(report)
        );
    }
    if let Some(first) = report.delta_damaged.first() {
        let more = match report.delta_damaged.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        note!(
            "note: snapshot {} is whole for `tandem`, but Delta logs of the lake are damaged: {first}{more}. Other Delta readers fail, or see other files; remove that `_delta_log` folder, and the next import writes it anew",
            number(report)
        );
    }
}

/// Unique enough: time and process.
pub fn new_lake_id(now_ms: i64) -> String {
    format!("{now_ms:x}-{:x}", std::process::id())
}

/// Imports, with a progress bar on a terminal.
pub fn run_with_progress(options: &ImportOptions) -> Result<ImportReport, ImportError> {
    let progress = Arc::new(Progress::default());
    let bar = super::bar(1, "{bar:30} {msg}");
    std::thread::scope(|scope| {
        let work = scope.spawn(|| import(options, &progress));
        let started = Instant::now();
        let mut waits = Waits::default();
        while !work.is_finished() {
            std::thread::sleep(Duration::from_millis(if bar.is_hidden() { 5 } else { 100 }));
            let notes = progress.take_notes().into_iter();
            for note in notes.chain(waits.look(&progress)) {
                bar.suspend(|| note!("note: {note}"));
            }
            let now = progress.now();
            let seconds = started.elapsed().as_secs_f64().max(0.001);
            if now.writing {
                bar.set_length(now.buckets.1);
                bar.set_position(now.buckets.0);
                let again = match now.redone {
                    0 => "",
                    _ => ", again: another import landed first",
                };
                bar.set_message(format!(
                    "writing bucket {} of {}{again}",
                    now.buckets.0, now.buckets.1
                ));
            } else {
                bar.set_length(now.bytes.1.max(1));
                bar.set_position(now.bytes.0);
                #[expect(clippy::cast_precision_loss, reason = "for people")]
                let (speed, left) = (
                    now.resources as f64 / seconds,
                    seconds * (now.bytes.1.saturating_sub(now.bytes.0)) as f64
                        / (now.bytes.0.max(1)) as f64,
                );
                bar.set_message(format!(
                    "{} of {}, {speed:.0} resources/s, {left:.0} s left",
                    bytes(now.bytes.0),
                    bytes(now.bytes.1)
                ));
            }
        }
        bar.finish_and_clear();
        match work.join() {
            Ok(report) => report,
            Err(_) => Err(ImportError::Bug("the import failed".into())),
        }
    })
}

/// How long the import has been waiting for the writer of a pipe.
#[derive(Default)]
struct Waits {
    since: Option<(PathBuf, Instant)>,
    told: bool,
}

impl Waits {
    /// What to say: once, after a second.
    fn look(&mut self, progress: &Progress) -> Option<String> {
        let pipe = progress.waiting();
        if self.since.as_ref().map(|(p, _)| p) != pipe.as_ref() {
            self.since = pipe.map(|p| (p, Instant::now()));
            self.told = false;
        }
        let (pipe, since) = self.since.as_ref()?;
        if self.told || since.elapsed() < Duration::from_secs(1) {
            return None;
        }
        self.told = true;
        Some(format!("waiting for a writer on {}", pipe.display()))
    }
}

fn print(format: Format, report: &ImportReport, took: Duration) -> Result<(), Failure> {
    match format {
        Format::Json => match serde_json::to_string_pretty(report) {
            Ok(text) => data!("{text}"),
            Err(e) => note!("error: the report cannot be written: {e}"),
        },
        Format::Csv => counts(report, false).csv()?,
        _ => print_report(report, took),
    }
    Ok(())
}

/// What became of the resources, by type; for people with the sum.
fn counts(report: &ImportReport, sum: bool) -> Listing {
    let withheld = report.total.not_imported > 0;
    let heading: &[&str] = match withheld {
        true => &["resource type", "read", "not imported", "rejected"],
        false => &[
            "resource type",
            "read",
            "stored",
            "unchanged",
            "replaced",
            "outdated",
            "deleted",
            "rejected",
        ],
    };
    let mut rows = Listing::new(heading);
    let total = sum.then_some(("all", &report.total));
    let types = report.types.iter().map(|(ty, tally)| (ty.as_str(), tally));
    for (name, t) in types.chain(total) {
        let cells = match withheld {
            true => vec![t.read, t.not_imported, t.rejected],
            false => vec![
                t.read,
                t.stored,
                t.unchanged,
                t.replaced,
                t.outdated,
                t.deleted,
                t.rejected,
            ],
        };
        let name = std::iter::once(Cell::from(name));
        rows.push(name.chain(cells.into_iter().map(Cell::Count)).collect());
    }
    rows
}

/// The ledger as a table, and what else there is to tell.
fn print_report(report: &ImportReport, took: Duration) {
    counts(report, true).print();
    say!("");
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let speed = report.total.read as f64 / took.as_secs_f64().max(0.001);
    say!(
        "{} read in {:.1} s ({speed:.0} resources/s). The lake has {}.",
        bytes(report.bytes),
        took.as_secs_f64(),
        several(report.patients, "patient", "patients")
    );
    match report.snapshot {
        Some(n) if report.committed => say!("Snapshot {n}."),
        Some(n) => say!("Nothing changed: no snapshot was made (the newest is {n})."),
        None => say!("Nothing was imported, and no lake was made."),
    }
    if report.total.repeated > 0 {
        let repeated = report.types.iter().filter(|(_, t)| t.repeated > 0);
        let repeated = repeated.map(|(ty, t)| (ty.clone(), t.repeated)).collect();
        note(
            &repeated,
            "were read twice, byte for byte: kept once, and counted as outdated",
        );
    }
    print_definitions(report);
    if report.orphans > 0 {
        say!(
            "{} to patients that are not in the lake: kept, and not counted in measures.",
            several(report.orphans, "resource belongs", "resources belong")
        );
    }
    note(
        &report.unlinked,
        "are about a patient but name none that can be resolved: kept, and not counted in measures",
    );
    note(
        &report.uncoded,
        "have no code at all: no value set can match them",
    );
    print_references(&report.references);
    if report.given_ids > 0 {
        say!(
            "{} given an id (the uuid of their fullUrl, else a hash of their content); export gives them back without.",
            several(
                report.given_ids,
                "resource came without an id and was",
                "resources came without an id and were"
            )
        );
    }
    if report.total.deleted > 0 {
        say!(
            "{} deleted: older snapshots keep them. What refers to a deleted patient stays, and is not counted in measures.",
            several(report.total.deleted, "resource was", "resources were")
        );
    }
    if report.deletions_not_there > 0 {
        say!(
            "{} not in the lake: nothing to do, counted as unchanged.",
            several(
                report.deletions_not_there,
                "deletion names a resource that is",
                "deletions name resources that are"
            )
        );
    }
    print_unreadable(report);
    if report.manifests > 0 {
        say!(
            "{} of bulk exports: no data in them.",
            several(
                report.manifests,
                "file is a manifest",
                "files are manifests"
            )
        );
    }
    if !report.ignored_files.is_empty() {
        let names: Vec<String> = report
            .ignored_files
            .iter()
            .take(5)
            .map(|p| p.display().to_string())
            .collect();
        let more = report.ignored_files.len().saturating_sub(names.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        say!(
            "Left alone, by their names no FHIR data: {}{more}",
            names.join(", ")
        );
    }
    print_passed_over(report);
    if let Some(path) = &report.rejects_file {
        say!(
            "{} rejected, see {}:",
            thousands(report.total.rejected),
            path.display()
        );
        report.first_rejects.iter().for_each(|r| say!("  {r}"));
        if report.total.rejected > report.first_rejects.len() as u64 {
            say!("  …");
        }
    }
    not_listed(&report.rejects_not_listed, "rejected lines");
    not_listed(&report.unreadable_not_listed, "values that cannot be read");
    if !report.damaged.is_empty() {
        say!("Damaged, cut off or changed while they were read:");
    }
    for damaged in report.damaged.iter().take(FILES) {
        say!(
            "  {}: line {}, byte {}: {}; {} resources were read of it before",
            damaged.file.display(),
            damaged.line,
            damaged.offset,
            damaged.reason,
            thousands(damaged.resources)
        );
    }
    more(report.damaged.len());
}

fn number(report: &ImportReport) -> String {
    let newest = report.snapshot;
    newest.map_or_else(|| "none".to_owned(), |number| number.to_string())
}

/// What measure packages hold.
const PACKAGES: [&str; 4] = ["Measure", "Library", "ValueSet", "CodeSystem"];

/// That measures are no data: they are evaluated from their files.
fn print_definitions(report: &ImportReport) {
    let own = |ty: &str| report.types.get(ty).map_or(0, |tally| tally.read);
    let found = PACKAGES.iter().filter(|ty| own(ty) > 0);
    let found: Vec<String> = found
        .map(|ty| format!("{} {ty}", thousands(own(ty))))
        .collect();
    if own("Measure") + own("Library") == 0 && report.types.len() > found.len() {
        return;
    }
    if !found.is_empty() {
        say!(
            "{}: these are of measure packages, and no measure reads them in a lake. `tandem measure run PACKAGES --lake LAKE` takes such files and folders as they are.",
            found.join(", ")
        );
    }
}

/// Files that a part of the report names; `--format json` has all.
const FILES: usize = 10;

fn more(files: usize) {
    if files > FILES {
        say!("  … and {} more files", files - FILES);
    }
}

/// Links to nothing, loops and the like.
fn print_passed_over(report: &ImportReport) {
    if report.passed_over.is_empty() {
        return;
    }
    say!("Passed over:");
    for passed in report.passed_over.iter().take(FILES) {
        say!("  {}: {}", passed.path.display(), passed.reason);
    }
    more(report.passed_over.len());
}

/// What is counted only.
fn not_listed(files: &std::collections::BTreeMap<String, u64>, what: &str) {
    let sum: u64 = files.values().sum();
    if sum > 0 {
        say!(
            "{} {what} are counted, and not listed: there are more than --max-rejects of {}.",
            thousands(sum),
            match files.len() {
                1 => "one file".to_owned(),
                n => format!("each of {n} files"),
            }
        );
    }
}

/// References that are more than `Type/id`.
fn print_references(references: &engine_patient::bundle::References) {
    if references.resolved > 0 {
        say!(
            "{} resolved, within their Bundle or to its server.",
            several(references.resolved, "reference was", "references were")
        );
    }
    note(
        &references.assumed,
        "references by URL were taken by type and id, since lines do not say whose they are: name this data's servers with --base and others are left out",
    );
    if references.assumed.len() > 1 {
        say!("  These are several servers: an id of one may be another resource on the other.");
    }
    note(
        &references.elsewhere,
        "references are to another server, and name nothing here",
    );
    note(
        &references.foreign_entries,
        "resources are of another server than their Bundle: kept under their type and id, and rejected where another resource has these",
    );
    note(
        &references.searches,
        "references are searches (Type?identifier=…), which are not run: they name nothing",
    );
    if references.unknown_urns > 0 {
        say!(
            "{} that no entry of their Bundle has: they name nothing (a patient is looked for by the uuid as id).",
            several(
                references.unknown_urns,
                "reference is a urn",
                "references are urns"
            )
        );
    }
}

/// Values that cannot be read, and masked ones, by element.
fn print_unreadable(report: &ImportReport) {
    let Some(file) = &report.unreadable_file else {
        return;
    };
    let all = [
        (
            &report.unreadable.unreadable,
            "Values that are there and cannot be read; they are unknown to rules and measures",
        ),
        (
            &report.unreadable.masked,
            "Values that are masked (data-absent-reason); they are unknown to rules and measures",
        ),
    ];
    for (counts, what) in all.into_iter().filter(|(c, _)| !c.is_empty()) {
        say!("{what}, see {}:", file.display());
        let mut most: Vec<_> = counts.iter().collect();
        most.sort_by_key(|(element, n)| (std::cmp::Reverse(**n), (*element).clone()));
        for (element, n) in most.iter().take(ELEMENTS) {
            say!("  {:>9}  {element}", thousands(**n));
        }
        if most.len() > ELEMENTS {
            say!("  … and {} more elements", most.len() - ELEMENTS);
        }
    }
}

/// Elements that the report names; all are in the file.
const ELEMENTS: usize = 20;

fn note(counts: &std::collections::BTreeMap<String, u64>, text: &str) {
    if !counts.is_empty() {
        let parts: Vec<String> = counts
            .iter()
            .map(|(ty, n)| format!("{} {ty}", thousands(*n)))
            .collect();
        say!("{} {text}.", parts.join(", "));
    }
}
