//! Text of other people in a terminal: control characters move the cursor, recolour, rename the window;
//! bidi marks turn text round, zero-width ones hide in it. They are shown (`\u{1b}`) instead of sent.
//!
//! For text that people read. What machines read (CSV, JSON, Parquet) stays exact.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
pub use engine_patient::finding::visible::{in_line, in_text};

/// Rows for a table that people read: whatever is no number or truth becomes a text within a line.
pub fn in_rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    options: &FormatOptions<'_>,
) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let plain = |ty: &DataType| ty.is_numeric() || ty.is_temporal() || *ty == DataType::Boolean;
    let field = |field: &FieldRef| {
        let ty = match plain(field.data_type()) {
            true => field.data_type().clone(),
            false => DataType::Utf8,
        };
        Field::new(in_line(field.name()), ty, true)
    };
    let fields: Vec<Field> = schema.fields().iter().map(field).collect();
    let shown_schema = Arc::new(Schema::new(fields));
    let column = |column: &ArrayRef| -> Result<ArrayRef, ArrowError> {
        if plain(column.data_type()) {
            return Ok(Arc::clone(column));
        }
        let format = ArrayFormatter::try_new(column.as_ref(), options)?;
        let mut out = StringBuilder::new();
        for row in 0..column.len() {
            match column.is_null(row) {
                true => out.append_null(),
                false => out.append_value(in_line(&format.value(row).try_to_string()?)),
            }
        }
        Ok(Arc::new(out.finish()))
    };
    let batch = |batch: &RecordBatch| -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().map(column);
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new_with_options(Arc::clone(&shown_schema), columns, &rows)
    };
    let batches = batches.iter().map(batch).collect::<Result<Vec<_>, _>>()?;
    Ok((shown_schema, batches))
}
