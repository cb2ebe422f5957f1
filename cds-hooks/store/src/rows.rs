//! Many rows in few statements.

use sqlx::AssertSqlSafe;

use crate::StoreError;
use crate::db::{Connection, Value};

/// Rows that go into one statement. Few sizes, so that each is prepared once a connection.
const SIZES: [usize; 3] = [64, 8, 1];

/// Inserts rows, each with a value for each column. `end` is what follows the values.
pub(crate) async fn insert(
    connection: &mut Connection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
    end: &str,
) -> Result<(), StoreError> {
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let size = SIZES.into_iter().find(|size| *size <= rows.len());
        let size = size.unwrap_or(1);
        let values: Vec<Value> = rows.by_ref().take(size).flatten().collect();
        let sql = statement(table, columns, size, end);
        // Made of names in this program and of numbers.
        connection.execute(AssertSqlSafe(sql), values).await?;
    }
    Ok(())
}

fn statement(table: &str, columns: &[&str], size: usize, end: &str) -> String {
    let width = columns.len();
    let row = |number: usize| {
        let places = (1..=width).map(|place| format!("${}", number * width + place));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
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
}
