//! The table `patients`: who they are, and how much there is of each.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int32Array, Int32Builder, Int64Array, RecordBatch, StringBuilder,
};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::reference_target;

use super::super::error::LakeError;
use super::super::rows::Rows;
use super::super::schema;
use super::order::{Prepared, bucket_int, int};

/// The `patients` table of a group as it grows.
#[derive(Default)]
pub(super) struct Patients {
    pub count: usize,
    bucket: Vec<i32>,
    pat: Vec<i32>,
    id: StringBuilder,
    rid: Int32Builder,
    birth_date: StringBuilder,
    gender: StringBuilder,
    deceased: BooleanBuilder,
    organization: StringBuilder,
    practitioner: StringBuilder,
    resources: Vec<i32>,
    hash: Vec<i64>,
}

impl Patients {
    pub fn add(&mut self, bucket: u32, rows: &Rows, prepared: &Prepared) -> Result<(), LakeError> {
        let mut own: Vec<Option<usize>> = vec![None; prepared.patients.len()];
        let mut counts = vec![(0i32, 0u64); prepared.patients.len()];
        let patient = Name::of("Patient");
        for (rid, (row, pat)) in rows.rows.iter().zip(&prepared.pats).enumerate() {
            let pat = usize::try_from(*pat).unwrap_or(usize::MAX);
            if Some(row.ty) == patient
                && let Some(slot) = own.get_mut(pat)
            {
                *slot = Some(rid);
            }
            if let Some((count, hash)) = counts.get_mut(pat) {
                *count += 1;
                // A sum, so that the order of the resources does not matter.
                for part in [&row.raw, &row.restore].map(|r| rows.str(r)) {
                    if !part.is_empty() {
                        *hash = hash.wrapping_add(xxhash_rust::xxh3::xxh3_64(part.as_bytes()));
                    }
                }
            }
        }
        let mut record = PatientRecord::new();
        for (pat, ((id, own), (count, hash))) in
            prepared.patients.iter().zip(own).zip(counts).enumerate()
        {
            self.count += 1;
            self.bucket.push(bucket_int(bucket));
            self.pat.push(int(pat));
            self.id.append_value(id);
            self.rid.append_option(own.map(int));
            self.resources.push(count);
            self.hash.push(i64::from_ne_bytes(hash.to_ne_bytes()));
            record.clear();
            if let Some(row) = own.and_then(|rid| rows.rows.get(rid)) {
                let pushed = record.push(rows.str(&row.raw));
                pushed.map_err(|e| {
                    LakeError::bug(&format!("a stored Patient cannot be read: {e}"))
                })?;
            }
            self.demographics(&record);
        }
        Ok(())
    }

    fn demographics(&mut self, record: &PatientRecord) {
        let patient = record.patient();
        let text = |name: &str| patient.and_then(|p| p.get_str(name));
        self.birth_date.append_option(text("birthDate"));
        self.gender.append_option(text("gender"));
        let deceased = patient.and_then(|p| {
            let flag = p.get_named("deceasedBoolean").and_then(|d| d.as_bool());
            flag.or(p.get_named("deceasedDateTime").map(|_| true))
        });
        self.deceased.append_option(deceased);
        let reference = |name: &str| {
            let element = patient?.get_named(name)?;
            let text = element.items().next()?.get_str("reference")?;
            reference_target(&text).map(|(_, id)| id.to_owned())
        };
        self.organization
            .append_option(reference("managingOrganization"));
        self.practitioner
            .append_option(reference("generalPractitioner"));
    }

    pub fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(self.bucket)),
            Arc::new(Int32Array::from(self.pat)),
            Arc::new(self.id.finish()),
            Arc::new(self.rid.finish()),
            Arc::new(self.birth_date.finish()),
            Arc::new(self.gender.finish()),
            Arc::new(self.deceased.finish()),
            Arc::new(self.organization.finish()),
            Arc::new(self.practitioner.finish()),
            Arc::new(Int32Array::from(self.resources)),
            Arc::new(Int64Array::from(self.hash)),
        ];
        Ok(RecordBatch::try_new(schema::of(schema::PATIENTS), columns)?)
    }
}
