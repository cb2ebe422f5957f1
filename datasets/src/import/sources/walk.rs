//! The walk over the folders: each file once, and never in a circle.

use std::collections::HashSet;
use std::fs::FileType;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{KINDS, Layout, Packing, PassedOver, Source, Sources, kind};

/// What a walk found, and what makes the import impossible.
#[derive(Default)]
pub(super) struct Walk {
    pub found: Sources,
    pub problems: Vec<String>,
    /// Files and folders, by where they really are.
    seen: HashSet<PathBuf>,
}

pub(super) fn walk(paths: &[PathBuf]) -> Walk {
    let mut walk = Walk::default();
    for path in paths {
        walk.named(path);
    }
    walk
}

impl Walk {
    /// A path that the user wrote: it must be there, and be data.
    fn named(&mut self, path: &Path) {
        let shown = path.display();
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(e) => {
                let links = std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink());
                return self.problem(match e.kind() {
                    ErrorKind::NotFound if links => {
                        format!("{shown}: a link to a file that is not there")
                    }
                    ErrorKind::NotFound => format!("{shown}: there is no such file or folder"),
                    _ if links && is_loop(&e) => format!("{shown}: a link that leads to itself"),
                    _ => format!("{shown}: {e}"),
                });
            }
        };
        let kind_of = metadata.file_type();
        if is_pipe(&kind_of) {
            // `<(zcat …)` has no ending: lines, and the first bytes say how they are packed.
            let (layout, packing) = kind(path).unwrap_or((Layout::Lines, Packing::Unnamed));
            return self.add(path, layout, packing, 0, true);
        }
        if metadata.is_dir() {
            match path.canonicalize() {
                Ok(real) => self.folder(path, real),
                Err(e) => self.problem(format!("{shown}: {e}")),
            }
        } else if !metadata.is_file() {
            let what = other(&kind_of);
            self.problem(format!("{shown}: this is {what}, no file: {KINDS}"));
        } else if let Some((layout, packing)) = kind(path) {
            match path.canonicalize() {
                Ok(real) => self.file(path, real, (layout, packing), metadata.len()),
                Err(e) => self.problem(format!("{shown}: {e}")),
            }
        } else {
            self.problem(format!("{shown}: cannot tell what this is: {KINDS}"));
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
            Err(e) => return self.problem(format!("{}: {e}", path.display())),
        };
        entries.sort();
        // A lake within a folder of data is no data; hidden folders neither.
        let hidden = |p: &Path| {
            p.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(['.', '_']))
        };
        for entry in entries.iter().filter(|e| !hidden(e)) {
            self.entry(entry, &real);
        }
    }

    /// Something in a folder.
    fn entry(&mut self, path: &Path, folder: &Path) {
        let shown = path.display();
        let link = std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink());
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let reason = match link {
                    true => "a link to a file that is not there",
                    false => "gone while the folder was read",
                };
                return self.pass(path, reason.into());
            }
            Err(e) if link && is_loop(&e) => {
                return self.pass(path, "a link that leads to itself".into());
            }
            Err(e) => return self.problem(format!("{shown}: {e}")),
        };
        let real = match (link, path.file_name()) {
            (false, Some(name)) => Ok(folder.join(name)),
            _ => path.canonicalize(),
        };
        let real = match real {
            Ok(real) => real,
            Err(e) => return self.problem(format!("{shown}: {e}")),
        };
        let kind_of = metadata.file_type();
        if metadata.is_dir() {
            self.folder(path, real);
        } else if !metadata.is_file() {
            let what = other(&kind_of);
            let reason = match is_pipe(&kind_of) {
                true => format!("{what}: name it itself to read from it"),
                false => what.to_owned(),
            };
            self.pass(path, reason);
        } else if let Some(kind) = kind(path) {
            self.file(path, real, kind, metadata.len());
        } else {
            self.found.ignored.push(path.to_owned());
        }
    }

    fn file(&mut self, path: &Path, real: PathBuf, kind: (Layout, Packing), bytes: u64) {
        if self.again(path, &real, "file") {
            return;
        }
        if let Err(e) = readable(path) {
            return self.problem(format!("{}: {e}", path.display()));
        }
        self.add(path, kind.0, kind.1, bytes, false);
    }

    /// Whether this was reached before; told.
    fn again(&mut self, path: &Path, real: &Path, what: &str) -> bool {
        if self.seen.insert(real.to_owned()) {
            return false;
        }
        let reason = format!("the same {what} as {}: read once", real.display());
        self.pass(path, reason);
        true
    }

    fn add(&mut self, path: &Path, layout: Layout, packing: Packing, bytes: u64, pipe: bool) {
        self.found.files.push(Source {
            path: path.to_owned(),
            packing,
            layout,
            bytes,
            pipe,
        });
    }

    fn pass(&mut self, path: &Path, reason: String) {
        let path = path.to_owned();
        self.found.passed_over.push(PassedOver { path, reason });
    }

    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }
}

#[cfg(unix)]
fn readable(path: &Path) -> std::io::Result<()> {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).map_err(std::io::Error::from)
}

#[cfg(not(unix))]
fn readable(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path).map(|_| ())
}

#[cfg(unix)]
fn is_loop(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
fn is_loop(_: &std::io::Error) -> bool {
    false
}

#[cfg(unix)]
fn is_pipe(kind: &FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(kind)
}

#[cfg(not(unix))]
fn is_pipe(_: &FileType) -> bool {
    false
}

/// What something is that is neither a file nor a folder.
#[cfg(unix)]
fn other(kind: &FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        k if k.is_fifo() => "a named pipe",
        k if k.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn other(_: &FileType) -> &'static str {
    "neither a file nor a folder"
}
