//! The resources without a patient: in parts, so that one of them is in memory at a time.
//!
//! A resource's part follows from the hash of its type and id. How many parts there are, a power of
//! two, stands in the names of the files; one for the first 200 MB of JSON. Where an import would make
//! parts more than twice as large, it deals all anew to more of them.

use engine_population::lake::rows::Rows;
use engine_population::lake::writer::{shared_part, write_shared};
use engine_population::lake::{DataFile, Snapshot, schema};

use super::bucket::merge;
use super::job::{Job, files_of};
use super::load::load_resources;
use super::written::{Written, remove_files};
use crate::import::error::ImportError;
use crate::import::ids::{Moved, id_hash};
use crate::import::limits::Limits;
use crate::import::spill::{Spill, part_of};

/// FHIR JSON takes so many times its bytes in the lake, roughly.
const PACKED: u64 = 8;
/// Parts of a spill at least, so that a lake can grow.
const LEAST: u32 = 16;
const MOST: u32 = 1024;

/// Powers of two.
#[derive(Clone, Copy)]
pub struct Parts {
    /// In the base snapshot.
    old: u32,
    /// In what is written.
    pub new: u32,
}

fn shared_files(base: Option<&Snapshot>) -> Vec<&DataFile> {
    files_of(base, schema::SHARED, None)
}

fn parts_of(files: &[&DataFile]) -> u32 {
    files.iter().map(|f| shared_part(f).1).max().unwrap_or(1)
}

fn for_bytes(bytes: u64, limits: &Limits) -> u32 {
    let wanted = bytes.div_ceil(limits.part.max(1)).clamp(1, u64::from(MOST));
    u32::try_from(wanted).unwrap_or(MOST).next_power_of_two()
}

fn raw_bytes(files: &[&DataFile]) -> u64 {
    files.iter().map(|f| f.size.saturating_mul(PACKED)).sum()
}

/// Parts of the spill: enough for whatever [`parts`] will say, when so many bytes are read.
pub fn spill_parts(base: Option<&Snapshot>, read: u64, limits: &Limits) -> u32 {
    let files = shared_files(base);
    for_bytes(read.saturating_add(raw_bytes(&files)), limits)
        .max(LEAST)
        .max(parts_of(&files))
}

/// The parts of the base, and of what is written.
pub fn parts(base: Option<&Snapshot>, spill: &Spill, limits: &Limits) -> Parts {
    let files = shared_files(base);
    let old = parts_of(&files);
    let bytes = raw_bytes(&files).saturating_add(spill.shared_bytes());
    let fitting = for_bytes(bytes, limits);
    let fitting = fitting.min(spill.parts());
    let new = match files.is_empty() || fitting > old.saturating_mul(2) {
        true => fitting.max(old),
        false => old,
    };
    Parts { old, new }
}

/// The number by which the moves of ids call the part that a hash belongs to.
pub fn place_of(job: &Job<'_>, parts: Parts, hash: u64) -> u32 {
    job.buckets + part_of(hash, parts.new)
}

/// What the lake has of a part, and behind that what was read.
pub fn load(job: &Job<'_>, parts: Parts, part: u32) -> Result<(Rows, usize), ImportError> {
    let mut rows = Rows::default();
    for file in shared_files(job.base) {
        let (own, of) = shared_part(file);
        if part & (of - 1) != own {
            continue;
        }
        job.runtime
            .block_on(load_resources(job, schema::SHARED, file, &mut rows))?;
        if of != parts.new {
            let mut all = std::mem::take(&mut rows.rows);
            all.retain(|row| part_of(id_hash(row.ty, rows.str(&row.id)), parts.new) == part);
            rows.rows = all;
        }
    }
    let existing = rows.rows.len();
    let (own, of) = spilled(job, parts, part);
    job.spill
        .load_shared((own, of), &mut rows)
        .map_err(|e| job.scratch_error(e))?;
    if of != parts.new {
        let mut index = 0;
        let mut all = std::mem::take(&mut rows.rows);
        all.retain(|row| {
            index += 1;
            let known = index <= existing;
            known || part_of(id_hash(row.ty, rows.str(&row.id)), parts.new) == part
        });
        rows.rows = all;
    }
    Ok((rows, existing))
}

/// Where the spill has the rows of a part: among others where it has fewer parts than another import
/// has made of the lake meanwhile.
fn spilled(job: &Job<'_>, parts: Parts, part: u32) -> (u32, u32) {
    let of = parts.new.min(job.spill.parts());
    (part & (of - 1), of)
}

/// Merges and writes the parts that change.
pub fn write(
    job: &Job<'_>,
    stamp: &str,
    moved: &Moved,
    written: &mut Written,
) -> Result<(), ImportError> {
    let parts = parts(job.base, job.spill, &job.options.limits);
    let grown = parts.new != parts.old;
    let touched = |part: u32| {
        !job.spill.is_shared_empty(spilled(job, parts, part))
            || moved.left.contains(&(job.buckets + part))
    };
    if !(0..parts.new).any(touched) {
        return Ok(());
    }
    let mut files = vec![];
    let (mut removed, mut any) = (vec![], false);
    for part in (0..parts.new).filter(|p| grown || touched(*p)) {
        let (mut rows, existing) = load(job, parts, part)?;
        let changed = merge(job, &mut rows, existing, job.buckets, moved, written);
        any |= changed;
        if !changed && !grown {
            continue;
        }
        let (store, now) = (job.store.as_ref(), job.options.now_ms);
        let file = write_shared(store, &mut rows, (part, parts.new), stamp, now);
        files.extend(job.runtime.block_on(file)?);
        let own = shared_files(job.base).into_iter();
        let own = own.filter(|f| grown || shared_part(f).0 == part);
        removed.extend(own.map(|f| f.path.clone()));
    }
    if !any {
        // Dealt anew for nothing: what was written is in no snapshot.
        remove_files(job, &[(schema::SHARED.to_owned(), files)].into());
        return Ok(());
    }
    let table = schema::SHARED.to_owned();
    written
        .files
        .entry(table.clone())
        .or_default()
        .extend(files);
    written.removed.entry(table).or_default().extend(removed);
    Ok(())
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
