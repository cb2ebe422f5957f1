//! The table `facts`: a row for each resource and each of its codes.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int16Array, Int32Array, Int64Array, RecordBatch};
use parquet::basic::Encoding;
use parquet::file::properties::EnabledStatistics;
use parquet::schema::types::ColumnPath;

use super::super::error::LakeError;
use super::super::paths::type_id;
use super::super::rows::Rows;
use super::super::schema;
use super::super::seal::Sealed;
use super::file::{encode, plain_properties};
use super::order::{Prepared, bucket_int, int};

/// One row of `facts`, in sort order of its fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Fact {
    rtype: i16,
    path: i16,
    code_key: i64,
    bucket: i32,
    pat: i32,
    start: Option<i64>,
    rid: i32,
    end: Option<i64>,
}

pub(super) fn collect_facts(
    bucket: u32,
    rows: &Rows,
    prepared: &Prepared,
    facts: &mut Vec<Fact>,
) -> Result<(), LakeError> {
    facts.reserve(rows.codes.len());
    for (rid, (row, pat)) in rows.rows.iter().zip(&prepared.pats).enumerate() {
        for code in rows.codes_of(row) {
            facts.push(Fact {
                rtype: type_id(row.ty),
                path: code.path,
                code_key: code.key,
                bucket: bucket_int(bucket),
                pat: *pat,
                start: row.start,
                rid: int(rid),
                end: row.end,
            });
        }
    }
    Ok(())
}

pub(super) fn encode_facts(facts: &[Fact]) -> Result<Sealed, LakeError> {
    let mut chunks = facts.chunks(1 << 16).map(|chunk| {
        let i32s = |f: fn(&Fact) -> i32| {
            Arc::new(Int32Array::from_iter_values(chunk.iter().map(f))) as ArrayRef
        };
        let i16s = |f: fn(&Fact) -> i16| {
            Arc::new(Int16Array::from_iter_values(chunk.iter().map(f))) as ArrayRef
        };
        let columns: Vec<ArrayRef> = vec![
            i16s(|f| f.rtype),
            i16s(|f| f.path),
            Arc::new(Int64Array::from_iter_values(
                chunk.iter().map(|f| f.code_key),
            )),
            i32s(|f| f.bucket),
            i32s(|f| f.pat),
            i32s(|f| f.rid),
            Arc::new(chunk.iter().map(|f| f.start).collect::<Int64Array>()),
            Arc::new(chunk.iter().map(|f| f.end).collect::<Int64Array>()),
        ];
        Ok(RecordBatch::try_new(schema::of(schema::FACTS), columns)?)
    });
    let mut properties = plain_properties()
        .set_data_page_row_count_limit(2048)
        .set_max_row_group_row_count(Some(1 << 20));
    for column in ["rtype", "path", "code_key", "bucket"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), true);
    }
    for column in ["pat", "rid"] {
        properties =
            properties.set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED);
    }
    for column in ["rid", "start_ms", "end_ms"] {
        properties = properties
            .set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Chunk);
    }
    encode(schema::FACTS, properties.build(), &mut chunks)
}
