//! Many rows in few statements.

use sqlx::AssertSqlSafe;

use crate::StoreError;
use crate::db::{Connection, Row, Value};

/// Rows that go into one statement. Few sizes, so that each is prepared once a connection; halves, so that what is
/// written at once takes few statements.
const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// Inserts rows, each with a value for each column. `end` is what follows the values.
pub(crate) async fn insert(
    connection: &mut Connection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
    end: &str,
) -> Result<(), StoreError> {
    for piece in pieces(&rows) {
        let (sql, values) = statement_of(table, columns, piece, end);
        // Made of names in this program and of numbers.
        connection.later(AssertSqlSafe(sql), values).await?;
    }
    Ok(())
}

/// Inserts rows as [`insert`] does; `end` says what of them comes back.
pub(crate) async fn inserted(
    connection: &mut Connection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
    end: &str,
) -> Result<Vec<Row>, StoreError> {
    let mut found = vec![];
    for piece in pieces(&rows) {
        let (sql, values) = statement_of(table, columns, piece, end);
        // As above.
        found.extend(connection.rows(AssertSqlSafe(sql), values).await?);
    }
    Ok(found)
}

/// What there is, in pieces of the few sizes.
pub(crate) fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (piece, others) = rest.split_at(size);
        rest = others;
        Some(piece)
    })
}

/// `$3, $4, $5`: the places of so many values after others.
pub(crate) fn places(after: usize, count: usize) -> String {
    let all = (after + 1..=after + count).map(|place| format!("${place}"));
    all.collect::<Vec<_>>().join(", ")
}

fn statement_of(
    table: &str,
    columns: &[&str],
    rows: &[Vec<Value>],
    end: &str,
) -> (String, Vec<Value>) {
    let values = rows.iter().flatten().cloned().collect();
    (statement(table, columns, rows.len(), end), values)
}

fn statement(table: &str, columns: &[&str], size: usize, end: &str) -> String {
    let width = columns.len();
    let row = |number: usize| format!("({})", places(number * width, width));
    let rows: Vec<String> = (0..size).map(row).collect();
    format!(
        "INSERT INTO {table} ({}) VALUES {} {end}",
        columns.join(", "),
        rows.join(", ")
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_are_counted_through() {
        let sql = super::statement("t", &["a", "b"], 2, "ON CONFLICT DO NOTHING");
        let expected = "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING";
        assert_eq!(sql, expected);
    }

    #[test]
    fn pieces_have_few_sizes_and_nothing_is_left_out() {
        let all: Vec<u32> = (0..139).collect();
        let sizes: Vec<usize> = super::pieces(&all).map(<[u32]>::len).collect();
        assert_eq!(sizes, [64, 64, 8, 2, 1]);
        assert_eq!(super::pieces(&all).flatten().count(), 139);
        assert_eq!(super::pieces(&all[..0]).count(), 0);
    }
}
