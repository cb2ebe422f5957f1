//! The files of a run: MeasureReports, the list of subjects, totals by attribution. Each is written as it is made, so that
//! many patients take no memory.
#![allow(clippy::disallowed_types, reason = "reports are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use measures::report::attributed::{AttributedTo, attributed_report};
use measures::report::individual::individual_report;
use measures::report::measure_report;
use measures::report::subject_list::{SubjectLists, subject_list_report};
use measures::result::MeasureResult;
use measures::structure::{MeasureStructure, file_name};
use measures::subject::Subject;
use measures::subject_csv::lists;
use serde::Serialize;

use crate::attribution::Attributed;
use crate::error::RunError;
use crate::job::{Report, RunFiles};
use crate::people::{People, heading};
use crate::rows::read_rows;
use crate::run_result::RunResult;

/// Writes the reports; gives the names of their files, in the order of the measures.
pub fn write_reports(
    kind: Report,
    ran: &RunResult,
    folder: &Path,
) -> Result<Vec<String>, RunError> {
    match kind {
        Report::Summary => summaries(ran, folder),
        Report::SubjectList => subject_lists(ran, folder),
        Report::Individual => individuals(ran, folder),
    }
}

/// A file of these bytes.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    Ok(File::create(path)?.write_all(bytes)?)
}

/// The file of a measure's reports.
fn report_name(structure: &MeasureStructure, rest: &str) -> String {
    file_name("MeasureReport-", &structure.name, rest)
}

fn write_report(report: &impl Serialize, folder: &Path, name: &str) -> Result<(), RunError> {
    let mut out = BufWriter::new(File::create(folder.join(name))?);
    serde_json::to_writer_pretty(&mut out, report).map_err(|e| RunError::unwritten(e.into()))?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

fn summaries(ran: &RunResult, folder: &Path) -> Result<Vec<String>, RunError> {
    let mut names = vec![];
    for result in &ran.results {
        let name = report_name(&result.structure, ".json");
        write_report(&measure_report(result, &ran.report), folder, &name)?;
        names.push(name);
    }
    Ok(names)
}

/// Rows stand by measure: a list is written once its last patient has passed.
fn subject_lists(ran: &RunResult, folder: &Path) -> Result<Vec<String>, RunError> {
    let place = |result: &MeasureResult| {
        let mut structures = ran.structures.iter();
        structures.position(|s| Arc::ptr_eq(s, &result.structure))
    };
    let name = |structure: &MeasureStructure| report_name(structure, "-subject-list.json");
    let write = |measure: usize, list: &SubjectLists| -> Result<(), RunError> {
        let mut results = ran.results.iter();
        match results.find(|r| place(r) == Some(measure)) {
            Some(result) => {
                let report = subject_list_report(result, list, &ran.report);
                write_report(&report, folder, &name(&result.structure))
            }
            None => Ok(()),
        }
    };
    let mut written = BTreeSet::new();
    let mut current: Option<(usize, SubjectLists)> = None;
    each_subject(ran, &mut |structure, subject| {
        let measure = subject.measure;
        if current.as_ref().is_none_or(|(m, _)| *m != measure) {
            if let Some((measure, list)) = current.replace((measure, SubjectLists::default())) {
                write(measure, &list)?;
            }
            written.insert(measure);
        }
        if let Some((_, list)) = &mut current {
            list.add(structure, subject);
        }
        Ok(())
    })?;
    if let Some((measure, list)) = current {
        write(measure, &list)?;
    }
    let mut names = vec![];
    for result in &ran.results {
        names.push(match place(result) {
            Some(measure) => {
                if !written.contains(&measure) {
                    write(measure, &SubjectLists::default())?;
                }
                name(&result.structure)
            }
            // An SQL measure has no list of subjects.
            None => {
                let name = report_name(&result.structure, ".json");
                write_report(&measure_report(result, &ran.report), folder, &name)?;
                name
            }
        });
    }
    Ok(names)
}

fn individuals(ran: &RunResult, folder: &Path) -> Result<Vec<String>, RunError> {
    let mut names = BTreeMap::new();
    let mut current: Option<(usize, BufWriter<File>)> = None;
    each_subject(ran, &mut |structure, subject| {
        let measure = subject.measure;
        if current.as_ref().is_none_or(|(m, _)| *m != measure) {
            let name = report_name(structure, "-individual.ndjson");
            let file = File::create(folder.join(&name))?;
            names.insert(measure, name);
            if let Some((_, mut last)) = current.replace((measure, BufWriter::new(file))) {
                last.flush()?;
            }
        }
        let evaluated = subject.evaluated.iter();
        let evaluated: Vec<_> = evaluated.map(|r| (r.clone(), vec![])).collect();
        let report = individual_report(structure, subject, &evaluated, &ran.report);
        if let Some((_, out)) = &mut current {
            serde_json::to_writer(&mut *out, &report).map_err(|e| RunError::unwritten(e.into()))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    if let Some((_, mut last)) = current {
        last.flush()?;
    }
    Ok(names.into_values().collect())
}

/// Is shown a patient's results of a measure.
type Visit<'v> = dyn FnMut(&Arc<MeasureStructure>, &Subject) -> Result<(), RunError> + 'v;

/// Every patient and measure of the rows, in their order, until something fails.
fn each_subject(ran: &RunResult, visit: &mut Visit<'_>) -> Result<(), RunError> {
    let mut done = Ok(());
    read_rows(ran.rows.as_deref(), &ran.structures, &mut |subject| {
        if let (Ok(()), Some(structure)) = (&done, ran.structures.get(subject.measure)) {
            done = visit(structure, subject);
        }
    })?;
    done
}

/// The subject list, see [`measures::subject_csv`], with who the patients are.
pub(crate) fn subjects_csv(
    people: &People,
    ran: &RunResult,
    target: &Path,
) -> Result<(), RunError> {
    let file = BufWriter::new(File::create(target)?);
    let mut out = csv::Writer::from_writer(file);
    out.write_record(measures::subject_csv::heading(&heading()))?;
    each_subject(ran, &mut |structure, subject| {
        if lists(structure, subject) {
            let person = people.cells(&subject.patient);
            measures::subject_csv::write(structure, subject, &person, &mut out)?;
        }
        Ok(())
    })?;
    Ok(out.flush()?)
}

/// The totals by attribution: as CSV, and as MeasureReports where there are reports. Gives the names of
/// those, in the order of the measures.
pub(crate) fn write_attributed(
    attributed: &Attributed,
    ran: &RunResult,
    files: RunFiles,
    folder: &Path,
) -> Result<Vec<String>, RunError> {
    let by = attributed.by.as_str();
    if files.tables {
        let file = File::create(folder.join(format!("by-{by}.csv")))?;
        let mut out = csv::Writer::from_writer(BufWriter::new(file));
        attributed.csv(&mut out)?;
        out.flush()?;
    }
    let mut names = vec![];
    for structure in ran.structures.iter().filter(|_| files.reports) {
        let name = report_name(structure, &format!("-by-{by}.ndjson"));
        let mut out = BufWriter::new(File::create(folder.join(&name))?);
        for (place, results) in &attributed.places {
            let mut results = results.iter().filter(|r| r.patients > 0);
            let Some(result) = results.find(|r| Arc::ptr_eq(&r.structure, structure)) else {
                continue;
            };
            let place = place.as_ref().map(|p| (&*p.reference, &*p.name));
            let report = attributed_report(result, AttributedTo { by, place }, &ran.report);
            serde_json::to_writer(&mut out, &report).map_err(|e| RunError::unwritten(e.into()))?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        names.push(name);
    }
    Ok(names)
}
