//! Rows to Parquet files: sorted, paged for retrieve, named by content.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int16Array, Int32Array, Int32Builder, Int64Array, RecordBatch,
    StringBuilder, TimestampMicrosecondArray,
};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::reference_target;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::commit::DataFile;
use super::error::LakeError;
use super::paths::type_id;
use super::rows::{Row, Rows};
use super::schema;
use super::seal::{Sealed, seal};

/// Rows of a batch on its way to the writer.
const BATCH: usize = 4096;
/// And bytes of JSON, unless one row has more.
const BATCH_BYTES: usize = 64 << 20;
/// Bytes of a row group, unpacked, unless one batch has more: a column of one is read into texts of
/// 2 GiB at most, and is in memory while it is written.
const GROUP_BYTES: usize = 512 << 20;
/// Raw JSON of a page: small, so that a retrieve decompresses little (`spikes/lake-layout.md`).
const RAW_PAGE: usize = 64 << 10;

/// One row of `facts`, in sort order of its fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Fact {
    rtype: i16,
    path: i16,
    code_key: i64,
    bucket: i32,
    pat: i32,
    start: Option<i64>,
    rid: i32,
    end: Option<i64>,
}

/// Files of one group of neighbouring buckets, by table.
pub type Files = BTreeMap<String, Vec<DataFile>>;

/// Writes a group of neighbouring buckets: `resources` one file a bucket, `facts` and `patients` one
/// file for all of them. Buckets are added one after the other, so that one is in memory.
pub struct GroupWriter<'s> {
    store: &'s dyn ObjectStore,
    stamp: &'s str,
    modified_ms: i64,
    buckets: Vec<u32>,
    facts: Vec<Fact>,
    patients: Patients,
    files: Files,
}

impl<'s> GroupWriter<'s> {
    /// `buckets` are all of the group, ascending. `stamp` keeps file names unique over time;
    /// `modified_ms` is told to Delta readers.
    pub fn new(
        store: &'s dyn ObjectStore,
        buckets: Vec<u32>,
        stamp: &'s str,
        modified_ms: i64,
    ) -> Self {
        let (facts, patients, files) = (vec![], Patients::default(), Files::new());
        GroupWriter {
            store,
            stamp,
            modified_ms,
            buckets,
            facts,
            patients,
            files,
        }
    }

    /// Adds one bucket's rows, each type and id once.
    pub async fn add(&mut self, bucket: u32, mut rows: Rows) -> Result<(), LakeError> {
        if rows.rows.is_empty() {
            return Ok(());
        }
        let prepared = prepare(&mut rows)?;
        let encoded = encode_resources(bucket, &rows, &prepared)?;
        collect_facts(bucket, &rows, &prepared, &mut self.facts)?;
        self.patients.add(bucket, &rows, &prepared)?;
        let count = rows.rows.len();
        drop(rows);
        self.put(schema::RESOURCES, vec![bucket], encoded, count)
            .await
    }

    /// Writes what the buckets share, and tells all files.
    pub async fn finish(mut self) -> Result<Files, LakeError> {
        let mut facts = std::mem::take(&mut self.facts);
        facts.sort_unstable();
        if !facts.is_empty() {
            let encoded = encode_facts(&facts)?;
            self.put(schema::FACTS, self.buckets.clone(), encoded, facts.len())
                .await?;
        }
        drop(facts);
        let patients = std::mem::take(&mut self.patients);
        if patients.count > 0 {
            let count = patients.count;
            let batch = patients.finish();
            let encoded = encode(
                schema::PATIENTS,
                plain_properties().build(),
                &mut std::iter::once(batch),
            )?;
            self.put(schema::PATIENTS, self.buckets.clone(), encoded, count)
                .await?;
        }
        Ok(self.files)
    }

    async fn put(
        &mut self,
        table: &str,
        buckets: Vec<u32>,
        encoded: Sealed,
        rows: usize,
    ) -> Result<(), LakeError> {
        let file = put(
            self.store,
            table,
            buckets,
            encoded,
            rows,
            self.stamp,
            self.modified_ms,
        )
        .await?;
        self.files.entry(table.into()).or_default().push(file);
        Ok(())
    }
}

/// Which part of the resources without a patient a file holds, of how many: it stands in its name.
pub fn shared_part(file: &DataFile) -> (u32, u32) {
    let part = |text: &str| {
        let (part, of) = text.strip_prefix('b')?.split_once("of")?;
        let (part, of): (u32, u32) = (part.parse().ok()?, of.parse().ok()?);
        (of.is_power_of_two() && part < of).then_some((part, of))
    };
    file.path.split('-').find_map(part).unwrap_or((0, 1))
}

/// Writes a part of the resources without a patient: the part and of how many, a power of two.
pub async fn write_shared(
    store: &dyn ObjectStore,
    rows: &mut Rows,
    (part, of): (u32, u32),
    stamp: &str,
    modified_ms: i64,
) -> Result<Option<DataFile>, LakeError> {
    if rows.rows.is_empty() {
        return Ok(None);
    }
    let mut list = std::mem::take(&mut rows.rows);
    list.sort_by(|a, b| (a.ty.as_str(), rows.str(&a.id)).cmp(&(b.ty.as_str(), rows.str(&b.id))));
    rows.rows = list;
    let mut batches = batches(&rows.rows).map(|chunk| {
        let (mut types, mut ids) = (StringBuilder::new(), StringBuilder::new());
        let (mut versions, mut restores) = (StringBuilder::new(), StringBuilder::new());
        let raw_bytes = chunk.iter().map(|r| r.raw.len()).sum();
        let mut raws = StringBuilder::with_capacity(chunk.len(), raw_bytes);
        let mut updated = Vec::with_capacity(chunk.len());
        for row in chunk {
            types.append_value(row.ty.as_str());
            ids.append_value(rows.str(&row.id));
            versions.append_option(some_text(rows.str(&row.version)));
            updated.push(row.age.updated);
            raws.append_value(rows.str(&row.raw));
            restores.append_option(some_text(rows.str(&row.restore)));
        }
        let updated = TimestampMicrosecondArray::from(updated).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(types.finish()),
            Arc::new(ids.finish()),
            Arc::new(versions.finish()),
            Arc::new(updated),
            Arc::new(raws.finish()),
            Arc::new(restores.finish()),
        ];
        Ok(RecordBatch::try_new(schema::of(schema::SHARED), columns)?)
    });
    let encoded = encode(schema::SHARED, raw_properties().build(), &mut batches)?;
    let place = match of {
        1 => stamp.to_owned(),
        _ => format!("{stamp}-b{part:05}of{of:05}"),
    };
    let count = rows.rows.len();
    put(
        store,
        schema::SHARED,
        vec![],
        encoded,
        count,
        &place,
        modified_ms,
    )
    .await
    .map(Some)
}

/// Rows in batches of so many rows, and of so many bytes: a column of texts takes 2 GiB at most.
fn batches(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0usize;
        let fits = |row: &&Row| {
            bytes += row.raw.len() + row.restore.len();
            bytes <= BATCH_BYTES
        };
        let fitting = rest.iter().take(BATCH).take_while(fits).count().max(1);
        let (batch, behind) = rest.split_at_checked(fitting)?;
        rest = behind;
        Some(batch)
    })
}

/// System, code and display of a code key.
pub type CodeTexts = (String, String, Option<String>);

/// Writes what each code key stands for.
pub async fn write_codes(
    store: &dyn ObjectStore,
    codes: &BTreeMap<i64, CodeTexts>,
    stamp: &str,
    modified_ms: i64,
) -> Result<Option<DataFile>, LakeError> {
    if codes.is_empty() {
        return Ok(None);
    }
    let (mut systems, mut texts, mut displays) = (
        StringBuilder::new(),
        StringBuilder::new(),
        StringBuilder::new(),
    );
    for (system, code, display) in codes.values() {
        systems.append_value(system);
        texts.append_value(code);
        displays.append_option(display.as_deref());
    }
    let keys = Int64Array::from_iter_values(codes.keys().copied());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(keys),
        Arc::new(systems.finish()),
        Arc::new(texts.finish()),
        Arc::new(displays.finish()),
    ];
    let batch = RecordBatch::try_new(schema::of(schema::CODES), columns)?;
    let encoded = encode(
        schema::CODES,
        plain_properties().build(),
        &mut std::iter::once(Ok(batch)),
    )?;
    put(
        store,
        schema::CODES,
        vec![],
        encoded,
        codes.len(),
        stamp,
        modified_ms,
    )
    .await
    .map(Some)
}

/// The sorted patient ids of a bucket, and each row's place among them.
struct Prepared {
    patients: Vec<String>,
    pats: Vec<i32>,
}

/// Sorts the rows into file order.
fn prepare(rows: &mut Rows) -> Result<Prepared, LakeError> {
    let mut patients: Vec<String> = rows
        .rows
        .iter()
        .map(|r| rows.str(&r.patient).to_owned())
        .collect();
    patients.sort_unstable();
    patients.dedup();
    let too_many = || LakeError::bug("a bucket with more than 2^31 rows");
    let mut list = std::mem::take(&mut rows.rows);
    i32::try_from(list.len()).map_err(|_| too_many())?;
    let pat_of = |row: &Row| {
        let found = patients.binary_search_by(|p| p.as_str().cmp(rows.str(&row.patient)));
        i32::try_from(found.unwrap_or_default()).unwrap_or(i32::MAX)
    };
    let mut keyed: Vec<(i16, i64, i32, Option<i64>, Row)> = list
        .drain(..)
        .map(|r| (type_id(r.ty), r.first_key, pat_of(&r), r.start, r))
        .collect();
    keyed.sort_by(|a, b| {
        let key = |k: &(i16, i64, i32, Option<i64>, Row)| (k.0, k.1, k.2, k.3);
        key(a)
            .cmp(&key(b))
            .then_with(|| rows.str(&a.4.id).cmp(rows.str(&b.4.id)))
    });
    let pats = keyed.iter().map(|k| k.2).collect();
    rows.rows = keyed.into_iter().map(|k| k.4).collect();
    Ok(Prepared { patients, pats })
}

fn int(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn bucket_int(bucket: u32) -> i32 {
    i32::try_from(bucket).unwrap_or(i32::MAX)
}

fn some_text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn collect_facts(
    bucket: u32,
    rows: &Rows,
    prepared: &Prepared,
    facts: &mut Vec<Fact>,
) -> Result<(), LakeError> {
    facts.reserve(rows.codes.len());
    for (rid, (row, pat)) in rows.rows.iter().zip(&prepared.pats).enumerate() {
        for code in rows.codes_of(row) {
            facts.push(Fact {
                rtype: type_id(row.ty),
                path: code.path,
                code_key: code.key,
                bucket: bucket_int(bucket),
                pat: *pat,
                start: row.start,
                rid: int(rid),
                end: row.end,
            });
        }
    }
    Ok(())
}

fn encode_resources(bucket: u32, rows: &Rows, prepared: &Prepared) -> Result<Sealed, LakeError> {
    let mut pats = prepared.pats.as_slice();
    let mut chunks = batches(&rows.rows)
        .map_while(|chunk| {
            let (own, behind) = pats.split_at_checked(chunk.len())?;
            pats = behind;
            Some((chunk, own))
        })
        .map(|(chunk, pats)| {
            let raw_bytes = chunk.iter().map(|r| r.raw.len()).sum();
            let (mut patients, mut types) = (StringBuilder::new(), StringBuilder::new());
            let (mut ids, mut versions) = (StringBuilder::new(), StringBuilder::new());
            let mut raws = StringBuilder::with_capacity(chunk.len(), raw_bytes);
            let mut restores = StringBuilder::new();
            let mut updated = Vec::with_capacity(chunk.len());
            for row in chunk {
                patients.append_value(rows.str(&row.patient));
                types.append_value(row.ty.as_str());
                ids.append_value(rows.str(&row.id));
                versions.append_option(some_text(rows.str(&row.version)));
                updated.push(row.age.updated);
                raws.append_value(rows.str(&row.raw));
                restores.append_option(some_text(rows.str(&row.restore)));
            }
            let updated = TimestampMicrosecondArray::from(updated).with_timezone("UTC");
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int32Array::from(vec![bucket_int(bucket); chunk.len()])),
                Arc::new(Int32Array::from(pats.to_vec())),
                Arc::new(patients.finish()),
                Arc::new(types.finish()),
                Arc::new(ids.finish()),
                Arc::new(versions.finish()),
                Arc::new(updated),
                Arc::new(raws.finish()),
                Arc::new(restores.finish()),
            ];
            Ok(RecordBatch::try_new(
                schema::of(schema::RESOURCES),
                columns,
            )?)
        });
    encode(schema::RESOURCES, raw_properties().build(), &mut chunks)
}

fn encode_facts(facts: &[Fact]) -> Result<Sealed, LakeError> {
    let mut chunks = facts.chunks(1 << 16).map(|chunk| {
        let i32s = |f: fn(&Fact) -> i32| {
            Arc::new(Int32Array::from_iter_values(chunk.iter().map(f))) as ArrayRef
        };
        let i16s = |f: fn(&Fact) -> i16| {
            Arc::new(Int16Array::from_iter_values(chunk.iter().map(f))) as ArrayRef
        };
        let columns: Vec<ArrayRef> = vec![
            i16s(|f| f.rtype),
            i16s(|f| f.path),
            Arc::new(Int64Array::from_iter_values(
                chunk.iter().map(|f| f.code_key),
            )),
            i32s(|f| f.bucket),
            i32s(|f| f.pat),
            i32s(|f| f.rid),
            Arc::new(chunk.iter().map(|f| f.start).collect::<Int64Array>()),
            Arc::new(chunk.iter().map(|f| f.end).collect::<Int64Array>()),
        ];
        Ok(RecordBatch::try_new(schema::of(schema::FACTS), columns)?)
    });
    let mut properties = plain_properties()
        .set_data_page_row_count_limit(2048)
        .set_max_row_group_row_count(Some(1 << 20));
    for column in ["rtype", "path", "code_key", "bucket"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), true);
    }
    for column in ["pat", "rid"] {
        properties =
            properties.set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED);
    }
    for column in ["rid", "start_ms", "end_ms"] {
        properties = properties
            .set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Chunk);
    }
    encode(schema::FACTS, properties.build(), &mut chunks)
}

fn plain_properties() -> WriterPropertiesBuilder {
    let zstd = ZstdLevel::try_new(1).map_or(Compression::SNAPPY, Compression::ZSTD);
    WriterProperties::builder()
        .set_compression(zstd)
        .set_dictionary_enabled(false)
        .set_created_by("tandem".into())
}

/// The page limit is looked at after each write batch: the default of 1,024 rows would make pages
/// of a megabyte of JSON.
fn raw_properties() -> WriterPropertiesBuilder {
    plain_properties()
        .set_write_batch_size(16)
        .set_data_page_size_limit(RAW_PAGE)
        .set_data_page_row_count_limit(8192)
        .set_max_row_group_row_count(Some(1 << 16))
        .set_column_dictionary_enabled(ColumnPath::from("resource_type"), true)
        .set_column_dictionary_enabled(ColumnPath::from("patient_id"), true)
        .set_column_dictionary_enabled(ColumnPath::from("bucket"), true)
        .set_column_statistics_enabled(ColumnPath::from("raw"), EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("restore"), EnabledStatistics::None)
}

fn encode(
    table: &str,
    properties: WriterProperties,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, LakeError>>,
) -> Result<Sealed, LakeError> {
    let (out, schema) = (Vec::new(), schema::of(table));
    let mut writer = ArrowWriter::try_new(out, schema, Some(properties.clone()))?;
    let mut group = 0;
    for batch in batches {
        let batch = batch?;
        let bytes = batch.get_array_memory_size();
        if group > 0 && group + bytes > GROUP_BYTES {
            writer.flush()?;
            group = 0;
        }
        group += bytes;
        writer.write(&batch)?;
    }
    Ok(seal(writer.into_inner()?, properties)?)
}

/// Puts a file under a name of its own.
async fn put(
    store: &dyn ObjectStore,
    table: &str,
    buckets: Vec<u32>,
    sealed: Sealed,
    rows: usize,
    stamp: &str,
    modified_ms: i64,
) -> Result<DataFile, LakeError> {
    let hash = sealed.hash.get(..16).unwrap_or_default();
    let place = buckets
        .first()
        .map_or(String::new(), |b| format!("b{b:05}-"));
    let name = format!("{stamp}-{place}{hash}.parquet");
    let size = sealed.bytes.len() as u64;
    store
        .put(&Path::from(format!("{table}/{name}")), sealed.bytes.into())
        .await?;
    Ok(DataFile {
        path: name,
        buckets,
        size,
        rows: rows as u64,
        modified_ms,
        tail: sealed.tail,
        tail_hash: sealed.tail_hash,
        hash: sealed.hash,
    })
}

/// The `patients` table of a group as it grows.
#[derive(Default)]
struct Patients {
    count: usize,
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
    fn add(&mut self, bucket: u32, rows: &Rows, prepared: &Prepared) -> Result<(), LakeError> {
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

    fn finish(mut self) -> Result<RecordBatch, LakeError> {
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
