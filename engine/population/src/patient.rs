//! One patient's record from the lake: what a program that runs over all patients sees of one.

use std::collections::HashMap;

use engine_patient::contained;
use engine_patient::fhir::names::Name;
use engine_patient::record::{PatientRecord, ResourceError};
use engine_patient::requirements::referred_to;

use crate::lake::reader::{fetch_raw, metadata, read_columns, read_shared, strings};
use crate::lake::{Lake, LakeError, bucket_of, schema};

/// All resources of a patient, and those without a patient that they refer to or contain, as far as they
/// are of these types. `None` where the lake has no such Patient.
pub async fn record(
    lake: &Lake,
    id: &str,
    types: &[Name],
) -> Result<Option<PatientRecord>, LakeError> {
    let mut record = PatientRecord::new();
    let bucket = bucket_of(id, lake.snapshot.buckets);
    if let Some(file) = lake.file_of(schema::RESOURCES, bucket) {
        let (store, table) = (&lake.store, schema::RESOURCES);
        let mut rids: Vec<u32> = vec![];
        let mut rid = 0_u32;
        for batch in read_columns(store, table, file, &["patient_id"]).await? {
            let ids = strings(&batch, 0)?;
            for own in ids {
                if own == Some(id) {
                    rids.push(rid);
                }
                rid = rid.saturating_add(1);
            }
        }
        let footer = metadata(store, table, file).await?;
        let mut wrong = None;
        fetch_raw(store, table, file, footer, &rids, |_, text| {
            if let Err(error) = contained::push(&mut record, text, types) {
                wrong = Some(error);
            }
        })
        .await?;
        if let Some(error) = wrong {
            return Err(damaged(&error));
        }
    }
    if !types.is_empty() && !referred_to(&record, types).is_empty() {
        let shared = read_shared(&lake.store, lake.files(schema::SHARED), types).await?;
        push_shared(&mut record, types, &shared).map_err(|e| damaged(&e))?;
    }
    record.seal();
    Ok(record.patient().is_some().then_some(record))
}

fn damaged(error: &ResourceError) -> LakeError {
    LakeError::Data(format!("a stored resource cannot be read: {error}"))
}

/// Adds the resources without a patient that a record refers to. What they refer to may refer
/// further: a location to an organization.
pub(crate) fn push_shared(
    record: &mut PatientRecord,
    types: &[Name],
    shared: &HashMap<(Name, String), String>,
) -> Result<(), ResourceError> {
    let mut had: Vec<(Name, String)> = vec![];
    loop {
        let mut found = referred_to(record, types);
        found.retain(|target| !had.contains(target));
        if found.is_empty() {
            return Ok(());
        }
        for target in found {
            if let Some(text) = shared.get(&target) {
                contained::push(record, text, types)?;
            }
            had.push(target);
        }
    }
}
