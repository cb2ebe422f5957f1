//! From the scratch files to the lake: merge with what is there, write, commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, AsArray, Int32Array, Int64Array};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use engine_population::lake::commit::{
    self, Base, Change, CommitError, DeltaProblem, NewLake, Snapshot, TableChange,
};
use engine_population::lake::envelope::{Envelope, Owner};
use engine_population::lake::rows::{self, Merged, Row, Rows, Tally};
use engine_population::lake::writer::{CodeTexts, Files, GroupWriter, write_codes};
use engine_population::lake::{DataFile, LakeError, group_size, reader, schema};
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::deletions::{Deletions, Outcome};
use super::ids::{IdShards, IdWriter, Moved, id_hash};
use super::ledger::{self, Flow};
use super::progress::Progress;
use super::scratch::{Scratch, stamp_text};
use super::shared;
use super::spill::Spill;
use super::{ImportError, ImportOptions, ImportReport, add_code};

/// All that the second half of an import needs.
pub struct Job<'a> {
    pub options: &'a ImportOptions,
    pub store: Arc<dyn ObjectStore>,
    pub base: Option<&'a Snapshot>,
    pub buckets: u32,
    pub scratch: &'a Scratch,
    pub spill: &'a Spill,
    pub ids: &'a IdShards,
    pub progress: &'a Progress,
    pub runtime: &'a tokio::runtime::Handle,
    /// Patients read.
    pub patients: u64,
    pub deletions: &'a Deletions,
}

type Tallies = BTreeMap<String, Tally>;
/// What the keys of codes stand for.
pub type CodeMap = rustc_hash::FxHashMap<i64, CodeTexts>;

pub fn scratch(job: &Job<'_>, error: std::io::Error) -> ImportError {
    ImportError::Io(job.spill.folder().to_owned(), error)
}

/// What the lake has of a bucket, and behind that what was read.
fn load_bucket(job: &Job<'_>, bucket: u32) -> Result<(Rows, usize), ImportError> {
    let mut rows = Rows::default();
    for file in files_of(job.base, schema::RESOURCES, Some(&[bucket])) {
        job.runtime
            .block_on(load_resources(job, schema::RESOURCES, file, &mut rows))?;
    }
    let existing = rows.rows.len();
    job.spill
        .load(bucket, &mut rows)
        .map_err(|e| scratch(job, e))?;
    Ok((rows, existing))
}

/// Resources whose versions belong to several buckets, and which bucket has the newest.
fn find_moved(job: &Job<'_>) -> Result<Moved, ImportError> {
    // Buckets with something that is to be deleted.
    let mut left = rustc_hash::FxHashSet::default();
    let parts = shared::parts(job.base, job.spill, &job.options.limits);
    job.ids.without_the_lake().map_err(|e| scratch(job, e))?;
    if let Some(base) = job.base {
        let mut ids = IdWriter::new(job.ids);
        for table in [schema::RESOURCES, schema::SHARED] {
            for file in files_of(Some(base), table, None) {
                let bucket = file.buckets.first().copied().unwrap_or(job.buckets);
                job.runtime
                    .block_on(add_ids(job, table, file, bucket, (&mut ids, &mut left)))?;
            }
        }
        ids.finish().map_err(|e| scratch(job, e))?;
    }
    let several = job.ids.in_several_buckets().map_err(|e| scratch(job, e))?;
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

fn name_of(row: &Row, text: &str) -> String {
    let id = text.get(row.id.clone()).unwrap_or("");
    format!("{}/{id}", row.ty.as_str())
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
                ids.add(hash, bucket).map_err(|e| scratch(job, e))?;
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

/// What the groups of buckets came to.
#[derive(Default)]
pub struct Written {
    pub tallies: Tallies,
    pub flow: Flow,
    pub files: Files,
    buckets: BTreeSet<u32>,
    pub removed: BTreeMap<String, BTreeSet<String>>,
}

impl Written {
    /// Nothing is new and nothing is gone.
    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.removed.values().all(BTreeSet::is_empty)
    }
}

/// Merges what was read with the base and commits that. Fills the report as it is after that, so
/// that it is right also where the commit landed and its answer was lost.
pub fn write(job: &Job<'_>, codes: CodeMap, report: &mut ImportReport) -> Result<(), ImportError> {
    job.deletions.forget_outcomes();
    let group = group_of(job);
    let groups: Vec<Vec<u32>> = (0..job.buckets)
        .collect::<Vec<_>>()
        .chunks(group as usize)
        .map(<[u32]>::to_vec)
        .collect();
    job.progress.start_writing(u64::from(job.buckets));
    let stamp = stamp_text(job.scratch.stamp());

    let moved = find_moved(job)?;
    let moved = &moved;
    let queue = Mutex::new(groups.into_iter());
    let written = Mutex::new(Written::default());
    let threads = job.options.threads.max(1);
    let outcome: Result<(), ImportError> = std::thread::scope(|scope| {
        let run = || -> Result<(), ImportError> {
            loop {
                let next = queue.lock().map_err(|_| poisoned())?.next();
                let Some(group) = next else { return Ok(()) };
                let one = write_group(job, &group, &stamp, moved)?;
                let mut all = written.lock().map_err(|_| poisoned())?;
                absorb(&mut all, one);
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut outcome = Ok(());
        for thread in threads {
            let one = thread
                .join()
                .unwrap_or_else(|_| Err(ImportError::Bug("a worker failed while writing".into())));
            outcome = outcome.and(one);
        }
        outcome
    });
    outcome?;
    let mut written = written.into_inner().map_err(|_| poisoned())?;
    write_unbucketed(job, codes, &stamp, moved, &mut written)?;
    for (ty, tally) in &written.tallies {
        report.types.entry(ty.clone()).or_default().add(tally);
    }
    report.deletions_not_there = apply_outcomes(job.deletions, &mut report.types);
    close_books(job, &written, report)?;
    // Whoever took the scratch away may have taken some of it before it was read.
    if !job.scratch.is_ours() {
        return Err(ImportError::ScratchGone);
    }
    commit(job, group, written, report)
}

/// Counts the patients, and refuses what does not add up.
fn close_books(
    job: &Job<'_>,
    written: &Written,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let after = |table: &str| -> Vec<&DataFile> {
        let gone = written.removed.get(table);
        let stays = |f: &&DataFile| gone.is_none_or(|g| !g.contains(&f.path));
        let before = files_of(job.base, table, None).into_iter().filter(stays);
        before
            .chain(written.files.get(table).into_iter().flatten())
            .collect()
    };
    let rows = |files: Vec<&DataFile>| files.iter().map(|f| f.rows).sum::<u64>();
    let counted = count_patients(job, &after(schema::PATIENTS))?;
    (report.patients, report.orphans) = (counted.patients, counted.orphans);
    let before = ledger::Rows {
        resources: rows(files_of(job.base, schema::RESOURCES, None)),
        shared: rows(files_of(job.base, schema::SHARED, None)),
        ..ledger::Rows::default()
    };
    let after = ledger::Rows {
        resources: rows(after(schema::RESOURCES)),
        shared: rows(after(schema::SHARED)),
        facts: rows(after(schema::FACTS)),
        of_patients: counted.resources,
    };
    ledger::check(&report.types, &written.flow, &before, &after).map_err(|what| {
        ImportError::Bug(format!(
            "the import does not add up: {what}. Nothing was committed, the lake is unchanged"
        ))
    })
}

/// Removes the files of an import that did not commit. Best effort: what stays is removed by
/// `tandem lake vacuum`.
pub fn discard(store: &dyn ObjectStore, runtime: &tokio::runtime::Handle, scratch: &Scratch) {
    let own = format!("{}-", stamp_text(scratch.stamp()));
    for table in schema::schemas().keys() {
        let folder = object_store::path::Path::from(table.as_str());
        let Ok(listed) = runtime.block_on(store.list_with_delimiter(Some(&folder))) else {
            continue;
        };
        let files = listed.objects.into_iter().map(|o| o.location);
        for path in files.filter(|p| p.filename().is_some_and(|n| n.starts_with(&own))) {
            let _ = runtime.block_on(store.delete(&path));
        }
    }
}

/// Whether an error leaves open that the commit landed. A full disk does not.
pub fn is_unsure(error: &ImportError) -> bool {
    match error {
        ImportError::Lake(LakeError::Commit(CommitError::Store { .. })) => {
            crate::machine::advice(&error.to_string()).is_none()
        }
        _ => false,
    }
}

/// What stands after the base of an import whose commit did not say that it landed.
pub enum Since {
    /// Nothing: the base is the newest.
    Nothing,
    /// Another's commit; this is the newest snapshot.
    Others(Box<Snapshot>),
    /// This import's own commit, with this number: its answer was lost.
    Landed(u64),
}

/// Looks what happened since the base. Only this import gives names that start with its stamp.
pub fn since(
    store: &dyn ObjectStore,
    runtime: &tokio::runtime::Handle,
    scratch: &Scratch,
    base: Option<&Snapshot>,
) -> Result<Since, CommitError> {
    let own = format!("{}-", stamp_text(scratch.stamp()));
    let newest = match runtime.block_on(commit::latest(store)) {
        Ok(newest) => newest,
        Err(CommitError::NoLake { .. }) => return Ok(Since::Nothing),
        Err(e) => return Err(e),
    };
    for number in base.map_or(0, |b| b.number + 1)..=newest.number {
        let snapshot = match runtime.block_on(commit::read(store, number)) {
            Ok(snapshot) => snapshot,
            Err(CommitError::Vacuumed { .. }) => continue,
            Err(e) => return Err(e),
        };
        let mut files = snapshot.tables.values().flat_map(|t| &t.files);
        if files.any(|f| f.path.starts_with(&own)) {
            return Ok(Since::Landed(number));
        }
    }
    Ok(match base.is_some_and(|b| b.number == newest.number) {
        true => Since::Nothing,
        false => Since::Others(Box::new(newest)),
    })
}

/// Counts what became of deletions; how many named what is not there.
fn apply_outcomes(deletions: &Deletions, types: &mut Tallies) -> u64 {
    let mut not_there = 0;
    for (ty, outcome) in deletions.outcomes() {
        let tally = types.entry(ty.to_owned()).or_default();
        match outcome {
            Outcome::Deleted => tally.deleted += 1,
            Outcome::Outdated => tally.outdated += 1,
            Outcome::NotThere => {
                tally.unchanged += 1;
                not_there += 1;
            }
        }
    }
    not_there
}

fn poisoned() -> ImportError {
    ImportError::Bug("a thread failed".into())
}

/// Buckets a `facts` file. Fixed when the lake is made.
fn group_of(job: &Job<'_>) -> u32 {
    let fixed = job
        .base
        .and_then(|b| b.summary.get("buckets_per_file")?.as_u64());
    let fixed = fixed.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    fixed.unwrap_or_else(|| group_size(job.patients, job.buckets))
}

fn absorb(all: &mut Written, one: Written) {
    for (ty, tally) in one.tallies {
        all.tallies.entry(ty).or_default().add(&tally);
    }
    all.flow.add(&one.flow);
    for (table, files) in one.files {
        all.files.entry(table).or_default().extend(files);
    }
    all.buckets.extend(one.buckets);
    for (table, paths) in one.removed {
        all.removed.entry(table).or_default().extend(paths);
    }
}

/// Files of the base snapshot that hold one of these buckets; all files for `None`.
pub fn files_of<'s>(
    base: Option<&'s Snapshot>,
    table: &str,
    buckets: Option<&[u32]>,
) -> Vec<&'s DataFile> {
    let files = base
        .and_then(|b| b.tables.get(table))
        .map_or(&[][..], |t| &t.files);
    let wanted =
        |f: &&DataFile| buckets.is_none_or(|all| f.buckets.iter().any(|b| all.contains(b)));
    files.iter().filter(wanted).collect()
}

fn write_group(
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

/// Best effort: what stays is removed by `tandem lake vacuum`.
pub fn remove_files(job: &Job<'_>, files: &Files) {
    for (table, files) in files {
        for file in files {
            let path = object_store::path::Path::from(format!("{table}/{}", file.path));
            let _ = job.runtime.block_on(job.store.delete(&path));
        }
    }
}

fn tally(tallies: &mut Tallies, ty: Name, merged: Merged) {
    let tally = tallies.entry(ty.as_str().to_owned()).or_default();
    match merged {
        Merged::Stored => tally.stored += 1,
        Merged::Unchanged => tally.unchanged += 1,
        Merged::Replaced => tally.replaced += 1,
        Merged::Outdated => tally.outdated += 1,
    }
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

/// `shared` and `codes`.
fn write_unbucketed(
    job: &Job<'_>,
    mut codes: CodeMap,
    stamp: &str,
    moved: &Moved,
    written: &mut Written,
) -> Result<(), ImportError> {
    let base_files = |table: &str| {
        job.base
            .and_then(|b| b.tables.get(table))
            .map_or(&[][..], |t| &t.files)
    };
    shared::write(job, stamp, moved, written)?;
    let before = job
        .runtime
        .block_on(load_codes(job, base_files(schema::CODES)))?;
    let mut collision = None;
    for (key, texts) in &before {
        add_code(&mut codes, *key, texts.clone(), &mut collision);
    }
    if let Some(codes) = collision {
        return Err(ImportError::Collision(codes));
    }
    let codes: BTreeMap<i64, CodeTexts> = codes.into_iter().collect();
    if codes != before && !written.is_empty() {
        let file = job.runtime.block_on(write_codes(
            job.store.as_ref(),
            &codes,
            stamp,
            job.options.now_ms,
        ))?;
        replace(written, schema::CODES, file, base_files(schema::CODES));
    }
    Ok(())
}

fn replace(written: &mut Written, table: &str, file: Option<DataFile>, before: &[DataFile]) {
    written
        .files
        .entry(table.to_owned())
        .or_default()
        .extend(file);
    let removed = before.iter().map(|f| f.path.clone());
    written
        .removed
        .entry(table.to_owned())
        .or_default()
        .extend(removed);
}

async fn load_codes(
    job: &Job<'_>,
    files: &[DataFile],
) -> Result<BTreeMap<i64, CodeTexts>, ImportError> {
    let mut out = BTreeMap::new();
    for file in files {
        for batch in reader::read_columns(
            &job.store,
            schema::CODES,
            file,
            &["code_key", "system", "code", "display"],
        )
        .await?
        {
            let bug = || ImportError::Bug("the table `codes` has other columns".into());
            let keys = batch
                .column_by_name("code_key")
                .and_then(|c| c.as_any().downcast_ref::<Int64Array>())
                .ok_or_else(bug)?;
            let text = |name: &str| {
                batch
                    .column_by_name(name)
                    .and_then(|c| c.as_string_opt::<i32>())
                    .ok_or_else(bug)
            };
            let (systems, codes, displays) = (text("system")?, text("code")?, text("display")?);
            for i in 0..keys.len() {
                let display = displays.is_valid(i).then(|| displays.value(i).to_owned());
                out.insert(
                    keys.value(i),
                    (
                        systems.value(i).to_owned(),
                        codes.value(i).to_owned(),
                        display,
                    ),
                );
            }
        }
    }
    Ok(out)
}

fn commit(
    job: &Job<'_>,
    group: u32,
    written: Written,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    if let Some(base) = job.base.filter(|_| written.is_empty()) {
        report.snapshot = base.number;
        export(job, report);
        return Ok(());
    }
    let mut tables: BTreeMap<String, TableChange> = schema::schemas()
        .keys()
        .map(|t| (t.clone(), TableChange::default()))
        .collect();
    for (table, mut files) in written.files {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        tables.entry(table).or_default().add = files;
    }
    for (table, paths) in written.removed {
        tables.entry(table).or_default().remove = paths;
    }
    let mut total = Tally::default();
    report.types.values().for_each(|t| total.add(t));
    let rejects = report
        .rejects_file
        .as_ref()
        .and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
    let change = Change {
        operation: "import".into(),
        engine: format!("tandem {}", env!("CARGO_PKG_VERSION")),
        summary: serde_json::json!({
            "buckets_per_file": group, "types": report.types, "total": total, "rejects": rejects,
            "references": report.references, "unreadable": report.unreadable,
        }),
        buckets: written.buckets,
        of_all: true,
        tables,
    };
    let new = NewLake {
        lake_id: job.options.lake_id.clone(),
        buckets: job.buckets,
    };
    let base = job.base.map_or(Base::Create(&new), Base::On);
    let commit = commit::commit(job.store.as_ref(), base, &change, job.options.now_ms);
    report.snapshot = job.runtime.block_on(commit)?.number;
    report.committed = true;
    export(job, report);
    Ok(())
}

/// Writes the Delta logs that are missing, of a crash or another import too. They are derived: the
/// import is done without them. What could not be written, and what is wrong with those that are there,
/// is told.
pub fn export(job: &Job<'_>, report: &mut ImportReport) {
    let store = job.store.as_ref();
    let export = async {
        // A newest snapshot that is vacuumed meanwhile has a newer one.
        for _ in 0..10 {
            let newest = commit::latest(store).await?;
            match commit::export_missing(store, newest.number, schema::schemas()).await {
                Err(CommitError::Vacuumed { .. }) => {}
                Err(e) => return Err(e),
                Ok(_) => return Ok(commit::delta_problems(store, &newest).await),
            }
        }
        Ok(vec![])
    };
    match job.runtime.block_on(export) {
        Err(e) => report.delta_behind = Some(e.to_string()),
        Ok(problems) => {
            let told = problems
                .into_iter()
                .filter_map(|(table, problem)| match problem {
                    // Another import commits meanwhile, and writes it.
                    DeltaProblem::EndsBefore(_) => None,
                    DeltaProblem::Unreadable(what) => Some(what),
                    DeltaProblem::OtherFiles => Some(format!(
                        "{table}/_delta_log lists other files than the snapshot"
                    )),
                });
            report.delta_damaged = told.collect();
        }
    }
}

/// What the table `patients` says.
#[derive(Default)]
struct Counted {
    patients: u64,
    /// Resources whose patient is not in the lake.
    orphans: u64,
    /// Resources of patients.
    resources: u64,
}

fn count_patients(job: &Job<'_>, files: &[&DataFile]) -> Result<Counted, ImportError> {
    let mut counted = Counted::default();
    for file in files {
        let batches = job.runtime.block_on(reader::read_columns(
            &job.store,
            schema::PATIENTS,
            file,
            &["rid", "resources"],
        ))?;
        for batch in batches {
            let bug = || ImportError::Bug("the table `patients` has other columns".into());
            let int = |name: &str| {
                batch
                    .column_by_name(name)
                    .and_then(|c| c.as_any().downcast_ref::<Int32Array>().cloned())
                    .ok_or_else(bug)
            };
            let (rids, counts) = (int("rid")?, int("resources")?);
            for i in 0..rids.len() {
                let resources = u64::try_from(counts.value(i)).unwrap_or(0);
                counted.resources += resources;
                match rids.is_valid(i) {
                    true => counted.patients += 1,
                    false => counted.orphans += resources,
                }
            }
        }
    }
    Ok(counted)
}
