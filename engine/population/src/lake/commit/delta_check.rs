//! What the derived Delta logs say, against the snapshot that they are derived from.

use std::collections::BTreeMap;

use futures::StreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use serde_json::Value;

use super::Snapshot;
use super::snapshot::try_read;
use crate::lake::plain::plain;

/// Versions that are read at once.
const READS_AT_ONCE: usize = 16;

/// What is wrong with the log of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeltaProblem {
    /// It has no version of this snapshot: the next import writes it.
    EndsBefore(u64),
    /// A version, by path, and why it cannot be read.
    Unreadable(String),
    /// It lists other files than the snapshot.
    OtherFiles,
}

/// Path → bytes, where the log tells them.
type Listed = BTreeMap<String, Option<u64>>;

/// What is wrong with the logs at a snapshot, by table; nothing where they say what it says. Every
/// version is read: an import asks [`newest_delta_problems`].
pub async fn delta_problems(
    store: &dyn ObjectStore,
    snapshot: &Snapshot,
) -> Vec<(String, DeltaProblem)> {
    let empty = |_: &str| Some(Listed::new());
    problems(store, snapshot, 0, empty).await
}

/// As [`delta_problems`], of the last two versions only: those before them were told by their imports,
/// and are compared by a check of the lake.
pub async fn newest_delta_problems(
    store: &dyn ObjectStore,
    snapshot: &Snapshot,
) -> Vec<(String, DeltaProblem)> {
    let Some(before) = snapshot.number.checked_sub(1) else {
        return delta_problems(store, snapshot).await;
    };
    // Without that snapshot there is nothing to compare with. One that is damaged is for the check.
    let known = try_read(store, before).await.ok().flatten();
    let files = |table: &str| Some(files(known.as_ref()?, table));
    problems(store, snapshot, before, files).await
}

/// Of the versions from `first` on. `known`: the files after `first`, or before it, which comes to the
/// same once it is taken in; nothing where they are not known.
async fn problems(
    store: &dyn ObjectStore,
    snapshot: &Snapshot,
    first: u64,
    known: impl Fn(&str) -> Option<Listed>,
) -> Vec<(String, DeltaProblem)> {
    let mut problems = vec![];
    for name in snapshot.tables.keys() {
        let known = known(name);
        let compared = known.is_some();
        let mut listed = known.unwrap_or_default();
        let (mut ended, mut found) = (None, vec![]);
        let versions = (first..=snapshot.number).map(|number| version(store, name, number));
        let mut versions = futures::stream::iter(versions).buffered(READS_AT_ONCE);
        let mut number = first;
        while let Some(read) = versions.next().await {
            match read.and_then(|found| match found {
                Some((path, bytes)) => take_in(&path, &bytes, &mut listed).map(|()| true),
                None => Ok(false),
            }) {
                Ok(true) => {}
                Ok(false) => {
                    ended = Some(number);
                    break;
                }
                Err(what) => found.push(DeltaProblem::Unreadable(what)),
            }
            number += 1;
        }
        match ended {
            Some(number) => found.push(DeltaProblem::EndsBefore(number)),
            // What a version that cannot be read lists is not known.
            None if found.is_empty() && compared && listed != files(snapshot, name) => {
                found.push(DeltaProblem::OtherFiles);
            }
            None => {}
        }
        problems.extend(found.into_iter().map(|p| (name.clone(), p)));
    }
    problems
}

/// The files of a table.
fn files(snapshot: &Snapshot, table: &str) -> Listed {
    let files = snapshot.tables.get(table).into_iter();
    let files = files.flat_map(|t| &t.files);
    files.map(|f| (f.path.clone(), Some(f.size))).collect()
}

/// One version's path and bytes; nothing where there is none.
async fn version(
    store: &dyn ObjectStore,
    table: &str,
    number: u64,
) -> Result<Option<(String, bytes::Bytes)>, String> {
    let path = format!("{table}/_delta_log/{number:020}.json");
    let found = match store.get(&Path::from(path.as_str())).await {
        Ok(found) => found.bytes().await,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(e) => Err(e),
    };
    match found {
        Ok(bytes) => Ok(Some((path, bytes))),
        Err(e) => Err(format!("{path}: {}", plain(&e))),
    }
}

fn take_in(path: &str, bytes: &[u8], listed: &mut Listed) -> Result<(), String> {
    for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let line: Value = serde_json::from_slice(line).map_err(|e| format!("{path}: {e}"))?;
        if let Some(file) = line.pointer("/remove/path").and_then(Value::as_str) {
            listed.remove(file);
        }
        if let Some(file) = line.pointer("/add/path").and_then(Value::as_str) {
            let size = line.pointer("/add/size").and_then(Value::as_u64);
            listed.insert(file.to_owned(), size);
        }
    }
    Ok(())
}
