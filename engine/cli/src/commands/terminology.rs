//! `tandem terminology`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use datasets::rxnorm::{import_rxnorm, write_csv};
use engine_patient::finding::Finding;
use engine_patient::terminology::TerminologyManifest;
use serde_json::json;

use super::Format;
use super::measure::tell;
use crate::failure::{Done, Failure};
use crate::staged::Staged;
use crate::table::{self, thousands};

/// Look at value sets, and import RxNorm.
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
  tandem terminology check --manifest          hashes of all, as JSON")]
    Check {
        /// FHIR ValueSets and CodeSystems: JSON, NDJSON, Bundles, also .gz and .zst; files or folders.
        paths: Vec<PathBuf>,
        /// Print the manifest: url, version, number of codes and hash of each set.
        #[arg(long)]
        manifest: bool,
        /// How to print what is found.
        #[arg(long, value_enum, default_value = "table", conflicts_with = "manifest")]
        format: Format,
    },
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
    },
}

impl Terminology {
    pub fn run(self) -> Done {
        match self.command {
            Command::Check {
                paths,
                format: Format::Json,
                ..
            } => as_json(&paths),
            Command::Check {
                paths, manifest, ..
            } => check(&paths, manifest),
            Command::Rxnorm { release, out } => rxnorm(&release, &out),
        }
    }
}

fn check(paths: &[PathBuf], manifest: bool) -> Done {
    let store = measures_run::rule_files::terminology(paths, &mut tell)?;
    if manifest {
        let json = TerminologyManifest::of(&store).to_json();
        let json = json.map_err(|e| Failure::Internal(e.to_string()))?;
        data!("{json}");
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let rows = store.value_sets().map(|set| {
        let version = set.version.as_deref().unwrap_or("").to_owned();
        let word = set.completeness().word().to_owned();
        vec![
            set.url.to_string(),
            version,
            thousands(set.len() as u64),
            word,
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    table::print(&["value set", "version", "codes", ""], &rows);
    Ok(std::process::ExitCode::SUCCESS)
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

fn rxnorm(release: &std::path::Path, out: &std::path::Path) -> Done {
    let staged = Staged::begin("--out", out)?;
    let import = import_rxnorm(release).map_err(|e| Failure::User(e.to_string()))?;
    say!("{}", import.ledger);
    write_csv(&import.dictionary, staged.folder()).map_err(|e| Failure::Internal(e.to_string()))?;
    staged.commit()?;
    say!("Written to {}", out.display());
    Ok(std::process::ExitCode::SUCCESS)
}
