//! Closes the books: the rows before and after, against what was read.

use arrow::array::{Array, Int32Array};
use engine_population::lake::{DataFile, reader, schema};

use super::job::{Job, files_of};
use super::ledger;
use super::written::Written;
use crate::import::error::ImportError;
use crate::import::report::ImportReport;

/// Counts the patients, and refuses what does not add up.
pub fn close_books(
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
