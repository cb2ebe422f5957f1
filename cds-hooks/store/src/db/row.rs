//! Values on their way in and out.

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Row as _, TypeInfo, ValueRef};

use super::failure::told;
use crate::StoreError;

/// A value. PostgreSQL wants to know the type of what is not there, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
    NoText,
}

impl Value {
    /// A text that may be absent.
    pub(crate) fn maybe(text: Option<&str>) -> Self {
        text.map_or(Value::NoText, Value::from)
    }
}

impl From<&str> for Value {
    /// PostgreSQL has no text with U+0000 in it: it becomes U+FFFD, in both databases alike.
    fn from(text: &str) -> Self {
        match text.contains('\0') {
            true => Value::Text(text.replace('\0', "\u{fffd}")),
            false => Value::Text(text.to_owned()),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

/// A row, its values in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Row(Vec<Value>);

impl Row {
    fn bad(place: usize) -> StoreError {
        StoreError::Damaged(format!(
            "column {} of an answer of the database is not of the type that was written",
            place + 1
        ))
    }

    pub(crate) fn int(&self, place: usize) -> Result<i64, StoreError> {
        match self.0.get(place) {
            Some(Value::Int(number)) => Ok(*number),
            // A sum of nothing.
            Some(Value::NoText) => Ok(0),
            _ => Err(Row::bad(place)),
        }
    }

    pub(crate) fn maybe_int(&self, place: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(place) {
            Some(Value::NoText) => Ok(None),
            _ => self.int(place).map(Some),
        }
    }

    pub(crate) fn count(&self, place: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(place)?).map_err(|_| Row::bad(place))
    }

    pub(crate) fn maybe_text(&self, place: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(place) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::NoText) => Ok(None),
            _ => Err(Row::bad(place)),
        }
    }

    pub(crate) fn text(&self, place: usize) -> Result<String, StoreError> {
        let text = self.maybe_text(place)?;
        text.map(str::to_owned).ok_or_else(|| Row::bad(place))
    }
}

pub(super) fn bound_sqlite(
    query: Query<'_, Sqlite, SqliteArguments>,
    values: Vec<Value>,
) -> Query<'_, Sqlite, SqliteArguments> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::NoText => query.bind(None::<String>),
    })
}

pub(super) fn bound_postgres(
    query: Query<'_, Postgres, PgArguments>,
    values: Vec<Value>,
) -> Query<'_, Postgres, PgArguments> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::NoText => query.bind(None::<String>),
    })
}

pub(super) fn of_sqlite(row: &SqliteRow) -> Result<Row, StoreError> {
    let value = |place: usize| -> Result<Value, sqlx::Error> {
        let raw = row.try_get_raw(place)?;
        if raw.is_null() {
            return Ok(Value::NoText);
        }
        let is_integer = raw.type_info().name() == "INTEGER";
        Ok(match is_integer {
            true => Value::Int(row.try_get(place)?),
            false => Value::Text(row.try_get(place)?),
        })
    };
    let values = (0..row.len()).map(value);
    Ok(Row(values.collect::<Result<_, _>>().map_err(told)?))
}

pub(super) fn of_postgres(row: &PgRow) -> Result<Row, StoreError> {
    let value = |place: usize| -> Result<Value, sqlx::Error> {
        let raw = row.try_get_raw(place)?;
        if raw.is_null() {
            return Ok(Value::NoText);
        }
        let name = raw.type_info().name().to_owned();
        Ok(match name.as_str() {
            "INT8" => Value::Int(row.try_get(place)?),
            "INT4" => Value::Int(i64::from(row.try_get::<i32, _>(place)?)),
            _ => Value::Text(row.try_get(place)?),
        })
    };
    let values = (0..row.len()).map(value);
    Ok(Row(values.collect::<Result<_, _>>().map_err(told)?))
}
