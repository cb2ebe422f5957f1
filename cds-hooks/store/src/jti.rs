//! Tokens that were used, for servers that share a store: the same `jti` of an issuer is taken once.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use crate::StoreError;
use crate::db::Connection;
use crate::hash;
use crate::rows::inserted;
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

/// Rows that are forgotten at once: nobody has to wait for it, and more than come at once.
const FORGOTTEN: u64 = 1_000;

/// Forgets those that expired before: their tokens are refused for their age. Whether there may be more.
pub(crate) async fn forget(
    connection: &mut Connection,
    before: Timestamp,
) -> Result<bool, StoreError> {
    let sql = format!(
        "DELETE FROM cds_jti WHERE id IN (SELECT id FROM cds_jti WHERE expires < $1 LIMIT {FORGOTTEN})"
    );
    // Made of a number of this program.
    let gone = connection
        .execute(AssertSqlSafe(sql), vec![micros(before).into()])
        .await?;
    Ok(gone >= FORGOTTEN)
}
