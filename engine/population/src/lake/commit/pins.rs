//! Pins: snapshots that vacuum must keep, each an object `_lake/pins/{number:020}` with a reason.

use std::collections::BTreeMap;

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use super::CommitError;
use super::snapshot::{number_in, read};

const FOLDER: &str = "_lake/pins";

/// Protect snapshot `number` from vacuum. Pinning again replaces the reason.
///
/// # Errors
/// Those of [`read`]: what does not exist or was vacuumed cannot be pinned.
pub async fn pin(store: &dyn ObjectStore, number: u64, reason: &str) -> Result<(), CommitError> {
    read(store, number).await?;
    let path = pin_path(number);
    let put = store.put(&path, reason.as_bytes().to_vec().into()).await;
    put.map_err(|e| CommitError::store("write", &path, e))?;
    // Pin first, look again after: vacuum drops first and looks for pins after, so one of the
    // two sees the other.
    if let Err(e) = read(store, number).await {
        unpin(store, number).await?;
        return Err(e);
    }
    Ok(())
}

/// Let vacuum drop snapshot `number` again. No pin is no error.
///
/// # Errors
/// [`Store`](CommitError::Store).
pub async fn unpin(store: &dyn ObjectStore, number: u64) -> Result<(), CommitError> {
    let path = pin_path(number);
    match store.delete(&path).await {
        Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
        Err(e) => Err(CommitError::store("delete", path, e)),
    }
}

/// All pins: snapshot number → reason.
///
/// # Errors
/// [`Store`](CommitError::Store).
pub async fn pins(store: &dyn ObjectStore) -> Result<BTreeMap<u64, String>, CommitError> {
    let listed = store.list_with_delimiter(Some(&Path::from(FOLDER))).await;
    let listed = listed.map_err(|e| CommitError::store("list", FOLDER, e))?;
    let mut pins = BTreeMap::new();
    for object in listed.objects {
        let path = object.location;
        let Some(number) = path.filename().and_then(number_in) else {
            continue;
        };
        let bytes = match store.get(&path).await {
            Ok(found) => found.bytes().await,
            Err(Error::NotFound { .. }) => continue,
            Err(e) => Err(e),
        };
        let bytes = bytes.map_err(|e| CommitError::store("read", &path, e))?;
        pins.insert(number, String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(pins)
}

/// What stands where pins are and is none: it keeps no snapshot, whatever it was meant for. Paths, and
/// what they are.
///
/// # Errors
/// [`Store`](CommitError::Store).
pub async fn not_pins(store: &dyn ObjectStore) -> Result<Vec<String>, CommitError> {
    let folder = Path::from(FOLDER);
    let listed = store.list_with_delimiter(Some(&folder)).await;
    let listed = listed.map_err(|e| CommitError::store("list", FOLDER, e))?;
    let mut found: Vec<String> = listed
        .objects
        .iter()
        .filter(|o| o.location.filename().and_then(number_in).is_none())
        .map(|o| format!("{}: its name is no snapshot's number", o.location))
        .collect();
    let folders = listed.common_prefixes.iter();
    found.extend(folders.map(|f| format!("{f}: it is a folder, not a file")));
    // A folder is no object, so this is a file in its place.
    if store.head(&folder).await.is_ok() {
        found.push(format!("{FOLDER}: it is a file, not the folder of pins"));
    }
    Ok(found)
}

fn pin_path(number: u64) -> Path {
    Path::from(format!("{FOLDER}/{number:020}"))
}
