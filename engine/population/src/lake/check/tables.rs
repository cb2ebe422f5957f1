//! The tables that are not parted by patient.

use std::collections::BTreeSet;

use arrow::array::{Int64Array, StringArray};
use engine_patient::record::PatientRecord;
use engine_patient::terminology::code_key;

use super::bucket::{Stored, read_stored};
use super::checking::{Checking, Progress, column, rows};
use super::findings::Findings;
use crate::lake::envelope::Owner;
use crate::lake::{Lake, LakeError, schema};

/// The keys of `codes`, sorted, each compared with what it stands for.
pub(super) async fn codes(
    lake: &Lake,
    bad: &BTreeSet<(String, String)>,
    findings: &Findings,
    progress: &Progress,
) -> Result<Option<Vec<i64>>, LakeError> {
    let table = schema::CODES;
    let (mut keys, mut complete) = (vec![], true);
    for file in lake.files(table) {
        if bad.contains(&(table.to_owned(), file.path.clone())) {
            complete = false;
            continue;
        }
        let mut row = 0u64;
        let wanted = ["code_key", "system", "code"];
        rows(lake, table, file, &wanted, |batch| {
            let own = column::<Int64Array>(batch, "code_key")?;
            let systems = column::<StringArray>(batch, "system")?;
            let codes = column::<StringArray>(batch, "code")?;
            for i in 0..batch.num_rows() {
                if own.value(i) != code_key(systems.value(i), codes.value(i)) {
                    let place = format!("{table}/{} row {row}", file.path);
                    findings.add("codes whose key is another's", place);
                }
                keys.push(own.value(i));
                row += 1;
            }
            Ok(())
        })
        .await?;
        findings.count_rows(table, file, row);
        progress(file.size);
    }
    keys.sort_unstable();
    let all = keys.len();
    keys.dedup();
    for _ in keys.len()..all {
        findings.add("codes that stand twice", table.to_owned());
    }
    Ok(complete.then_some(keys))
}

/// Resources without a patient: their JSON is what the columns say, and names no patient.
pub(super) async fn shared(checking: &Checking) -> Result<(), LakeError> {
    let table = schema::SHARED;
    for file in checking.lake.files(table) {
        if checking.is_bad(table, file) {
            continue;
        }
        let place = checking.place(table, file);
        let mut record = PatientRecord::new();
        let mut row = 0u32;
        let wanted = ["resource_type", "id", "version_id", "last_updated", "raw"];
        checking
            .rows(table, file, &wanted, |batch| {
                let columns = Stored::of(batch)?;
                for i in 0..batch.num_rows() {
                    let at = format!("{table}/{} row {row}", file.path);
                    let (ty, id) = (columns.types.value(i), columns.ids.value(i));
                    checking.ids.add(ty, id, place, row)?;
                    match read_stored(&mut record, &columns, i) {
                        Err(kind) => checking.findings.add(kind, at),
                        Ok(envelope) => {
                            if matches!(envelope.owner, Owner::Patient(_)) {
                                checking
                                    .findings
                                    .add("resources of a patient that stand in `shared`", at);
                            }
                        }
                    }
                    row = row.saturating_add(1);
                }
                Ok(())
            })
            .await?;
        checking.findings.count_rows(table, file, u64::from(row));
        (checking.progress)(file.size);
    }
    Ok(())
}
