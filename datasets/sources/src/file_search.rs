//! Which files are meant: each once, and never in a circle.

use std::collections::HashSet;
use std::fs::{FileType, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::found_files::{PassedOver, Problem, Source, Sources, Why, is_archive};
use crate::kinds::Kinds;
use crate::layout::Layout;
use crate::packing::Packing;
use crate::special;

/// Finds the files under the given paths. What the user names must be there and be a file; in folders
/// what cannot be meant is left alone and told. A file is read once, however many ways lead to it.
pub fn find<P: AsRef<Path>>(paths: &[P], kinds: Kinds) -> Sources {
    let mut search = FileSearch::new(kinds);
    for path in paths {
        search.add(path.as_ref());
    }
    search.found
}

/// As [`find`], where everything of the kinds must be readable, in folders too: else all that is not,
/// one a line.
pub fn list<P: AsRef<Path>>(paths: &[P], kinds: Kinds) -> Result<Sources, String> {
    let found = find(paths, kinds);
    let unread = |p: &&PassedOver| !matches!(p.reason, Why::Again(..)) && kinds.takes(&p.path);
    let passed = found.passed_over.iter().filter(unread);
    let lines: Vec<String> = found
        .problems
        .iter()
        .chain(passed)
        .map(|p| format!("{}: {}", p.path.display(), p.reason))
        .collect();
    match lines.is_empty() {
        true => Ok(found),
        false => Err(lines.join("\n")),
    }
}

/// The file of a folder that is called so; where there is none, the one with another ending of the
/// kinds in place of its own, packed or not.
pub fn named(folder: &Path, name: &str, kinds: Kinds) -> Option<PathBuf> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let endings = kinds.endings.iter().map(|(ending, _)| ending);
    let others = endings.flat_map(|e| ["", ".gz", ".zst"].map(|p| format!("{stem}{e}{p}")));
    let mut all = std::iter::once(name.to_owned()).chain(others);
    all.find_map(|file| Some(folder.join(file)).filter(|path| path.exists()))
}

/// The names in a folder, in order, without hidden ones: to say which may be meant. None where it
/// cannot be listed.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|e| e.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|n| !n.starts_with('.')).collect();
    names.sort();
    names
}

/// A search for files under paths, one path after the other.
pub struct FileSearch {
    kinds: Kinds,
    pub found: Sources,
    /// Files and folders, by where they really are.
    seen: HashSet<PathBuf>,
}

impl FileSearch {
    pub fn new(kinds: Kinds) -> FileSearch {
        let (found, seen) = (Sources::default(), HashSet::new());
        FileSearch { kinds, found, seen }
    }

    /// A path that the user wrote: it must be there, and be of the kinds.
    pub fn add(&mut self, path: &Path) {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(e) => {
                let link = is_link(path);
                return self.problem(
                    path,
                    match e.kind() {
                        ErrorKind::NotFound if link => Why::DeadLink,
                        ErrorKind::NotFound => Why::Missing,
                        _ if link && special::is_loop(&e) => Why::Loop,
                        _ => e.into(),
                    },
                );
            }
        };
        let is = metadata.file_type();
        let kind = self.kinds.of(path);
        if metadata.is_dir() {
            return match path.canonicalize() {
                Ok(real) => self.folder(path, real),
                Err(e) => self.problem(path, e.into()),
            };
        }
        // `<(zcat …)` has no ending.
        let unnamed = (self.kinds.unnamed, Packing::Plain);
        if !metadata.is_file() {
            let readable = special::is_pipe(&is) || self.kinds.any_name;
            return match readable {
                true => self.take(path, kind.unwrap_or(unnamed), 0, (true, is)),
                false => {
                    let why = Why::NamedSpecial(special::name(&is), self.kinds.text);
                    self.problem(path, why);
                }
            };
        }
        match kind.or(self.kinds.any_name.then_some(unnamed)) {
            Some(kind) => match path.canonicalize() {
                Ok(real) => self.file(path, real, kind, (&metadata, true)),
                Err(e) => self.problem(path, e.into()),
            },
            None if is_archive(path) => self.problem(path, Why::Archive),
            None => self.problem(path, Why::Unclear(self.kinds.text)),
        }
    }

    /// A folder, by the way it was reached and where it really is.
    fn folder(&mut self, path: &Path, real: PathBuf) {
        if self.again(path, &real, "folder") {
            return;
        }
        let read = std::fs::read_dir(path).and_then(|entries| {
            entries
                .map(|e| e.map(|e| e.path()))
                .collect::<std::io::Result<Vec<_>>>()
        });
        let mut entries = match read {
            Ok(entries) => entries,
            Err(e) => return self.problem(path, e.into()),
        };
        entries.sort();
        for entry in entries {
            match self.kinds.hides(&entry) {
                true if self.kinds.takes(&entry) => self.found.hidden.push(entry),
                true => {}
                false => self.entry(&entry, &real),
            }
        }
    }

    /// Something in a folder.
    fn entry(&mut self, path: &Path, folder: &Path) {
        let link = is_link(path);
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let why = match link {
                    true => Why::DeadLink,
                    false => Why::Gone,
                };
                return self.pass(path, why);
            }
            Err(e) if link && special::is_loop(&e) => return self.pass(path, Why::Loop),
            Err(e) => return self.problem(path, e.into()),
        };
        let real = match (link, path.file_name()) {
            (false, Some(name)) => Ok(folder.join(name)),
            _ => path.canonicalize(),
        };
        let real = match real {
            Ok(real) => real,
            Err(e) => return self.problem(path, e.into()),
        };
        if metadata.is_dir() {
            self.folder(path, real);
        } else if !metadata.is_file() {
            self.pass(path, Why::Special(special::name(&metadata.file_type())));
        } else if let Some(kind) = self.kinds.of(path) {
            self.file(path, real, kind, (&metadata, false));
        } else {
            self.found.ignored.push(path.to_owned());
        }
    }

    fn file(
        &mut self,
        path: &Path,
        real: PathBuf,
        kind: (Layout, Packing),
        (metadata, named): (&Metadata, bool),
    ) {
        if self.again(path, &real, "file") {
            return;
        }
        if let Err(e) = special::readable(path) {
            return self.problem(path, e.into());
        }
        self.take(path, kind, metadata.len(), (named, metadata.file_type()));
    }

    /// Whether this was reached before; told.
    fn again(&mut self, path: &Path, real: &Path, what: &'static str) -> bool {
        if self.seen.insert(real.to_owned()) {
            return false;
        }
        self.pass(path, Why::Again(what, real.to_owned()));
        true
    }

    fn take(
        &mut self,
        path: &Path,
        (layout, packing): (Layout, Packing),
        bytes: u64,
        (named, is): (bool, FileType),
    ) {
        self.found.files.push(Source {
            path: path.to_owned(),
            packing,
            layout,
            bytes,
            pipe: special::is_pipe(&is),
            named,
        });
    }

    fn pass(&mut self, path: &Path, reason: Why) {
        let path = path.to_owned();
        self.found.passed_over.push(PassedOver { path, reason });
    }

    fn problem(&mut self, path: &Path, reason: Why) {
        let path = path.to_owned();
        self.found.problems.push(Problem { path, reason });
    }
}

fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink())
}
