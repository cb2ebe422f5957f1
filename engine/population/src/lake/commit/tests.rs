//! The commit protocol, on a real folder and in memory.

mod commits;
mod delta;
mod manifests;
mod vacuum;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;

/// A store and the folder that lives as long as it, if any.
type Store = (Arc<dyn ObjectStore>, Option<tempfile::TempDir>);

fn stores() -> Vec<Store> {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    vec![
        (Arc::new(local), Some(folder)),
        (Arc::new(InMemory::new()), None),
    ]
}

fn lake() -> NewLake {
    NewLake {
        lake_id: "lake-1".to_owned(),
        buckets: 8,
    }
}

fn file(path: &str, buckets: &[u32]) -> DataFile {
    DataFile {
        path: path.to_owned(),
        buckets: buckets.to_vec(),
        size: 10,
        rows: 5,
        modified_ms: 7,
        tail: 4,
        tail_hash: "0".repeat(32),
        hash: "0".repeat(32),
    }
}

/// A change of `table`: these paths out, these files in.
fn change(table: &str, remove: &[&str], add: &[DataFile]) -> Change {
    let remove = remove.iter().map(|p| (*p).to_owned()).collect();
    let add = add.to_vec();
    Change {
        operation: "import".to_owned(),
        engine: "tandem 0.1".to_owned(),
        tables: BTreeMap::from([(table.to_owned(), TableChange { remove, add })]),
        ..Change::default()
    }
}

/// Snapshot 0: `facts` with a file for bucket 0, one for 1, one for 2 and 3; `shared` unbucketed.
async fn created(store: &dyn ObjectStore) -> Snapshot {
    let files = [
        file("a0.parquet", &[0]),
        file("a1.parquet", &[1]),
        file("a23.parquet", &[2, 3]),
    ];
    let mut first = change("facts", &[], &files);
    let shared = TableChange {
        remove: BTreeSet::new(),
        add: vec![file("s0.parquet", &[])],
    };
    first.tables.insert("shared".to_owned(), shared);
    commit(store, Base::Create(&lake()), &first, 100)
        .await
        .unwrap()
}

async fn on(store: &dyn ObjectStore, base: &Snapshot, change: &Change) -> Snapshot {
    commit(store, Base::On(base), change, 200).await.unwrap()
}

async fn put(store: &dyn ObjectStore, path: &str, text: &str) {
    let path = Path::from(path);
    store.put(&path, text.to_owned().into()).await.unwrap();
}

async fn get(store: &dyn ObjectStore, path: &str) -> String {
    let found = store.get(&Path::from(path)).await.unwrap();
    String::from_utf8(found.bytes().await.unwrap().to_vec()).unwrap()
}

async fn exists(store: &dyn ObjectStore, path: &str) -> bool {
    store.head(&Path::from(path)).await.is_ok()
}

fn names(snapshot: &Snapshot, table: &str) -> Vec<String> {
    let files = &snapshot.tables[table].files;
    files.iter().map(|f| f.path.clone()).collect()
}
