//! The lake: Parquet tables, bucketed by patient, behind one atomic commit.
//!
//! ```text
//! commit    snapshots, Delta log, vacuum          paths     what `facts` indexes, and its numbers
//! schema    the tables                            envelope  what is read from each resource
//! rows      a bucket in memory, merging versions  writer    rows to files
//! plain     errors in plain words
//! reader    pages and rows that can match          systems   which code systems an element is coded in
//! seal      checksums of what is written            file      what is read is verified
//! tables    whether the tables of a manifest fit    check     whether a lake is whole
//! local     a folder as the store: durable, regular files only
//! ```

pub mod check;
pub mod commit;
pub mod envelope;
pub mod error;
mod file;
pub mod local;
pub mod paths;
pub mod plain;
pub mod reader;
pub mod rows;
pub mod schema;
pub mod seal;
pub mod systems;
mod tables;
pub mod writer;

use std::sync::Arc;

use object_store::ObjectStore;

pub use commit::{DataFile, Snapshot};
pub use error::LakeError;
pub use file::lake_error;
pub(crate) use file::{LakeFiles, look};

/// The bucket of a patient: a hash of the id, for a power of two of buckets.
pub fn bucket_of(patient_id: &str, buckets: u32) -> u32 {
    let hash = xxhash_rust::xxh3::xxh3_64(patient_id.as_bytes());
    u32::try_from(hash & u64::from(buckets.saturating_sub(1))).unwrap_or(0)
}

/// How many neighbouring buckets share a `facts` file: so many that it holds 2,000 patients.
pub fn group_size(patients: u64, buckets: u32) -> u32 {
    let per_bucket = patients / u64::from(buckets.max(1));
    let mut size = 1u32;
    while size < buckets && per_bucket * u64::from(size) < 2000 {
        size *= 2;
    }
    // Both cores have something to do.
    size.min((buckets / 4).max(1))
}

/// A lake at one snapshot.
#[derive(Clone, Debug)]
pub struct Lake {
    /// Where its files are.
    pub store: Arc<dyn ObjectStore>,
    /// What of them counts.
    pub snapshot: Arc<Snapshot>,
}

impl Lake {
    /// The store of a folder; it need not be a lake yet.
    pub fn store_at(folder: &std::path::Path) -> Result<Arc<dyn ObjectStore>, LakeError> {
        let store = local::LocalFolder::open(folder).map_err(|e| {
            LakeError::User(format!(
                "{}: the folder cannot be opened: {}; {}",
                folder.display(),
                plain::plain(&e),
                plain::remedy(&e)
            ))
        })?;
        Ok(Arc::new(store))
    }

    /// Opens the lake in a folder at its newest snapshot, or at the given one.
    pub async fn open(folder: &std::path::Path, snapshot: Option<u64>) -> Result<Lake, LakeError> {
        if !folder.is_dir() {
            let text = format!(
                "{} is not a folder: a lake is made with `tandem import <files> --lake {}`",
                folder.display(),
                folder.display()
            );
            return Err(LakeError::User(text));
        }
        let store = Self::store_at(folder)?;
        let snapshot = match snapshot {
            Some(number) => commit::read(store.as_ref(), number).await,
            None => commit::latest(store.as_ref()).await,
        };
        let snapshot = snapshot.map_err(|e| match e {
            commit::CommitError::NoLake { .. } => LakeError::User(format!(
                "there is no lake in {}: make one with `tandem import <files> --lake {}`",
                folder.display(),
                folder.display()
            )),
            e => e.into(),
        })?;
        Self::of(store, snapshot)
    }

    /// A lake at a snapshot that was read.
    pub fn of(store: Arc<dyn ObjectStore>, snapshot: Snapshot) -> Result<Lake, LakeError> {
        let wrong = tables::unfitting(&snapshot);
        if !wrong.is_empty() {
            return Err(LakeError::Data(format!(
                "damaged: the manifest of snapshot {} of the lake: {}; restore it from a backup, or \
                 read another snapshot",
                snapshot.number,
                wrong.join("; ")
            )));
        }
        Ok(Lake {
            store,
            snapshot: Arc::new(snapshot),
        })
    }

    /// The files of a table.
    pub fn files(&self, table: &str) -> &[DataFile] {
        self.snapshot.tables.get(table).map_or(&[], |t| &t.files)
    }

    /// The file of a table that holds this bucket.
    pub fn file_of(&self, table: &str, bucket: u32) -> Option<&DataFile> {
        self.files(table)
            .iter()
            .find(|f| f.buckets.contains(&bucket))
    }

    /// What a table takes on disk, in bytes.
    pub fn bytes(&self, table: &str) -> u64 {
        self.files(table).iter().map(|f| f.size).sum()
    }

    /// How many rows a table has.
    pub fn rows(&self, table: &str) -> u64 {
        self.files(table).iter().map(|f| f.rows).sum()
    }
}
