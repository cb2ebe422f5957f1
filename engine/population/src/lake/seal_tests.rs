//! Sealed files are read as those they were made of, and every flipped bit is found.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::EnabledStatistics;
use parquet::schema::types::ColumnPath;

use super::*;
use crate::lake::DataFile;
use crate::lake::reader::read_columns;

/// Numbers, texts of a dictionary, long texts with nulls; pages and row groups of a few rows.
fn batch(rows: i64) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("key", Arc::new((0..rows).collect::<Int64Array>())),
        (
            "small",
            Arc::new(
                (0..rows)
                    .map(|n| i32::try_from(n % 7).ok())
                    .collect::<Int32Array>(),
            ),
        ),
        (
            "word",
            Arc::new(
                (0..rows)
                    .map(|n| Some(format!("word {}", n % 5)))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "text",
            Arc::new(
                (0..rows)
                    .map(|n| (n % 3 > 0).then(|| format!("{n} {}", "x".repeat((n % 90) as usize))))
                    .collect::<StringArray>(),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap()))
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(ColumnPath::from("word"), true)
        .set_column_encoding(ColumnPath::from("key"), Encoding::DELTA_BINARY_PACKED)
        .set_column_statistics_enabled(ColumnPath::from("text"), EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("small"), EnabledStatistics::Chunk)
        .set_write_batch_size(64)
        .set_data_page_row_count_limit(128)
        .set_max_row_group_row_count(Some(600))
        .build()
}

fn encoded(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties())).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn rows(bytes: &[u8], selection: Option<RowSelection>) -> Vec<RecordBatch> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let bytes = Bytes::copy_from_slice(bytes);
    let mut builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).unwrap();
    if let Some(selection) = selection {
        builder = builder.with_row_selection(selection);
    }
    builder
        .with_batch_size(100)
        .build()
        .unwrap()
        .map(|b| b.unwrap())
        .collect()
}

#[test]
fn a_sealed_file_is_read_as_before() {
    let batch = batch(2000);
    let before = encoded(&batch);
    let sealed = seal(before.clone(), properties()).unwrap();
    assert_eq!(rows(&before, None), rows(&sealed.bytes, None));
    let some = || {
        Some(RowSelection::from(vec![
            RowSelector::skip(701),
            RowSelector::select(3),
            RowSelector::skip(800),
            RowSelector::select(150),
        ]))
    };
    assert_eq!(rows(&before, some()), rows(&sealed.bytes, some()));

    let read = |bytes: &[u8]| {
        let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
        ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Required)
            .with_metadata_options(Some(options))
            .parse_and_finish(&Bytes::copy_from_slice(bytes))
            .unwrap()
    };
    let (old, new) = (read(&before), read(&sealed.bytes));
    assert_eq!(
        old.file_metadata().schema_descr(),
        new.file_metadata().schema_descr()
    );
    assert_eq!(
        old.file_metadata().created_by(),
        new.file_metadata().created_by()
    );
    assert_eq!(old.column_index(), new.column_index());
    let pairs = old.file_metadata().key_value_metadata().unwrap();
    let kept = new.file_metadata().key_value_metadata().unwrap();
    assert_eq!(pairs.as_slice(), &kept[..pairs.len()]);
    assert_eq!(kept.len(), pairs.len() + 1);
    let mut pages = 0;
    for (a, b) in old.row_groups().iter().zip(new.row_groups()) {
        assert_eq!(a.num_rows(), b.num_rows());
        for (a, b) in a.columns().iter().zip(b.columns()) {
            assert_eq!(a.statistics(), b.statistics());
            assert_eq!(a.page_encoding_stats(), b.page_encoding_stats());
            assert!(a.encodings().eq(b.encodings()));
            assert_eq!(a.num_values(), b.num_values());
            let more = b.compressed_size() - a.compressed_size();
            assert_eq!(b.uncompressed_size() - a.uncompressed_size(), more);
            // From 3 to 6 bytes a page.
            assert!(more > 0);
        }
    }
    for (a, b) in old
        .offset_index()
        .unwrap()
        .iter()
        .zip(new.offset_index().unwrap())
    {
        for (a, b) in a.iter().zip(b) {
            let firsts = |o: &OffsetIndexMetaData| -> Vec<i64> {
                o.page_locations()
                    .iter()
                    .map(|p| p.first_row_index)
                    .collect()
            };
            assert_eq!(firsts(a), firsts(b));
            assert_eq!(
                a.unencoded_byte_array_data_bytes(),
                b.unencoded_byte_array_data_bytes()
            );
            pages += b.page_locations().len();
        }
    }
    assert!(pages > 40, "{pages}");
}

fn stored(sealed: &Sealed) -> DataFile {
    DataFile {
        path: "f.parquet".into(),
        buckets: vec![],
        size: sealed.bytes.len() as u64,
        rows: 1,
        modified_ms: 0,
        tail: sealed.tail,
        tail_hash: sealed.tail_hash.clone(),
        hash: sealed.hash.clone(),
    }
}

/// Every byte that any reading of ours looks at is verified: headers of pages, levels, the page
/// indexes, the footer. The four bytes at the start are looked at by nobody but are in a block.
#[tokio::test]
async fn every_flipped_bit_is_found() {
    let batch = batch(400);
    let sealed = seal(encoded(&batch), properties()).unwrap();
    let file = stored(&sealed);
    let columns = ["key", "small", "word", "text"];
    let path = Path::from("t/f.parquet");
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    store.put(&path, sealed.bytes.clone().into()).await.unwrap();
    let good = read_columns(&store, "t", &file, &columns).await.unwrap();
    assert_eq!(good.iter().map(RecordBatch::num_rows).sum::<usize>(), 400);
    for at in (0..sealed.bytes.len()).step_by(7) {
        let mut bytes = sealed.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        store.put(&path, bytes.into()).await.unwrap();
        let error = read_columns(&store, "t", &file, &columns)
            .await
            .unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("damaged: t/f.parquet of the lake: its checksum does not match"),
            "byte {at}: {said}"
        );
    }
}

#[tokio::test]
async fn what_is_gone_or_cut_off_is_said() {
    let sealed = seal(encoded(&batch(50)), properties()).unwrap();
    let file = stored(&sealed);
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let said = |e: crate::lake::LakeError| e.to_string();
    let gone = read_columns(&store, "t", &file, &["key"])
        .await
        .unwrap_err();
    assert!(
        matches!(gone, crate::lake::LakeError::Vacuumed(_)),
        "{gone:?}"
    );
    let half = sealed.bytes[..sealed.bytes.len() / 2].to_vec();
    store
        .put(&Path::from("t/f.parquet"), half.into())
        .await
        .unwrap();
    let cut = said(
        read_columns(&store, "t", &file, &["key"])
            .await
            .unwrap_err(),
    );
    assert!(cut.contains("bytes, and the snapshot says"), "{cut}");
}

/// The checksum is that of the format: CRC-32 of what follows the header.
#[test]
fn each_page_header_has_its_crc() {
    let data = b"data of a page";
    // Kind, sizes, and a header of a data page of one field.
    let mut page = vec![0x15, 0, 0x15, 28, 0x15, 28, 0x2c, 0x15, 8, 0, 0];
    page.extend_from_slice(data);
    let mut out = vec![];
    push_page(&mut out, Some(&page)).unwrap();
    assert_eq!(&out[..6], &page[..6]);
    let (zigzag, at) = varint(&out, 7).unwrap();
    let crc = ((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)) as i32 as u32;
    let mut expected = Crc::new();
    expected.update(data);
    assert_eq!((out[6], crc), (0x15, expected.sum()));
    assert_eq!(out[at], 0x1c);
    assert_eq!(&out[at + 1..], &page[7..]);
    for broken in [&page[..3], &out[..], b""] {
        assert!(push_page(&mut vec![], Some(broken)).is_err());
    }
}
