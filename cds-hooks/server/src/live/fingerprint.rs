//! What files were like at a moment.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Files that are looked at, at most. Where there are more, that is told, and they are never taken for the
/// same as before.
const FILES: usize = 20_000;

/// What files were like at a moment. Two that are the same stand for the same files.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fingerprint {
    files: BTreeMap<PathBuf, Seen>,
    /// There are more than are looked at.
    is_cut: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct Seen {
    size: u64,
    changed: Option<SystemTime>,
    /// Of the content; `None` where it cannot be read.
    content: Option<u64>,
}

impl Fingerprint {
    /// Of files and folders. What is not there is as if it were not named. Content is read only where size or
    /// time are others than in `before`.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p PathBuf>, before: &Fingerprint) -> Self {
        let mut looking = Looking {
            before,
            found: Fingerprint::default(),
            folders: HashSet::new(),
        };
        for path in paths {
            looking.at(path);
        }
        looking.found
    }

    /// Names what is in the files, wherever they are: the same on every machine that has the same. `None`
    /// where not all of it could be looked at.
    pub fn contents(&self) -> Option<String> {
        let of = |seen: &Seen| Some(format!("{:016x}", seen.content?));
        let all: Option<Vec<String>> = self.files.values().map(of).collect();
        let mut all = all.filter(|_| !self.is_cut)?;
        all.sort();
        Some(cds_hooks::instance_name(&all.join("\n")))
    }

    /// Whether there are more files than are looked at.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether the same is in them: a file that was only touched is the same.
    pub(super) fn same_content(&self, other: &Fingerprint) -> bool {
        let same = |(a, b): (&Seen, &Seen)| match (a.content, b.content) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        };
        self.files.len() == other.files.len()
            && self.files.keys().eq(other.files.keys())
            && self.files.values().zip(other.files.values()).all(same)
    }
}

struct Looking<'b> {
    before: &'b Fingerprint,
    found: Fingerprint,
    /// Where it was already, so that a link to a folder above ends.
    folders: HashSet<PathBuf>,
}

impl Looking<'_> {
    fn at(&mut self, path: &Path) {
        // Follows links: what a link leads to may be exchanged.
        let Ok(data) = std::fs::metadata(path) else {
            return;
        };
        if data.is_dir() {
            let is_new = std::fs::canonicalize(path).is_ok_and(|real| self.folders.insert(real));
            if !is_new {
                return;
            }
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            paths.sort();
            return paths.iter().for_each(|path| self.at(path));
        }
        if !data.is_file() || self.found.files.contains_key(path) {
            return;
        }
        if self.found.files.len() >= FILES {
            self.found.is_cut = true;
            return;
        }
        let (size, changed) = (data.len(), data.modified().ok());
        let old = self.before.files.get(path);
        let old = old.filter(|old| old.size == size && old.changed == changed);
        let content = match old {
            Some(old) => old.content,
            None => hash(path),
        };
        let seen = Seen {
            size,
            changed,
            content,
        };
        self.found.files.insert(path.to_owned(), seen);
    }
}

fn hash(path: &Path) -> Option<u64> {
    let mut file = std::fs::File::open(path).ok()?;
    let (mut hasher, mut piece) = (DefaultHasher::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut piece).ok()? {
            0 => return Some(hasher.finish()),
            n => hasher.write(piece.get(..n)?),
        }
    }
}

/// What files were like when they were last read: taken just before, so that what changes meanwhile is
/// another state.
#[derive(Default)]
pub struct Marked(Mutex<Fingerprint>);

impl Marked {
    /// They are read now. What is in them, and whether that is something else than at the last time.
    pub fn mark(&self, paths: &[PathBuf]) -> (Fingerprint, bool) {
        let now = Fingerprint::of(paths, &Fingerprint::default());
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = now.is_cut || !now.same_content(&last);
        last.clone_from(&now);
        (now, is_other)
    }

    /// As they were then.
    pub fn last(&self) -> Fingerprint {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &Path) -> Fingerprint {
        Fingerprint::of([&path.to_owned()], &Fingerprint::default())
    }

    /// A code that is exchanged for one of the same length in a large table is another table.
    #[test]
    fn a_large_file_of_the_same_size_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("drugs.csv");
        let mut text = vec![b'x'; 5 << 20];
        std::fs::write(&file, &text).unwrap();
        let before = of(folder.path());
        text[3 << 20] = b'y';
        std::fs::write(&file, &text).unwrap();
        let after = of(folder.path());
        assert!(!before.same_content(&after));
        assert_ne!(before.contents(), after.contents());
        assert!(before.contents().is_some());
    }

    #[test]
    fn more_files_than_are_looked_at_are_never_the_same() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..=FILES {
            std::fs::write(folder.path().join(n.to_string()), "").unwrap();
        }
        let paths = [folder.path().to_owned()];
        assert!(of(folder.path()).is_cut() && of(folder.path()).contents().is_none());
        let marked = Marked::default();
        marked.mark(&paths);
        assert!(marked.mark(&paths).1);
    }

    #[test]
    fn folders_that_hold_themselves_end() {
        let folder = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        for link in ["a", "b", "c"] {
            std::os::unix::fs::symlink(folder.path(), folder.path().join(link)).unwrap();
        }
        std::fs::write(folder.path().join("a.yaml"), "one").unwrap();
        let found = of(folder.path());
        assert_eq!((found.files.len(), found.is_cut), (1, false));
    }

    #[test]
    fn what_is_marked_is_what_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        let (marked, paths) = (Marked::default(), [folder.path().to_owned()]);
        std::fs::write(&file, "one").unwrap();
        assert!(marked.mark(&paths).1);
        assert!(!marked.mark(&paths).1);
        std::fs::write(&file, "two").unwrap();
        assert!(!marked.last().same_content(&of(folder.path())));
        assert!(marked.mark(&paths).1);
    }
}
