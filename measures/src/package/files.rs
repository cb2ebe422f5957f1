//! Which files of a package are meant, and what is told of those that cannot be read.
#![allow(clippy::disallowed_methods, reason = "a package is files")]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use engine_patient::finding::{Code, Finding, did_you_mean};
use sources::{FHIR, FileSearch, Refused, Source, Why, names_in, reason};

/// The files of all paths, those of a directory in the order of their names.
pub(super) struct Files {
    pub files: Vec<Source>,
    /// Files of other kinds, by extension.
    pub skipped: BTreeMap<String, usize>,
    pub issues: Vec<Finding>,
}

pub(super) fn find<P: AsRef<Path>>(paths: &[P]) -> Files {
    let mut search = FileSearch::new(FHIR);
    let mut issues = vec![];
    for path in paths.iter().map(AsRef::as_ref) {
        let of = |search: &FileSearch| {
            let found = &search.found;
            let more = (found.passed_over.len(), found.problems.len());
            (found.files.len(), found.ignored.len(), more)
        };
        let before = of(&search);
        search.add(path);
        if of(&search) == before {
            issues.push(empty(path));
        }
    }
    let found = search.found;
    let passed = found.passed_over.iter();
    let wrong = found.problems.iter().chain(passed);
    issues.extend(wrong.filter_map(|w| unread(&w.path, &w.reason)));
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    for path in &found.ignored {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        *skipped.entry(extension.unwrap_or_default()).or_default() += 1;
    }
    let files = found.files;
    Files {
        files,
        skipped,
        issues,
    }
}

fn empty(top: &Path) -> Finding {
    let name = path_text(top);
    let message = format!("there are no files in the directory `{name}`");
    let help = "give the directory with the Measure, Library and ValueSet files";
    let issue = Finding::warning(Code::NothingToRead, message).help(help);
    issue.in_file(&*name)
}

/// Why something is not read. That a file is read once is nothing to tell.
fn unread(path: &Path, why: &Why) -> Option<Finding> {
    Some(match why {
        Why::Again(..) => return None,
        Why::Special(_) => {
            let name = path_text(path);
            let message = format!("`{name}` was not read: {why}");
            Finding::warning(Code::OtherFiles, message).in_file(&*name)
        }
        Why::Missing | Why::DeadLink | Why::Gone => {
            problem(path, &io::Error::from(io::ErrorKind::NotFound))
        }
        Why::System(kind, text) => problem(path, &io::Error::new(*kind, text.clone())),
        other => problem(path, &io::Error::other(other.to_string())),
    })
}

/// A path as text.
pub(super) fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Why a path cannot be read.
pub(super) fn problem(path: &Path, error: &io::Error) -> Finding {
    let name = path_text(path);
    let issue = match error.kind() {
        io::ErrorKind::NotFound => {
            let near = neighbour(path);
            let issue = Finding::error(Code::NoSuchPath, format!("`{name}` does not exist"));
            issue.meant(near.as_deref(), "give a file or a directory that exists")
        }
        io::ErrorKind::PermissionDenied => {
            let issue = Finding::error(
                Code::UnreadablePath,
                format!("`{name}` may not be read: permission denied"),
            );
            issue.help(
                "give yourself the right to read it (directories also need the right to enter)",
            )
        }
        io::ErrorKind::UnexpectedEof => {
            let message = format!("the compressed file `{name}` ends before it is complete");
            Finding::error(Code::UnreadablePath, message)
                .help("it may be truncated: fetch or pack it again")
        }
        _ => {
            let refused = error.get_ref().and_then(|e| e.downcast_ref::<Refused>());
            if let Some(Refused {
                what,
                help: Some(help),
            }) = refused
            {
                let issue = Finding::error(Code::UnreadablePath, what.clone()).help(*help);
                return issue.in_file(&*name);
            }
            let text = reason(error);
            let text = text.split(" (os error").next().unwrap_or(&text);
            let issue = Finding::error(
                Code::UnreadablePath,
                format!("`{name}` cannot be read: {text}"),
            );
            issue.help("fetch it again, or unpack it yourself if it is compressed")
        }
    };
    issue.in_file(&*name)
}

/// A path that exists and has nearly this name.
fn neighbour(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let names = names_in(parent.unwrap_or(Path::new(".")));
    let near = did_you_mean(&name, names.iter().map(String::as_str))?;
    Some(path_text(&path.with_file_name(near)))
}
