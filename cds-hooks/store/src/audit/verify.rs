//! Whether the chain is whole.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::append::{columns, number};
use super::entry::{AuditEntry, AuditKind};
use super::link;
use super::purge::{LAST, LAST_HASH};
use crate::StoreError;
use crate::db::{Connection, Row, Value};

/// A place in the chain: the number of an entry and its hash. Written `NUMBER:HASH`. Whoever notes it
/// elsewhere can find out later whether anything up to there was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Number of the entry, from 1; 0 before the first.
    pub seq: u64,
    /// SHA-256 in hexadecimal; empty before the first.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let wrong = || {
            StoreError::Mistake(format!(
                "`{text}` is no head of an audit log: expected NUMBER:HASH, as `tandem audit verify` prints it"
            ))
        };
        let (seq, hash) = text.trim().split_once(':').ok_or_else(wrong)?;
        let seq: u64 = seq.parse().map_err(|_| wrong())?;
        let hash = hash.to_ascii_lowercase();
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        match is_hash || (seq == 0 && hash.is_empty()) {
            true => Ok(Head { seq, hash }),
            false => Err(wrong()),
        }
    }
}

/// What came of looking at the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Every entry is as it was written and where it was written.
    Whole(Verified),
    /// Something is wrong, and what, at the first place where it shows.
    Broken {
        /// Number of the entry.
        seq: u64,
        /// What is wrong, and what it may come from.
        why: String,
    },
}

/// A chain that is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// How many entries were looked at.
    pub entries: u64,
    /// The first of them; 0 if there is none.
    pub first: u64,
    /// The last of them. To be noted elsewhere.
    pub head: Head,
    /// Entries up to this one were removed by a purge, which the chain says.
    pub purged: u64,
}

/// Entries that are read at once.
const PAGE: u64 = 1000;

/// Looks at the entries from `from` to `to` (both included; all by default), and at `expected`, which
/// somebody noted. The connection must show one state of the whole.
pub(crate) async fn verify(
    connection: &mut Connection,
    range: (Option<u64>, Option<u64>),
    expected: Option<&Head>,
) -> Result<Checked, StoreError> {
    let walk = Walk::begin(connection, range, expected).await?;
    match walk {
        Err(broken) => Ok(broken),
        Ok(walk) => walk.run(connection).await,
    }
}

struct Walk {
    chain: String,
    /// What the store says is the end.
    head: Head,
    to: u64,
    first: u64,
    /// Number and hash that the next entry follows.
    last: Head,
    purged: u64,
    /// What must be found on the way: the stub's own entry.
    signed: Option<(Head, bool)>,
    expected: Option<Head>,
}

fn broken(seq: u64, why: impl Into<String>) -> Checked {
    Checked::Broken {
        seq,
        why: why.into(),
    }
}

impl Walk {
    async fn begin(
        connection: &mut Connection,
        (from, to): (Option<u64>, Option<u64>),
        expected: Option<&Head>,
    ) -> Result<Result<Walk, Checked>, StoreError> {
        let sql = "SELECT chain, seq, hash FROM cds_audit_head WHERE one = 1";
        let Some(row) = connection.row(sql, vec![]).await? else {
            return Ok(Err(broken(0, "the head of the audit log is missing")));
        };
        let chain = row.text(0)?;
        let head = Head {
            seq: row.count(1)?,
            hash: row.text(2)?,
        };
        if let Some(expected) = expected.filter(|e| e.seq > head.seq) {
            let why = format!(
                "the log ends at entry {}, and entry {} was noted: the last entries were removed, or this is another log",
                head.seq, expected.seq
            );
            return Ok(Err(broken(head.seq + 1, why)));
        }
        let sql = "SELECT last_seq, last_hash FROM cds_audit_stub WHERE one = 1";
        let stub = match connection.row(sql, vec![]).await? {
            Some(row) => Head {
                seq: row.count(0)?,
                hash: row.text(1)?,
            },
            None => Head::default(),
        };
        let from = from.unwrap_or(1).max(stub.seq + 1);
        let last = match from == stub.seq + 1 {
            true => stub.clone(),
            false => {
                let before = from - 1;
                let sql = "SELECT hash FROM cds_audit WHERE seq = $1";
                match connection.row(sql, vec![number(before)]).await? {
                    Some(row) => Head {
                        seq: before,
                        hash: row.text(0)?,
                    },
                    None if before > head.seq => {
                        return Err(StoreError::Mistake(format!(
                            "there is no entry {from}: the log ends at {}",
                            head.seq
                        )));
                    }
                    None => return Ok(Err(broken(before, "the entry is missing"))),
                }
            }
        };
        Ok(Ok(Walk {
            chain,
            to: to.unwrap_or(head.seq).min(head.seq),
            head,
            first: from,
            signed: (stub.seq > 0).then_some((stub.clone(), false)),
            purged: stub.seq,
            last,
            expected: expected.cloned(),
        }))
    }

    async fn run(mut self, connection: &mut Connection) -> Result<Checked, StoreError> {
        let mut entries = 0;
        if let Some(noted) = self.expected.as_ref().filter(|e| e.seq < self.last.seq) {
            let from = self.last.seq + 1;
            let why = match self.purged >= noted.seq {
                true => format!("entries up to {} were purged", self.purged),
                false => format!("only entries from {from} on were to be looked at"),
            };
            return Err(StoreError::Mistake(format!(
                "the head that was noted, entry {}, cannot be compared: {why}",
                noted.seq
            )));
        }
        if let Some(noted) = self.expected.as_ref().filter(|e| e.seq == self.last.seq)
            && *noted != self.last
        {
            return Ok(self.not_as_noted());
        }
        while self.last.seq < self.to {
            let upper = self.to.min(self.last.seq + PAGE);
            let sql = "SELECT seq, id, at, kind, tenant, client, patient, body, hash FROM cds_audit \
                       WHERE seq > $1 AND seq <= $2 ORDER BY seq";
            let values = vec![number(self.last.seq), number(upper)];
            let rows = connection.rows(sql, values).await?;
            let points = self.checkpoints(connection, upper).await?;
            for row in &rows {
                if let Some(found) = self.look(row, &points)? {
                    return Ok(found);
                }
                entries += 1;
            }
            if self.last.seq < upper {
                return Ok(broken(self.last.seq + 1, "the entry is missing"));
            }
        }
        self.end(connection, entries).await
    }

    async fn checkpoints(
        &self,
        connection: &mut Connection,
        upper: u64,
    ) -> Result<BTreeMap<u64, String>, StoreError> {
        let sql = "SELECT seq, hash FROM cds_audit_checkpoint WHERE seq > $1 AND seq <= $2";
        let values = vec![number(self.last.seq), number(upper)];
        let rows = connection.rows(sql, values).await?;
        let point = |row: &Row| Ok((row.count(0)?, row.text(1)?));
        rows.iter().map(point).collect()
    }

    /// The next entry; what is wrong with it.
    fn look(
        &mut self,
        row: &Row,
        points: &BTreeMap<u64, String>,
    ) -> Result<Option<Checked>, StoreError> {
        let seq = row.count(0)?;
        let next = self.last.seq + 1;
        if seq != next {
            return Ok(Some(broken(next, "the entry is missing")));
        }
        let (body, hash) = (row.text(7)?, row.text(8)?);
        if link(&self.chain, seq, &self.last.hash, &body) != hash {
            let why = "its hash does not fit what it says and what stands before it: it was changed, moved or put in";
            return Ok(Some(broken(seq, why)));
        }
        let Ok(entry) = serde_json::from_str::<AuditEntry>(&body) else {
            return Ok(Some(broken(seq, "it cannot be read")));
        };
        if columns(&entry) != stored_columns(row)? {
            let why = "what it is searched by (id, time, kind, tenant, client, patient) is not what it says: it was changed";
            return Ok(Some(broken(seq, why)));
        }
        if points.get(&seq).is_some_and(|point| *point != hash) {
            let why = "it is not what the checkpoint says: the chain was made anew, or the checkpoint was changed";
            return Ok(Some(broken(seq, why)));
        }
        self.last = Head { seq, hash };
        if self
            .expected
            .as_ref()
            .is_some_and(|e| e.seq == seq && *e != self.last)
        {
            return Ok(Some(self.not_as_noted()));
        }
        if let Some((stub, is_signed)) = &mut self.signed {
            *is_signed |= signs(&entry, stub);
        }
        Ok(None)
    }

    fn not_as_noted(&self) -> Checked {
        broken(
            self.last.seq,
            "its hash is not the one that was noted: the log was made anew, or this is another log",
        )
    }

    async fn end(self, connection: &mut Connection, entries: u64) -> Result<Checked, StoreError> {
        if self.to == self.head.seq {
            if self.last != self.head {
                return Ok(broken(
                    self.head.seq,
                    "it is not what the head of the log says: entries were changed, or the head was",
                ));
            }
            let sql = "SELECT COUNT(*) FROM cds_audit WHERE seq > $1";
            let row = connection.row(sql, vec![number(self.head.seq)]).await?;
            if row.map_or(Ok(0), |row| row.int(0))? > 0 {
                return Ok(broken(
                    self.head.seq + 1,
                    "there are entries after the head of the log: they were put in, or the head was changed",
                ));
            }
            // The entry that signs stands after the end of what was removed: all of it was seen.
            if let Some((stub, false)) = &self.signed
                && self.first <= stub.seq + 1
            {
                return Ok(broken(
                    stub.seq,
                    "entries up to here are gone, and no entry of the log says that they were purged",
                ));
            }
        }
        if let Some(noted) = self.expected.as_ref().filter(|e| e.seq > self.last.seq) {
            return Err(StoreError::Mistake(format!(
                "the head that was noted, entry {}, is not among the entries that were looked at: they end at {}",
                noted.seq, self.last.seq
            )));
        }
        Ok(Checked::Whole(Verified {
            entries,
            first: if entries > 0 { self.first } else { 0 },
            head: self.last,
            purged: self.purged,
        }))
    }
}

/// Whether an entry says that all up to the stub was removed.
fn signs(entry: &AuditEntry, stub: &Head) -> bool {
    let detail = |name: &str| {
        let found = entry.details.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    };
    entry.kind == AuditKind::Purge
        && detail(LAST) == Some(&stub.seq.to_string())
        && detail(LAST_HASH) == Some(&stub.hash)
}

fn stored_columns(row: &Row) -> Result<[Value; 6], StoreError> {
    Ok([
        row.text(1)?.as_str().into(),
        row.int(2)?.into(),
        row.text(3)?.as_str().into(),
        row.text(4)?.as_str().into(),
        Value::maybe(row.maybe_text(5)?),
        Value::maybe(row.maybe_text(6)?),
    ])
}
