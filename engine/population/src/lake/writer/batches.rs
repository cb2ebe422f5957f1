//! Rows in batches that fit in memory, and what their columns of texts have in common.

use super::super::rows::Row;

/// Rows of a batch on its way to the writer.
const BATCH: usize = 4096;
/// And bytes of JSON, unless one row has more.
const BATCH_BYTES: usize = 64 << 20;

/// Rows in batches of so many rows, and of so many bytes: a column of texts takes 2 GiB at most.
pub(super) fn batches(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0usize;
        let fits = |row: &&Row| {
            bytes += row.raw.len() + row.restore.len();
            bytes <= BATCH_BYTES
        };
        let fitting = rest.iter().take(BATCH).take_while(fits).count().max(1);
        let (batch, behind) = rest.split_at_checked(fitting)?;
        rest = behind;
        Some(batch)
    })
}

/// An empty text is none.
pub(super) fn some_text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
