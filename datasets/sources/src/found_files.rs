//! What a search found: files to read, and what is not read and why.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::layout::Layout;
use crate::packing::Packing;
use crate::special;

/// A file to read.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the user would name it.
    pub path: PathBuf,
    /// By its name; the first bytes decide when it is opened.
    pub packing: Packing,
    pub layout: Layout,
    /// On disk; 0 for a pipe.
    pub bytes: u64,
    /// It is a named pipe: opening it waits for a writer, and it has no size.
    pub pipe: bool,
    /// The user named it itself.
    pub named: bool,
}

impl Source {
    /// The bytes it will unpack to, roughly: FHIR JSON packs about tenfold. A pipe does not say.
    pub fn unpacked_bytes(&self) -> Option<u64> {
        let unpacked = match self.packing {
            Packing::Plain => self.bytes,
            Packing::Gzip | Packing::Zstd => self.bytes.saturating_mul(12),
        };
        (!self.pipe).then_some(unpacked)
    }
}

/// Why something is not read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    Missing,
    DeadLink,
    Loop,
    Gone,
    /// It was reached another way: what it is, and where it really is.
    Again(&'static str, PathBuf),
    /// No file, but this, in a folder.
    Special(&'static str),
    /// The same, named by the user; which names are read.
    NamedSpecial(&'static str, &'static str),
    /// Its name does not say what it is; which names do.
    Unclear(&'static str),
    /// Several files in one, which is not looked into.
    Archive,
    /// The system's word.
    System(ErrorKind, String),
}

/// What to do with several files in one.
const ARCHIVE: &str = "this is an archive: unpack it, and give the folder";

/// Whether the name is that of an archive.
pub fn is_archive(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    let endings = [
        ".zip", ".tar", ".tgz", ".7z", ".rar", ".tar.gz", ".tar.zst", ".tar.bz2", ".tar.xz",
    ];
    endings.iter().any(|ending| name.ends_with(ending))
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Missing => f.write_str("there is no such file or folder"),
            Why::DeadLink => f.write_str("a link to a file that is not there"),
            Why::Loop => f.write_str("a link that leads to itself"),
            Why::Gone => f.write_str("gone while the folder was read"),
            Why::Again(what, real) => {
                write!(f, "the same {what} as {}: read once", real.display())
            }
            Why::Special(special::PIPE) => {
                write!(f, "{}: name it itself to read from it", special::PIPE)
            }
            Why::Special(what) => f.write_str(what),
            Why::NamedSpecial(what, kinds) => write!(f, "this is {what}, no file: {kinds}"),
            Why::Unclear(kinds) => write!(f, "cannot tell what this is: {kinds}"),
            Why::Archive => f.write_str(ARCHIVE),
            Why::System(_, text) => f.write_str(text),
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl From<std::io::Error> for Why {
    fn from(e: std::io::Error) -> Self {
        Why::System(e.kind(), e.to_string())
    }
}

/// Something under the given paths that is not read, and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct PassedOver {
    pub path: PathBuf,
    /// For people.
    pub reason: Why,
}

/// Something that keeps what was asked for from being read whole.
pub type Problem = PassedOver;

/// Files found, and what is left alone.
#[derive(Default, Debug)]
pub struct Sources {
    /// In the order of the paths, those of a folder by name.
    pub files: Vec<Source>,
    /// Files of a folder that was searched of other kinds, by their names.
    pub ignored: Vec<PathBuf>,
    /// Of the kinds, and left alone because the name begins with `.`, or `_` where that is a lake's.
    pub hidden: Vec<PathBuf>,
    /// Links to nothing, loops, files reached twice, pipes and devices in folders.
    pub passed_over: Vec<PassedOver>,
    /// What is not there, or may not be read.
    pub problems: Vec<Problem>,
}

impl Sources {
    /// What is left alone in folders although its name is of the kind: told where it may have been meant.
    pub fn left_alone(&self) -> Vec<String> {
        let hidden = self.hidden.iter().map(|path| {
            let path = path.display();
            format!("{path}: not read, its name begins with `.` (name it itself to read it)")
        });
        hidden.collect()
    }
}
