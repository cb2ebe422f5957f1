//! The commit, and what is looked up where it did not say that it landed.

use std::collections::BTreeMap;

use engine_population::lake::commit::{
    self, Base, Change, CommitError, DeltaProblem, NewLake, Snapshot, TableChange,
};
use engine_population::lake::rows::Tally;
use engine_population::lake::{LakeError, schema};
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::job::Job;
use super::written::Written;
use crate::import::error::ImportError;
use crate::import::report::ImportReport;
use crate::import::scratch::{Scratch, stamp_text};

/// Commits what was written on the base; nothing where nothing changes.
pub fn commit(
    job: &Job<'_>,
    group: u32,
    written: Written,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    if let Some(base) = job.base.filter(|_| written.is_empty()) {
        report.snapshot = Some(base.number);
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
    report.snapshot = Some(job.runtime.block_on(commit)?.number);
    report.committed = true;
    export(job, report);
    Ok(())
}

/// Writes the Delta logs that are missing, of a crash or another import too. They are derived: the
/// import is done without them. What could not be written, and what is wrong with those that are there,
/// is told: of the last two versions, whatever the number of imports before.
pub fn export(job: &Job<'_>, report: &mut ImportReport) {
    let store = job.store.as_ref();
    let export = async {
        // A newest snapshot that is vacuumed meanwhile has a newer one.
        for _ in 0..10 {
            let newest = commit::latest(store).await?;
            match commit::export_missing(store, newest.number, schema::schemas()).await {
                Err(CommitError::Vacuumed { .. }) => {}
                Err(e) => return Err(e),
                Ok(_) => return Ok(commit::newest_delta_problems(store, &newest).await),
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
