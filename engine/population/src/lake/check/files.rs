//! Files against the manifest: there, as long, and byte for byte as written.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use xxhash_rust::xxh3::Xxh3;

use super::checking::{Progress, all_files};
use super::findings::Findings;
use crate::lake::file::{look, unread};
use crate::lake::{DataFile, Lake, LakeError};

/// Bytes that are read at once.
const STEP: u64 = 8 << 20;

/// The files that are not as they were written, by table and path.
pub(super) async fn check(
    lake: &Lake,
    threads: usize,
    findings: &Findings,
    progress: &Progress,
) -> Result<BTreeSet<(String, String)>, LakeError> {
    let mut work = vec![];
    for (table, file) in all_files(lake) {
        work.push(one(lake, table, file, findings, progress));
    }
    futures::stream::iter(work)
        .buffer_unordered(threads)
        .try_filter_map(|bad| async { Ok(bad) })
        .try_collect()
        .await
}

async fn one(
    lake: &Lake,
    table: &str,
    file: &DataFile,
    findings: &Findings,
    progress: &Progress,
) -> Result<Option<(String, String)>, LakeError> {
    let name = format!("{table}/{}", file.path);
    let bad = || Ok(Some((table.to_owned(), file.path.clone())));
    let store = lake.store.as_ref();
    match look(store, table, file).await {
        Ok(()) => {}
        Err(gone @ LakeError::Vacuumed(_)) => return Err(gone),
        Err(wrong) => {
            findings.add("files that are lost or of another size", wrong.to_string());
            return bad();
        }
    }
    let path = Path::from(name.as_str());
    let (mut hash, mut at) = (Xxh3::new(), 0);
    while at < file.size {
        let end = (at + STEP).min(file.size);
        match store.get_range(&path, at..end).await {
            Ok(bytes) => hash.update(&bytes),
            Err(e) => {
                let why = unread(store, table, file, e).await;
                if matches!(why, LakeError::Vacuumed(_)) {
                    return Err(why);
                }
                findings.add("files that cannot be read", why.to_string());
                return bad();
            }
        }
        progress(end - at);
        at = end;
    }
    if format!("{:032x}", hash.digest128()) != file.hash {
        findings.add("files whose checksum does not match", name);
        return bad();
    }
    Ok(None)
}
