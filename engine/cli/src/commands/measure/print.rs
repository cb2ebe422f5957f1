//! Results of measures for people and machines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine_patient::finding::{count, grouped};
use engine_patient::plural::several;
use engine_patient::system::date_time::DateTime;
use measures::ledger::Ledger;
use measures::package::{GroupDefinition, StratifierDefinition};
use measures::result::{Counts, MeasureResult};
use measures::result_table::{is_plain, strata_table, table, table_of};
use measures::structure::MeasureStructure;
use measures_run::evaluate::RunStatistics;
use measures_run::findings_file::FINDINGS;
use measures_run::run_result::RunResult;
use measures_run::{DECIDED, NO_VISIT, RunError};

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
            let name = group_name(result, index, definition);
            // Those who could not be told are patients; SQL counts what it counts.
            let unit = match result.patients {
                0 => definition.unit(),
                _ if counts.unknown == 1 => "patient",
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
        for (index, (definition, own)) in groups.enumerate() {
            let name = group_name(result, index, definition);
            for (stratifier, strata) in definition.stratifiers.iter().zip(&own.strata) {
                if !strata.is_empty() {
                    print_strata(&name, definition, stratifier, strata);
                }
            }
        }
    }
}

/// A group as lines below the table name it: its measure, and where that has several its own name.
fn group_name(result: &MeasureResult, index: usize, definition: &GroupDefinition) -> String {
    match result.groups.len() {
        1 => result.structure.name.to_string(),
        _ => format!("{}, {}", result.structure.name, definition.name(index)),
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

/// A table of a stratifier's strata, under the measure, its group and the stratifier's description.
fn print_strata(
    name: &str,
    definition: &GroupDefinition,
    stratifier: &StratifierDefinition,
    strata: &[(Arc<str>, Counts)],
) {
    let by = stratifier.name().unwrap_or("stratifier");
    let words = stratifier.description.as_deref().unwrap_or_default();
    let words: Vec<&str> = words.split_whitespace().collect();
    let described = match words.as_slice() {
        [] => String::new(),
        words => format!(" ({})", words.join(" ")),
    };
    let unscored = match definition.is_scored(Some(stratifier)) {
        true => "",
        false => "; counts without a score: it does not apply to all that a score needs",
    };
    say!("\n{name}, by {by}{described}{unscored}:");
    let strata: Vec<(String, &Counts)> = strata
        .iter()
        .map(|(stratum, counts)| (stratum.to_string(), counts))
        .collect();
    let (heading, rows) = strata_table(by, definition, stratifier, &strata, &thousands);
    table::print(&heading, &rows);
}

/// So many value sets of a resource type are named where they find nothing.
const NAMED: usize = 4;

/// Retrieves that found nothing in the whole lake: perhaps its codes are of another code system. A line
/// a resource type, or each of them.
pub fn print_unmatched(unmatched: &[String], names: &BTreeMap<String, String>, each: bool) {
    if unmatched.is_empty() {
        return;
    }
    let count = thousands(unmatched.len() as u64);
    say!(
        "\nNo resource of the lake matches {count} of the retrieves, whoever the patient (other code systems? see --terminology):"
    );
    let mut types: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for requirement in unmatched {
        let (ty, what) = requirement.split_once(": ").unwrap_or((requirement, "any"));
        let set = what.split_once(" in ").map(|(path, canonical)| {
            let name = names.get(canonical).map(|n| format!("\"{n}\""));
            (path, name, canonical)
        });
        let shown = match (set, each) {
            (Some((path, Some(name), canonical)), true) => format!("{path} in {name} {canonical}"),
            (Some((_, Some(name), _)), false) => name,
            (Some((_, None, canonical)), false) => {
                canonical.rsplit('/').next().unwrap_or(canonical).to_owned()
            }
            _ => what.to_owned(),
        };
        types.entry(ty).or_default().push(shown);
    }
    for (ty, mut all) in types {
        all.sort();
        if each {
            all.iter().for_each(|one| say!("  {ty}: {one}"));
            continue;
        }
        let more = match all.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {} more", thousands(n as u64)),
        };
        let first: Vec<&str> = all.iter().take(NAMED).map(|one| &**one).collect();
        say!("  {ty}: {}{more}", first.join(", "));
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

/// Lines that say how a run went, or stand above the table already. Those of what is not in the numbers
/// stay: who reads the output alone must see them.
const NO_ATTENTION: [&str; 7] = [
    DECIDED,
    NO_VISIT,
    "nothing in the lake matches",
    "not looked for: one patient",
    "patients",
    "resources evaluated",
    "which way is better",
];

/// What was not found, converted or told: what needs attention, or all of it.
pub fn print_ledger(ledger: &Ledger, whole: bool) {
    let told = |name: &str| {
        let mut beginnings = ["warning ", "error ", "info "].iter();
        NO_ATTENTION.contains(&name) || beginnings.any(|b| name.starts_with(b))
    };
    // Which definitions refer to a value set is for who mends it.
    let short = |name: &str, detail: &str| -> String {
        let cut = detail.split_once("; touches ").filter(|_| !whole);
        let of_set = name.starts_with("value set ");
        cut.filter(|_| of_set)
            .map_or(detail, |(short, _)| short)
            .to_owned()
    };
    let lines: Vec<Vec<String>> = ledger
        .lines()
        .filter(|(name, _, _)| match whole {
            true => *name != "nothing in the lake matches",
            false => !told(name),
        })
        .map(|(name, detail, count)| {
            // Some lines say that something is so, and count nothing.
            let count = (count > 0).then(|| thousands(count));
            vec![
                name.to_owned(),
                short(name, detail),
                count.unwrap_or_default(),
            ]
        })
        .collect();
    if !lines.is_empty() {
        say!("");
        table::print(&["ledger", "", "count"], &lines);
    }
}

/// The last line of a run: how many measures and patients, for when, how many findings, and where all of
/// it stands.
pub fn run_summary(ran: &RunResult, period: (DateTime, DateTime), out: Option<&Path>) -> String {
    let mut parts = vec![several(ran.results.len() as u64, "measure", "measures")];
    if !ran.structures.is_empty() {
        // Not those who are only referred to.
        let mut lines = ran.report.ledger.lines();
        let counted = lines.find(|(name, _, _)| *name == "patients");
        let counted = counted.map_or(ran.statistics.patients, |(_, _, count)| count);
        parts.push(several(counted, "patient", "patients"));
    }
    let (start, end) = (period.0.to_string(), period.1.to_string());
    let year = start.strip_suffix("-01-01");
    let year = year.filter(|year| end == format!("{year}-12-31"));
    parts.push(year.map_or(format!("{start} to {end}"), str::to_owned));
    let lines = ran.report.ledger.lines();
    let not_run = lines.filter(|(name, _, _)| *name == "measures that could not be run");
    let mut text = parts.join(", ");
    match not_run.count() {
        0 => {}
        1 => text.push_str("; 1 more measure could not be run"),
        n => text.push_str(&format!("; {n} more measures could not be run")),
    }
    let groups = grouped(&ran.findings);
    if !groups.is_empty() {
        let count = count(groups.iter().map(|g| &g.finding));
        text.push_str(&format!("; {count} (above, on standard error)"));
    }
    match out {
        Some(out) => text.push_str(&format!(
            "\nReports, result rows and {FINDINGS}, which has every finding and the whole ledger, are in {}",
            out.display()
        )),
        None => text.push_str("; --out FOLDER keeps reports, rows, findings and the ledger"),
    }
    text
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
