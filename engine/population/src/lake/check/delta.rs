//! The derived Delta logs: what they list at the newest snapshot.

use std::collections::BTreeMap;

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use serde_json::Value;

use super::{Findings, Lake, LakeError, commit};

/// Compares the log of each table with the snapshot, where it is the newest: of older ones the log has
/// no more than what came after.
pub(super) async fn check(
    lake: &Lake,
    findings: &Findings,
    notes: &mut Vec<String>,
) -> Result<(), LakeError> {
    let newest = commit::latest(lake.store.as_ref()).await;
    if newest.map_or(true, |s| s.number != lake.snapshot.number) {
        return Ok(());
    }
    for (name, table) in &lake.snapshot.tables {
        let mut listed: BTreeMap<String, Option<u64>> = BTreeMap::new();
        let mut behind = None;
        for number in 0..=lake.snapshot.number {
            let path = format!("{name}/_delta_log/{number:020}.json");
            match version(lake, &path, &mut listed).await {
                Ok(true) => {}
                Ok(false) => {
                    behind = Some(number);
                    break;
                }
                Err(what) => findings.add("Delta logs that cannot be read", what),
            }
        }
        if let Some(number) = behind {
            notes.push(format!(
                "the Delta log of `{name}` ends before snapshot {number}: the next import writes the rest"
            ));
            continue;
        }
        let own: BTreeMap<String, Option<u64>> = table
            .files
            .iter()
            .map(|f| (f.path.clone(), Some(f.size)))
            .collect();
        if own != listed {
            findings.add(
                "Delta logs that list other files",
                format!("table `{name}`"),
            );
        }
    }
    Ok(())
}

/// Takes one version in; false where there is none.
async fn version(
    lake: &Lake,
    path: &str,
    listed: &mut BTreeMap<String, Option<u64>>,
) -> Result<bool, String> {
    let found = match lake.store.get(&Path::from(path)).await {
        Ok(found) => found.bytes().await,
        Err(Error::NotFound { .. }) => return Ok(false),
        Err(e) => Err(e),
    };
    let bytes = found.map_err(|e| format!("{path}: {}", super::super::plain::plain(&e)))?;
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
    Ok(true)
}
