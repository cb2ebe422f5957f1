//! Results of measures for people and machines.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use measures::ledger::Ledger;
use measures::package::{GroupDefinition, PopulationCode, StratifierDefinition};
use measures::result::{Counts, MeasureResult};
use measures::result_table::{is_plain, table, table_of};
use measures::structure::MeasureStructure;
use measures_run::RunError;
use measures_run::evaluate::RunStatistics;

use crate::failure::Failure;
use crate::table::{self, thousands};

/// The table for people: what could not be evaluated stands beside the rate, with why.
pub fn print_table(results: &[MeasureResult]) {
    print_groups(results);
    print_names(results.iter().map(|r| &*r.structure));
    for result in results {
        for (index, group) in result.groups.iter().enumerate() {
            let counts = &group.counts;
            if counts.unknown == 0 {
                continue;
            }
            let Some(definition) = result.structure.groups.get(index) else {
                continue;
            };
            let name = match result.groups.len() {
                1 => result.structure.name.to_string(),
                _ => format!("{}, {}", result.structure.name, definition.name(index)),
            };
            // Those who could not be told are patients; SQL counts what it counts.
            let unit = match result.patients {
                0 => definition.unit(),
                _ => "patients",
            };
            say!(
                "\n{name}: {} {unit} could not be fully evaluated:",
                thousands(counts.unknown)
            );
            let mut reasons: Vec<_> = counts.reasons.iter().collect();
            reasons.sort_by_key(|(key, n)| (std::cmp::Reverse(**n), (*key).clone()));
            for ((population, reason), n) in reasons {
                say!("  {:>9}  {population}: {reason}", thousands(*n));
            }
        }
    }
    for result in results {
        let groups = result.structure.groups.iter().zip(&result.groups);
        for (definition, own) in groups {
            for (stratifier, strata) in definition.stratifiers.iter().zip(&own.strata) {
                if !strata.is_empty() {
                    print_strata(result, definition, stratifier, strata);
                }
            }
        }
    }
}

/// The groups in one table, or where that is too wide, those with observations in one of their own.
fn print_groups(results: &[MeasureResult]) {
    let (heading, rows) = table(results, &thousands);
    let plain = |wanted: bool| table_of(results, &thousands, &|d| is_plain(d) == wanted);
    let parts = [plain(true), plain(false)];
    if table::fits(&heading, &rows) || parts.iter().any(|(_, rows)| rows.is_empty()) {
        table::print(&heading, &rows);
        return;
    }
    for (number, (heading, rows)) in parts.iter().enumerate() {
        if number > 0 {
            say!("\nWith observations:");
        }
        table::print(heading, rows);
    }
}

/// Which measures are meant by names that are not their ids: those that others have, too.
pub fn print_names<'s>(structures: impl Iterator<Item = &'s MeasureStructure>) {
    let named = structures.filter(|structure| *structure.name != *structure.artifact.id);
    let lines: Vec<String> = named
        .map(|structure| format!("  {}  is {}", structure.name, structure.canonical()))
        .collect();
    if !lines.is_empty() {
        say!(
            "\nMeasures of the same id are told apart:\n{}",
            lines.join("\n")
        );
    }
}

fn print_strata(
    result: &MeasureResult,
    definition: &GroupDefinition,
    stratifier: &StratifierDefinition,
    strata: &[(Arc<str>, Counts)],
) {
    let by = stratifier.code.as_ref().or(stratifier.id.as_ref());
    let by = by.map_or("stratifier", String::as_str);
    say!("\n{}, by {by}:", result.structure.artifact.title);
    let rows: Vec<Vec<String>> = strata
        .iter()
        .map(|(name, counts)| {
            let count = |code| thousands(counts.count(definition, code));
            vec![
                name.to_string(),
                count(PopulationCode::InitialPopulation),
                count(PopulationCode::Numerator),
                measures::result_table::score(definition, counts),
                thousands(counts.unknown),
            ]
        })
        .collect();
    table::print(
        &[
            by,
            "initial population",
            "numerator",
            "score",
            "not evaluable",
        ],
        &rows,
    );
}

/// Retrieves that found nothing in the whole lake: perhaps its codes are of another code system.
pub fn print_unmatched(statistics: &RunStatistics) {
    let unmatched = statistics.evaluate.unmatched();
    if unmatched.is_empty() {
        return;
    }
    say!(
        "\nNo resource of the lake matches these, whoever the patient (other code systems? see --terminology):"
    );
    for requirement in unmatched {
        say!("  {requirement}");
    }
}

pub fn print_csv(results: &[MeasureResult]) -> Result<(), Failure> {
    let mut out = crate::say::csv();
    out.write_record(measures::result_table::CSV_HEADING)?;
    for row in measures::result_table::csv_rows(results) {
        out.write_record(&row)?;
    }
    Ok(out.flush().map_err(RunError::from)?)
}

/// What was written as CSV.
pub fn csv_text(out: csv::Writer<Vec<u8>>) -> Result<String, Failure> {
    let bytes = out
        .into_inner()
        .map_err(|e| RunError::from(e.into_error()))?;
    String::from_utf8(bytes).map_err(|e| Failure::Internal(e.to_string()))
}

pub fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Internal(e.to_string()))?;
    data!("{text}");
    Ok(())
}

pub fn print_statistics(statistics: &RunStatistics, took: Duration) {
    say!("\n{}", statistics.plan.trim_end());
    say!("evaluated in {:.2} s", took.as_secs_f64());
    for (name, value) in &statistics.evaluate.shown {
        say!("  {name} = {value}");
    }
}

/// What was not found, converted or told.
pub fn print_ledger(ledger: &Ledger) {
    let lines: Vec<Vec<String>> = ledger
        .lines()
        .filter(|(name, _, _)| *name != "nothing in the lake matches")
        .map(|(name, detail, count)| vec![name.to_owned(), detail.to_owned(), thousands(count)])
        .collect();
    if !lines.is_empty() {
        say!("");
        table::print(&["ledger", "detail", "count"], &lines);
    }
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
            let report: serde_json::Value = serde_json::from_str(&line)
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
