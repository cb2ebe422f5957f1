//! A Parquet file of the lake: how it is encoded, sealed and named.

use arrow::array::RecordBatch;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::super::commit::DataFile;
use super::super::error::LakeError;
use super::super::schema;
use super::super::seal::{Sealed, seal};

/// Bytes of a row group, unpacked, unless one batch has more: a column of one is read into texts of
/// 2 GiB at most, and is in memory while it is written.
const GROUP_BYTES: usize = 512 << 20;

/// Raw JSON of a page: small, so that a retrieve decompresses little (`spikes/lake-layout.md`).
const RAW_PAGE: usize = 64 << 10;

pub(super) fn plain_properties() -> WriterPropertiesBuilder {
    let zstd = ZstdLevel::try_new(1).map_or(Compression::SNAPPY, Compression::ZSTD);
    WriterProperties::builder()
        .set_compression(zstd)
        .set_dictionary_enabled(false)
        .set_created_by("tandem".into())
}

/// The page limit is looked at after each write batch: the default of 1,024 rows would make pages
/// of a megabyte of JSON.
pub(super) fn raw_properties() -> WriterPropertiesBuilder {
    plain_properties()
        .set_write_batch_size(16)
        .set_data_page_size_limit(RAW_PAGE)
        .set_data_page_row_count_limit(8192)
        .set_max_row_group_row_count(Some(1 << 16))
        .set_column_dictionary_enabled(ColumnPath::from("resource_type"), true)
        .set_column_dictionary_enabled(ColumnPath::from("patient_id"), true)
        .set_column_dictionary_enabled(ColumnPath::from("bucket"), true)
        .set_column_statistics_enabled(ColumnPath::from("raw"), EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("restore"), EnabledStatistics::None)
}

pub(super) fn encode(
    table: &str,
    properties: WriterProperties,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, LakeError>>,
) -> Result<Sealed, LakeError> {
    let (out, schema) = (Vec::new(), schema::of(table));
    let mut writer = ArrowWriter::try_new(out, schema, Some(properties.clone()))?;
    let mut group = 0;
    for batch in batches {
        let batch = batch?;
        let bytes = batch.get_array_memory_size();
        if group > 0 && group + bytes > GROUP_BYTES {
            writer.flush()?;
            group = 0;
        }
        group += bytes;
        writer.write(&batch)?;
    }
    Ok(seal(writer.into_inner()?, properties)?)
}

/// Puts a file under a name of its own.
pub(super) async fn put(
    store: &dyn ObjectStore,
    table: &str,
    buckets: Vec<u32>,
    sealed: Sealed,
    rows: usize,
    stamp: &str,
    modified_ms: i64,
) -> Result<DataFile, LakeError> {
    let hash = sealed.hash.get(..16).unwrap_or_default();
    let place = buckets
        .first()
        .map_or(String::new(), |b| format!("b{b:05}-"));
    let name = format!("{stamp}-{place}{hash}.parquet");
    let size = sealed.bytes.len() as u64;
    store
        .put(&Path::from(format!("{table}/{name}")), sealed.bytes.into())
        .await?;
    Ok(DataFile {
        path: name,
        buckets,
        size,
        rows: rows as u64,
        modified_ms,
        tail: sealed.tail,
        tail_hash: sealed.tail_hash,
        hash: sealed.hash,
    })
}
