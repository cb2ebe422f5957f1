//! Merging a bucket, and writing a group of them.

use engine_patient::fhir::names::Name;
use engine_population::lake::rows::{self, Merged, Row, Rows};
use engine_population::lake::schema;
use engine_population::lake::writer::GroupWriter;

use super::job::{Job, Tallies, files_of};
use super::load::load_bucket;
use super::written::{Written, remove_files};
use crate::import::error::ImportError;
use crate::import::ids::{Moved, id_hash, name_of};

/// Merges and writes a group of neighbouring buckets, where anything of it changes.
pub fn write_group(
    job: &Job<'_>,
    group: &[u32],
    stamp: &str,
    moved: &Moved,
) -> Result<Written, ImportError> {
    let mut one = Written::default();
    let mut changed = false;
    let mut writer = GroupWriter::new(
        job.store.as_ref(),
        group.to_vec(),
        stamp,
        job.options.now_ms,
    );
    // A group is written anew as a whole: `facts` and `patients` are files of the group.
    let touched = |b: &u32| !job.spill.is_empty(*b) || moved.left.contains(b);
    let untouched = !group.iter().any(touched);
    if untouched {
        group.iter().for_each(|_| job.progress.add_bucket());
        return Ok(one);
    }
    for bucket in group {
        let (mut rows, existing) = load_bucket(job, *bucket)?;
        changed |= merge(job, &mut rows, existing, *bucket, moved, &mut one);
        job.runtime.block_on(writer.add(*bucket, rows))?;
        job.progress.add_bucket();
    }
    if !changed {
        // What was written is in no snapshot: remove it again.
        let files = job.runtime.block_on(writer.finish())?;
        remove_files(job, &files);
        return Ok(one);
    }
    one.files = job.runtime.block_on(writer.finish())?;
    one.buckets.extend(group);
    for table in [schema::RESOURCES, schema::FACTS, schema::PATIENTS] {
        let paths = files_of(job.base, table, Some(group))
            .into_iter()
            .map(|f| f.path.clone());
        one.removed
            .entry(table.to_owned())
            .or_default()
            .extend(paths);
    }
    Ok(one)
}

/// Merges a bucket, without what has moved to another and what is deleted.
pub fn merge(
    job: &Job<'_>,
    rows: &mut Rows,
    existing: usize,
    bucket: u32,
    moved: &Moved,
    one: &mut Written,
) -> bool {
    let Written { tallies, flow, .. } = one;
    let deleted = |text: &str, row: &Row, there| job.deletions.of_row(text, row, there);
    let (text, mut index, mut kept) = (std::mem::take(&mut rows.text), 0, existing);
    // The name of a resource that stands in several buckets.
    let several = |row: &Row| {
        let id = text.get(row.id.clone()).unwrap_or("");
        let maybe = !moved.hashes.is_empty() && moved.hashes.contains(&id_hash(row.ty, id));
        maybe.then(|| name_of(row, &text))
    };
    let mut arrived: rustc_hash::FxHashSet<std::ops::Range<usize>> = Default::default();
    let mut left = 0;
    rows.rows.retain(|row| {
        let known = index < existing;
        index += 1;
        let Some(name) = several(row) else {
            return true;
        };
        let stays = moved.bucket.get(&name).is_none_or(|b| *b == bucket);
        if !stays && known {
            kept -= 1;
            left += 1;
        } else if !stays {
            tally(tallies, row.ty, Merged::Outdated);
        } else if moved.known.contains(&name) {
            arrived.insert(row.id.clone());
        }
        stays
    });
    rows.text = text;
    let changes = rows::merge(rows, kept, deleted, |row, merged| {
        // New in this bucket, but not in the lake.
        let replaced = merged == Merged::Stored && arrived.contains(&row.id);
        flow.arrived += u64::from(replaced);
        flow.stored += u64::from(merged == Merged::Stored && !replaced);
        let merged = if replaced { Merged::Replaced } else { merged };
        tally(tallies, row.ty, merged);
    });
    flow.left += left;
    flow.deleted += changes.deleted;
    flow.doubled += changes.doubled;
    changes.changed || left > 0 || changes.doubled > 0
}

fn tally(tallies: &mut Tallies, ty: Name, merged: Merged) {
    let tally = tallies.entry(ty.as_str().to_owned()).or_default();
    match merged {
        Merged::Stored => tally.stored += 1,
        Merged::Unchanged => tally.unchanged += 1,
        Merged::Replaced => tally.replaced += 1,
        Merged::Outdated => tally.outdated += 1,
        Merged::Repeated => {
            tally.outdated += 1;
            tally.repeated += 1;
        }
    }
}
