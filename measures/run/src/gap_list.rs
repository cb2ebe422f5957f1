//! `gaps.csv`: gaps in care as a list that somebody can act on.
#![allow(clippy::disallowed_types, reason = "the list is a file")]

use std::collections::HashSet;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use measures::gaps::{GapRow, GapStatus, HEADING};
use measures::result::Improvement;
use measures::spreadsheet;
use measures::structure::MeasureStructure;

use crate::error::RunError;
use crate::gaps::GapsResult;
use crate::job::GapsTask;
use crate::people::{People, heading};
use crate::prepared_job::PreparedJob;

/// Its name.
pub const NAME: &str = "gaps.csv";

/// Writes the list; gives how many gaps it has.
pub(crate) async fn write_list(
    of: &PreparedJob,
    gaps: &GapsResult,
    task: &GapsTask,
    folder: &Path,
) -> Result<u64, RunError> {
    let mut patients = HashSet::new();
    gaps.each(&mut |_, row| {
        if task.wants(row.status) {
            patients.insert(row.patient);
        }
    })?;
    let people = People::read(of, &patients).await?;
    let file = BufWriter::new(File::create(folder.join(NAME))?);
    let mut out = csv::Writer::from_writer(file);
    let person = heading();
    let columns = [&HEADING[..], &["since", "title"], &person, &["url"]];
    out.write_record(columns.concat())?;
    let (mut count, mut written) = (0, Ok(()));
    let at = of.context.at.latest(&of.job.zone);
    gaps.each(&mut |structure, row| {
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
    let with_reason = GapRow {
        reason: row.reason.clone().or_else(|| why_open(structure, row)),
        ..row.clone()
    };
    let mut cells = with_reason.cells(structure).to_vec();
    cells.push(since(row, at, zone).unwrap_or_default());
    cells.push(spreadsheet::cell(&structure.artifact.title).into_owned());
    cells
}

/// What makes a gap an open one, by the measure's own word for it.
fn why_open(structure: &MeasureStructure, row: &GapRow) -> Option<std::sync::Arc<str>> {
    let group = structure.groups.get(row.group)?;
    let text = match group.improvement_notation {
        _ if row.status != GapStatus::Open => return None,
        Some(Improvement::Decrease) => "in the numerator, and lower is better",
        Some(Improvement::Increase) | None => "not in the numerator",
    };
    Some(text.into())
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
