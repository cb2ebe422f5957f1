//! Calls in full, for a replay: only where the setting says so, since a request is a patient's chart.

use jiff::Timestamp;

use crate::StoreError;
use crate::db::{Connection, Value};
use crate::hash::sha256;
use crate::rows::insert;
use crate::time::{micros, moment};

/// A call in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    /// Id of the call, the same as that of its entry in the audit log.
    pub id: String,
    /// When it was answered.
    pub at: Timestamp,
    /// Id of the CDS service.
    pub service: String,
    /// The body of the request, without the token that came in it.
    pub request: String,
    /// The body of the answer.
    pub response: String,
}

impl RecordedCall {
    pub(crate) fn size(&self) -> usize {
        self.request.len() + self.response.len()
    }
}

/// Longest request and answer that are recorded together: 32 MiB.
pub(crate) const LONGEST: usize = 32 << 20;

pub(crate) async fn write(
    connection: &mut Connection,
    calls: impl Iterator<Item = &RecordedCall>,
) -> Result<(), StoreError> {
    let row = |call: &RecordedCall| -> Vec<Value> {
        vec![
            call.id.as_str().into(),
            micros(call.at).into(),
            call.service.as_str().into(),
            call.request.as_str().into(),
            call.response.as_str().into(),
        ]
    };
    let rows = calls.map(row).collect();
    let columns = ["id", "at", "service", "request", "response"];
    insert(
        connection,
        "cds_recorded",
        &columns,
        rows,
        "ON CONFLICT DO NOTHING",
    )
    .await
}

/// A call that was recorded. Refused where the audit log has other hashes of it.
pub(crate) async fn read(
    connection: &mut Connection,
    id: &str,
) -> Result<Option<RecordedCall>, StoreError> {
    let sql = "SELECT r.at, r.service, r.request, r.response, a.body FROM cds_recorded r \
               LEFT JOIN cds_audit a ON a.id = r.id WHERE r.id = $1";
    let Some(row) = connection.row(sql, vec![id.into()]).await? else {
        return Ok(None);
    };
    let call = RecordedCall {
        id: id.to_owned(),
        at: moment(row.int(0)?)?,
        service: row.text(1)?,
        request: row.text(2)?,
        response: row.text(3)?,
    };
    let entry = row.maybe_text(4)?;
    let entry: Option<crate::AuditEntry> = entry.and_then(|body| serde_json::from_str(body).ok());
    if let Some(entry) = entry {
        let fits = |noted: &Option<String>, text: &str| {
            noted
                .as_ref()
                .is_none_or(|hash| *hash == sha256(text.as_bytes()))
        };
        if !fits(&entry.request_hash, &call.request) || !fits(&entry.response_hash, &call.response)
        {
            return Err(StoreError::Damaged(format!(
                "the recorded call {id} is not what the audit log has the hash of: it was changed"
            )));
        }
    }
    Ok(Some(call))
}
