//! `tandem terminology`

mod coverage;
mod fetch;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use datasets::rxnorm::{RxNormLedger, import_rxnorm, write_csv};
use engine_patient::finding::Finding;
use engine_patient::terminology::{
    DrugDictionary, DrugKind, TerminologyManifest, TerminologyProvider as _,
};
use serde_json::json;

use super::measure::tell;
use super::own_terminology::TerminologyArgs;
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};
use crate::staged::Staged;

/// Look at value sets, find codes that none has, fetch what is missing, and import RxNorm.
#[derive(Args)]
pub struct Terminology {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load value sets and code systems: how many codes, what is missing or cut off.
    #[command(after_help = "\
Examples:
  tandem terminology check                     the built-in value sets
  tandem terminology check valuesets/ vs.json  with your own
  tandem terminology check --snomed            with the SNOMED CT codes beside
  tandem terminology check --manifest          hashes of all, as JSON")]
    Check {
        /// FHIR ValueSets and CodeSystems: JSON, NDJSON, Bundles; tables (.csv), bindings (.yaml); also .gz
        /// and .zst; files or folders.
        paths: Vec<PathBuf>,
        #[command(flatten)]
        terminology: TerminologyArgs,
        /// Print the manifest: url, version, number of codes and hash of each set.
        #[arg(long)]
        manifest: bool,
        /// How to print what is found.
        #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table", conflicts_with = "manifest")]
        format: Format,
    },
    Coverage(coverage::CoverageArgs),
    Fetch(Box<fetch::Fetch>),
    /// Read an RxNorm release (RRF) into a drug dictionary.
    #[command(after_help = "\
Example:
  tandem terminology rxnorm RxNorm_full_prescribe/rrf --out drugs")]
    Rxnorm {
        /// Folder with RXNCONSO.RRF and RXNREL.RRF, also as .gz or .zst.
        release: PathBuf,
        /// Folder to write ingredients.csv, products.csv and classes.csv to: not there yet, or empty.
        #[arg(long)]
        out: PathBuf,
        /// How to print what was read.
        #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
        format: Format,
    },
}

impl Terminology {
    pub fn run(self) -> Done {
        match self.command {
            Command::Check {
                mut paths,
                terminology,
                manifest,
                format,
            } => {
                paths.extend(terminology.paths()?);
                match format {
                    Format::Json => as_json(&paths),
                    _ => check(&paths, manifest, format),
                }
            }
            Command::Coverage(command) => command.run(),
            Command::Fetch(command) => command.run(),
            Command::Rxnorm {
                release,
                out,
                format,
            } => rxnorm(&release, &out, format),
        }
    }
}

fn check(paths: &[PathBuf], manifest: bool, format: Format) -> Done {
    let store = measures_run::rule_files::terminology(paths, &mut tell)?;
    if manifest {
        let json = TerminologyManifest::of(&store).to_json();
        let json = json.map_err(|e| Failure::Internal(e.to_string()))?;
        data!("{json}");
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let mut rows = Listing::new(&["value set", "version", "codes", "completeness"]);
    for set in store.value_sets() {
        rows.push(vec![
            (*set.url).into(),
            set.version.as_deref().into(),
            Cell::Count(set.len() as u64),
            set.completeness().word().into(),
        ]);
    }
    rows.print_as(format, "valueSets")?;
    if format == Format::Table {
        say!("{}", drugs(&store.drugs()));
    }
    Ok(std::process::ExitCode::SUCCESS)
}

/// What the drug dictionary holds.
fn drugs(drugs: &DrugDictionary) -> String {
    let types = ["SCD", "SBD", "GPCK", "BPCK"].map(|ty| (ty, drugs.count_of_type(ty)));
    let types = types.map(|(ty, count)| format!("{count} {ty}"));
    let others = match (drugs.code_count(), drugs.all_ndcs().count()) {
        (0, 0) => String::new(),
        (codes, ndcs) => format!("; {ndcs} NDCs, {codes} codes of other systems"),
    };
    let (ingredients, salts) = (DrugKind::Ingredient, DrugKind::PreciseIngredient);
    format!(
        "Drugs: {} ingredients, {} precise ingredients, {} products ({}) of RxNorm in {} classes{others}",
        drugs.count(ingredients),
        drugs.count(salts),
        drugs.count(DrugKind::Product),
        types.join(", "),
        drugs.all_classes().count(),
    )
}

/// For programs: what is found, and the value sets.
fn as_json(paths: &[PathBuf]) -> Done {
    let (store, findings) = measures_run::rule_files::value_sets(paths, &mut tell)?;
    let sets = store.value_sets().map(|set| {
        json!({
            "url": &*set.url, "version": set.version.as_deref(), "codes": set.len(),
            "completeness": set.completeness().word(),
        })
    });
    let all: Vec<_> = findings.iter().map(Finding::to_json).collect();
    data!(
        "{:#}",
        json!({ "findings": all, "valueSets": sets.collect::<Vec<_>>() })
    );
    super::verdict(&findings)
}

fn rxnorm(release: &std::path::Path, out: &std::path::Path, format: Format) -> Done {
    let staged = Staged::begin("--out", "terminology rxnorm", out)?;
    let import = import_rxnorm(release).map_err(|e| Failure::User(e.to_string()))?;
    write_csv(&import.dictionary, staged.folder()).map_err(|e| Failure::Internal(e.to_string()))?;
    staged.commit()?;
    if format == Format::Json {
        data!("{:#}", rxnorm_json(&import.ledger, out));
        return Ok(std::process::ExitCode::SUCCESS);
    }
    say!("{}", import.ledger);
    say!("Written to {}", out.display());
    Ok(std::process::ExitCode::SUCCESS)
}

/// The account of a release.
fn rxnorm_json(ledger: &RxNormLedger, out: &std::path::Path) -> serde_json::Value {
    let files = ledger.files.iter().map(|f| {
        let malformed = f.malformed_lines.iter();
        let malformed = malformed.map(|m| json!({ "line": m.line, "reason": m.reason }));
        json!({
            "file": f.file, "lines": f.lines, "used": f.used, "skipped": f.skipped,
            "malformed": f.malformed, "malformedLines": malformed.collect::<Vec<_>>(),
        })
    });
    let unresolved = ledger
        .unresolved
        .iter()
        .map(|u| json!({ "rxcui": u.rxcui, "tty": u.tty, "name": u.name, "reason": u.reason }));
    json!({
        "files": files.collect::<Vec<_>>(), "concepts": ledger.concepts, "products": ledger.products,
        "unresolved": unresolved.collect::<Vec<_>>(), "out": out.display().to_string(),
    })
}
