//! The memory that rows take until they are printed as a table.

use std::fmt::{self, Write};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Of a cell, beside its bytes: the heads of its two texts, and what an allocation takes.
const CELL: usize = 64;

/// The bytes of rows as they are, and as the texts of their cells: as they come, as they are shown, and in
/// the printed lines. A number of 8 bytes is a text of many more.
pub fn as_table(batch: &RecordBatch) -> usize {
    let options = FormatOptions::default();
    let texts = batch.columns().iter().map(|column| {
        let mut length = Length(0);
        // What cannot be shown is told where it is printed.
        if let Ok(cells) = ArrayFormatter::try_new(column.as_ref(), &options) {
            for row in 0..batch.num_rows() {
                let _ = write!(length, "{}", cells.value(row));
            }
        }
        length.0
    });
    let texts: usize = texts.fold(0, usize::saturating_add);
    let cells = batch.num_rows().saturating_mul(batch.num_columns());
    let rows = batch.get_array_memory_size();
    rows.saturating_add(texts.saturating_mul(3))
        .saturating_add(cells.saturating_mul(CELL))
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    #[test]
    fn cells_are_counted_as_texts() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(1000..2000));
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..1000).map(|_| "aé")));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap();
        let own = batch.get_array_memory_size();
        // 4 digits and 3 bytes, three times, in 2,000 cells.
        assert_eq!(as_table(&batch), own + 3 * 7_000 + 2_000 * CELL);
    }
}
