//! What to read: files, and folders walked recursively, in a fixed order.

mod walk;

use std::path::{Path, PathBuf};

use super::ImportError;

/// How the bytes are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
    /// Its name does not say: the first bytes do.
    Unnamed,
}

/// Whether a file is lines, or one document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// A resource or Bundle a line.
    Lines,
    /// `.json`: a resource, a Bundle, or lines after all; the content decides.
    Document,
}

/// A file to read.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the user would name it.
    pub path: PathBuf,
    pub packing: Packing,
    pub layout: Layout,
    /// On disk; 0 for a pipe.
    pub bytes: u64,
    /// It is a named pipe: opening it waits for a writer, and it has no size.
    pub pipe: bool,
}

/// What a pipe may bring: 256 buckets.
const PIPE_BYTES: u64 = 50 << 30;

impl Source {
    /// The bytes it will unpack to, roughly: FHIR JSON packs about tenfold. A pipe does not say: enough
    /// for a large export, as the lake's buckets are fixed by it and must fit in memory.
    pub fn estimated_bytes(&self) -> u64 {
        if self.pipe {
            return PIPE_BYTES;
        }
        match self.packing {
            Packing::Plain | Packing::Unnamed => self.bytes,
            Packing::Gzip | Packing::Zstd => self.bytes.saturating_mul(12),
        }
    }
}

/// Something under the given paths that is not read, and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
pub struct PassedOver {
    pub path: PathBuf,
    /// For people.
    pub reason: String,
}

/// Files found, and what is left alone.
#[derive(Default, Debug)]
pub struct Sources {
    pub files: Vec<Source>,
    /// Files of a walked folder of other kinds, by their names.
    pub ignored: Vec<PathBuf>,
    /// Links to nothing, loops, files reached twice, pipes and devices in folders.
    pub passed_over: Vec<PassedOver>,
}

const KINDS: &str = "files must end in .ndjson, .jsonl or .json, perhaps with .gz or .zst after it";

/// Finds the files under the given paths. A file that is named itself must be there and of a known
/// kind; in folders what cannot be data is left alone and told. A file is read once, however many
/// ways lead to it. What is there and may not be read is an error, all of it at once: an import that
/// leaves it out would look whole.
pub fn discover(paths: &[PathBuf]) -> Result<Sources, ImportError> {
    let walked = walk::walk(paths);
    if !walked.problems.is_empty() {
        return Err(ImportError::User(shortened(&walked.problems)));
    }
    let mut found = walked.found;
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    found.ignored.sort();
    found.passed_over.sort();
    if found.files.is_empty() {
        let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        let mut text = format!("nothing to import in {}: {KINDS}", names.join(", "));
        for passed in found.passed_over.iter().take(TOLD) {
            text += &format!("\n{}: {}", passed.path.display(), passed.reason);
        }
        return Err(ImportError::User(text));
    }
    Ok(found)
}

/// Problems that an error text lists.
const TOLD: usize = 20;

fn shortened(problems: &[String]) -> String {
    let mut text = problems
        .iter()
        .take(TOLD)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    if problems.len() > TOLD {
        text += &format!("\n… and {} more like these", problems.len() - TOLD);
    }
    text
}

fn kind(path: &Path) -> Option<(Layout, Packing)> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let (name, packing) = if let Some(name) = name.strip_suffix(".gz") {
        (name, Packing::Gzip)
    } else if let Some(name) = name.strip_suffix(".zst") {
        (name, Packing::Zstd)
    } else {
        (name.as_str(), Packing::Plain)
    };
    let lines = name.ends_with(".ndjson") || name.ends_with(".jsonl");
    let document = name.ends_with(".json");
    match (lines, document) {
        (true, _) => Some((Layout::Lines, packing)),
        (_, true) => Some((Layout::Document, packing)),
        _ => None,
    }
}
