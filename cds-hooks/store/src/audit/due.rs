//! What a purge would remove, before it does.

use jiff::Timestamp;

use super::append::number;
use super::{Head, Purged};
use crate::StoreError;
use crate::db::Connection;
use crate::time::micros;

/// What is older than `before`, as [`super::purge()`] has it once nothing more goes.
pub(crate) async fn due(
    connection: &mut Connection,
    before: Timestamp,
) -> Result<Purged, StoreError> {
    let before = micros(before);
    let mut due = Purged::default();
    for (sql, count) in [
        (
            "SELECT COUNT(*) FROM cds_recorded WHERE at < $1",
            &mut due.recorded,
        ),
        (
            "SELECT COUNT(*) FROM cds_shown WHERE shown_at < $1",
            &mut due.shown,
        ),
        (
            "SELECT COUNT(*) FROM cds_feedback WHERE received < $1",
            &mut due.feedback,
        ),
    ] {
        let row = connection.row(sql, vec![before.into()]).await?;
        *count = row.map_or(Ok(0), |row| row.count(0))?;
    }
    let sql = "SELECT MIN(seq) FROM cds_audit WHERE at >= $1";
    let row = connection.row(sql, vec![before.into()]).await?;
    let young = row.map_or(Ok(None), |row| row.maybe_int(0))?;
    let sql = "SELECT seq, hash FROM cds_audit_checkpoint WHERE seq < $1 ORDER BY seq DESC LIMIT 1";
    let upper = young.unwrap_or(i64::MAX);
    let Some(row) = connection.row(sql, vec![upper.into()]).await? else {
        return Ok(due);
    };
    let last = Head {
        seq: row.count(0)?,
        hash: row.text(1)?,
    };
    let sql = "SELECT COUNT(*) FROM cds_audit WHERE seq <= $1";
    let row = connection.row(sql, vec![number(last.seq)]).await?;
    due.entries = row.map_or(Ok(0), |row| row.count(0))?;
    due.last = Some(last).filter(|_| due.entries > 0);
    Ok(due)
}
