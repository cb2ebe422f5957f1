//! Entries at the end of the chain.

use super::entry::AuditEntry;
use super::link;
use super::verify::Head;
use crate::StoreError;
use crate::db::{Connection, Value};
use crate::rows::insert;
use crate::time::micros;

/// An entry as it will be stored: its text is what is hashed.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub id: String,
    pub body: String,
    columns: [Value; 6],
}

/// No entry is longer: 1 MiB. One of a call has some 100 bytes a rule.
const LONGEST: usize = 1 << 20;

impl Prepared {
    pub(crate) fn new(entry: &AuditEntry) -> Result<Self, StoreError> {
        let body = serde_json::to_string(entry)
            .map_err(|_| StoreError::Internal("an entry of the audit log is no JSON".into()))?;
        if body.len() > LONGEST {
            return Err(StoreError::Mistake(format!(
                "an entry of the audit log of {} bytes is longer than {LONGEST}",
                body.len()
            )));
        }
        Ok(Prepared {
            id: entry.id.clone(),
            body,
            columns: columns(entry),
        })
    }
}

/// What stands beside the text, to search by.
pub(super) fn columns(entry: &AuditEntry) -> [Value; 6] {
    [
        entry.id.as_str().into(),
        micros(entry.at).into(),
        entry.kind.as_str().into(),
        entry.tenant.as_str().into(),
        Value::maybe(entry.client.as_deref()),
        Value::maybe(entry.patient.as_deref()),
    ]
}

const COLUMNS: &[&str] = &[
    "seq", "id", "at", "kind", "tenant", "client", "patient", "body", "hash",
];

/// The end of the chain after entries were appended.
pub(crate) struct Appended {
    /// The head before.
    pub before: Head,
    /// The server that knows the tokens.
    pub tokens_of: Option<String>,
    /// Each entry, in order.
    pub heads: Vec<Head>,
    /// The checkpoints among them.
    pub checkpoints: Vec<Head>,
}

/// Appends entries, with a checkpoint at each multiple of `every`. From here to the commit other servers
/// wait.
pub(crate) async fn append(
    connection: &mut Connection,
    entries: &[&Prepared],
    every: u64,
) -> Result<Appended, StoreError> {
    let sql = match connection.is_postgres() {
        true => "SELECT seq, hash, chain, tokens_of FROM cds_audit_head WHERE one = 1 FOR UPDATE",
        false => "SELECT seq, hash, chain, tokens_of FROM cds_audit_head WHERE one = 1",
    };
    let row = connection.row(sql, vec![]).await?;
    let missing = || StoreError::Damaged("the head of the audit log is missing".into());
    let row = row.ok_or_else(missing)?;
    let before = Head {
        seq: row.count(0)?,
        hash: row.text(1)?,
    };
    let chain = row.text(2)?;
    let (mut heads, mut checkpoints, mut rows): (Vec<Head>, Vec<Head>, _) =
        (vec![], vec![], vec![]);
    for entry in entries {
        let last = heads.last().unwrap_or(&before);
        let seq = last.seq + 1;
        let head = Head {
            seq,
            hash: link(&chain, seq, &last.hash, &entry.body),
        };
        let mut row = vec![number(seq)];
        row.extend(entry.columns.iter().cloned());
        row.extend([entry.body.as_str().into(), head.hash.as_str().into()]);
        rows.push(row);
        if seq % every.max(1) == 0 {
            checkpoints.push(head.clone());
        }
        heads.push(head);
    }
    insert(connection, "cds_audit", COLUMNS, rows, "").await?;
    let points = checkpoints.iter();
    let points = points.map(|head| vec![number(head.seq), head.hash.as_str().into()]);
    let points = points.collect();
    insert(
        connection,
        "cds_audit_checkpoint",
        &["seq", "hash"],
        points,
        "",
    )
    .await?;
    if let Some(head) = heads.last() {
        let sql = "UPDATE cds_audit_head SET seq = $1, hash = $2 WHERE one = 1";
        let values = vec![number(head.seq), head.hash.as_str().into()];
        connection.later(sql, values).await?;
    }
    Ok(Appended {
        before,
        tokens_of: row.maybe_text(3)?.map(str::to_owned),
        heads,
        checkpoints,
    })
}

/// Where this entry stands already, if it does: after a commit of which nobody knows how it ended.
pub(crate) async fn stored(
    connection: &mut Connection,
    entry: &Prepared,
) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT seq, hash, body FROM cds_audit WHERE id = $1";
    let Some(row) = connection.row(sql, vec![entry.id.as_str().into()]).await? else {
        return Ok(None);
    };
    match row.text(2)? == entry.body {
        true => Ok(Some(Head {
            seq: row.count(0)?,
            hash: row.text(1)?,
        })),
        false => Err(StoreError::Mistake(format!(
            "the audit log has another entry of the id {}",
            entry.id
        ))),
    }
}

pub(super) fn number(seq: u64) -> Value {
    Value::Int(i64::try_from(seq).unwrap_or(i64::MAX))
}
