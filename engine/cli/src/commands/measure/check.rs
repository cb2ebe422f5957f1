//! `tandem measure check`

use clap::Args;
use engine_patient::finding::Finding;
use measures::improvement_direction::directions;
use measures::official::{Built, build};
use measures::package::{Loaded, MeasureDefinition, select};
use measures::prepared::Packages;
use serde_json::json;

use super::super::{Format, verdict};
use super::arguments::PackageArgs;
use super::print::print_json;
use super::tell;
use crate::failure::{Done, Failure};
use crate::table::{self, thousands};

/// Load and link measure packages, and tell everything that is wrong with them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure check CMS122/measure.json CMS122/valuesets.ndjson libraries/
  tandem measure check packages/ --format json
Checks measures, libraries (linking, nodes, types, literals) and value sets (missing, empty, partial).")]
pub struct Check {
    #[command(flatten)]
    packages: PackageArgs,
    /// How to print the findings.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Check {
    pub fn run(self) -> Done {
        if self.packages.package.is_empty() {
            return Err(Failure::User(
                "nothing to check: give files or folders with FHIR Measure, Library and ValueSet resources".into(),
            ));
        }
        let packages = Packages::from(self.packages);
        let loaded = packages.load(&mut tell)?;
        let mut options = packages.options();
        options.everything = true;
        let (chosen, wrong) = match select(&loaded.package, &packages.measures) {
            Ok(chosen) => (chosen, vec![]),
            Err(issues) => (vec![], issues),
        };
        let built = build(&loaded.package, &chosen, &options);
        let mut loaded = loaded;
        loaded.issues.extend(wrong);
        match self.format {
            Format::Table => print(&loaded, &built),
            Format::Json => print_json(&as_json(&loaded, &built))?,
        }
        verdict(findings(&loaded, &built))
    }
}

/// What is wrong with the files, and then with the logic in them.
fn findings<'f>(loaded: &'f Loaded, built: &'f Built) -> impl Iterator<Item = &'f Finding> + Clone {
    loaded.issues.iter().chain(&built.findings)
}

fn print(loaded: &Loaded, built: &Built) {
    for finding in findings(loaded, built) {
        say!("{finding}\n");
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
            let can = !built.refused.contains(&m.key());
            vec![
                m.label().to_owned(),
                m.version.clone().unwrap_or_default(),
                one(scoring),
                one(basis),
                better(m),
                if can { "can be run" } else { "cannot be run" }.to_owned(),
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
        &["measure", "version", "scoring", "basis", "better", ""],
        &rows,
    );
    let incomplete = built
        .value_sets
        .iter()
        .filter(|(_, u)| u.completeness != "complete");
    let rows: Vec<Vec<String>> = incomplete
        .map(|(canonical, usage)| {
            vec![
                usage.name.to_string(),
                canonical.to_string(),
                usage.completeness.to_owned(),
                usage
                    .touches
                    .iter()
                    .map(|t| &**t)
                    .collect::<Vec<_>>()
                    .join("; "),
            ]
        })
        .collect();
    if !rows.is_empty() {
        say!("");
        table::print(&["value set", "canonical", "", "touches"], &rows);
    }
    say!(
        "\n{} libraries, {} value sets asked for, {} files",
        thousands(package.libraries.len() as u64),
        thousands(built.value_sets.len() as u64),
        thousands(package.files.len() as u64)
    );
    for (kind, count) in &package.ignored {
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
}

/// Which way is better, of its groups.
fn better(measure: &MeasureDefinition) -> String {
    let mut all: Vec<String> = directions(measure).iter().map(|d| d.short()).collect();
    all.dedup();
    all.join(", ")
}

fn as_json(loaded: &Loaded, built: &Built) -> serde_json::Value {
    let sets = built.value_sets.iter().map(|(canonical, u)| {
        json!({
            "name": &*u.name, "canonical": &**canonical, "version": u.version.as_deref(), "codes": u.codes,
            "completeness": u.completeness, "touches": u.touches.iter().map(|t| &**t).collect::<Vec<_>>(),
        })
    });
    json!({
        "findings": findings(loaded, built).map(Finding::to_json).collect::<Vec<_>>(),
        "measures": loaded.package.measures.iter().map(|m| json!({
            "name": m.label(), "url": m.url, "version": m.version,
            "runnable": !built.refused.contains(&m.key()), "better": better(m),
        })).collect::<Vec<_>>(),
        "refused": loaded.package.refused.iter().map(|r| &r.label).collect::<Vec<_>>(),
        "valueSets": sets.collect::<Vec<_>>(),
    })
}
