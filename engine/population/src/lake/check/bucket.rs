//! A group of buckets: what `facts` and `patients` say is what the resources are.

use std::collections::BTreeMap;

use arrow::array::{
    Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use xxhash_rust::xxh3::xxh3_64;

use super::checking::{Checking, column};
use crate::lake::envelope::{Envelope, Owner};
use crate::lake::paths::{PRESENCE, REFERENCE_KEY, type_id};
use crate::lake::{DataFile, LakeError, bucket_of, schema};

/// The columns of a table of resources.
pub(super) struct Stored<'b> {
    pub(super) types: &'b StringArray,
    pub(super) ids: &'b StringArray,
    versions: &'b StringArray,
    updated: &'b TimestampMicrosecondArray,
    raws: &'b StringArray,
}

impl<'b> Stored<'b> {
    pub(super) fn of(batch: &'b RecordBatch) -> Result<Self, LakeError> {
        Ok(Stored {
            types: column(batch, "resource_type")?,
            ids: column(batch, "id")?,
            versions: column(batch, "version_id")?,
            updated: column(batch, "last_updated")?,
            raws: column(batch, "raw")?,
        })
    }
}

/// Reads a resource as an import does and compares it with its columns; the kind of what is wrong.
pub(super) fn read_stored(
    record: &mut PatientRecord,
    columns: &Stored<'_>,
    row: usize,
) -> Result<Envelope, &'static str> {
    const UNREADABLE: &str = "resources whose JSON cannot be read";
    record.clear();
    record
        .push(columns.raws.value(row))
        .map_err(|_| UNREADABLE)?;
    let resource = record.resources().next().ok_or(UNREADABLE)?;
    let ty = Name::of(columns.types.value(row)).ok_or("resources of a type that is none")?;
    if resource.resource_type() != Some(ty) {
        return Err("resources whose type is another than the column's");
    }
    let envelope = Envelope::read(ty, resource, &mut |_, _, _, _| {}).map_err(|_| UNREADABLE)?;
    if envelope.id != columns.ids.value(row) {
        return Err("resources whose id is another than the column's");
    }
    let version = columns
        .versions
        .is_valid(row)
        .then(|| columns.versions.value(row));
    let updated = columns
        .updated
        .is_valid(row)
        .then(|| columns.updated.value(row));
    if version.unwrap_or_default() != envelope.version || updated != envelope.age.updated {
        return Err("resources whose version or date is another than the column's");
    }
    Ok(envelope)
}

/// What `facts` says of one resource.
#[derive(Clone, Copy, Default)]
struct Told {
    /// Rows of path 0.
    presence: u32,
    /// A sum over all rows, so that their order does not matter.
    sum: u64,
}

/// What the rows of one bucket say of a patient.
#[derive(Default)]
struct Counted {
    id: String,
    /// Row of the Patient resource.
    own: Option<i32>,
    resources: i32,
    hash: u64,
}

fn fact(
    key: (i16, i16, i64),
    bucket: i32,
    pat: i32,
    rid: i32,
    time: (Option<i64>, Option<i64>),
) -> u64 {
    let mut bytes = [0u8; 42];
    let parts: [&[u8]; 9] = [
        &key.0.to_le_bytes(),
        &key.1.to_le_bytes(),
        &key.2.to_le_bytes(),
        &bucket.to_le_bytes(),
        &pat.to_le_bytes(),
        &rid.to_le_bytes(),
        &time.0.unwrap_or(0).to_le_bytes(),
        &time.1.unwrap_or(0).to_le_bytes(),
        &[u8::from(time.0.is_some()), u8::from(time.1.is_some())],
    ];
    let parts = parts.iter().flat_map(|p| p.iter());
    for (slot, byte) in bytes.iter_mut().zip(parts) {
        *slot = *byte;
    }
    xxh3_64(&bytes)
}

/// Checks the buckets of one file of `facts`, with their files of `resources` and `patients`.
pub(super) async fn check(checking: &Checking, facts: &DataFile) -> Result<(), LakeError> {
    let lake = &checking.lake;
    let resources = |bucket| lake.file_of(schema::RESOURCES, bucket);
    let mut patients: Vec<&DataFile> = vec![];
    for bucket in &facts.buckets {
        let file = lake.file_of(schema::PATIENTS, *bucket);
        patients.extend(file.filter(|f| !patients.contains(f)));
    }
    let own = facts.buckets.iter().filter_map(|b| resources(*b));
    let bad = checking.is_bad(schema::FACTS, facts)
        || patients
            .iter()
            .any(|f| checking.is_bad(schema::PATIENTS, f))
        || own.clone().any(|f| checking.is_bad(schema::RESOURCES, f));
    if bad {
        // That they do not fit together follows.
        return Ok(());
    }
    let mut told = read_facts(checking, facts).await?;
    let mut counted: BTreeMap<u32, Vec<Counted>> = BTreeMap::new();
    for bucket in &facts.buckets {
        if let Some(file) = resources(*bucket) {
            let told = told.remove(bucket).unwrap_or_default();
            let own = read_resources(checking, facts, *bucket, file, &told).await?;
            counted.insert(*bucket, own);
        }
    }
    for file in patients {
        // A file of `patients` of other buckets too is looked at where its first are.
        if file.buckets == facts.buckets {
            read_patients(checking, file, &counted).await?;
        } else {
            checking.findings.add(
                "files of `patients` of other buckets than those of `facts`",
                format!("{}/{}", schema::PATIENTS, file.path),
            );
        }
    }
    Ok(())
}

/// The rows of a file of `facts`, summed by resource.
async fn read_facts(
    checking: &Checking,
    file: &DataFile,
) -> Result<BTreeMap<u32, Vec<Told>>, LakeError> {
    let table = schema::FACTS;
    let mut told: BTreeMap<u32, Vec<Told>> = BTreeMap::new();
    for bucket in &file.buckets {
        let rows = checking.lake.file_of(schema::RESOURCES, *bucket);
        let rows = rows.map_or(0, |f| usize::try_from(f.rows).unwrap_or(0));
        told.insert(*bucket, vec![Told::default(); rows]);
    }
    let mut row = 0u64;
    let mut last = None;
    let wanted = [
        "rtype", "path", "code_key", "bucket", "pat", "rid", "start_ms", "end_ms",
    ];
    checking
        .rows(table, file, &wanted, |batch| {
            let rtypes = column::<Int16Array>(batch, "rtype")?;
            let paths = column::<Int16Array>(batch, "path")?;
            let keys = column::<Int64Array>(batch, "code_key")?;
            let buckets = column::<Int32Array>(batch, "bucket")?;
            let pats = column::<Int32Array>(batch, "pat")?;
            let rids = column::<Int32Array>(batch, "rid")?;
            let starts = column::<Int64Array>(batch, "start_ms")?;
            let ends = column::<Int64Array>(batch, "end_ms")?;
            for i in 0..batch.num_rows() {
                let place = || format!("{table}/{} row {}", file.path, row + i as u64);
                let key = keys.value(i);
                if last != Some(key) {
                    last = Some(key);
                    let codes = checking.codes.as_ref();
                    let known =
                        key == REFERENCE_KEY || codes.is_none_or(|c| c.binary_search(&key).is_ok());
                    if !known {
                        checking
                            .findings
                            .add("codes of `facts` that `codes` does not have", place());
                    }
                }
                let resource = u32::try_from(buckets.value(i)).ok();
                let resource = resource.and_then(|b| told.get_mut(&b));
                let resource = resource.and_then(|r| {
                    let rid = usize::try_from(rids.value(i)).ok()?;
                    r.get_mut(rid)
                });
                let Some(resource) = resource else {
                    checking
                        .findings
                        .add("rows of `facts` of no resource", place());
                    continue;
                };
                resource.presence += u32::from(paths.value(i) == PRESENCE);
                let time = |a: &Int64Array| a.is_valid(i).then(|| a.value(i));
                resource.sum = resource.sum.wrapping_add(fact(
                    (rtypes.value(i), paths.value(i), key),
                    buckets.value(i),
                    pats.value(i),
                    rids.value(i),
                    (time(starts), time(ends)),
                ));
            }
            row += batch.num_rows() as u64;
            Ok(())
        })
        .await?;
    checking.findings.count_rows(table, file, row);
    (checking.progress)(file.size);
    Ok(told)
}

/// The resources of a bucket against their columns and against `facts`; what they say of patients.
async fn read_resources(
    checking: &Checking,
    facts: &DataFile,
    bucket: u32,
    file: &DataFile,
    told: &[Told],
) -> Result<Vec<Counted>, LakeError> {
    let table = schema::RESOURCES;
    let findings = &checking.findings;
    let place = checking.place(table, file);
    let patient_type = Name::of("Patient");
    let bucket_int = i32::try_from(bucket).unwrap_or(-1);
    let mut counted: Vec<Counted> = vec![];
    let mut record = PatientRecord::new();
    let mut row = 0u32;
    let wanted = [
        "bucket",
        "pat",
        "patient_id",
        "resource_type",
        "id",
        "version_id",
        "last_updated",
        "raw",
        "restore",
    ];
    checking
        .rows(table, file, &wanted, |batch| {
            let columns = Stored::of(batch)?;
            let buckets = column::<Int32Array>(batch, "bucket")?;
            let pats = column::<Int32Array>(batch, "pat")?;
            let patients = column::<StringArray>(batch, "patient_id")?;
            let restores = column::<StringArray>(batch, "restore")?;
            for i in 0..batch.num_rows() {
                let rid = i32::try_from(row).unwrap_or(i32::MAX);
                let at = || format!("{table}/{} row {rid}", file.path);
                let (ty, id) = (columns.types.value(i), columns.ids.value(i));
                checking.ids.add(ty, id, place, row)?;
                let patient = patients.value(i);
                if buckets.value(i) != bucket_int
                    || bucket_of(patient, checking.lake.snapshot.buckets) != bucket
                {
                    findings.add("resources in another bucket than their patient's", at());
                }
                let pat = usize::try_from(pats.value(i)).unwrap_or(usize::MAX);
                // Numbers of patients are below the number of rows: each has one at least.
                let counts = match pat < told.len().max(1) {
                    true => {
                        if counted.len() <= pat {
                            counted.resize_with(pat + 1, Counted::default);
                        }
                        counted.get_mut(pat)
                    }
                    false => None,
                };
                match counts {
                    None => findings.add("resources of a patient's number that is none", at()),
                    Some(own) => {
                        if own.resources == 0 {
                            patient.clone_into(&mut own.id);
                        } else if own.id != patient {
                            findings.add("patients of one number with several ids", at());
                        }
                        own.resources = own.resources.saturating_add(1);
                        if Name::of(ty) == patient_type {
                            own.own = Some(rid);
                        }
                        let mut texts = vec![columns.raws.value(i)];
                        texts.extend(restores.is_valid(i).then(|| restores.value(i)));
                        for text in texts.into_iter().filter(|t| !t.is_empty()) {
                            own.hash = own.hash.wrapping_add(xxh3_64(text.as_bytes()));
                        }
                    }
                }
                match read_stored(&mut record, &columns, i) {
                    Err(kind) => findings.add(kind, at()),
                    Ok(envelope) => {
                        if !matches!(&envelope.owner, Owner::Patient(own) if own == patient) {
                            findings.add("resources that name another patient", at());
                        }
                        let own = told.get(row as usize).copied().unwrap_or_default();
                        let time = (envelope.start, envelope.end);
                        let sum = envelope.codes.iter().fold(0u64, |sum, code| {
                            let key = (type_id(envelope.ty), code.path, code.key);
                            sum.wrapping_add(fact(key, bucket_int, pats.value(i), rid, time))
                        });
                        let from = || format!("{} of {}/{}", at(), schema::FACTS, facts.path);
                        if own.presence != 1 {
                            let kind = "resources that `facts` does not have exactly once";
                            findings.add(kind, from());
                        } else if own.sum != sum {
                            let kind = "resources of which `facts` says something else";
                            findings.add(kind, from());
                        }
                    }
                }
                row = row.saturating_add(1);
            }
            Ok(())
        })
        .await?;
    findings.count_rows(table, file, u64::from(row));
    if counted
        .windows(2)
        .any(|p| matches!(p, [a, b] if a.id >= b.id))
    {
        let place = format!("{table}/{}", file.path);
        findings.add(
            "patients whose numbers are not in the order of their ids",
            place,
        );
    }
    (checking.progress)(file.size);
    Ok(counted)
}

/// `patients` against what the resources say.
async fn read_patients(
    checking: &Checking,
    file: &DataFile,
    counted: &BTreeMap<u32, Vec<Counted>>,
) -> Result<(), LakeError> {
    let table = schema::PATIENTS;
    let findings = &checking.findings;
    let mut row = 0u64;
    let wanted = [
        "bucket",
        "pat",
        "patient_id",
        "rid",
        "resources",
        "content_hash",
    ];
    checking
        .rows(table, file, &wanted, |batch| {
            let buckets = column::<Int32Array>(batch, "bucket")?;
            let pats = column::<Int32Array>(batch, "pat")?;
            let ids = column::<StringArray>(batch, "patient_id")?;
            let rids = column::<Int32Array>(batch, "rid")?;
            let resources = column::<Int32Array>(batch, "resources")?;
            let hashes = column::<Int64Array>(batch, "content_hash")?;
            for i in 0..batch.num_rows() {
                let at = format!("{table}/{} row {row}", file.path);
                row += 1;
                let own = u32::try_from(buckets.value(i)).ok();
                let own = own.and_then(|b| counted.get(&b));
                let own = own.and_then(|c| c.get(usize::try_from(pats.value(i)).ok()?));
                let Some(own) = own.filter(|o| o.id == ids.value(i)) else {
                    findings.add("patients without a resource", at);
                    continue;
                };
                if rids.is_valid(i).then(|| rids.value(i)) != own.own {
                    findings.add("patients whose Patient resource is another", at);
                } else if resources.value(i) != own.resources
                    || hashes.value(i).to_ne_bytes() != own.hash.to_ne_bytes()
                {
                    findings.add("patients of another number or content of resources", at);
                }
            }
            Ok(())
        })
        .await?;
    findings.count_rows(table, file, row);
    let expected: usize = counted.values().map(Vec::len).sum();
    if row != expected as u64 {
        let place = format!("{table}/{}", file.path);
        findings.add(
            "files of `patients` that lack some, or have one twice",
            place,
        );
    }
    (checking.progress)(file.size);
    Ok(())
}
