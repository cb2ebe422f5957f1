//! The table `codes`: what each code key stands for.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringBuilder};
use object_store::ObjectStore;

use super::super::commit::DataFile;
use super::super::error::LakeError;
use super::super::schema;
use super::file::{encode, plain_properties, put};

/// System, code and display of a code key.
pub type CodeTexts = (String, String, Option<String>);

/// Writes what each code key stands for.
pub async fn write_codes(
    store: &dyn ObjectStore,
    codes: &BTreeMap<i64, CodeTexts>,
    stamp: &str,
    modified_ms: i64,
) -> Result<Option<DataFile>, LakeError> {
    if codes.is_empty() {
        return Ok(None);
    }
    let (mut systems, mut texts, mut displays) = (
        StringBuilder::new(),
        StringBuilder::new(),
        StringBuilder::new(),
    );
    for (system, code, display) in codes.values() {
        systems.append_value(system);
        texts.append_value(code);
        displays.append_option(display.as_deref());
    }
    let keys = Int64Array::from_iter_values(codes.keys().copied());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(keys),
        Arc::new(systems.finish()),
        Arc::new(texts.finish()),
        Arc::new(displays.finish()),
    ];
    let batch = RecordBatch::try_new(schema::of(schema::CODES), columns)?;
    let encoded = encode(
        schema::CODES,
        plain_properties().build(),
        &mut std::iter::once(Ok(batch)),
    )?;
    put(
        store,
        schema::CODES,
        vec![],
        encoded,
        codes.len(),
        stamp,
        modified_ms,
    )
    .await
    .map(Some)
}
