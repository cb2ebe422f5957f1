//! A connection to SQLite, which has a thread of its own: a statement goes there, and its answer comes back. On a
//! machine whose processors are busy each way takes longer than the statement, so what needs no answer is kept and goes
//! along with the next that does:
//!
//! ```text
//! later BEGIN, later INSERT, SELECT ──▶ BEGIN; INSERT; SELECT ──▶ its rows
//! later INSERT, later UPDATE, COMMIT ─▶ INSERT; UPDATE; COMMIT
//! ```
//!
//! The first that fails ends the whole, as it would alone: nothing after it is run.

use futures::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Either, Executor, SqlSafeStr};

use super::failure::told;
use super::row::{self, Row, Value};
use crate::StoreError;

/// Values of statements that are kept prepared, at most: larger ones come in too many sizes, and take memory.
const KEPT: usize = 1_000;

pub(crate) struct Sqlite {
    own: SqliteConnection,
    /// Statements that were not sent yet, each with `;` after it.
    sql: String,
    values: Vec<Value>,
    statements: usize,
}

impl Sqlite {
    pub(super) fn new(own: SqliteConnection) -> Self {
        Sqlite {
            own,
            sql: String::new(),
            values: vec![],
            statements: 0,
        }
    }

    /// Keeps a statement for the next [`Self::run`] or [`Self::script`].
    pub(super) fn later(&mut self, sql: &str, values: Vec<Value>) {
        renumber(&mut self.sql, sql, self.values.len());
        self.sql.push(';');
        self.values.extend(values);
        self.statements += 1;
    }

    /// Drops what was not sent.
    pub(super) fn forget(&mut self) {
        self.sql.clear();
        self.values.clear();
        self.statements = 0;
    }

    /// Runs what was kept, and a statement: how many rows that one changed, and its rows.
    pub(super) async fn run(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<(u64, Vec<Row>), StoreError> {
        if self.statements == 0 {
            return self.send(sql, values, 0).await;
        }
        let before = self.statements;
        self.later(sql.into_sql_str().as_str(), values);
        let (sql, values) = self.kept();
        // Made of statements that are safe.
        self.send(AssertSqlSafe(sql), values, before).await
    }

    /// Runs statements without values. They are not kept prepared: a `PRAGMA` may do what it does when it is prepared.
    pub(super) async fn script(&mut self, sql: impl SqlSafeStr) -> Result<(), StoreError> {
        if self.statements > 0 {
            let (sql, values) = self.kept();
            // As above.
            self.send(AssertSqlSafe(sql), values, 0).await?;
        }
        let done = sqlx::raw_sql(sql).execute(&mut self.own).await;
        done.map(|_| ()).map_err(told)
    }

    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        self.own.close().await
    }

    fn kept(&mut self) -> (String, Vec<Value>) {
        self.statements = 0;
        (
            std::mem::take(&mut self.sql),
            std::mem::take(&mut self.values),
        )
    }

    /// What the statements after the first `before` of them changed and found.
    async fn send(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
        before: usize,
    ) -> Result<(u64, Vec<Row>), StoreError> {
        let is_usual = values.len() <= KEPT;
        let query = row::bound_sqlite(sqlx::query(sql), values).persistent(is_usual);
        let mut steps = self.own.fetch_many(query);
        let (mut ended, mut changed, mut rows) = (0, 0, vec![]);
        while let Some(step) = steps.try_next().await.map_err(told)? {
            match step {
                Either::Left(done) => {
                    ended += 1;
                    changed = done.rows_affected();
                }
                Either::Right(found) if ended >= before => rows.push(row::of_sqlite(&found)?),
                Either::Right(_) => {}
            }
        }
        Ok((changed, rows))
    }
}

/// Appends a statement whose values come after `before` others: `$1` becomes `$3` after two. (No statement of this
/// crate has a `$` in a text.)
fn renumber(all: &mut String, sql: &str, before: usize) {
    let mut pieces = sql.split('$');
    all.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number = number.parse::<usize>().unwrap_or_default() + before;
        all.push('$');
        all.push_str(&number.to_string());
        all.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_statements_are_counted_through() {
        let mut all = String::new();
        renumber(&mut all, "INSERT INTO t (a, b) VALUES ($1, $12)", 0);
        all.push(';');
        renumber(&mut all, "UPDATE t SET a = $2 WHERE b = $1", 12);
        renumber(&mut all, "; COMMIT", 14);
        let expected =
            "INSERT INTO t (a, b) VALUES ($1, $12);UPDATE t SET a = $14 WHERE b = $13; COMMIT";
        assert_eq!(all, expected);
    }
}
