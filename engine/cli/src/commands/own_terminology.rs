//! Value sets of the user's: the arguments that all commands with `--terminology` have in common.

use std::path::{Path, PathBuf};

use clap::Args;
use measures::source_files::Holds;

use crate::failure::Failure;

/// The value sets that are given beside the built-in ones.
#[derive(Args, Clone, Default)]
pub struct TerminologyArgs {
    /// Value sets of your own, as files or folders: FHIR (.json, .ndjson), tables (.csv with the columns
    /// value_set, system, code), bindings (bindings.yaml); also .gz and .zst. Codes are added to built-in
    /// sets of the same url.
    #[arg(long, value_name = "PATH")]
    pub terminology: Vec<PathBuf>,
    /// Which value sets stand for those that rules and measures ask for (YAML), beside a bindings.yaml in
    /// a --terminology folder.
    #[arg(long, value_name = "FILE")]
    pub bindings: Vec<PathBuf>,
    /// Drugs beside the built-in ones: the folder that `terminology rxnorm` wrote, or a table (.csv) of what the
    /// codes of other systems stand for, with the columns system, code, display, drug.
    #[arg(long, value_name = "PATH")]
    pub drugs: Vec<PathBuf>,
    /// Add SNOMED CT codes to the built-in value sets. Use needs a SNOMED CT affiliate licence. The folder
    /// is the environment's TANDEM_SNOMED; else snomed-optional beside the program, or
    /// datasets/content/snomed-optional in a folder above the program or the working directory.
    #[arg(long)]
    pub snomed: bool,
}

/// Names the folder with the SNOMED CT codes.
const VARIABLE: &str = "TANDEM_SNOMED";
/// Where it is in a clone of the repository.
const IN_CLONE: &str = "datasets/content/snomed-optional";
/// Where it is beside the program.
const BESIDE: [&str; 2] = ["snomed-optional", "../share/tandem/snomed-optional"];

impl TerminologyArgs {
    /// All files and folders to read.
    pub fn paths(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut paths = self.terminology.clone();
        for path in &self.bindings {
            if path.is_dir() || Holds::of(path) != Holds::Bindings {
                return Err(Failure::User(format!(
                    "--bindings {}: give a file that ends in .yaml (other terminology: --terminology)",
                    path.display()
                )));
            }
            paths.push(path.clone());
        }
        paths.extend(self.drugs.iter().cloned());
        if self.snomed {
            let folder = snomed()?;
            note!(
                "note: SNOMED CT codes of {}: copyright SNOMED International; use needs an affiliate licence (NOTICE.md there)",
                folder.display()
            );
            // It may have been named as well.
            if !paths.iter().any(|path| same(path, &folder)) {
                paths.push(folder);
            }
        }
        Ok(paths)
    }
}

fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// The folder with the SNOMED CT codes.
fn snomed() -> Result<PathBuf, Failure> {
    let usable = |path: &PathBuf| path.join("NOTICE.md").is_file();
    if let Some(path) = std::env::var_os(VARIABLE).map(PathBuf::from) {
        return match usable(&path) {
            true => Ok(path),
            false => Err(Failure::User(format!(
                "--snomed: {VARIABLE} is {}, where there is no NOTICE.md of the SNOMED CT codes",
                path.display()
            ))),
        };
    }
    let program = std::env::current_exe().ok();
    let program = program.and_then(|exe| exe.canonicalize().ok());
    let program = program.as_deref().and_then(Path::parent);
    let beside = program
        .into_iter()
        .flat_map(|of| BESIDE.map(|name| of.join(name)));
    let here = std::env::current_dir().ok();
    let above = [program, here.as_deref()].into_iter().flatten();
    let above = above.flat_map(Path::ancestors).map(|of| of.join(IN_CLONE));
    match beside.chain(above).find(usable) {
        Some(found) => Ok(found),
        None => Err(Failure::User(format!(
            "--snomed: the SNOMED CT codes are not here. They were looked for in {} beside the program, and in {IN_CLONE} of every folder above the program and above the working directory: name their folder in {VARIABLE}, or give it with --terminology",
            BESIDE.join(" and "),
        ))),
    }
}
