//! The Delta log of each table, derived from the snapshots as plain JSON.
//!
//! Snapshot *n* is Delta version *n* of every table, so that one version number means the same
//! state in all of them; a table that came later has empty versions before. No checkpoints, no
//! partition columns, nothing is ever rewritten or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};

use super::delta_schema::schema_string;
use super::snapshot::{number_in, read, try_read};
use super::write::{put_new, table_id};
use super::{CommitError, Snapshot};

/// Write Delta version `number` of every table in `schemas` and return how many were missing.
/// Those that exist are left alone. The versions before must be there: [`export_missing`] sees
/// to that.
///
/// # Errors
/// [`NotExportable`](CommitError::NotExportable), before anything is written, when a table of the
/// snapshot has no schema or a field's type is not Delta's; those of [`read`].
pub async fn export_delta(
    store: &dyn ObjectStore,
    number: u64,
    schemas: &BTreeMap<String, SchemaRef>,
) -> Result<u64, CommitError> {
    let after = read(store, number).await?;
    let logs = logs(&after, schemas)?;
    let before = match number.checked_sub(1) {
        Some(previous) => try_read(store, previous).await?,
        None => None,
    };
    let mut written = 0;
    for log in &logs {
        let version = log.version(store, number, before.as_ref(), Some(&after));
        written += u64::from(version.await?);
    }
    Ok(written)
}

/// Write every Delta version up to snapshot `upto` that is missing, of every table in `schemas`,
/// and return how many. Run it after each commit and at the start of the next writer: a crash in
/// between only delays other readers. Repeated, it writes nothing.
///
/// A version whose snapshot was vacuumed before it was exported is written without changes; the
/// next one carries them. A table's schema is fixed with its version 0: change it by a new table.
///
/// # Errors
/// Those of [`export_delta`].
pub async fn export_missing(
    store: &dyn ObjectStore,
    upto: u64,
    schemas: &BTreeMap<String, SchemaRef>,
) -> Result<u64, CommitError> {
    let logs = logs(&read(store, upto).await?, schemas)?;
    let mut there = Vec::with_capacity(logs.len());
    for log in &logs {
        there.push(log.versions(store).await?);
    }
    let mut written = 0;
    let mut previous: Option<Arc<Snapshot>> = None;
    for number in 0..=upto {
        if there.iter().all(|versions| versions.contains(&number)) {
            previous = None;
            continue;
        }
        let before = match (previous.take(), number.checked_sub(1)) {
            (Some(known), _) => Some(known),
            (None, Some(before)) => try_read(store, before).await?.map(Arc::new),
            (None, None) => None,
        };
        let after = try_read(store, number).await?.map(Arc::new);
        let mut as_we_would = true;
        for (log, versions) in logs.iter().zip(&there) {
            if !versions.contains(&number) {
                let version = log.version(store, number, before.as_deref(), after.as_deref());
                let ours = version.await?;
                written += u64::from(ours);
                as_we_would &= ours;
            }
        }
        // Where another wrote it first it may have been vacuumed by then, and so be without changes:
        // what the log holds is looked up anew.
        previous = after.filter(|_| as_we_would);
    }
    Ok(written)
}

/// One table's log.
struct Log<'a> {
    table: &'a str,
    id: String,
    schema: String,
}

/// Path → bytes.
type Files = BTreeMap<String, u64>;

fn logs<'a>(
    snapshot: &Snapshot,
    schemas: &'a BTreeMap<String, SchemaRef>,
) -> Result<Vec<Log<'a>>, CommitError> {
    if let Some(table) = snapshot.tables.keys().find(|t| !schemas.contains_key(*t)) {
        return Err(CommitError::NotExportable {
            table: table.clone(),
            what: "its schema is not known; pass the schema of every table".to_owned(),
        });
    }
    let log = |(table, schema): (&'a String, &SchemaRef)| {
        Ok(Log {
            table,
            id: table_id(&snapshot.lake_id, table),
            schema: schema_string(table, schema)?,
        })
    };
    schemas.iter().map(log).collect()
}

impl Log<'_> {
    fn folder(&self) -> Path {
        Path::from(format!("{}/_delta_log", self.table))
    }

    fn path(&self, number: u64) -> Path {
        self.folder().join(format!("{number:020}.json").as_str())
    }

    async fn versions(&self, store: &dyn ObjectStore) -> Result<BTreeSet<u64>, CommitError> {
        let folder = self.folder();
        let listed = store.list_with_delimiter(Some(&folder)).await;
        let listed = listed.map_err(|e| CommitError::store("list", &folder, e))?;
        let names = listed.objects.iter().filter_map(|o| o.location.filename());
        Ok(names
            .filter_map(|name| number_in(name.strip_suffix(".json")?))
            .collect())
    }

    /// Write one version; false when it was there. `before` and `after` are nothing when vacuumed.
    async fn version(
        &self,
        store: &dyn ObjectStore,
        number: u64,
        before: Option<&Snapshot>,
        after: Option<&Snapshot>,
    ) -> Result<bool, CommitError> {
        let before = match (before, after) {
            (Some(before), Some(_)) => self.files(before),
            (None, Some(_)) => self.replay(store, number).await?,
            (_, None) => Files::new(),
        };
        let mut lines = vec![commit_info(number, after)];
        if number == 0 {
            lines.push(json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}));
            lines.push(json!({"metaData": {"id": self.id, "name": self.table,
                "format": {"provider": "parquet", "options": {}}, "schemaString": self.schema,
                "partitionColumns": [],
                "configuration": {"delta.enableExpiredLogCleanup": "false"}}}));
        }
        if let Some(after) = after {
            lines.extend(self.difference(&before, after));
        }
        let mut text = String::new();
        for line in lines {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        put_new(store, &self.path(number), text.into_bytes()).await
    }

    fn difference(&self, before: &Files, after: &Snapshot) -> Vec<Value> {
        let now = self.files(after);
        let gone = before.iter().filter(|(path, _)| !now.contains_key(*path));
        let removes = gone.map(|(path, size)| {
            json!({"remove": {"path": path, "dataChange": true, "size": size,
                "deletionTimestamp": after.created_ms, "extendedFileMetadata": true,
                "partitionValues": {}}})
        });
        let files = after.tables.get(self.table).into_iter();
        let new = files.flat_map(|t| &t.files);
        let new = new.filter(|f| !before.contains_key(&f.path));
        let adds = new.map(|f| {
            json!({"add": {"path": f.path, "dataChange": true, "size": f.size,
                "modificationTime": f.modified_ms, "partitionValues": {},
                "stats": json!({"numRecords": f.rows}).to_string()}})
        });
        removes.chain(adds).collect()
    }

    fn files(&self, snapshot: &Snapshot) -> Files {
        let files = snapshot.tables.get(self.table).into_iter();
        let files = files.flat_map(|t| &t.files);
        files.map(|f| (f.path.clone(), f.size)).collect()
    }

    /// The files after all versions before `number`, as the log itself says: for a snapshot whose
    /// predecessor was vacuumed.
    async fn replay(&self, store: &dyn ObjectStore, number: u64) -> Result<Files, CommitError> {
        let mut files = Files::new();
        for version in 0..number {
            let path = self.path(version);
            let bytes = match store.get(&path).await {
                Ok(found) => found.bytes().await,
                Err(e) => Err(e),
            };
            let bytes = bytes.map_err(|e| CommitError::store("read", &path, e))?;
            let lines = bytes.split(|&b| b == b'\n').filter(|l| !l.is_empty());
            for line in lines {
                let line: Value =
                    serde_json::from_slice(line).map_err(|e| CommitError::corrupt(&path, e))?;
                if let Some(file) = line.pointer("/remove/path").and_then(Value::as_str) {
                    files.remove(file);
                }
                if let Some(file) = line.pointer("/add/path").and_then(Value::as_str) {
                    let size = line.pointer("/add/size").and_then(Value::as_u64);
                    files.insert(file.to_owned(), size.unwrap_or(0));
                }
            }
        }
        Ok(files)
    }
}

fn commit_info(number: u64, snapshot: Option<&Snapshot>) -> Value {
    let (time, operation, engine) = match snapshot {
        Some(s) => (s.created_ms, s.operation.as_str(), s.engine.as_str()),
        None => (0, "vacuumed", ""),
    };
    json!({"commitInfo": {"timestamp": time, "operation": operation, "operationParameters": {},
        "engineInfo": engine, "lakeSnapshot": number}})
}
