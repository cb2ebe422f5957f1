//! The files of a run: MeasureReports and the list of subjects. Each is written as it is made, so that
//! many patients take no memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use measures::report::individual::individual_report;
use measures::report::measure_report;
use measures::report::subject_list::{SubjectLists, subject_list_report};
use measures::result::MeasureResult;
use measures::shape::{MeasureShape, file_name};
use measures::subject::Subject;
use measures_run::rows::read_rows;
use serde::Serialize;
use serde_json::Value;

use super::run::{Ran, Report, unwritten};
use crate::failure::Failure;

/// Writes the reports; gives the names of their files, in the order of the measures.
pub fn write_reports(kind: Report, ran: &Ran, folder: &Path) -> Result<Vec<String>, Failure> {
    match kind {
        Report::Summary => summaries(ran, folder),
        Report::SubjectList => subject_lists(ran, folder),
        Report::Individual => individuals(ran, folder),
    }
}

/// The file of a measure's reports.
fn report_name(shape: &MeasureShape, rest: &str) -> String {
    file_name("MeasureReport-", &shape.name, rest)
}

fn write_report(report: &impl Serialize, folder: &Path, name: &str) -> Result<(), Failure> {
    let mut out = BufWriter::new(File::create(folder.join(name)).map_err(unwritten)?);
    serde_json::to_writer_pretty(&mut out, report).map_err(|e| unwritten(e.into()))?;
    out.write_all(b"\n")
        .and_then(|()| out.flush())
        .map_err(unwritten)
}

fn summaries(ran: &Ran, folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = vec![];
    for result in &ran.results {
        let name = report_name(&result.shape, ".json");
        write_report(&measure_report(result, &ran.report), folder, &name)?;
        names.push(name);
    }
    Ok(names)
}

/// Rows stand by measure: a list is written once its last patient has passed.
fn subject_lists(ran: &Ran, folder: &Path) -> Result<Vec<String>, Failure> {
    let place = |result: &MeasureResult| {
        let mut shapes = ran.shapes.iter();
        shapes.position(|s| Arc::ptr_eq(s, &result.shape))
    };
    let name = |shape: &MeasureShape| report_name(shape, "-subject-list.json");
    let write = |measure: usize, list: &SubjectLists| -> Result<(), Failure> {
        let mut results = ran.results.iter();
        match results.find(|r| place(r) == Some(measure)) {
            Some(result) => {
                let report = subject_list_report(result, list, &ran.report);
                write_report(&report, folder, &name(&result.shape))
            }
            None => Ok(()),
        }
    };
    let mut written = BTreeSet::new();
    let mut current: Option<(usize, SubjectLists)> = None;
    walk(ran, &mut |shape, subject| {
        let measure = subject.measure;
        if current.as_ref().is_none_or(|(m, _)| *m != measure) {
            if let Some((measure, list)) = current.replace((measure, SubjectLists::default())) {
                write(measure, &list)?;
            }
            written.insert(measure);
        }
        if let Some((_, list)) = &mut current {
            list.add(shape, subject);
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
                name(&result.shape)
            }
            // An SQL measure has no list of subjects.
            None => {
                let name = report_name(&result.shape, ".json");
                write_report(&measure_report(result, &ran.report), folder, &name)?;
                name
            }
        });
    }
    Ok(names)
}

fn individuals(ran: &Ran, folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = BTreeMap::new();
    let mut current: Option<(usize, BufWriter<File>)> = None;
    walk(ran, &mut |shape, subject| {
        let measure = subject.measure;
        if current.as_ref().is_none_or(|(m, _)| *m != measure) {
            let name = report_name(shape, "-individual.ndjson");
            let file = File::create(folder.join(&name)).map_err(unwritten)?;
            names.insert(measure, name);
            if let Some((_, mut last)) = current.replace((measure, BufWriter::new(file))) {
                last.flush().map_err(unwritten)?;
            }
        }
        let evaluated = subject.evaluated.iter();
        let evaluated: Vec<_> = evaluated.map(|r| (r.clone(), vec![])).collect();
        let report = individual_report(shape, subject, &evaluated, &ran.report);
        if let Some((_, out)) = &mut current {
            serde_json::to_writer(&mut *out, &report).map_err(|e| unwritten(e.into()))?;
            out.write_all(b"\n").map_err(unwritten)?;
        }
        Ok(())
    })?;
    if let Some((_, mut last)) = current {
        last.flush().map_err(unwritten)?;
    }
    Ok(names.into_values().collect())
}

/// Is shown a patient's results of a measure.
type Visit<'v> = dyn FnMut(&Arc<MeasureShape>, &Subject) -> Result<(), Failure> + 'v;

/// Every patient and measure of the rows, in their order, until something fails.
fn walk(ran: &Ran, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let mut done = Ok(());
    read_rows(&ran.rows, &ran.shapes, &mut |subject| {
        if let (Ok(()), Some(shape)) = (&done, ran.shapes.get(subject.measure)) {
            done = visit(shape, subject);
        }
    })?;
    done
}

/// Prints the reports of these files as one JSON array.
pub fn print_reports(folder: &Path, names: &[String]) -> Result<(), Failure> {
    let unread = |e: std::io::Error| Failure::Internal(format!("the reports cannot be read: {e}"));
    let mut before = "[";
    let mut print = |report: &str| {
        // A report begins its line anew after what separates it from the last.
        data!("{before}");
        let mut lines = report.lines().peekable();
        while let Some(line) = lines.next() {
            match lines.peek() {
                Some(_) => data!("  {line}"),
                None => before = "  },",
            }
        }
    };
    for name in names {
        let file = BufReader::new(File::open(folder.join(name)).map_err(unread)?);
        if !name.ends_with(".ndjson") {
            let text = std::io::read_to_string(file).map_err(unread)?;
            print(&text);
            continue;
        }
        for line in file.lines() {
            let line = line.map_err(unread)?;
            let report: Value = serde_json::from_str(&line)
                .map_err(|e| Failure::Internal(format!("a report cannot be read: {e}")))?;
            let text = serde_json::to_string_pretty(&report)
                .map_err(|e| Failure::Internal(e.to_string()))?;
            print(&text);
        }
    }
    match before {
        "[" => data!("[]"),
        _ => data!("  }}\n]"),
    }
    Ok(())
}

/// The subject list, see [`measures::subjects`].
pub fn subjects_csv(ran: &Ran, target: &Path) -> Result<(), Failure> {
    let file = BufWriter::new(File::create(target).map_err(unwritten)?);
    let mut out = csv::Writer::from_writer(file);
    out.write_record(measures::subjects::HEADING)?;
    walk(ran, &mut |shape, subject| {
        Ok(measures::subjects::write(shape, subject, &mut out)?)
    })?;
    out.flush().map_err(unwritten)
}
