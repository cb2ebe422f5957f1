//! Import: FHIR files to the lake, in one commit.
//!
//! ```text
//! sources → chunks (one reader) → workers: check, resolve references, envelope, route
//!                                                    ├→ spill, one file a bucket
//!                                                    ├→ rejects, what cannot be read
//!                                                    └→ deletions
//! spill + what the bucket holds already → merge versions, delete → Parquet → books → commit
//! ```
//!
//! Several imports may run at once. Each commits on the snapshot it merged with, or not at all: where
//! another landed first, what was read is merged anew with the newest. So what lands is what the same
//! imports one after the other would have made, in the order of their snapshots.

mod chunks;
mod deletions;
mod discover;
mod ids;
mod ledger;
mod limits;
mod lockfile;
mod ordered;
mod progress;
mod rejects;
mod scratch;
mod scratch_file;
mod shared;
mod spill;
mod store;
mod turn;
mod unreadable;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use engine_patient::bundle::References;
use engine_population::lake::commit::{self, CommitError, Snapshot};
use engine_population::lake::plain::plain;
use engine_population::lake::rows::Tally;
use engine_population::lake::writer::CodeTexts;
use engine_population::lake::{Lake, LakeError};
use object_store::ObjectStore;
use sources::{PassedOver, Source, Sources};

pub use limits::Limits;
pub use lockfile::LockFile;
pub use progress::{Moment, Progress};
pub use scratch::{Sweep, Swept, sweep};
pub use unreadable::UnreadableCounts;
pub use worker::NO_TYPE;

use chunks::{Chunk, Damage};
use deletions::Deletions;
use discover::{discover, estimated_bytes};
use ids::IdShards;
use rejects::Rejects;
use scratch::{Scratch, stamp_text};
use spill::Spill;
use store::{CodeMap, Since};
use turn::Turn;
use unreadable::Unreadable;
use worker::{Sinks, Worker, WorkerResult};

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The lake's folder; made where it is not there.
    pub lake: PathBuf,
    /// Number of buckets of a new lake, a power of two; `None` to choose by size.
    pub buckets: Option<u32>,
    /// Servers whose resources these are, as `https://ehr.example.org/fhir`: an absolute reference to
    /// one of them is a resource of the lake, to another server it is none. Bundles name their own.
    pub bases: Vec<String>,
    /// Commit nothing if any line is rejected.
    pub strict: bool,
    /// What is refused because of its size, and how much of what is refused is kept.
    pub limits: Limits,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// The time of the commit, in milliseconds since 1970.
    pub now_ms: i64,
    /// A unique text for a new lake.
    pub lake_id: String,
}

/// What an import did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ImportReport {
    /// The snapshot that is now the newest.
    pub snapshot: u64,
    /// Whether this import made it.
    pub committed: bool,
    /// By resource type.
    pub types: BTreeMap<String, Tally>,
    /// The sum.
    pub total: Tally,
    /// Where the rejected lines are, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// The first of them: file, line, reason.
    pub first_rejects: Vec<String>,
    /// Patients of the lake, as it is now.
    pub patients: u64,
    /// Resources whose patient is not in the lake, as it is now.
    pub orphans: u64,
    /// Resources of this import that are about a patient but name none that can be resolved.
    pub unlinked: BTreeMap<String, u64>,
    /// Resources of this import without a single code where their type has one.
    pub uncoded: BTreeMap<String, u64>,
    /// What became of references that are more than `Type/id`, of this import.
    pub references: References,
    /// Per element: values of this import that cannot be read, and that are masked.
    pub unreadable: UnreadableCounts,
    /// Which resources those are, if there are any.
    pub unreadable_file: Option<PathBuf>,
    /// Resources of this import that came without an id and were given one.
    pub given_ids: u64,
    /// Manifests of bulk exports among the files: no data, and nothing of them is kept.
    pub manifests: u64,
    /// Deletions of this import whose resource is not there.
    pub deletions_not_there: u64,
    /// Files of the folders that are of another kind.
    pub ignored_files: Vec<PathBuf>,
    /// Links to nothing, loops, files reached twice, pipes and devices in the folders, and why each
    /// was passed over.
    pub passed_over: Vec<PassedOver>,
    /// Files that could not be read to their end: what came before is imported.
    pub damaged: Vec<DamagedFile>,
    /// Per file: rejects that are counted, and not in the rejects file.
    pub rejects_not_listed: BTreeMap<String, u64>,
    /// Per file: values that cannot be read that are counted, and not in their file.
    pub unreadable_not_listed: BTreeMap<String, u64>,
    /// Bytes read from disk.
    pub bytes: u64,
    /// How often it was merged anew because another import landed first.
    pub redone: u64,
    /// Why other Delta readers do not see this snapshot yet, if they do not: it is committed, but the
    /// logs that are derived from it could not be written. The next import writes them.
    pub delta_behind: Option<String>,
}

/// A file that is damaged, cut off, or became shorter while it was read.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DamagedFile {
    /// As named, or found in a folder.
    pub file: PathBuf,
    /// Where reading ended: line, from 1.
    pub line: u64,
    /// Where reading ended: byte, from 0, unpacked.
    pub offset: u64,
    /// For people.
    pub reason: String,
    /// Resources that were read of it before.
    pub resources: u64,
}

/// Why an import did not happen.
#[derive(Debug)]
pub enum ImportError {
    /// The user's mistake.
    User(String),
    /// `--strict`, and there were rejects.
    Rejected(Box<ImportReport>),
    /// The lake.
    Lake(LakeError),
    /// Reading or writing files.
    Io(PathBuf, std::io::Error),
    /// Two codes with one hash: see `codes`.
    Collision(String),
    /// The scratch folder was taken away while the import ran.
    ScratchGone,
    /// The commit failed, and whether it landed could not be told: the error.
    Unsure(Box<ImportError>),
    /// Our bug.
    Bug(String),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(text) => f.write_str(text),
            Self::Rejected(report) => write!(
                f,
                "{} of {} resources were rejected: with --strict nothing was imported. See {}",
                report.total.rejected,
                report.total.read,
                report
                    .rejects_file
                    .as_ref()
                    .map_or(String::new(), |p| p.display().to_string()),
            ),
            Self::Lake(e) => write!(f, "{e}"),
            Self::Io(path, e) => write!(f, "{}: {}", path.display(), plain(e)),
            Self::Unsure(why) => write!(
                f,
                "{why}. Whether the import landed could not be told: look with `tandem lake snapshots`; importing the same files again changes nothing where it did"
            ),
            Self::ScratchGone => f.write_str(
                "the import's scratch folder in `_tmp/` of the lake was removed while it ran: nothing was committed, the lake is unchanged. Run it again",
            ),
            Self::Collision(codes) => {
                write!(
                    f,
                    "two codes have the same 64-bit hash, which Tandem does not support: {codes}. Please report it"
                )
            }
            Self::Bug(text) => write!(f, "this is a bug in Tandem, please report it: {text}"),
        }
    }
}

impl std::error::Error for ImportError {}

impl From<LakeError> for ImportError {
    fn from(e: LakeError) -> Self {
        Self::Lake(e)
    }
}

impl From<CommitError> for ImportError {
    fn from(e: CommitError) -> Self {
        Self::Lake(e.into())
    }
}

/// Imports. Blocks; runs threads of its own.
pub fn import(
    options: &ImportOptions,
    progress: &Arc<Progress>,
) -> Result<ImportReport, ImportError> {
    import_files(options, progress).map_err(|e| {
        if matches!(e, ImportError::Unsure(_)) {
            return e;
        }
        match crate::machine::advice(&e.to_string()) {
            Some(advice) => ImportError::Io(options.lake.clone(), std::io::Error::other(advice)),
            None => e,
        }
    })
}

fn import_files(
    options: &ImportOptions,
    progress: &Arc<Progress>,
) -> Result<ImportReport, ImportError> {
    let open_files = crate::machine::raise_open_files();
    let found = discover(&options.paths)?;
    if let Some(n) = options
        .buckets
        .filter(|n| !n.is_power_of_two() || *n > 65_536)
    {
        let text =
            format!("--buckets {n}: the number of buckets must be a power of two, at most 65536");
        return Err(ImportError::User(text));
    }
    crate::folder::make(&options.lake).map_err(ImportError::User)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| ImportError::Bug(format!("no runtime: {e}")))?;
    let bases: Vec<String> = options
        .bases
        .iter()
        .map(|b| b.trim_end_matches('/').to_owned())
        .collect();
    if let Some(wrong) = bases.iter().find(|b| !is_server(b)) {
        return Err(ImportError::User(format!(
            "--base {wrong}: write the URL of a FHIR server, as in https://ehr.example.org/fhir"
        )));
    }
    let store = Lake::store_at(&options.lake)?;
    let (scratch, mut base) = begin(options, store.as_ref(), runtime.handle())?;
    let options = ImportOptions {
        now_ms: scratch.stamp(),
        bases,
        ..options.clone()
    };
    let mut turn = Turn::none();
    loop {
        let run = Run {
            options: &options,
            store: &store,
            runtime: runtime.handle(),
            scratch: &scratch,
            progress,
            found: &found,
            open_files,
        };
        match run.import(base, &mut turn) {
            Ok(Ended::Done(report)) => return Ok(*report),
            // Another created the lake meanwhile, with another number of buckets.
            Ok(Ended::OtherBuckets(newest)) => base = Some(*newest),
            Err(e) => return Err(e),
        }
    }
}

/// Takes a stamp and a scratch folder, and removes those of imports that are gone. The snapshot to
/// begin with is read after that: what landed with a stamp that is free again is in it, and has a
/// time not before that stamp. So no stamp is given twice.
fn begin(
    options: &ImportOptions,
    store: &dyn ObjectStore,
    runtime: &tokio::runtime::Handle,
) -> Result<(Scratch, Option<Snapshot>), ImportError> {
    let newest = || newest(store, runtime);
    // Before anything is made in what may be no lake.
    let before = newest()?;
    let least = before.map_or(0, |b| b.created_ms.saturating_add(1));
    let mut stamp = options.now_ms.max(least).max(0);
    let io = |e| ImportError::Io(options.lake.join("_tmp"), e);
    loop {
        let Some(scratch) = Scratch::claim(&options.lake, stamp).map_err(io)? else {
            stamp += 1;
            continue;
        };
        let base = newest()?;
        if let Some(later) = base.as_ref().map(|b| b.created_ms).filter(|t| *t >= stamp) {
            stamp = later + 1;
            continue;
        }
        // Of an import that did not land.
        let named = ["_rejects", "_unreadable"];
        if named.iter().any(|f| list_at(options, f, stamp).exists()) {
            stamp += 1;
            continue;
        }
        let now = scratch.lock().now().map_err(io)?;
        let rule = Sweep {
            now,
            without_lock: None,
            dry_run: false,
        };
        // What cannot be looked at stays.
        let _ = sweep(&options.lake, &rule);
        return Ok((scratch, base));
    }
}

/// The newest snapshot, if there is a lake.
fn newest(
    store: &dyn ObjectStore,
    runtime: &tokio::runtime::Handle,
) -> Result<Option<Snapshot>, CommitError> {
    match runtime.block_on(commit::latest(store)) {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(CommitError::NoLake { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Where an import lists what was wrong with its lines.
fn list_at(options: &ImportOptions, folder: &str, stamp: i64) -> PathBuf {
    let name = format!("{}.ndjson", stamp_text(stamp));
    options.lake.join(folder).join(name)
}

/// An import that has its scratch.
struct Run<'a> {
    options: &'a ImportOptions,
    store: &'a Arc<dyn ObjectStore>,
    runtime: &'a tokio::runtime::Handle,
    scratch: &'a Scratch,
    progress: &'a Progress,
    found: &'a Sources,
    /// How many files may be open at once.
    open_files: u64,
}

/// How a run ended.
enum Ended {
    Done(Box<ImportReport>),
    /// The lake has other buckets than what was read was dealt to.
    OtherBuckets(Box<Snapshot>),
}

impl Run<'_> {
    /// Reads all, then merges and commits.
    fn import(&self, base: Option<Snapshot>, turn: &mut Turn) -> Result<Ended, ImportError> {
        let (options, found, progress) = (self.options, self.found, self.progress);
        let io = |path: &std::path::Path| {
            let path = path.to_owned();
            move |e| ImportError::Io(path, e)
        };
        let buckets = buckets(options, base.as_ref(), &found.files)?;
        let scratch = self.scratch.folder().to_owned();
        let estimated = found.files.iter().map(estimated_bytes).sum();
        let known = found.files.iter().filter(|f| !f.pipe);
        note_disk(options, known.map(estimated_bytes).sum(), progress);
        let places = (
            buckets,
            shared::spill_parts(base.as_ref(), estimated, &options.limits),
        );
        // The rest is for the data and the lake.
        let open = usize::try_from(self.open_files / 4)
            .unwrap_or(MOST_OPEN)
            .min(MOST_OPEN);
        let spill =
            Spill::create(scratch.clone(), places, options.threads, open).map_err(io(&scratch))?;
        let names: Arc<[String]> = found
            .files
            .iter()
            .map(|f| f.path.display().to_string())
            .collect();
        let kept: Vec<AtomicU64> = names.iter().map(|_| AtomicU64::new(0)).collect();
        let ids = IdShards::create(scratch.clone()).map_err(io(&scratch))?;
        let most = options.limits.rejects;
        let rejects = Rejects::create(spill.folder().join("rejects"), names.clone(), most)
            .map_err(io(&scratch))?;
        let unreadable = Unreadable::create(spill.folder().join("unreadable"), names, most)
            .map_err(io(&scratch))?;
        let sinks = Sinks {
            buckets,
            bases: &options.bases,
            limits: options.limits,
            kept: &kept,
            spill: &spill,
            ids: &ids,
            rejects: &rejects,
            unreadable: &unreadable,
            progress,
        };
        progress.start_reading();
        progress.set_total(found.files.iter().map(|f| f.bytes).sum());

        let gone = |e| self.gone(e);
        let (read, damaged) = read_all(&found.files, &sinks, options.threads).map_err(gone)?;
        if let Some(codes) = read.collision {
            return Err(ImportError::Collision(codes));
        }
        let rejected: u64 = read.tallies.values().map(|t| t.rejected).sum();
        let stamp = self.scratch.stamp();
        let rejects_path = list_at(options, "_rejects", stamp);
        let rejects = rejects
            .finish(&rejects_path)
            .map_err(io(&rejects_path))
            .map_err(gone)?;
        let unreadable_path = list_at(options, "_unreadable", stamp);
        let unreadable_not_listed = unreadable
            .finish(&unreadable_path)
            .map_err(io(&unreadable_path))
            .map_err(gone)?;
        let deletions = Deletions::new(read.deletions);
        let mut report = ImportReport {
            snapshot: base.as_ref().map_or(0, |b| b.number),
            committed: false,
            types: read.tallies,
            total: Tally::default(),
            rejects_file: (rejected > 0).then_some(rejects_path),
            first_rejects: rejects.first,
            patients: 0,
            orphans: 0,
            unlinked: read.unlinked,
            uncoded: read.uncoded,
            references: read.references.most_frequent(),
            unreadable_file: (!read.unreadable.is_empty()).then_some(unreadable_path),
            unreadable: read.unreadable,
            given_ids: read.given_ids,
            manifests: read.manifests,
            deletions_not_there: 0,
            ignored_files: found.ignored.clone(),
            passed_over: found.passed_over.clone(),
            damaged,
            rejects_not_listed: rejects.not_kept,
            unreadable_not_listed,
            bytes: progress.now().bytes.0,
            redone: 0,
            delta_behind: None,
        };
        if options.strict && rejected > 0 {
            report.total = sum(&report.types);
            return Err(ImportError::Rejected(Box::new(report)));
        }
        let read_again = ReadAgain {
            spill: &spill,
            ids: &ids,
            deletions: &deletions,
            codes: read.codes,
            patients: read.patients,
            buckets,
        };
        self.commit(base, turn, &read_again, &report).map_err(gone)
    }

    /// An error, or its cause where that is that somebody took the scratch away.
    fn gone(&self, error: ImportError) -> ImportError {
        match error {
            ImportError::Unsure(_) => error,
            _ if self.scratch.is_ours() => error,
            _ => ImportError::ScratchGone,
        }
    }

    /// Merges with the newest snapshot and commits, until it lands.
    fn commit(
        &self,
        mut base: Option<Snapshot>,
        turn: &mut Turn,
        read: &ReadAgain<'_>,
        of_reading: &ImportReport,
    ) -> Result<Ended, ImportError> {
        let store = self.store.as_ref();
        for losses in 0u32.. {
            let mine = std::mem::replace(turn, Turn::none());
            let waited;
            (*turn, waited) = mine.wait(&self.options.lake, losses);
            if waited {
                // Who was waited for has landed, most likely.
                let newest = newest(store, self.runtime)?;
                if let Some(other) = newest.as_ref().filter(|n| n.buckets != read.buckets) {
                    return self.other_buckets(Box::new(other.clone()));
                }
                base = newest;
            }
            let mut report = of_reading.clone();
            report.redone = self.progress.now().redone;
            let job = store::Job {
                options: self.options,
                store: Arc::clone(self.store),
                base: base.as_ref(),
                buckets: read.buckets,
                scratch: self.scratch,
                spill: read.spill,
                ids: read.ids,
                progress: self.progress,
                runtime: self.runtime,
                patients: read.patients,
                deletions: read.deletions,
            };
            let error = match store::write(&job, read.codes.clone(), &mut report) {
                Ok(()) => {
                    report.total = sum(&report.types);
                    return Ok(Ended::Done(Box::new(report)));
                }
                Err(error) => error,
            };
            // What cannot be looked up is left as it is: it may have landed.
            let Ok(since) = store::since(store, self.runtime, self.scratch, base.as_ref()) else {
                return Err(ImportError::Unsure(Box::new(error)));
            };
            if let Since::Landed(number) = since {
                (report.snapshot, report.committed) = (number, true);
                report.delta_behind = store::export(&job);
                report.total = sum(&report.types);
                return Ok(Ended::Done(Box::new(report)));
            }
            // A volume that did not answer may yet show the manifest: the files stay for vacuum.
            if store::is_unsure(&error) {
                return Err(ImportError::Unsure(Box::new(error)));
            }
            store::discard(store, self.runtime, self.scratch);
            // A file of the base that is gone since a newer snapshot is there was vacuumed.
            let Since::Others(newest) = since else {
                return Err(error);
            };
            if !matches!(error, ImportError::Lake(_)) {
                return Err(error);
            }
            self.progress.add_redone();
            if newest.buckets != read.buckets {
                return self.other_buckets(newest);
            }
            base = Some(*newest);
        }
        Err(ImportError::Bug("an import that never lands".into()))
    }

    /// What was read is dealt to other buckets than the lake's: it is read once more.
    fn other_buckets(&self, newest: Box<Snapshot>) -> Result<Ended, ImportError> {
        let again = |f: &Source| std::fs::metadata(&f.path).is_ok_and(|m| m.is_file());
        if !self.found.files.iter().all(again) {
            return Err(ImportError::User(
                "another import created the lake meanwhile, with another number of buckets, and a pipe cannot be read twice: nothing was committed, run it again".into(),
            ));
        }
        for folder in ["_rejects", "_unreadable"] {
            let _ = std::fs::remove_file(list_at(self.options, folder, self.scratch.stamp()));
        }
        Ok(Ended::OtherBuckets(newest))
    }
}

/// What was read, for as many merges as it takes.
struct ReadAgain<'a> {
    spill: &'a Spill,
    ids: &'a IdShards,
    deletions: &'a Deletions,
    codes: CodeMap,
    patients: u64,
    buckets: u32,
}

/// Scratch files that are kept open at most.
const MOST_OPEN: usize = 4096;

/// Scratch and lake together take at least as much as the data, packed tenfold or not: says so where
/// there is less. Whether it is enough turns out.
fn note_disk(options: &ImportOptions, bytes: u64, progress: &Progress) {
    let free = crate::machine::free_bytes(&options.lake);
    if let Some(free) = free.filter(|free| *free < bytes) {
        let size = |bytes: u64| match bytes {
            2_000_000_000.. => format!("{} GB", bytes / 1_000_000_000),
            _ => format!("{} MB", bytes / 1_000_000),
        };
        progress.note(format!(
            "the data are about {} unpacked, and {} has {} free: the import may not have enough disk (if so it ends, and the lake stays as it is)",
            size(bytes),
            options.lake.display(),
            size(free)
        ));
    }
}

/// Whether a text may be the URL of a server.
fn is_server(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|r| !r.is_empty() && !r.contains(['?', '#', ' ']))
}

fn sum(types: &BTreeMap<String, Tally>) -> Tally {
    let mut total = Tally::default();
    types.values().for_each(|t| total.add(t));
    total
}

fn buckets(
    options: &ImportOptions,
    base: Option<&Snapshot>,
    files: &[Source],
) -> Result<u32, ImportError> {
    match (base, options.buckets) {
        (Some(base), Some(asked)) if asked != base.buckets => Err(ImportError::User(format!(
            "--buckets {asked}: this lake has {} buckets, and keeps them; leave the option out, or import into a new lake",
            base.buckets
        ))),
        (Some(base), _) => Ok(base.buckets),
        (None, Some(asked)) => Ok(asked),
        (None, None) => {
            let bytes: u64 = files.iter().map(estimated_bytes).sum();
            let wanted = bytes
                .div_ceil(options.limits.part.max(1))
                .clamp(8, 65_536)
                .next_power_of_two();
            Ok(u32::try_from(wanted).unwrap_or(65_536))
        }
    }
}

/// Reads all files: one thread unpacks, the workers check and route.
fn read_all(
    files: &[Source],
    sinks: &Sinks<'_>,
    threads: usize,
) -> Result<(WorkerResult, Vec<DamagedFile>), ImportError> {
    let (sender, receiver) = sync_channel::<Chunk>(2);
    let receiver = Arc::new(Mutex::new(receiver));
    let scratch = || sinks.spill.folder().to_owned();
    let mut reader = chunks::Reader {
        limits: sinks.limits,
        progress: sinks.progress,
        turns: limits::Turns::default(),
        base: 0,
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1))
            .map(|_| {
                let receiver = Arc::clone(&receiver);
                scope.spawn(move || work(&receiver, Worker::new(*sinks)))
            })
            .collect();
        // Only the workers hold it: when all have failed, handing out a chunk fails too.
        drop(receiver);
        let (mut failed, mut damages) = (None, vec![]);
        for (index, source) in files.iter().enumerate() {
            let mut alive = true;
            let read = reader.read(index, source, &mut |chunk| {
                alive = sender.send(chunk).is_ok();
                alive
            });
            match read {
                Ok(damage) => damages.extend(damage.map(|d| (index, source, d))),
                Err(e) => failed = Some(ImportError::Io(source.path.clone(), e)),
            }
            if failed.is_some() || !alive {
                break;
            }
        }
        drop(sender);
        let mut all = WorkerResult::default();
        for worker in workers {
            match worker.join() {
                Ok(Ok(result)) => merge(&mut all, result),
                Ok(Err(e)) => failed = failed.or(Some(ImportError::Io(scratch(), e))),
                Err(_) => {
                    failed = failed.or(Some(ImportError::Bug(
                        "a worker failed while reading".into(),
                    )))
                }
            }
        }
        worker::shorten(&mut all.tallies);
        let damaged = |(index, source, damage): (usize, &Source, Damage)| DamagedFile {
            file: source.path.clone(),
            line: damage.line,
            offset: damage.offset,
            reason: damage.reason,
            resources: sinks
                .kept
                .get(index)
                .map_or(0, |n| n.load(Ordering::Relaxed)),
        };
        let damaged = damages.into_iter().map(damaged).collect();
        failed.map_or(Ok((all, damaged)), Err)
    })
}

fn work(
    receiver: &Mutex<Receiver<Chunk>>,
    mut worker: Worker<'_>,
) -> std::io::Result<WorkerResult> {
    loop {
        let next = receiver
            .lock()
            .map_err(|_| std::io::Error::other("another thread failed"))?
            .recv();
        match next {
            Ok(chunk) => worker.chunk(&chunk)?,
            Err(_) => return worker.finish(),
        }
    }
}

fn merge(all: &mut WorkerResult, one: WorkerResult) {
    for (ty, tally) in one.tallies {
        all.tallies.entry(ty).or_default().add(&tally);
    }
    for (ty, n) in one.unlinked {
        *all.unlinked.entry(ty).or_default() += n;
    }
    for (ty, n) in one.uncoded {
        *all.uncoded.entry(ty).or_default() += n;
    }
    all.patients += one.patients;
    all.given_ids += one.given_ids;
    all.manifests += one.manifests;
    all.references.add(&one.references);
    all.references.bound();
    all.unreadable.add(&one.unreadable);
    all.deletions.extend(one.deletions);
    all.collision = all.collision.take().or(one.collision);
    for (key, texts) in one.codes {
        add_code(&mut all.codes, key, texts, &mut all.collision);
    }
}

/// Adds what a key stands for; the least of several texts, so that the order does not matter.
fn add_code<S: std::hash::BuildHasher>(
    codes: &mut std::collections::HashMap<i64, CodeTexts, S>,
    key: i64,
    texts: CodeTexts,
    collision: &mut Option<String>,
) {
    let canonical = engine_patient::terminology::canonical_system;
    match codes.get_mut(&key) {
        None => {
            codes.insert(key, texts);
        }
        Some(there) => {
            if canonical(&there.0) != canonical(&texts.0) || there.1 != texts.1 {
                *collision = Some(format!(
                    "`{}|{}` and `{}|{}`",
                    there.0, there.1, texts.0, texts.1
                ));
            }
            if texts.0 < there.0 {
                there.0 = texts.0;
            }
            let display = there.2.take().into_iter().chain(texts.2).min();
            there.2 = display;
        }
    }
}
