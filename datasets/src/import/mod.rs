//! Import: FHIR files to the lake, in one commit.
//!
//! ```text
//! sources → chunks (one reader) → workers: check, resolve references, envelope, route
//!                                                    ├→ spill, one file a bucket
//!                                                    ├→ rejects, what cannot be read
//!                                                    └→ deletions
//! spill + what the bucket holds already → merge versions, delete → Parquet → commit
//! ```

mod chunks;
mod deletions;
mod ids;
mod limits;
mod ordered;
mod progress;
mod rejects;
mod shared;
mod sources;
mod spill;
mod store;
mod unpack;
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
use engine_population::lake::rows::Tally;
use engine_population::lake::writer::CodeTexts;
use engine_population::lake::{Lake, LakeError};

pub use limits::Limits;
pub use progress::{Moment, Progress};
pub use sources::{Layout, Packing, PassedOver, Source, Sources, discover};
pub use unreadable::UnreadableCounts;
pub use worker::NO_TYPE;

use chunks::{Chunk, Damage};
use deletions::Deletions;
use ids::IdShards;
use rejects::Rejects;
use spill::Spill;
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
            Self::Io(path, e) => write!(f, "{}: {e}", path.display()),
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
    import_files(options, progress).map_err(|e| match crate::machine::advice(&e.to_string()) {
        Some(advice) => ImportError::Io(options.lake.clone(), std::io::Error::other(advice)),
        None => e,
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
    let io = |path: &std::path::Path| {
        let path = path.to_owned();
        move |e| ImportError::Io(path, e)
    };
    crate::folder::make(&options.lake).map_err(ImportError::User)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| ImportError::Bug(format!("no runtime: {e}")))?;
    let object_store = Lake::store_at(&options.lake)?;
    let base = match runtime.block_on(commit::latest(object_store.as_ref())) {
        Ok(snapshot) => Some(snapshot),
        Err(CommitError::NoLake { .. }) => None,
        Err(e) => return Err(e.into()),
    };
    let buckets = buckets(options, base.as_ref(), &found.files)?;

    store::sweep(&options.lake);
    let scratch = options.lake.join("_tmp").join(format!(
        "import-{}-{:x}",
        std::process::id(),
        options.now_ms
    ));
    let estimated = found.files.iter().map(Source::estimated_bytes).sum();
    note_disk(options, estimated, progress);
    let places = (
        buckets,
        shared::spill_parts(base.as_ref(), estimated, &options.limits),
    );
    // The rest is for the data and the lake.
    let open = usize::try_from(open_files / 4)
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
    let rejects = Rejects::create(
        spill.folder().join("rejects"),
        names.clone(),
        options.limits.rejects,
    )
    .map_err(io(&scratch))?;
    let unreadable = Unreadable::create(
        spill.folder().join("unreadable"),
        names,
        options.limits.rejects,
    )
    .map_err(io(&scratch))?;
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
    let sinks = Sinks {
        buckets,
        bases: &bases,
        limits: options.limits,
        kept: &kept,
        spill: &spill,
        ids: &ids,
        rejects: &rejects,
        unreadable: &unreadable,
        progress,
    };
    progress.set_total(found.files.iter().map(|f| f.bytes).sum());

    let (read, damaged) = read_all(&found.files, &sinks, options.threads)?;
    if let Some(codes) = read.collision {
        return Err(ImportError::Collision(codes));
    }
    let rejected: u64 = read.tallies.values().map(|t| t.rejected).sum();
    let rejects_path = options
        .lake
        .join("_rejects")
        .join(format!("{:013x}.ndjson", options.now_ms));
    let rejects = rejects.finish(&rejects_path).map_err(io(&rejects_path))?;
    let unreadable_path = options
        .lake
        .join("_unreadable")
        .join(format!("{:013x}.ndjson", options.now_ms));
    let unreadable_not_listed = unreadable
        .finish(&unreadable_path)
        .map_err(io(&unreadable_path))?;
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
        ignored_files: found.ignored,
        passed_over: found.passed_over,
        damaged,
        rejects_not_listed: rejects.not_kept,
        unreadable_not_listed,
        bytes: progress.now().bytes.0,
    };
    if options.strict && rejected > 0 {
        report.total = sum(&report.types);
        return Err(ImportError::Rejected(Box::new(report)));
    }
    let job = store::Job {
        options,
        store: Arc::clone(&object_store),
        base: base.as_ref(),
        buckets,
        spill: &spill,
        ids: &ids,
        progress,
        runtime: runtime.handle(),
        patients: read.patients,
        deletions: &deletions,
    };
    store::write(&job, read.codes, &mut report)?;
    report.total = sum(&report.types);
    Ok(report)
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
            let bytes: u64 = files.iter().map(Source::estimated_bytes).sum();
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
