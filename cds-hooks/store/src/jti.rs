//! Tokens that were used, for servers that share a store: the same `jti` of an issuer is taken once.

use jiff::Timestamp;

use crate::StoreError;
use crate::db::Connection;
use crate::hash;
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
/// the first time.
pub(crate) async fn write(
    connection: &mut Connection,
    used: &[&Used],
) -> Result<Vec<bool>, StoreError> {
    let mut places: Vec<(usize, &Used)> = used.iter().copied().enumerate().collect();
    places.sort_by(|a, b| a.1.id.cmp(&b.1.id));
    let mut first = vec![false; used.len()];
    for (place, one) in places {
        let sql =
            "INSERT INTO cds_jti (id, expires, owner) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let id = one.id.as_str();
        let values = vec![id.into(), one.expires.into(), one.owner.as_str().into()];
        let is_new = connection.execute(sql, values).await? > 0;
        let is_own = match is_new {
            true => true,
            false => {
                let sql = "SELECT owner FROM cds_jti WHERE id = $1";
                let row = connection.row(sql, vec![id.into()]).await?;
                row.map(|row| row.text(0))
                    .transpose()?
                    .is_some_and(|o| o == one.owner)
            }
        };
        if let Some(first) = first.get_mut(place) {
            *first = is_own;
        }
    }
    Ok(first)
}

/// Forgets those that expired before: their tokens are refused for their age. So many at a time that
/// nobody has to wait.
pub(crate) async fn forget(
    connection: &mut Connection,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let sql =
        "DELETE FROM cds_jti WHERE id IN (SELECT id FROM cds_jti WHERE expires < $1 LIMIT 5000)";
    connection.execute(sql, vec![micros(before).into()]).await
}
