//! The manifest of one snapshot: its structure, where it is, and how it is read.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use super::CommitError;
use super::error::place;
use super::names::is_data_file;
use super::plausible::implausible;
use crate::lake::seal::hash_of;

/// The manifest format this engine writes. 2: the references in `raw` are resolved (`restore` beside
/// it); in a lake of format 1 they are not, and what is asked through them would be silently false.
/// 3: checksums, of every data file and of the manifest itself; without them a flipped bit is a number.
pub const FORMAT: u32 = 3;

/// How a manifest ends from format 3 on, in all formats to come: `,"hash":"…"}`, the XXH3-128 of all
/// bytes before.
const HASH: &str = ",\"hash\":\"";
/// Bytes of it: what [`HASH`] has, 32 hexadecimal digits, and the end.
const HASH_BYTES: usize = HASH.len() + 32 + 2;

/// What vacuum leaves in place of a manifest, so that the number stays taken.
pub(super) const TOMBSTONE: &[u8] = b"{\"vacuumed\":true}";

const FOLDER: &str = "_lake";
const READS_AT_ONCE: usize = 16;

/// Version `number` of the whole lake. Written once, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The manifest format, [`FORMAT`] when written by this engine.
    pub format: u32,
    /// 0 for the snapshot that created the lake, then without gaps.
    pub number: u64,
    /// When it was committed, milliseconds since 1970 UTC; later than the snapshot before.
    pub created_ms: i64,
    /// Name and version of the engine that wrote it.
    pub engine: String,
    /// The lake's identity, given at creation and never changed.
    pub lake_id: String,
    /// Number of patient buckets, fixed at creation; bucket numbers are below it.
    pub buckets: u32,
    /// What was done, a word or two: "import", "recompute".
    pub operation: String,
    /// Every table by name, which is also its folder (`facts`, `views/encounters`).
    pub tables: BTreeMap<String, Table>,
    /// What the writer counted, for display only.
    pub summary: serde_json::Value,
}

/// One table of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// In the form of a UUID; follows from the lake's id and the table's name.
    pub id: String,
    /// Its files, sorted by path.
    pub files: Vec<DataFile>,
}

/// One immutable data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Relative to the table's folder.
    pub path: String,
    /// The buckets whose patients it holds, ascending; empty in an unbucketed table.
    pub buckets: Vec<u32>,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// When it was written, milliseconds since 1970 UTC.
    pub modified_ms: i64,
    /// Where in it the page indexes and the footer begin, bytes.
    pub tail: u64,
    /// The XXH3-128 of the bytes from there, 32 hexadecimal digits.
    pub tail_hash: String,
    /// The XXH3-128 of all its bytes, 32 hexadecimal digits.
    pub hash: String,
}

/// A snapshot without its file lists.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotInfo {
    /// The snapshot's number.
    pub number: u64,
    /// When it was committed, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// The engine that wrote it.
    pub engine: String,
    /// What was done.
    pub operation: String,
    /// Files in all tables.
    pub files: u64,
    /// Bytes in all tables.
    pub bytes: u64,
    /// What the writer counted.
    pub summary: serde_json::Value,
}

/// Read snapshot `number`.
///
/// # Errors
/// [`NoSuchSnapshot`](CommitError::NoSuchSnapshot), [`Vacuumed`](CommitError::Vacuumed),
/// [`NewerFormat`](CommitError::NewerFormat), [`OlderFormat`](CommitError::OlderFormat), [`Corrupt`](CommitError::Corrupt), and those of
/// [`latest`] when there is no lake.
pub async fn read(store: &dyn ObjectStore, number: u64) -> Result<Snapshot, CommitError> {
    match read_bytes(store, number).await? {
        Some(bytes) => parse(number, &bytes)?.ok_or(CommitError::Vacuumed { number }),
        None => match numbers(store).await?.last() {
            Some(&newest) => Err(CommitError::NoSuchSnapshot { number, newest }),
            None => Err(absent(store).await?),
        },
    }
}

/// The newest snapshot.
///
/// # Errors
/// [`NoLake`](CommitError::NoLake) when the folder is empty (a lake may be created),
/// [`NotALake`](CommitError::NotALake) when it holds other files only.
pub async fn latest(store: &dyn ObjectStore) -> Result<Snapshot, CommitError> {
    let mut seen = None;
    loop {
        let all = numbers(store).await?;
        without_gaps(store, &all).await?;
        let Some(&number) = all.last() else {
            let absent = absent(store).await?;
            // What was found may be the lake that another has just created.
            if numbers(store).await?.is_empty() {
                return Err(absent);
            }
            continue;
        };
        match read(store, number).await {
            // Dropped since the listing, because a newer one landed.
            Err(CommitError::Vacuumed { .. }) if seen != Some(number) => seen = Some(number),
            Ok(newest) => match gone_on(store, &newest).await? {
                false => return Ok(newest),
                // Another has committed since the listing.
                true if numbers(store).await?.last() > Some(&number) => {}
                true => return Err(lost(number.saturating_add(1))),
            },
            read => return read,
        }
    }
}

/// Whether a Delta log has a version after this snapshot. It is written after its manifest: where that
/// is not there it was lost, and to go on would make the loss final.
async fn gone_on(store: &dyn ObjectStore, newest: &Snapshot) -> Result<bool, CommitError> {
    let Some(table) = newest.tables.keys().next() else {
        return Ok(false);
    };
    let next = newest.number.saturating_add(1);
    let path = Path::from(format!("{table}/_delta_log/{next:020}.json"));
    match store.head(&path).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(e) => Err(CommitError::store("read", path, e)),
    }
}

fn lost(number: u64) -> CommitError {
    let what = "it is not there, though the Delta logs have its version";
    CommitError::corrupt(manifest_path(number), what)
}

/// Numbers are given one after the other and stay taken: one that is not there was lost, and with it
/// what it said.
async fn without_gaps(store: &dyn ObjectStore, numbers: &[u64]) -> Result<(), CommitError> {
    for (expected, &number) in (0u64..).zip(numbers) {
        if number == expected {
            continue;
        }
        // A listing beside a commit may show the later of two names only.
        let path = manifest_path(expected);
        return match store.head(&path).await {
            Ok(_) => Ok(()),
            Err(Error::NotFound { .. }) => {
                let what = format!("it is not there, though snapshot {number} is");
                Err(CommitError::corrupt(&path, what))
            }
            Err(e) => Err(CommitError::store("read", path, e)),
        };
    }
    Ok(())
}

/// All snapshots that can be read, oldest first; empty when there is no lake. Vacuumed ones are
/// left out.
///
/// # Errors
/// As [`read`]: one damaged manifest fails the whole list, and is named.
pub async fn list(store: &dyn ObjectStore) -> Result<Vec<SnapshotInfo>, CommitError> {
    Ok(live(store).await?.iter().map(info).collect())
}

/// All snapshots that can be read, whole, oldest first.
pub(in crate::lake) async fn live(store: &dyn ObjectStore) -> Result<Vec<Snapshot>, CommitError> {
    let reads = numbers(store)
        .await?
        .into_iter()
        .map(|number| try_read(store, number));
    futures::stream::iter(reads)
        .buffered(READS_AT_ONCE)
        .try_filter_map(|snapshot| async { Ok(snapshot) })
        .try_collect()
        .await
}

/// As [`read`], but nothing when the snapshot does not exist or was vacuumed.
pub(super) async fn try_read(
    store: &dyn ObjectStore,
    number: u64,
) -> Result<Option<Snapshot>, CommitError> {
    match read_bytes(store, number).await? {
        Some(bytes) => parse(number, &bytes),
        None => Ok(None),
    }
}

/// Where snapshot `number` is.
pub(super) fn manifest_path(number: u64) -> Path {
    Path::from(format!("{FOLDER}/{number:020}.json"))
}

async fn read_bytes(
    store: &dyn ObjectStore,
    number: u64,
) -> Result<Option<bytes::Bytes>, CommitError> {
    let path = manifest_path(number);
    let bytes = match store.get(&path).await {
        Ok(found) => found.bytes().await,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(e) => Err(e),
    };
    bytes
        .map(Some)
        .map_err(|e| CommitError::store("read", path, e))
}

/// Nothing for a tombstone.
fn parse(number: u64, bytes: &[u8]) -> Result<Option<Snapshot>, CommitError> {
    #[derive(Deserialize)]
    struct Probe {
        format: u32,
    }
    if bytes == TOMBSTONE {
        return Ok(None);
    }
    let path = manifest_path(number);
    let corrupt = |e: serde_json::Error| CommitError::corrupt(&path, e);
    let sealed = whole(bytes);
    let probe = serde_json::from_slice(bytes);
    if sealed == Some(false) {
        // Which format it says it has may be what is wrong with it.
        let parsed: Option<Snapshot> = serde_json::from_slice(bytes).ok();
        let mut what = vec!["its checksum does not match what it says".to_owned()];
        what.extend(parsed.iter().flat_map(implausible));
        return Err(CommitError::corrupt(&path, what.join("; ")));
    }
    let Probe { format } = probe.map_err(corrupt)?;
    if format > FORMAT {
        return Err(CommitError::NewerFormat {
            path: path.to_string(),
            found: format,
            supported: FORMAT,
        });
    }
    if format < FORMAT {
        return Err(CommitError::OlderFormat {
            path: path.to_string(),
            found: format,
            supported: FORMAT,
        });
    }
    let snapshot: Snapshot = serde_json::from_slice(bytes).map_err(corrupt)?;
    let mut wrong = implausible(&snapshot);
    if sealed.is_none() {
        wrong.insert(0, "it has no checksum at its end".to_owned());
    }
    if snapshot.number != number {
        wrong.insert(0, format!("it says it is snapshot {}", snapshot.number));
    }
    match wrong.is_empty() {
        true => Ok(Some(snapshot)),
        false => Err(CommitError::corrupt(&path, wrong.join("; "))),
    }
}

/// A manifest's bytes: its JSON, the hash of it as the last member.
pub(super) fn to_bytes(snapshot: &Snapshot) -> Result<Vec<u8>, CommitError> {
    let path = manifest_path(snapshot.number);
    let mut bytes = serde_json::to_vec(snapshot).map_err(|e| CommitError::corrupt(&path, e))?;
    bytes.pop();
    let hash = hash_of(&bytes);
    bytes.extend_from_slice(format!("{HASH}{hash}\"}}").as_bytes());
    Ok(bytes)
}

/// Whether the bytes are those that their hash was made of; nothing where they end with none.
fn whole(bytes: &[u8]) -> Option<bool> {
    let (content, end) = bytes.split_at_checked(bytes.len().checked_sub(HASH_BYTES)?)?;
    let hash = end.strip_prefix(HASH.as_bytes())?.strip_suffix(b"\"}")?;
    Some(hash == hash_of(content).as_bytes())
}

/// The numbers taken, ascending, tombstones included. Other names in the folder are passed over.
async fn numbers(store: &dyn ObjectStore) -> Result<Vec<u64>, CommitError> {
    let listed = store.list_with_delimiter(Some(&Path::from(FOLDER))).await;
    let listed = listed.map_err(|e| CommitError::store("list", FOLDER, e))?;
    let names = listed.objects.iter().filter_map(|o| o.location.filename());
    let mut numbers: Vec<u64> = names
        .filter_map(|name| number_in(name.strip_suffix(".json")?))
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The number in a name of exactly twenty digits.
pub(super) fn number_in(name: &str) -> Option<u64> {
    let plain = name.len() == 20 && name.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| name.parse().ok()).flatten()
}

async fn absent(store: &dyn ObjectStore) -> Result<CommitError, CommitError> {
    let place = place(store);
    let mut files = store.list(None);
    while let Some(found) = files.next().await {
        let found = found.map_err(|e| CommitError::store("list", place.clone(), e))?;
        if !is_leftover(&found.location) {
            let example = found.location.to_string();
            return Ok(CommitError::NotALake { place, example });
        }
    }
    Ok(CommitError::NoLake { place })
}

/// What a first import leaves behind when it is killed before its commit, or refuses to commit:
/// scratch, rejects, what could not be read, and data files under names that only our writer gives.
fn is_leftover(path: &Path) -> bool {
    let text = path.as_ref();
    if ["_tmp/", "_rejects/", "_unreadable/"]
        .iter()
        .any(|f| text.starts_with(f))
    {
        return true;
    }
    path.filename().is_some_and(is_data_file)
}

fn info(snapshot: &Snapshot) -> SnapshotInfo {
    let files = || snapshot.tables.values().flat_map(|t| &t.files);
    SnapshotInfo {
        number: snapshot.number,
        created_ms: snapshot.created_ms,
        engine: snapshot.engine.clone(),
        operation: snapshot.operation.clone(),
        files: files().count() as u64,
        bytes: files().map(|f| f.size).sum(),
        summary: snapshot.summary.clone(),
    }
}
