//! Text of other people in a terminal: control characters move the cursor, recolour, rename the window;
//! bidi marks turn text round, zero-width ones hide in it. They are shown (`\u{1b}`) instead of sent.
//!
//! For text that people read. What machines read (CSV, JSON, Parquet) stays exact.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
pub use engine_patient::finding::visible::{in_line, in_text};

/// The heading and the cells of a table that people read; a value that is not there is an empty cell.
pub fn in_rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    options: &FormatOptions<'_>,
) -> Result<(Vec<String>, Vec<Vec<String>>), ArrowError> {
    let heading = schema.fields().iter().map(|field| field.name().clone());
    let mut rows: Vec<Vec<String>> = vec![];
    for batch in batches {
        let columns = batch.columns().iter();
        let columns = columns.map(|column| ArrayFormatter::try_new(column.as_ref(), options));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns
                .iter()
                .map(|column| column.value(row).try_to_string());
            rows.push(cells.collect::<Result<_, _>>()?);
        }
    }
    Ok((heading.collect(), rows))
}
