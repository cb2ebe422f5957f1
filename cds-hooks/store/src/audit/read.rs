//! Reading entries, a page at a time.

use jiff::Timestamp;

use super::append::number;
use super::entry::AuditEntry;
use super::verify::Head;
use crate::StoreError;
use crate::db::{Connection, Row, Value};
use crate::time::micros;

/// Which entries. All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of this client.
    pub client: Option<String>,
    /// About this patient.
    pub patient: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Only this one.
    pub id: Option<String>,
}

/// An entry with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Place and hash.
    pub head: Head,
    /// What it says.
    pub entry: AuditEntry,
}

/// The last entry; of an empty log number 0 without a hash.
pub(crate) async fn head(connection: &mut Connection) -> Result<Head, StoreError> {
    let sql = "SELECT seq, hash FROM cds_audit_head WHERE one = 1";
    let row = connection.row(sql, vec![]).await?;
    let missing = || StoreError::Damaged("the head of the audit log is missing".into());
    let row = row.ok_or_else(missing)?;
    Ok(Head {
        seq: row.count(0)?,
        hash: row.text(1)?,
    })
}

/// Whether the log has this place, or had it before a purge; an empty one it always has.
pub(crate) async fn has(connection: &mut Connection, place: &Head) -> Result<bool, StoreError> {
    if *place == Head::default() {
        return Ok(true);
    }
    let sql = "SELECT hash FROM cds_audit WHERE seq = $1";
    if let Some(row) = connection.row(sql, vec![number(place.seq)]).await? {
        return Ok(row.text(0)? == place.hash);
    }
    let sql = "SELECT COUNT(*) FROM cds_audit_stub WHERE last_seq >= $1";
    let row = connection.row(sql, vec![number(place.seq)]).await?;
    Ok(row.map_or(Ok(0), |row| row.int(0))? > 0)
}

/// The first entries after `after`, at most so many.
pub(crate) async fn page(
    connection: &mut Connection,
    filter: &AuditFilter,
    after: u64,
    most: u64,
) -> Result<Vec<StoredEntry>, StoreError> {
    let mut sql = "SELECT seq, hash, body FROM cds_audit WHERE seq > $1".to_owned();
    let mut values = vec![number(after)];
    let texts = [
        ("tenant", &filter.tenant),
        ("client", &filter.client),
        ("patient", &filter.patient),
        ("id", &filter.id),
    ];
    let mut with = |condition: &str, value: Value| {
        values.push(value);
        sql.push_str(&format!(" AND {condition} ${}", values.len()));
    };
    for (column, wanted) in texts {
        if let Some(wanted) = wanted {
            with(&format!("{column} ="), wanted.as_str().into());
        }
    }
    if let Some(from) = filter.from {
        with("at >=", micros(from).into());
    }
    if let Some(to) = filter.to {
        with("at <", micros(to).into());
    }
    values.push(number(most));
    sql.push_str(&format!(" ORDER BY seq LIMIT ${}", values.len()));
    // Made of names in this program and of numbers.
    let rows = connection.rows(sqlx::AssertSqlSafe(sql), values).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<StoredEntry, StoreError> {
    let seq = row.count(0)?;
    let body = row.text(2)?;
    let unreadable =
        |_| StoreError::Damaged(format!("entry {seq} of the audit log cannot be read"));
    Ok(StoredEntry {
        head: Head {
            seq,
            hash: row.text(1)?,
        },
        entry: serde_json::from_str(&body).map_err(unreadable)?,
    })
}
