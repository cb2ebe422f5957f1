//! `gaps.csv`: gaps in care as a list that somebody can act on.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use measures::gaps::{GapRow, GapStatus, HEADING, gaps};
use measures::spreadsheet;
use measures::structure::MeasureStructure;

use crate::error::RunError;
use crate::job::GapsTask;
use crate::people::{People, heading};
use crate::prepared_job::PreparedJob;
use crate::rows::read_rows;

/// Its name.
pub const NAME: &str = "gaps.csv";

/// What stands between the columns of gaps and those of people.
const OWN: [&str; 7] = [
    "since",
    "next_due",
    "last_evidence",
    "last_evidence_date",
    "last_evidence_value",
    "last_evidence_resource",
    "title",
];

/// Visits the gaps of every status, by measure and patient. Measures of which it is not settled which way
/// is better have none.
pub(crate) fn each_gap(
    rows: Option<&Path>,
    structures: &[Arc<MeasureStructure>],
    visit: &mut dyn FnMut(&MeasureStructure, GapRow),
) -> Result<(), RunError> {
    read_rows(rows, structures, &mut |subject| {
        let structure = structures.get(subject.measure);
        if let Some(structure) = structure.filter(|s| s.is_settled()) {
            gaps(structure, subject)
                .into_iter()
                .for_each(|row| visit(structure, row));
        }
    })
}

/// Writes the list; gives how many gaps it has.
pub(crate) async fn write_list(
    of: &PreparedJob,
    rows: Option<&Path>,
    structures: &[Arc<MeasureStructure>],
    task: &GapsTask,
    out: impl Write,
) -> Result<u64, RunError> {
    let mut patients = HashSet::new();
    each_gap(rows, structures, &mut |_, row| {
        if task.wants(row.status) {
            patients.insert(row.patient);
        }
    })?;
    let people = People::read(of, patients).await?;
    let mut out = csv::Writer::from_writer(out);
    let person = heading();
    let columns = [&HEADING[..], &OWN[..], &person, &["url"]];
    out.write_record(columns.concat())?;
    let (mut count, mut written) = (0, Ok(()));
    let at = of.context.at.latest(&of.job.zone);
    each_gap(rows, structures, &mut |structure, row| {
        if written.is_ok() && task.wants(row.status) {
            count += 1;
            let mut cells = cells(structure, &row, at, &of.job.zone);
            cells.extend(people.cells(&row.patient));
            cells.push(structure.artifact.url.to_string());
            written = out.write_record(&cells);
        }
    })?;
    written?;
    out.flush()?;
    Ok(count)
}

fn cells(structure: &MeasureStructure, row: &GapRow, at: i64, zone: &Zone) -> Vec<String> {
    let mut cells = row.cells(structure).to_vec();
    cells.push(since(row, at, zone).unwrap_or_default());
    cells.push(next_due(row, at, zone).unwrap_or_default());
    cells.extend(evidence(row).map(|cell| spreadsheet::cell(&cell).into_owned()));
    cells.push(spreadsheet::cell(&structure.artifact.title).into_owned());
    cells
}

/// When it is due where that is yet to come, as of a gap that is closed.
fn next_due(row: &GapRow, at: i64, zone: &Zone) -> Option<String> {
    let due = row.due.as_deref()?;
    let is_past = DateTime::parse(due)?.latest(zone) <= at;
    (!is_past).then(|| due.to_owned())
}

/// What was done last, when, with which value, and the resource that says so; without a date where it has none.
/// Empty where the measure tells of none: of a care gap, that nothing it looks for by code is recorded as done.
/// Medicines are looked for by drug, and never stand here.
fn evidence(row: &GapRow) -> [String; 4] {
    let Some(last) = row.evidence.clone() else {
        return Default::default();
    };
    let what = last.code.into_iter().chain(last.negated);
    [
        what.collect::<Vec<_>>().join(", "),
        last.date.unwrap_or_default(),
        last.value.unwrap_or_default(),
        last.resource,
    ]
}

/// Since when a gap is open: since it was due, where the measure says when and that is past. Nothing else
/// is known of it, and nothing is made up.
fn since(row: &GapRow, at: i64, zone: &Zone) -> Option<String> {
    let due = row
        .due
        .as_deref()
        .filter(|_| row.status == GapStatus::Open)?;
    let past = DateTime::parse(due)?.latest(zone) <= at;
    past.then(|| due.to_owned())
}
