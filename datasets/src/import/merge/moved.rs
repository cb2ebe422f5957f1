//! Which bucket has the newest version of what stands in several.

use arrow::array::{Array, AsArray};
use engine_patient::fhir::names::Name;
use engine_population::lake::{DataFile, reader, schema};

use super::job::{Job, files_of};
use super::load::load_bucket;
use super::shared;
use crate::import::error::ImportError;
use crate::import::ids::{IdWriter, Moved, id_hash, name_of};

/// Resources whose versions belong to several buckets, and which bucket has the newest.
pub fn find_moved(job: &Job<'_>) -> Result<Moved, ImportError> {
    // Buckets with something that is to be deleted.
    let mut left = rustc_hash::FxHashSet::default();
    let parts = shared::parts(job.base, job.spill, &job.options.limits);
    job.ids
        .without_the_lake()
        .map_err(|e| job.scratch_error(e))?;
    if let Some(base) = job.base {
        let mut ids = IdWriter::new(job.ids);
        for table in [schema::RESOURCES, schema::SHARED] {
            for file in files_of(Some(base), table, None) {
                let bucket = file.buckets.first().copied().unwrap_or(job.buckets);
                job.runtime
                    .block_on(add_ids(job, table, file, bucket, (&mut ids, &mut left)))?;
            }
        }
        ids.finish().map_err(|e| job.scratch_error(e))?;
    }
    let several = job
        .ids
        .in_several_buckets()
        .map_err(|e| job.scratch_error(e))?;
    let mut moved = Moved {
        left,
        ..Moved::default()
    };
    if several.is_empty() {
        return Ok(moved);
    }
    // Rare, so the buckets are simply read: newest wins, of equals the one read later.
    let mut best = rustc_hash::FxHashMap::default();
    let mut places: Vec<(String, u32)> = vec![];
    for place in 0..job.buckets + parts.new {
        let bucket = place.min(job.buckets);
        let (rows, existing) = match place.checked_sub(job.buckets) {
            None => load_bucket(job, bucket)?,
            Some(part) => shared::load(job, parts, part)?,
        };
        for (index, row) in rows.rows.iter().enumerate() {
            let hash = id_hash(row.ty, rows.str(&row.id));
            if !several.contains(&hash) {
                continue;
            }
            let rank = (row.age, index >= existing, row.sequence);
            let name = name_of(row, &rows.text);
            if index < existing {
                moved.known.insert(name.clone());
                places.push((name.clone(), place));
            }
            let slot = best.entry(name).or_insert((rank, bucket));
            if rank > slot.0 {
                *slot = (rank, bucket);
            }
        }
    }
    moved.bucket = best
        .into_iter()
        .map(|(name, (_, bucket))| (name, bucket))
        .collect();
    let leaves =
        |(name, place): &(String, u32)| moved.bucket.get(name) != Some(&job.buckets.min(*place));
    let leaving: Vec<u32> = places
        .into_iter()
        .filter(leaves)
        .map(|(_, place)| place)
        .collect();
    moved.left.extend(leaving);
    moved.hashes = several;
    Ok(moved)
}

async fn add_ids(
    job: &Job<'_>,
    table: &str,
    file: &DataFile,
    bucket: u32,
    (ids, left): (&mut IdWriter<'_>, &mut rustc_hash::FxHashSet<u32>),
) -> Result<(), ImportError> {
    for batch in reader::read_columns(&job.store, table, file, &["resource_type", "id"]).await? {
        let text = |name: &str| {
            let column = batch
                .column_by_name(name)
                .and_then(|c| c.as_string_opt::<i32>());
            column.ok_or_else(|| ImportError::Bug(format!("no column `{name}`")))
        };
        let (types, texts) = (text("resource_type")?, text("id")?);
        for row in 0..texts.len() {
            if let Some(ty) = Name::of(types.value(row)) {
                let hash = id_hash(ty, texts.value(row));
                ids.add(hash, bucket).map_err(|e| job.scratch_error(e))?;
                if job.deletions.names(hash) {
                    let shared = bucket == job.buckets;
                    let limits = &job.options.limits;
                    let parts = || shared::parts(job.base, job.spill, limits);
                    let place = || shared::place_of(job, parts(), hash);
                    left.insert(if shared { place() } else { bucket });
                }
            }
        }
    }
    Ok(())
}
