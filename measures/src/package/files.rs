//! Which files are meant, and their bytes.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "packages are files"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use engine_patient::diagnostic::did_you_mean;

use engine_patient::finding::{Code, Finding};

/// A file to read.
pub(super) struct Found {
    pub path: PathBuf,
    /// Named by the user itself, not found in a directory.
    pub named: bool,
}

/// The files of all paths, those of a directory in the order of their names.
#[derive(Default)]
pub(super) struct Walk {
    pub files: Vec<Found>,
    /// Files of other kinds, by extension.
    pub skipped: BTreeMap<String, usize>,
    pub issues: Vec<Finding>,
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    pub fn add(&mut self, path: &Path) {
        match path.metadata() {
            Ok(what) if what.is_dir() => self.directory(path),
            Ok(_) => self.file(path, true),
            Err(error) => self.issues.push(problem(path, &error)),
        }
    }

    fn file(&mut self, path: &Path, named: bool) {
        // Once only, though it may be named and stand in a named directory.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert(real) {
            return;
        }
        if !named && form(path).is_none() {
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            *self
                .skipped
                .entry(extension.unwrap_or_default())
                .or_default() += 1;
            return;
        }
        let path = path.to_owned();
        self.files.push(Found { path, named });
    }

    /// Goes through a directory and those in it; each once, so that links in a circle end.
    fn directory(&mut self, top: &Path) {
        let mut open = vec![top.to_owned()];
        let mut empty = true;
        while let Some(path) = open.pop() {
            match path.metadata() {
                Ok(what) if what.is_dir() => {}
                Ok(_) => {
                    empty = false;
                    self.file(&path, false);
                    continue;
                }
                Err(error) => {
                    empty = false;
                    self.issues.push(problem(&path, &error));
                    continue;
                }
            }
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            if !self.seen.insert(real) {
                empty = false;
                continue;
            }
            match list(&path) {
                // The last one pushed comes first.
                Ok(inside) => open.extend(inside.into_iter().rev()),
                Err(error) => {
                    empty = false;
                    self.issues.push(problem(&path, &error));
                }
            }
        }
        if empty {
            let name = path_text(top);
            let message = format!("there are no files in the directory `{name}`");
            let help = "give the directory with the Measure, Library and ValueSet files";
            let issue = Finding::warning(Code::NothingToRead, message).help(help);
            self.issues.push(issue.in_file(&*name));
        }
    }
}

/// What is in a directory, sorted, without hidden files.
fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut inside = vec![];
    for entry in path.read_dir()? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            inside.push(entry.path());
        }
    }
    inside.sort();
    Ok(inside)
}

/// How a file is divided into resources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Json,
    Ndjson,
}

/// By name, without the suffix of compression.
pub(super) fn form(path: &Path) -> Option<Form> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let packed = [".gz", ".zst"].iter().find_map(|s| name.strip_suffix(s));
    let (_, extension) = packed.unwrap_or(&name).rsplit_once('.')?;
    match extension {
        "json" => Some(Form::Json),
        "ndjson" | "jsonl" => Some(Form::Ndjson),
        _ => None,
    }
}

/// The unpacked content. What packs it is known by the first bytes, not by the name.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, Box<Finding>> {
    let fail = |error: io::Error| Box::new(problem(path, &error));
    let mut file = File::open(path).map_err(fail)?;
    let mut head = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut head).map_err(fail)?;
    let packed: &[u8] = &head.clone();
    let all = Cursor::new(head).chain(file);
    Ok(match packed {
        [0x1f, 0x8b, ..] => {
            let unpacked = flate2::bufread::MultiGzDecoder::new(BufReader::new(all));
            Box::new(BufReader::new(unpacked))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let unpacked = zstd::stream::read::Decoder::new(all).map_err(fail)?;
            Box::new(BufReader::new(unpacked))
        }
        [b'P', b'K', 3, 4] => {
            let issue = Finding::error(Code::UnreadablePath, "this is a zip archive");
            let help = "unpack it and give the directory";
            return Err(Box::new(issue.help(help).in_file(path_text(path))));
        }
        _ => Box::new(BufReader::new(all)),
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
            let text = error.to_string();
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
    let inside = list(parent.unwrap_or(Path::new("."))).ok()?;
    let names = inside.iter().filter_map(|p| p.file_name());
    let names: Vec<String> = names.map(|n| n.to_string_lossy().into_owned()).collect();
    let near = did_you_mean(&name, names.iter().map(String::as_str))?;
    Some(path_text(&path.with_file_name(near)))
}
