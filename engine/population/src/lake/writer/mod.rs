//! Rows to Parquet files: sorted, paged for retrieve, named by content.

mod batches;
mod codes;
mod facts;
mod file;
mod order;
mod patients;
mod resources;
mod shared;

use std::collections::BTreeMap;

use object_store::ObjectStore;

use super::commit::DataFile;
use super::error::LakeError;
use super::rows::Rows;
use super::schema;
use super::seal::Sealed;

pub use codes::{CodeTexts, write_codes};
pub use shared::{shared_part, write_shared};

use facts::{Fact, collect_facts, encode_facts};
use file::{encode, plain_properties, put};
use order::prepare;
use patients::Patients;
use resources::encode_resources;

/// Files of one group of neighbouring buckets, by table.
pub type Files = BTreeMap<String, Vec<DataFile>>;

/// Writes a group of neighbouring buckets: `resources` one file a bucket, `facts` and `patients` one
/// file for all of them. Buckets are added one after the other, so that one is in memory.
pub struct GroupWriter<'s> {
    store: &'s dyn ObjectStore,
    stamp: &'s str,
    modified_ms: i64,
    buckets: Vec<u32>,
    facts: Vec<Fact>,
    patients: Patients,
    files: Files,
}

impl<'s> GroupWriter<'s> {
    /// `buckets` are all of the group, ascending. `stamp` keeps file names unique over time;
    /// `modified_ms` is told to Delta readers.
    pub fn new(
        store: &'s dyn ObjectStore,
        buckets: Vec<u32>,
        stamp: &'s str,
        modified_ms: i64,
    ) -> Self {
        let (facts, patients, files) = (vec![], Patients::default(), Files::new());
        GroupWriter {
            store,
            stamp,
            modified_ms,
            buckets,
            facts,
            patients,
            files,
        }
    }

    /// Adds one bucket's rows, each type and id once.
    pub async fn add(&mut self, bucket: u32, mut rows: Rows) -> Result<(), LakeError> {
        if rows.rows.is_empty() {
            return Ok(());
        }
        let prepared = prepare(&mut rows)?;
        let encoded = encode_resources(bucket, &rows, &prepared)?;
        collect_facts(bucket, &rows, &prepared, &mut self.facts)?;
        self.patients.add(bucket, &rows, &prepared)?;
        let count = rows.rows.len();
        drop(rows);
        self.put(schema::RESOURCES, vec![bucket], encoded, count)
            .await
    }

    /// Writes what the buckets share, and tells all files.
    pub async fn finish(mut self) -> Result<Files, LakeError> {
        let mut facts = std::mem::take(&mut self.facts);
        facts.sort_unstable();
        if !facts.is_empty() {
            let encoded = encode_facts(&facts)?;
            self.put(schema::FACTS, self.buckets.clone(), encoded, facts.len())
                .await?;
        }
        drop(facts);
        let patients = std::mem::take(&mut self.patients);
        if patients.count > 0 {
            let count = patients.count;
            let batch = patients.finish();
            let encoded = encode(
                schema::PATIENTS,
                plain_properties().build(),
                &mut std::iter::once(batch),
            )?;
            self.put(schema::PATIENTS, self.buckets.clone(), encoded, count)
                .await?;
        }
        Ok(self.files)
    }

    async fn put(
        &mut self,
        table: &str,
        buckets: Vec<u32>,
        encoded: Sealed,
        rows: usize,
    ) -> Result<(), LakeError> {
        let file = put(
            self.store,
            table,
            buckets,
            encoded,
            rows,
            self.stamp,
            self.modified_ms,
        )
        .await?;
        self.files.entry(table.into()).or_default().push(file);
        Ok(())
    }
}
