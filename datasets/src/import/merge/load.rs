//! Rows to merge: what the lake has, and behind that what was read.

use arrow::array::{Array, AsArray};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use engine_population::lake::envelope::{Envelope, Owner};
use engine_population::lake::rows::{Row, Rows};
use engine_population::lake::{DataFile, reader, schema};

use super::job::{Job, files_of};
use crate::import::error::ImportError;

/// What the lake has of a bucket, and behind that what was read.
pub fn load_bucket(job: &Job<'_>, bucket: u32) -> Result<(Rows, usize), ImportError> {
    let mut rows = Rows::default();
    for file in files_of(job.base, schema::RESOURCES, Some(&[bucket])) {
        job.runtime
            .block_on(load_resources(job, schema::RESOURCES, file, &mut rows))?;
    }
    let existing = rows.rows.len();
    job.spill
        .load(bucket, &mut rows)
        .map_err(|e| job.scratch_error(e))?;
    Ok((rows, existing))
}

/// Appends the resources of a file of the lake, their index read anew from the JSON.
pub async fn load_resources(
    job: &Job<'_>,
    table: &str,
    file: &DataFile,
    rows: &mut Rows,
) -> Result<(), ImportError> {
    let shared = table == schema::SHARED;
    let mut columns = vec!["resource_type", "raw", "restore"];
    if !shared {
        columns.push("patient_id");
    }
    let mut record = PatientRecord::new();
    for batch in reader::read_columns(&job.store, table, file, &columns).await? {
        let text = |name: &str| {
            let column = batch
                .column_by_name(name)
                .and_then(|c| c.as_string_opt::<i32>());
            column
                .cloned()
                .ok_or_else(|| ImportError::Bug(format!("no column `{name}`")))
        };
        let (types, raws, restores) = (text("resource_type")?, text("raw")?, text("restore")?);
        let patients = if shared {
            None
        } else {
            Some(text("patient_id")?)
        };
        for i in 0..raws.len() {
            record.clear();
            let damaged = |what: String| {
                ImportError::Bug(format!("a stored resource cannot be read: {what}"))
            };
            record
                .push(raws.value(i))
                .map_err(|e| damaged(e.to_string()))?;
            let ty = Name::of(types.value(i)).ok_or_else(|| damaged("its type".into()))?;
            let Some(resource) = record.resources().next() else {
                continue;
            };
            let envelope = Envelope::read(ty, resource, &mut |_, _, _, _| {});
            let envelope = envelope.map_err(|e| damaged(e.to_string()))?;
            let patient = match &patients {
                Some(ids) => ids.value(i),
                None => "",
            };
            let restore = match restores.is_valid(i) {
                true => restores.value(i),
                false => "",
            };
            let row = row_of(rows, &envelope, patient, (raws.value(i), restore));
            rows.rows.push(row);
        }
    }
    Ok(())
}

fn row_of(rows: &mut Rows, e: &Envelope, patient: &str, (raw, restore): (&str, &str)) -> Row {
    let codes = rows.codes.len();
    rows.codes.extend_from_slice(&e.codes);
    debug_assert!(patient.is_empty() || !matches!(e.owner, Owner::Shared));
    Row {
        ty: e.ty,
        patient: rows.push_str(patient),
        id: rows.push_str(&e.id),
        version: rows.push_str(&e.version),
        age: e.age,
        start: e.start,
        end: e.end,
        first_key: e.first_key,
        codes: codes..rows.codes.len(),
        raw: rows.push_str(raw),
        restore: rows.push_str(restore),
        sequence: 0,
    }
}
