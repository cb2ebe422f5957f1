//! One way to speak to both databases: the same SQL with `$1`, the same few types of values.
//!
//! Two types are enough: 64-bit integers and text. Moments are microseconds since 1970, hashes are
//! hexadecimal, structures are JSON.

mod failure;
mod place;
mod row;
mod sqlite;

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, SqlSafeStr};

use crate::StoreError;

pub(crate) use failure::is_twice;
pub use place::Place;
pub(crate) use place::{FileId, Mode};
pub(crate) use row::{Row, Value};

use self::sqlite::Sqlite;

/// How long a statement of SQLite waits for another process that writes. Whoever writes tries again.
pub(crate) const BUSY: Duration = Duration::from_secs(1);

/// A connection. Dropped in the middle of a transaction it takes the transaction back.
pub(crate) enum Connection {
    Sqlite(Box<Sqlite>),
    Postgres(PgConnection),
}

impl Connection {
    /// Whether it is PostgreSQL, where several servers may write.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Connection::Postgres(_))
    }

    /// Runs a statement. How many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        match self {
            Connection::Sqlite(own) => {
                let (changed, _) = own.run(sql, values).await?;
                Ok(changed)
            }
            Connection::Postgres(own) => {
                let query = row::bound_postgres(sqlx::query(sql), values);
                let done = query.execute(own).await.map_err(failure::told)?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs a statement whose answer nobody needs: at once, or in SQLite along with the next one (see [`Sqlite`]),
    /// which then fails for it.
    pub(crate) async fn later(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(own) => {
                own.later(sql.into_sql_str().as_str(), values);
                Ok(())
            }
            Connection::Postgres(_) => self.execute(sql, values).await.map(|_| ()),
        }
    }

    /// All rows of a question, which must bound them itself.
    pub(crate) async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Connection::Sqlite(own) => {
                let (_, rows) = own.run(sql, values).await?;
                Ok(rows)
            }
            Connection::Postgres(own) => {
                let query = row::bound_postgres(sqlx::query(sql), values);
                let rows = query.fetch_all(own).await.map_err(failure::told)?;
                rows.iter().map(row::of_postgres).collect()
            }
        }
    }

    /// The only row, if there is one.
    pub(crate) async fn row(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Runs statements without values.
    pub(crate) async fn script(&mut self, sql: impl SqlSafeStr) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(own) => own.script(sql).await,
            Connection::Postgres(own) => {
                let done = sqlx::raw_sql(sql).execute(own).await;
                done.map(|_| ()).map_err(failure::told)
            }
        }
    }

    /// Begins to write what is on the disk once it is committed. In SQLite nobody else writes until the end.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(_) => self.later("BEGIN IMMEDIATE", vec![]).await,
            Connection::Postgres(_) => self.script("BEGIN").await,
        }
    }

    /// Of SQLite: commits go to a log beside the file, and readers do not wait for writers. Kept in the file.
    pub(crate) async fn write_ahead(&mut self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(_) => self.script("PRAGMA journal_mode = WAL").await,
            Connection::Postgres(_) => Ok(()),
        }
    }

    /// Of SQLite: takes what is in the log over into the file, without waiting for anybody. How many pages the
    /// log has.
    pub(crate) async fn take_over_log(&mut self) -> Result<i64, StoreError> {
        if self.is_postgres() {
            return Ok(0);
        }
        let row = self.row("PRAGMA wal_checkpoint(PASSIVE)", vec![]).await?;
        row.map_or(Ok(0), |row| row.int(1))
    }

    /// Whether it answers.
    pub(crate) async fn ping(&mut self) -> Result<(), StoreError> {
        self.script("SELECT 1").await
    }

    /// Begins to read one state of the whole, whatever is written meanwhile.
    pub(crate) async fn begin_reading(&mut self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(_) => self.script("BEGIN").await,
            Connection::Postgres(_) => {
                let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                self.script(sql).await
            }
        }
    }

    /// Makes durable what was written.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(_) => self.execute("COMMIT", vec![]).await.map(|_| ()),
            // Not prepared first, while others wait.
            Connection::Postgres(_) => self.script("COMMIT").await,
        }
    }

    /// Takes back what was written. Whether the connection can be used on.
    pub(crate) async fn roll_back(&mut self) -> bool {
        if let Connection::Sqlite(own) = self {
            own.forget();
        }
        self.script("ROLLBACK").await.is_ok()
    }

    /// Of SQLite: moves the log of commits into the file, and empties it.
    pub(crate) async fn settle(&mut self) -> Result<(), StoreError> {
        let Some(row) = self.row("PRAGMA wal_checkpoint(TRUNCATE)", vec![]).await? else {
            return Ok(());
        };
        // A reader that takes long keeps the log as it is.
        match row.int(0)? {
            0 => Ok(()),
            _ => Err(StoreError::Busy(
                "somebody else reads the database: a part of it stays in the file beside it that ends in `-wal`"
                    .into(),
            )),
        }
    }

    /// Ends it. Whoever ends it in order need not know whether that worked.
    pub(crate) async fn close(self) {
        let _ = match self {
            Connection::Sqlite(own) => own.close().await,
            Connection::Postgres(own) => own.close().await,
        };
    }
}
