//! Files that somebody names: found in folders, read whole.
#![allow(
    clippy::disallowed_methods,
    reason = "these are the files that are asked for"
)]

use std::path::{Path, PathBuf};

use engine_patient::terminology::TerminologyBuilder;

use crate::error::MeasureError;

fn wrong(path: &Path, e: &std::io::Error) -> MeasureError {
    MeasureError::User(format!("{}: {e}", path.display()))
}

/// A file, without a byte order mark.
pub fn read(path: &Path) -> Result<Vec<u8>, MeasureError> {
    let bytes = std::fs::read(path).map_err(|e| wrong(path, &e))?;
    Ok(match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    })
}

/// Files under the given paths with one of these endings, in a fixed order.
pub fn files(paths: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>, MeasureError> {
    let mut out = vec![];
    let mut todo: Vec<(PathBuf, bool)> = paths.iter().rev().map(|p| (p.clone(), true)).collect();
    while let Some((path, named)) = todo.pop() {
        if std::fs::metadata(&path)
            .map_err(|e| wrong(&path, &e))?
            .is_dir()
        {
            let entries = std::fs::read_dir(&path).map_err(|e| wrong(&path, &e))?;
            let mut entries: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
            entries.sort();
            todo.extend(entries.into_iter().rev().map(|p| (p, false)));
        } else if named || endings.iter().any(|e| path.to_string_lossy().ends_with(e)) {
            out.push(path);
        }
    }
    Ok(out)
}

/// Value sets and code systems: files, or folders of them.
pub fn terminology(paths: &[PathBuf]) -> Result<TerminologyBuilder, MeasureError> {
    let mut builder = TerminologyBuilder::new();
    for path in files(paths, &TERMINOLOGY)? {
        let bytes = read(&path)?;
        let name = path.display().to_string();
        match name.ends_with(".ndjson") {
            true => builder.add_ndjson(&name, &bytes),
            false => builder.add_json(&name, &bytes),
        };
    }
    Ok(builder)
}

/// Endings of files of terminology.
pub const TERMINOLOGY: [&str; 2] = [".json", ".ndjson"];
