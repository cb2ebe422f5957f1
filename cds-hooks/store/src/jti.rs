//! Tokens that were used: the same `jti` of an issuer is taken once. Servers that share PostgreSQL ask it; of SQLite,
//! which is for one server, see [`crate::tokens`].

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use crate::StoreError;
use crate::db::Connection;
use crate::hash;
use crate::rows::{insert, inserted};
use crate::time::micros;

/// A token to remember.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    /// Of issuer and jti: nothing of the token is stored.
    id: String,
    expires: i64,
    /// Names this question: asked again after the connection broke, the answer is the same.
    owner: String,
}

impl Used {
    pub(crate) fn new(iss: &str, jti: &str, expires: Timestamp, owner: String) -> Self {
        Used {
            id: hash::of_parts(&[iss, jti]),
            expires: micros(expires),
            owner,
        }
    }

    /// Half of the hash: enough to tell tokens apart.
    pub(crate) fn key(&self) -> u128 {
        let half = self.id.get(..32).unwrap_or_default();
        // It is hexadecimal, of our own making.
        u128::from_str_radix(half, 16).unwrap_or_default()
    }

    /// In microseconds from 1970.
    pub(crate) fn expires(&self) -> i64 {
        self.expires
    }
}

/// Remembers tokens, in the order of their keys (see [`crate::shown::write`]). Whether each is seen for
/// the first time: whose question stands there is the first.
pub(crate) async fn write(
    connection: &mut Connection,
    used: &[&Used],
) -> Result<Vec<bool>, StoreError> {
    let mut sorted: Vec<&Used> = used.to_vec();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    sorted.dedup_by(|a, b| a.id == b.id);
    let rows = sorted.iter().map(|one| {
        vec![
            one.id.as_str().into(),
            one.expires.into(),
            one.owner.as_str().into(),
        ]
    });
    let rows = rows.collect();
    let found = inserted(connection, "cds_jti", COLUMNS, rows, OWNERS).await?;
    let owners = found.iter().map(|row| Ok((row.text(0)?, row.text(1)?)));
    let owners: HashMap<String, String> = owners.collect::<Result<_, StoreError>>()?;
    let is_first = |one: &&Used| owners.get(&one.id) == Some(&one.owner);
    Ok(used.iter().map(is_first).collect())
}

const COLUMNS: &[&str] = &["id", "expires", "owner"];

/// What stands there comes back, also where it stood there before: with nothing to do, it would not.
const OWNERS: &str = "ON CONFLICT (id) DO UPDATE SET owner = cds_jti.owner RETURNING id, owner";

/// Of SQLite: writes tokens of which it is known that each is the first.
pub(crate) async fn keep(connection: &mut Connection, used: &[&Used]) -> Result<(), StoreError> {
    let rows = used.iter().map(|one| {
        let id = format!("{:032x}", one.key());
        vec![one.expires.into(), id.as_str().into()]
    });
    let rows = rows.collect();
    // A try of which nobody knows how it ended may have written them.
    let end = "ON CONFLICT DO NOTHING";
    insert(connection, "cds_jti", &["expires", "id"], rows, end).await
}

/// Of SQLite: makes this server the one that knows the tokens, and tells it those that are there, by when they expire.
pub(crate) async fn take_over(
    connection: &mut Connection,
    owner: &str,
) -> Result<Vec<(i64, Vec<u128>)>, StoreError> {
    let sql = "UPDATE cds_audit_head SET tokens_of = $1 WHERE one = 1";
    connection.later(sql, vec![owner.into()]).await?;
    let sql = "SELECT expires, group_concat(id, ' ') FROM cds_jti GROUP BY expires";
    let rows = connection.rows(sql, vec![]).await?;
    let known = rows.iter().map(|row| {
        let ids = row.text(1)?;
        let keys = ids.split(' ').map(|id| u128::from_str_radix(id, 16));
        let damaged =
            |_| StoreError::Damaged("a token that was used is not named by a hash".into());
        Ok((
            row.int(0)?,
            keys.collect::<Result<_, _>>().map_err(damaged)?,
        ))
    });
    known.collect()
}

/// Whether this server is the one still.
pub(crate) async fn are_of(connection: &mut Connection, owner: &str) -> Result<bool, StoreError> {
    let sql = "SELECT tokens_of FROM cds_audit_head WHERE one = 1";
    let row = connection.row(sql, vec![]).await?;
    let found = row.as_ref().map_or(Ok(None), |row| row.maybe_text(0))?;
    Ok(found == Some(owner))
}

/// Rows that are forgotten at once: nobody has to wait for it, and more than come at once.
const FORGOTTEN: u64 = 1_000;

/// Forgets those that expired before: their tokens are refused for their age. Whether there may be more.
pub(crate) async fn forget(
    connection: &mut Connection,
    before: Timestamp,
) -> Result<bool, StoreError> {
    let sql = format!(
        "DELETE FROM cds_jti WHERE (expires, id) IN \
         (SELECT expires, id FROM cds_jti WHERE expires < $1 LIMIT {FORGOTTEN})"
    );
    // Made of a number of this program.
    let gone = connection
        .execute(AssertSqlSafe(sql), vec![micros(before).into()])
        .await?;
    Ok(gone >= FORGOTTEN)
}
