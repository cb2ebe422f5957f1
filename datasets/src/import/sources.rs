//! What to read: files, and folders walked recursively, in a fixed order.

use std::path::{Path, PathBuf};

use super::ImportError;

/// How the bytes are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
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
    /// On disk.
    pub bytes: u64,
}

impl Source {
    /// The bytes it will unpack to, roughly: FHIR JSON packs about tenfold.
    pub fn estimated_bytes(&self) -> u64 {
        match self.packing {
            Packing::Plain => self.bytes,
            Packing::Gzip | Packing::Zstd => self.bytes.saturating_mul(12),
        }
    }
}

/// Files found, and files of a walked folder that are left alone because of their names.
#[derive(Default, Debug)]
pub struct Sources {
    pub files: Vec<Source>,
    pub ignored: Vec<PathBuf>,
}

/// Finds the files under the given paths. A file that is named itself must be of a known kind; in
/// folders others are left alone and told.
pub fn discover(paths: &[PathBuf]) -> Result<Sources, ImportError> {
    let mut found = Sources::default();
    let mut problems = vec![];
    for path in paths {
        if let Err(problem) = add(path, true, &mut found) {
            problems.push(problem);
        }
    }
    if !problems.is_empty() {
        return Err(ImportError::User(problems.join("\n")));
    }
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    found.files.dedup_by(|a, b| a.path == b.path);
    found.ignored.sort();
    if found.files.is_empty() {
        let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        let text = format!(
            "nothing to import in {}: files must end in .ndjson, .jsonl or .json, perhaps with .gz or .zst after it",
            names.join(", ")
        );
        return Err(ImportError::User(text));
    }
    Ok(found)
}

fn add(path: &Path, named: bool, found: &mut Sources) -> Result<(), String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("{shown}: there is no such file or folder"),
        _ => format!("{shown}: {e}"),
    })?;
    if metadata.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|e| format!("{shown}: {e}"))?;
        let mut entries: Vec<PathBuf> = entries
            .map(|e| e.map(|e| e.path()))
            .collect::<Result<_, _>>()
            .map_err(|e| format!("{shown}: {e}"))?;
        entries.sort();
        // A lake within a folder of data is no data; hidden folders neither.
        let hidden = |p: &Path| {
            p.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(['.', '_']))
        };
        for entry in entries.iter().filter(|e| !hidden(e)) {
            add(entry, false, found)?;
        }
        return Ok(());
    }
    match kind(path) {
        Some((layout, packing)) => {
            let bytes = metadata.len();
            found.files.push(Source {
                path: path.to_owned(),
                packing,
                layout,
                bytes,
            });
            Ok(())
        }
        None if named => Err(format!(
            "{shown}: cannot tell what this is: files must end in .ndjson, .jsonl or .json, perhaps with .gz or .zst after it"
        )),
        None => {
            found.ignored.push(path.to_owned());
            Ok(())
        }
    }
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
