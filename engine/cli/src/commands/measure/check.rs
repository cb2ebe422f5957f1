//! `tandem measure check`

use clap::Args;
use engine_patient::finding::{Finding, Group, grouped, identical, listed, told};
use measures::improvement_direction::directions;
use measures::official::{Built, build};
use measures::package::{Loaded, MeasureDefinition, select};
use measures::prepared::ALL;
use measures::relevance::relevance;
use measures_run::RunError;
use serde_json::json;

use super::super::verdict;
use super::arguments::PackageArgs;
use super::print::print_json;
use super::tell;
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::table::{self, thousands};

/// Load and link measure packages, and tell everything that is wrong with them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure check CMS122/measure.json CMS122/valuesets.ndjson libraries/
  tandem measure check packages/ --measure CMS122 --format json
  tandem measure check packages/ --format csv > findings.csv
Checks measures, libraries (linking, nodes, types, literals) and value sets (missing, empty, partial).
What is said of several places or measures is said once, and a value set that is missing is one line:
its name, its url, its measures. What no measure uses is counted only. `--all` (or `--verbose`) tells
each, and also what no measure uses. JSON and CSV have the places of each finding, and its measures.")]
pub struct Check {
    #[command(flatten)]
    packages: PackageArgs,
    /// How to print the findings.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
}

/// What was found, and what of it is told.
struct Found {
    loaded: Loaded,
    built: Built,
    /// Findings that are told.
    findings: Vec<Finding>,
    /// How many are not, since no measure uses what they are about.
    unused: usize,
    all: bool,
}

impl Check {
    pub fn run(self) -> Done {
        if self.packages.package.is_empty() {
            return Err(Failure::User(
                "nothing to check: give files or folders with FHIR Measure, Library and ValueSet resources".into(),
            ));
        }
        let all = self.packages.verbose;
        let packages = self.packages.packages()?;
        let loaded = packages.load(&mut tell)?;
        let mut options = packages.options();
        options.everything = true;
        let (chosen, wrong) = match select(&loaded.package, &packages.measures) {
            Ok(chosen) => (chosen, vec![]),
            Err(issues) => (vec![], issues),
        };
        let built = build(&loaded.package, &chosen, &options);
        let sorted = relevance(&loaded, &built, &chosen);
        let (mut findings, mut unused) = (sorted.concern, sorted.unused.len());
        if all {
            findings.extend(sorted.unused);
            unused = 0;
        }
        findings.extend(wrong);
        let chosen: Vec<String> = chosen.iter().map(|m| m.key()).collect();
        let named = !packages.measures.is_empty();
        let mut loaded = loaded;
        if named {
            let package = &mut loaded.package;
            package.measures.retain(|m| chosen.contains(&m.key()));
        }
        let found = Found {
            loaded,
            built,
            findings,
            unused,
            all,
        };
        let groups = match self.format {
            Format::Json | Format::Csv => identical(&found.findings),
            _ => grouped(&found.findings),
        };
        match self.format {
            Format::Json => print_json(&as_json(&found, &groups))?,
            Format::Csv => print_csv(&groups)?,
            _ => print(&found, &groups),
        }
        if self.format != Format::Table && found.unused > 0 {
            note!("{}", left_out(found.unused));
        }
        match all {
            true => verdict(&found.findings),
            false => verdict(groups.iter().map(|g| &g.finding)),
        }
    }
}

fn left_out(unused: usize) -> String {
    format!(
        "left out: {} {} about libraries, value sets and measures that none of these measures uses; {ALL}",
        thousands(unused as u64),
        if unused == 1 { "finding" } else { "findings" },
    )
}

fn print(found: &Found, groups: &[Group]) {
    let (loaded, built) = (&found.loaded, &found.built);
    let text = match found.all {
        true => listed(&found.findings),
        false => told(groups, ALL),
    };
    if !text.is_empty() {
        say!("{text}\n");
    }
    let package = &loaded.package;
    let rows: Vec<Vec<String>> = package
        .measures
        .iter()
        .map(|m| {
            let scoring: Vec<&str> = m.groups.iter().map(|g| g.scoring.as_str()).collect();
            let basis: Vec<&str> = m.groups.iter().map(|g| g.basis.as_str()).collect();
            let one = |mut all: Vec<&str>| {
                all.dedup();
                all.join(", ")
            };
            vec![
                m.label().to_owned(),
                m.version.clone().unwrap_or_default(),
                one(scoring),
                one(basis),
                better(m),
                state(built, m),
            ]
        })
        .chain(package.refused.iter().map(|r| {
            let blank = String::new;
            vec![
                r.label.clone(),
                blank(),
                blank(),
                blank(),
                blank(),
                "cannot be run".into(),
            ]
        }))
        .collect();
    table::print(
        &["measure", "version", "scoring", "basis", "better", "state"],
        &rows,
    );
    if found.all {
        print_touches(built);
    }
    // A note has said it in one line.
    let ignored = package.ignored.iter().filter(|_| found.all);
    for (kind, count) in ignored {
        say!(
            "ignored: {} resources of type {kind}",
            thousands(*count as u64)
        );
    }
    for (extension, count) in &package.skipped {
        let shown = if extension.is_empty() {
            "without an extension"
        } else {
            extension
        };
        say!("not read: {} files {shown}", thousands(*count as u64));
    }
    if found.unused > 0 {
        say!("{}", left_out(found.unused));
    }
    let can = package.measures.iter().filter(|m| runs(built, m)).count();
    let cannot = package.measures.len() + package.refused.len() - can;
    say!(
        "\n{} can be run, {} cannot; {} libraries, {} value sets asked for, {} of them missing, {} files",
        measures(can),
        thousands(cannot as u64),
        thousands(package.libraries.len() as u64),
        thousands(built.asked.len() as u64),
        thousands(built.missing().len() as u64),
        thousands(package.files.len() as u64)
    );
}

fn measures(count: usize) -> String {
    match count {
        1 => "1 measure".to_owned(),
        n => format!("{} measures", thousands(n as u64)),
    }
}

fn runs(built: &Built, measure: &MeasureDefinition) -> bool {
    !built.refused.contains(&measure.key())
}

fn state(built: &Built, measure: &MeasureDefinition) -> String {
    if !runs(built, measure) {
        return "cannot be run".to_owned();
    }
    let own = built
        .left_out
        .iter()
        .filter(|l| l.measure == measure.label());
    match own.count() {
        0 => "can be run".to_owned(),
        n => format!("can be run, {n} left out"),
    }
}

/// Where value sets are referred to that are not whole.
fn print_touches(built: &Built) {
    let incomplete = built.asked.iter();
    let incomplete = incomplete.filter(|(_, a)| a.usage.completeness != "complete");
    let rows: Vec<Vec<String>> = incomplete
        .map(|(canonical, asked)| {
            let touches: Vec<&str> = asked.usage.touches.iter().map(|t| &**t).collect();
            vec![
                asked.usage.name.to_string(),
                canonical.to_string(),
                asked.usage.completeness.to_owned(),
                touches.join("; "),
            ]
        })
        .collect();
    if !rows.is_empty() {
        say!("");
        table::print(
            &["value set", "canonical", "completeness", "touches"],
            &rows,
        );
    }
}

/// Which way is better, of its groups.
fn better(measure: &MeasureDefinition) -> String {
    let mut all: Vec<String> = directions(measure).iter().map(|d| d.short()).collect();
    all.dedup();
    all.join(", ")
}

fn as_json(found: &Found, groups: &[Group]) -> serde_json::Value {
    let (loaded, built) = (&found.loaded, &found.built);
    let sets = built.asked.iter();
    let left_out = built.left_out.iter();
    json!({
        "findings": groups.iter().map(Group::to_json).collect::<Vec<_>>(),
        "findingsNotTold": found.unused,
        "measures": loaded.package.measures.iter().map(|m| json!({
            "name": m.label(), "url": m.url, "version": m.version,
            "runnable": runs(built, m), "better": better(m),
        })).collect::<Vec<_>>(),
        "refused": loaded.package.refused.iter().map(|r| &r.label).collect::<Vec<_>>(),
        "leftOut": left_out.map(|l| json!({ "measure": l.measure, "what": l.what })).collect::<Vec<_>>(),
        "missingValueSets": built.missing_json(),
        "valueSets": sets.map(|(canonical, asked)| asked.to_json(canonical)).collect::<Vec<_>>(),
    })
}

/// A line a finding: what is said of several measures or places is one.
fn print_csv(groups: &[Group]) -> Result<(), Failure> {
    let mut out = crate::say::csv();
    out.write_record([
        "severity",
        "code",
        "message",
        "help",
        "measures",
        "value_set",
        "file",
        "line",
        "path",
        "library",
        "definition",
        "places",
    ])?;
    for group in groups {
        let finding = &group.finding;
        let place = &*finding.place;
        let node = finding.node();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        out.write_record([
            finding.severity.as_str().to_owned(),
            finding.code.to_string(),
            finding.message.clone(),
            text(finding.help.as_deref()),
            finding.measures.join("; "),
            text(place.canonical.as_deref()),
            place.file.to_string(),
            finding.line().map_or_else(String::new, |l| l.to_string()),
            text(place.path.as_deref()),
            text(node.map(|n| &*n.library)),
            text(finding.definition()),
            group.places.len().to_string(),
        ])?;
    }
    Ok(out.flush().map_err(RunError::from)?)
}
