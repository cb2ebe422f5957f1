//! `tandem terminology coverage`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use engine_patient::plural::several;
use engine_patient::terminology::{Beyond, TerminologyProvider as _};
use engine_population::lake::Lake;
use measures::official::build;
use measures::package::select_each;
use measures::prepared::Packages;
use measures::spreadsheet;
use measures_run::RunError;
use measures_run::code_coverage::{Coverage, InUse, SetCoverage, Unmapped};
use measures_run::rule_files::{bindings, live, load_rules_beside, value_sets};
use serde_json::json;

use super::super::measure::tell;
use super::super::own_terminology::TerminologyArgs;
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};
use crate::table::thousands;

/// Codes that are shown where the whole list is written to a file.
const SHOWN: usize = 10;

/// What the value sets in use know of a lake's codes, and the codes that none of them knows.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem terminology coverage --lake lake
  tandem terminology coverage --lake lake --snomed --rules my-rules --terminology my-sets --out unmapped.csv
In use are the value sets of the built-in rules, of --rules and of --package. Counted is all that the lake
has, whatever its status or date. Fill the column value_set of the written list with the url of a value
set, or the short name of a built-in one, and give the file to --terminology: rows without one are left
out. Drugs that the drug dictionary knows need no value set and are not listed.")]
pub struct CoverageArgs {
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// Rules of your own, as files or folders, beside the built-in ones.
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// Measure packages, as files or folders.
    #[arg(long)]
    package: Vec<PathBuf>,
    #[command(flatten)]
    terminology: TerminologyArgs,
    /// A CSV file to write all unmapped codes to; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How to print the value sets.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
}

impl CoverageArgs {
    pub fn run(self) -> Done {
        if let Some(out) = self.out.as_deref().filter(|out| out.exists()) {
            return Err(there(out));
        }
        let paths = self.terminology.paths()?;
        let in_use = self.in_use(&paths)?;
        let runtime = super::super::runtime()?;
        let coverage = runtime.block_on(async {
            let lake = Lake::open(&self.lake, None).await?;
            let coverage = in_use.coverage(&lake, super::super::threads()).await;
            coverage.map_err(Failure::from)
        })?;
        if let Some(out) = &self.out {
            write(out, &coverage.unmapped)?;
        }
        self.print(&coverage)
    }

    /// The value sets of rules and packages. A binding of another one is told.
    fn in_use(&self, paths: &[PathBuf]) -> Result<InUse, Failure> {
        let beyond = match self.package.is_empty() {
            true => Beyond::Nothing,
            false => Beyond::Packages,
        };
        let mut in_use = InUse::default();
        let rules = load_rules_beside(&self.rules, paths, beyond, &mut tell)?;
        in_use.add_rules(&live(rules, false, &mut tell));
        if !paths.is_empty() {
            // What is to be told of the value sets was told above.
            let (store, _) = value_sets(paths, &mut |_| {})?;
            in_use.drugs = Some(store.drugs());
        }
        let bindings = bindings(paths)?;
        if !self.package.is_empty() {
            let packages = Packages {
                paths: self.package.clone(),
                terminology: paths.to_vec(),
                bindings: bindings.clone(),
                allow_missing_value_sets: true,
                ..Packages::default()
            };
            let loaded = packages.load(&mut tell)?;
            let (chosen, wrong) = select_each(&loaded.package, &[]);
            if wrong.iter().any(|finding| finding.is_error()) {
                return Err(RunError::found(&wrong).into());
            }
            let built = build(&loaded.package, &chosen, &packages.options());
            let store = &loaded.package.terminology;
            in_use.add_packages(&built, store);
            in_use
                .unused(&bindings, store)
                .iter()
                .for_each(|one| note!("{one}"));
        } else if !bindings.is_empty() {
            // What is to be told of the value sets was told above.
            let (store, _) = value_sets(paths, &mut |_| {})?;
            in_use
                .unused(&bindings, &store)
                .iter()
                .for_each(|one| note!("{one}"));
        }
        Ok(in_use)
    }

    fn print(&self, coverage: &Coverage) -> Done {
        if self.format == Format::Json {
            data!("{:#}", as_json(coverage));
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows = Listing::new(&[
            "value set",
            "codes",
            "element",
            "resources",
            "patients",
            "asked by",
        ]);
        for one in &coverage.sets {
            rows.push(vec![
                one.value_set.as_str().into(),
                Cell::Count(one.codes),
                one.element.as_deref().into(),
                one.resources.map_or(Cell::Nothing, Cell::Count),
                one.patients.map_or(Cell::Nothing, Cell::Count),
                asked_by(one).into(),
            ]);
        }
        rows.print_as(self.format, "valueSets")?;
        if self.format == Format::Table {
            self.print_unmapped(coverage)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn print_unmapped(&self, coverage: &Coverage) -> Result<(), Failure> {
        if coverage.references > 0 {
            say!(
                "{} drugs stand in a Medication of their own: see Medication.code.",
                thousands(coverage.references)
            );
        }
        let all = coverage.unmapped.len();
        if all == 0 {
            say!("\nEvery code of the lake is known to a value set in use.");
            return Ok(());
        }
        let codes = several(all as u64, "code of the lake is", "codes of the lake are");
        say!("\n{codes} in no value set in use, most frequent first:");
        let mut rows = Listing::new(&[
            "element",
            "system",
            "code",
            "display",
            "resources",
            "patients",
        ]);
        for one in coverage.unmapped.iter().take(SHOWN) {
            rows.push(vec![
                one.element.as_str().into(),
                one.system.as_str().into(),
                one.code.as_str().into(),
                one.display.as_deref().into(),
                Cell::Count(one.resources),
                one.patients.map_or(Cell::Nothing, Cell::Count),
            ]);
        }
        rows.print_as(Format::Table, "unmapped")?;
        match &self.out {
            Some(out) => say!(
                "All {} are in {}: fill its column value_set.",
                thousands(all as u64),
                out.display()
            ),
            None if all > SHOWN => say!(
                "--out FILE writes all {} as CSV, ready to fill.",
                thousands(all as u64)
            ),
            None => {}
        }
        Ok(())
    }
}

/// Who asks for a value set; of an element in which it only happens to match: that nobody asks there.
fn asked_by(one: &SetCoverage) -> String {
    match one.element.is_some() && !one.asked {
        true => "not asked in this element".to_owned(),
        false => one.by.join(", "),
    }
}

fn as_json(coverage: &Coverage) -> serde_json::Value {
    let sets = coverage.sets.iter().map(|one| {
        json!({
            "valueSet": one.value_set, "codes": one.codes, "element": one.element, "asked": one.asked,
            "resources": one.resources, "patients": one.patients, "askedBy": one.by,
        })
    });
    let unmapped = coverage.unmapped.iter().map(|one| {
        json!({
            "element": one.element, "system": one.system, "code": one.code, "display": one.display,
            "resources": one.resources, "patients": one.patients,
        })
    });
    json!({
        "valueSets": sets.collect::<Vec<_>>(), "unmapped": unmapped.collect::<Vec<_>>(),
        "references": coverage.references,
    })
}

fn there(out: &Path) -> Failure {
    Failure::User(format!(
        "--out {}: it is there already, and may have been filled in: give another name",
        out.display()
    ))
}

/// The list, with a column to fill. What others wrote in between stays.
fn write(out: &Path, unmapped: &[Unmapped]) -> Result<(), Failure> {
    let wrong = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => there(out),
        _ => Failure::User(format!("--out {}: {e}", out.display())),
    };
    let file = std::fs::File::create_new(out).map_err(wrong)?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record([
        "element",
        "system",
        "code",
        "display",
        "resources",
        "patients",
        "value_set",
    ])?;
    for one in unmapped {
        // Reading back takes the apostrophe away.
        let display = spreadsheet::cell(one.display.as_deref().unwrap_or_default());
        let (system, code) = (spreadsheet::cell(&one.system), spreadsheet::cell(&one.code));
        let patients = one.patients.map_or(String::new(), |n| n.to_string());
        let resources = one.resources.to_string();
        writer.write_record([
            one.element.as_str(),
            &system,
            &code,
            &display,
            &resources,
            &patients,
            "",
        ])?;
    }
    writer.flush().map_err(wrong)
}
