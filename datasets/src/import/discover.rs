//! What to import: the files under the given paths, in one order, whatever the order of the paths.

use std::path::PathBuf;

use sources::{DATA, Source, Sources, Why, find, is_archive};

use super::error::ImportError;

/// What a pipe may bring: 256 buckets.
const PIPE_BYTES: u64 = 50 << 30;
/// Problems that an error text lists.
const TOLD: usize = 20;

/// Finds the files under the given paths. A file that is named itself must be there and of a known
/// kind; in folders what cannot be data is left alone and told. A file is read once, however many
/// ways lead to it. What is there and may not be read is an error, all of it at once: an import that
/// leaves it out would look whole.
pub(super) fn discover(paths: &[PathBuf]) -> Result<Sources, ImportError> {
    let mut found = find(paths, DATA);
    if !found.problems.is_empty() {
        return Err(ImportError::User(problems(&found)));
    }
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    found.ignored.sort();
    found.passed_over.sort();
    if found.files.is_empty() {
        let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        let mut text = format!("nothing to import in {}: {}", names.join(", "), DATA.text);
        for passed in found.passed_over.iter().take(TOLD) {
            text += &format!("\n{}: {}", passed.path.display(), passed.reason);
        }
        let archives = found.ignored.iter().filter(|path| is_archive(path));
        for path in archives.take(TOLD) {
            text += &format!("\n{}: {}", path.display(), Why::Archive);
        }
        return Err(ImportError::User(text));
    }
    Ok(found)
}

fn problems(found: &Sources) -> String {
    let lines = found.problems.iter().take(TOLD);
    let lines: Vec<String> = lines
        .map(|p| format!("{}: {}", p.path.display(), p.reason))
        .collect();
    let mut text = lines.join("\n");
    if found.problems.len() > TOLD {
        let more = found.problems.len() - TOLD;
        text += &format!("\n… and {more} more like these");
    }
    text
}

/// The bytes that a source will unpack to, roughly. A pipe does not say: enough for a large export, as
/// the lake's buckets are fixed by it and must fit in memory.
pub(super) fn estimated_bytes(source: &Source) -> u64 {
    source.unpacked_bytes().unwrap_or(PIPE_BYTES)
}
