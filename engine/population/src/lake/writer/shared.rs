//! The table `shared`: resources without a patient, in parts.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder, TimestampMicrosecondArray};
use object_store::ObjectStore;

use super::super::commit::DataFile;
use super::super::error::LakeError;
use super::super::rows::Rows;
use super::super::schema;
use super::batches::{batches, some_text};
use super::file::{encode, put, raw_properties};

/// Which part of the resources without a patient a file holds, of how many: it stands in its name.
pub fn shared_part(file: &DataFile) -> (u32, u32) {
    let part = |text: &str| {
        let (part, of) = text.strip_prefix('b')?.split_once("of")?;
        let (part, of): (u32, u32) = (part.parse().ok()?, of.parse().ok()?);
        (of.is_power_of_two() && part < of).then_some((part, of))
    };
    file.path.split('-').find_map(part).unwrap_or((0, 1))
}

/// Writes a part of the resources without a patient: the part and of how many, a power of two.
pub async fn write_shared(
    store: &dyn ObjectStore,
    rows: &mut Rows,
    (part, of): (u32, u32),
    stamp: &str,
    modified_ms: i64,
) -> Result<Option<DataFile>, LakeError> {
    if rows.rows.is_empty() {
        return Ok(None);
    }
    let mut list = std::mem::take(&mut rows.rows);
    list.sort_by(|a, b| (a.ty.as_str(), rows.str(&a.id)).cmp(&(b.ty.as_str(), rows.str(&b.id))));
    rows.rows = list;
    let mut batches = batches(&rows.rows).map(|chunk| {
        let (mut types, mut ids) = (StringBuilder::new(), StringBuilder::new());
        let (mut versions, mut restores) = (StringBuilder::new(), StringBuilder::new());
        let raw_bytes = chunk.iter().map(|r| r.raw.len()).sum();
        let mut raws = StringBuilder::with_capacity(chunk.len(), raw_bytes);
        let mut updated = Vec::with_capacity(chunk.len());
        for row in chunk {
            types.append_value(row.ty.as_str());
            ids.append_value(rows.str(&row.id));
            versions.append_option(some_text(rows.str(&row.version)));
            updated.push(row.age.updated);
            raws.append_value(rows.str(&row.raw));
            restores.append_option(some_text(rows.str(&row.restore)));
        }
        let updated = TimestampMicrosecondArray::from(updated).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(types.finish()),
            Arc::new(ids.finish()),
            Arc::new(versions.finish()),
            Arc::new(updated),
            Arc::new(raws.finish()),
            Arc::new(restores.finish()),
        ];
        Ok(RecordBatch::try_new(schema::of(schema::SHARED), columns)?)
    });
    let encoded = encode(schema::SHARED, raw_properties().build(), &mut batches)?;
    let place = match of {
        1 => stamp.to_owned(),
        _ => format!("{stamp}-b{part:05}of{of:05}"),
    };
    let count = rows.rows.len();
    put(
        store,
        schema::SHARED,
        vec![],
        encoded,
        count,
        &place,
        modified_ms,
    )
    .await
    .map(Some)
}
