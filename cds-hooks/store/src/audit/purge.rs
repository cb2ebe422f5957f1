//! Removing what need not be kept any more. What goes are whole stretches up to a checkpoint; an entry of
//! the chain says which, by whom, and with which hash they ended, and a stub holds that place.

use jiff::Timestamp;
use serde::Serialize;

use super::append::{Prepared, append, number};
use super::entry::{AuditEntry, AuditKind};
use super::verify::Head;
use crate::StoreError;
use crate::db::Connection;
use crate::time::micros;

/// Details of the entry that says what was removed.
pub(super) const LAST: &str = "last";
pub(super) const LAST_HASH: &str = "last-hash";

/// So many rows of a table go in one transaction at most, of recorded calls fewer, which are large: others wait
/// for it, and it has to be done within the time that they wait.
const MOST: u64 = 2_000;
const MOST_RECORDED: u64 = 100;

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Purged {
    /// Entries of the audit log.
    pub entries: u64,
    /// The last of them; nothing if there was none.
    pub last: Option<Head>,
    /// Calls recorded in full.
    pub recorded: u64,
    /// Cards that were shown.
    pub shown: u64,
    /// Entries of feedback.
    pub feedback: u64,
    /// There is more to remove: to be called again.
    pub more: bool,
}

/// Removes what is older than `before`, in a transaction that the caller holds. `entry` is the beginning
/// of the entry that says so: id, time and who asks.
pub(crate) async fn purge(
    connection: &mut Connection,
    before: Timestamp,
    entry: &AuditEntry,
    every: u64,
) -> Result<(Purged, Option<super::Appended>), StoreError> {
    let mut purged = Purged::default();
    // Nobody appends while the end of what goes is looked for.
    if connection.is_postgres() {
        let sql = "SELECT seq FROM cds_audit_head WHERE one = 1 FOR UPDATE";
        connection.row(sql, vec![]).await?;
    }
    let before_micros = micros(before);
    for (table, column, key, most, count) in [
        (
            "cds_recorded",
            "at",
            "id",
            MOST_RECORDED,
            &mut purged.recorded,
        ),
        (
            "cds_shown",
            "shown_at",
            "card, tenant, client, rule",
            MOST,
            &mut purged.shown,
        ),
        (
            "cds_feedback",
            "received",
            "number",
            MOST,
            &mut purged.feedback,
        ),
    ] {
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {column} < $1 LIMIT {most})"
        );
        // Made of names in this program.
        *count = connection
            .execute(sqlx::AssertSqlSafe(sql), vec![before_micros.into()])
            .await?;
        purged.more |= *count == most;
    }
    purged.last = last_to_go(connection, before_micros, &mut purged.more).await?;
    if let Some(last) = &purged.last {
        let sql = "DELETE FROM cds_audit WHERE seq <= $1";
        purged.entries = connection.execute(sql, vec![number(last.seq)]).await?;
        let sql = "DELETE FROM cds_audit_checkpoint WHERE seq <= $1";
        connection.execute(sql, vec![number(last.seq)]).await?;
        connection.script("DELETE FROM cds_audit_stub").await?;
        let sql = "INSERT INTO cds_audit_stub (one, last_seq, last_hash, purge_id) VALUES (1, $1, $2, $3)";
        let values = vec![
            number(last.seq),
            last.hash.as_str().into(),
            entry.id.as_str().into(),
        ];
        connection.execute(sql, values).await?;
    }
    let nothing = purged.entries + purged.recorded + purged.shown + purged.feedback == 0;
    if nothing {
        return Ok((purged, None));
    }
    let said = Prepared::new(&said(entry, &purged, before))?;
    let appended = append(connection, &[&said], every).await?;
    Ok((purged, Some(appended)))
}

/// The last checkpoint before which all is older. Looks at no more entries than may go at once: six years of
/// younger ones would take longer than anybody waits.
async fn last_to_go(
    connection: &mut Connection,
    before: i64,
    more: &mut bool,
) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT MIN(seq) FROM cds_audit";
    let row = connection.row(sql, vec![]).await?;
    let Some(first) = row.map_or(Ok(None), |row| row.maybe_int(0))? else {
        return Ok(None);
    };
    let most = first.saturating_add(i64::try_from(MOST).unwrap_or(i64::MAX));
    let young = first_young(connection, before, most).await?;
    let upper = young.unwrap_or(most);
    let sql = "SELECT seq, hash FROM cds_audit_checkpoint WHERE seq < $1 ORDER BY seq DESC LIMIT 1";
    let mut row = connection.row(sql, vec![upper.into()]).await?;
    if row.is_none() && young.is_none() {
        // Checkpoints further apart than what goes at once.
        let sql = "SELECT seq, hash FROM cds_audit_checkpoint ORDER BY seq LIMIT 1";
        row = connection.row(sql, vec![]).await?;
        if let Some(row) = &row
            && first_young(connection, before, row.int(0)?.saturating_add(1))
                .await?
                .is_some()
        {
            return Ok(None);
        }
    }
    let Some(row) = row else { return Ok(None) };
    *more |= young.is_none();
    Ok(Some(Head {
        seq: row.count(0)?,
        hash: row.text(1)?,
    }))
}

/// The first entry before number `upper` that is not older. (The sum keeps databases from asking the index of
/// times, in which all that is younger stands.)
async fn first_young(
    connection: &mut Connection,
    before: i64,
    upper: i64,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT MIN(seq) FROM cds_audit WHERE seq < $1 AND at + 0 >= $2";
    let row = connection
        .row(sql, vec![upper.into(), before.into()])
        .await?;
    row.map_or(Ok(None), |row| row.maybe_int(0))
}

fn said(entry: &AuditEntry, purged: &Purged, before: Timestamp) -> AuditEntry {
    let mut said = entry.clone();
    said.kind = AuditKind::Purge;
    let mut detail = |name: &str, value: String| said.details.push((name.to_owned(), value));
    detail("before", before.to_string());
    detail("entries", purged.entries.to_string());
    detail("recorded", purged.recorded.to_string());
    detail("shown", purged.shown.to_string());
    detail("feedback", purged.feedback.to_string());
    if let Some(last) = &purged.last {
        detail(LAST, last.seq.to_string());
        detail(LAST_HASH, last.hash.clone());
    }
    said
}
