//! The table `resources`: a row for each resource of a patient.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringBuilder, TimestampMicrosecondArray};

use super::super::error::LakeError;
use super::super::rows::Rows;
use super::super::schema;
use super::super::seal::Sealed;
use super::batches::{batches, some_text};
use super::file::{encode, raw_properties};
use super::order::{Prepared, bucket_int};

pub(super) fn encode_resources(
    bucket: u32,
    rows: &Rows,
    prepared: &Prepared,
) -> Result<Sealed, LakeError> {
    let mut pats = prepared.pats.as_slice();
    let mut chunks = batches(&rows.rows)
        .map_while(|chunk| {
            let (own, behind) = pats.split_at_checked(chunk.len())?;
            pats = behind;
            Some((chunk, own))
        })
        .map(|(chunk, pats)| {
            let raw_bytes = chunk.iter().map(|r| r.raw.len()).sum();
            let (mut patients, mut types) = (StringBuilder::new(), StringBuilder::new());
            let (mut ids, mut versions) = (StringBuilder::new(), StringBuilder::new());
            let mut raws = StringBuilder::with_capacity(chunk.len(), raw_bytes);
            let mut restores = StringBuilder::new();
            let mut updated = Vec::with_capacity(chunk.len());
            for row in chunk {
                patients.append_value(rows.str(&row.patient));
                types.append_value(row.ty.as_str());
                ids.append_value(rows.str(&row.id));
                versions.append_option(some_text(rows.str(&row.version)));
                updated.push(row.age.updated);
                raws.append_value(rows.str(&row.raw));
                restores.append_option(some_text(rows.str(&row.restore)));
            }
            let updated = TimestampMicrosecondArray::from(updated).with_timezone("UTC");
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int32Array::from(vec![bucket_int(bucket); chunk.len()])),
                Arc::new(Int32Array::from(pats.to_vec())),
                Arc::new(patients.finish()),
                Arc::new(types.finish()),
                Arc::new(ids.finish()),
                Arc::new(versions.finish()),
                Arc::new(updated),
                Arc::new(raws.finish()),
                Arc::new(restores.finish()),
            ];
            Ok(RecordBatch::try_new(
                schema::of(schema::RESOURCES),
                columns,
            )?)
        });
    encode(schema::RESOURCES, raw_properties().build(), &mut chunks)
}
