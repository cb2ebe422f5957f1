//! `tandem rule fmt`: rule files in their usual form.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use engine_patient::finding::Finding;
use measures_run::rule_files::rule_sources;
use sources::read_text;

use crate::commands::measure::tell;
use crate::failure::{Done, Failure};

/// The new text with the ends of lines that the old one has.
fn with_ends_of(old: &str, new: String) -> String {
    let first = old.split_inclusive('\n').next().unwrap_or_default();
    match first.ends_with("\r\n") {
        true => new.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => new,
    }
}

/// Writes a file beside it first, since a full disk must not leave half a rule, under a name that nobody
/// has. A link stays one, and who may read the file still may.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(text.as_bytes())?;
    let permissions = std::fs::metadata(&path)?.permissions();
    beside.as_file().set_permissions(permissions)?;
    beside.as_file().sync_all()?;
    beside.persist(&path).map_err(|e| e.error)?;
    Ok(())
}

pub fn fmt(paths: &[PathBuf], check: bool) -> Done {
    let mut wrong: Vec<Finding> = vec![];
    let mut others = vec![];
    for source in rule_sources(paths, &mut tell)? {
        let path = &source.path;
        let name = path.display().to_string();
        // A packed file is a copy: its original is what an author writes.
        if !name.ends_with(".yaml") && !name.ends_with(".yml") {
            note!("note: `{name}` is packed, and left as it is");
            continue;
        }
        let text = read_text(path).map_err(|e| Failure::User(format!("`{name}`: {e}")))?;
        match rules::format(&name, &text) {
            Err(found) => wrong.extend(found),
            Ok(new) => {
                let new = with_ends_of(&text, new);
                if new == text {
                    continue;
                }
                if !check {
                    replace(path, &new).map_err(|e| Failure::User(format!("`{name}`: {e}")))?;
                }
                others.push(name);
            }
        }
    }
    let verb = if check {
        "not in its usual form"
    } else {
        "changed"
    };
    for name in &others {
        say!("{name}: {verb}");
    }
    match (wrong.is_empty(), check && !others.is_empty()) {
        (false, _) => Err(Failure::of(&wrong)),
        (true, true) => Err(Failure::No(
            "`tandem rule fmt` without --check mends that".into(),
        )),
        (true, false) => Ok(std::process::ExitCode::SUCCESS),
    }
}
