//! The commit itself: one put-if-absent, and a new look when somebody was first.

use std::collections::BTreeMap;

use object_store::path::Path;
use object_store::{Error, ObjectStore, PutMode};

use super::plausible::bucket_count;
use super::snapshot::{FORMAT, latest, manifest_path, read, to_bytes, try_read};
use super::{Change, CommitError, Snapshot, Table};

/// What a commit builds on.
#[derive(Debug, Clone, Copy)]
pub enum Base<'a> {
    /// Nothing: the commit creates the lake, as snapshot 0.
    Create(&'a NewLake),
    /// The snapshot that the change was computed from.
    On(&'a Snapshot),
}

/// What is fixed when a lake is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLake {
    /// A name nobody else uses, for example random; table ids follow from it.
    pub lake_id: String,
    /// Number of patient buckets, at least 1.
    pub buckets: u32,
}

/// Commit `change` on `base` at `now_ms` (milliseconds since 1970 UTC) and return the snapshot
/// written. If others committed meanwhile, the change is rebased over theirs, provided that they
/// left its buckets, its unbucketed tables and its files alone. A clock behind the snapshot
/// before gives a time one millisecond later than that snapshot. A change [of all](Change::of_all)
/// lands on its base only, or on one that has the same files.
///
/// The files added must be wholly written. They are not looked at, and stay where they are when
/// the commit fails: vacuum collects them.
///
/// # Errors
/// [`InvalidChange`](CommitError::InvalidChange) before anything is written;
/// [`Conflict`](CommitError::Conflict) with what collided, also for the second of two creators;
/// [`Store`](CommitError::Store), after which the commit may or may not have landed: it was looked
/// for and could not be seen.
pub async fn commit(
    store: &dyn ObjectStore,
    base: Base<'_>,
    change: &Change,
    now_ms: i64,
) -> Result<Snapshot, CommitError> {
    match base {
        Base::Create(lake) => create(store, lake, change, now_ms).await,
        Base::On(base) => append(store, base, change, now_ms).await,
    }
}

async fn create(
    store: &dyn ObjectStore,
    lake: &NewLake,
    change: &Change,
    now_ms: i64,
) -> Result<Snapshot, CommitError> {
    if let Some(what) = bucket_count(lake.buckets) {
        return Err(CommitError::invalid(what));
    }
    let empty = Snapshot {
        format: FORMAT,
        number: 0,
        created_ms: now_ms,
        engine: change.engine.clone(),
        lake_id: lake.lake_id.clone(),
        buckets: lake.buckets,
        operation: change.operation.clone(),
        tables: BTreeMap::new(),
        summary: change.summary.clone(),
    };
    change.check(&empty)?;
    let first = with_change(&empty, change);
    if put_manifest(store, &first).await? {
        return Ok(first);
    }
    Err(CommitError::Conflict {
        number: 0,
        collisions: vec!["the lake was already created".to_owned()],
    })
}

async fn append(
    store: &dyn ObjectStore,
    base: &Snapshot,
    change: &Change,
    now_ms: i64,
) -> Result<Snapshot, CommitError> {
    change.check(base)?;
    let mut head = base.clone();
    // Each turn another writer has landed, so one of all the writers always gets on.
    loop {
        let mut next = with_change(&head, change);
        next.number = head.number.saturating_add(1);
        next.created_ms = now_ms.max(head.created_ms.saturating_add(1));
        if put_manifest(store, &next).await? {
            return Ok(next);
        }
        head = latest(store).await?;
        if head.number < next.number {
            // A listing that lags behind: the name is taken, so it can be read.
            head = read(store, next.number).await?;
        }
        let collisions = change.collisions(base, &head);
        if !collisions.is_empty() {
            let number = head.number;
            return Err(CommitError::Conflict { number, collisions });
        }
        change.check(&head)?;
    }
}

/// `head` with the change made; number and time are still those of `head`.
fn with_change(head: &Snapshot, change: &Change) -> Snapshot {
    let mut tables = head.tables.clone();
    for (name, change) in &change.tables {
        let table = tables.entry(name.clone()).or_insert_with(|| Table {
            id: table_id(&head.lake_id, name),
            files: Vec::new(),
        });
        table.files.retain(|f| !change.remove.contains(&f.path));
        table.files.extend(change.add.iter().cloned());
        table.files.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Snapshot {
        format: FORMAT,
        number: head.number,
        created_ms: head.created_ms,
        engine: change.engine.clone(),
        lake_id: head.lake_id.clone(),
        buckets: head.buckets,
        operation: change.operation.clone(),
        tables,
        summary: change.summary.clone(),
    }
}

async fn put_manifest(store: &dyn ObjectStore, snapshot: &Snapshot) -> Result<bool, CommitError> {
    let path = manifest_path(snapshot.number);
    let bytes = to_bytes(snapshot)?;
    let put = put_new(store, &path, bytes).await;
    if matches!(put, Ok(true)) {
        return put;
    }
    // The store may have failed, or tried again, after it had written: then it is ours that is there.
    match try_read(store, snapshot.number).await {
        Ok(Some(there)) if there == *snapshot => Ok(true),
        _ => put,
    }
}

/// Write an object that must not exist yet; false when it does.
pub(super) async fn put_new(
    store: &dyn ObjectStore,
    path: &Path,
    bytes: Vec<u8>,
) -> Result<bool, CommitError> {
    let put = store.put_opts(path, bytes.into(), PutMode::Create.into());
    match put.await {
        Ok(_) => Ok(true),
        Err(Error::AlreadyExists { .. }) => Ok(false),
        Err(e) => Err(CommitError::store("write", path, e)),
    }
}

/// An id in the form of a UUID (version 8: our own digits), the 128-bit FNV-1a hash of both names.
pub(super) fn table_id(lake_id: &str, table: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let text = lake_id.bytes().chain([0]).chain(table.bytes());
    let hash = text.fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    let version = (hash & !(0xf << 76)) | (0x8 << 76);
    let id = (version & !(0x3 << 62)) | (0x2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 96,
        (id >> 80) & 0xffff,
        (id >> 64) & 0xffff,
        (id >> 48) & 0xffff,
        id & 0xffff_ffff_ffff
    )
}
