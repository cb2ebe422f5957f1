//! Whether files changed: looked at from time to time, told once nothing has changed for a while.
//!
//! Files are looked at, not waited for with the means of the system: those miss changes on network file
//! systems and in containers, where a mounted folder of settings is another one after each change.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Files that are looked at, at most. Of more only the first, in the order of their names.
const FILES: usize = 20_000;
/// Folders within folders, so that a link to a folder above ends.
const DEPTH: usize = 12;
/// Files up to so many bytes are told apart by what is in them, larger ones by size and time.
const READ: u64 = 4 << 20;

/// What files were like at a moment. Two that are the same stand for the same files.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fingerprint(BTreeMap<PathBuf, Seen>);

#[derive(Clone, PartialEq, Eq)]
struct Seen {
    size: u64,
    changed: Option<SystemTime>,
    /// Of the content, where it was read.
    content: Option<u64>,
}

impl Fingerprint {
    /// Of files and folders. What is not there or cannot be read is as if it were not there. Content is
    /// read only where size or time are others than in `before`.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p PathBuf>, before: &Fingerprint) -> Self {
        let mut found = Fingerprint::default();
        for path in paths {
            found.add(path, before, 0);
        }
        found
    }

    fn add(&mut self, path: &Path, before: &Fingerprint, depth: usize) {
        // Follows links: what a link leads to may be exchanged.
        let Ok(data) = std::fs::metadata(path) else {
            return;
        };
        if data.is_dir() {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            paths.sort();
            for path in paths.iter().filter(|_| depth < DEPTH) {
                self.add(path, before, depth + 1);
            }
            return;
        }
        if !data.is_file() || self.0.len() >= FILES {
            return;
        }
        let (size, changed) = (data.len(), data.modified().ok());
        let old = before.0.get(path);
        let old = old.filter(|old| old.size == size && old.changed == changed);
        let content = match old {
            Some(old) => old.content,
            None if size <= READ => hash(path),
            None => None,
        };
        let seen = Seen {
            size,
            changed,
            content,
        };
        self.0.insert(path.to_owned(), seen);
    }

    /// Names what is in the files, wherever they are: the same on every machine that has the same.
    pub fn contents(&self) -> String {
        let of = |seen: &Seen| match seen.content {
            Some(content) => format!("{content:016x}"),
            None => format!("{} bytes", seen.size),
        };
        let mut all: Vec<String> = self.0.values().map(of).collect();
        all.sort();
        cds_hooks::instance_name(&all.join("\n"))
    }

    /// Whether the same is in them: a file that was only touched is the same.
    fn same_content(&self, other: &Fingerprint) -> bool {
        let same = |(a, b): (&Seen, &Seen)| match (a.content, b.content) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        };
        self.0.len() == other.0.len()
            && self.0.keys().eq(other.0.keys())
            && self.0.values().zip(other.0.values()).all(same)
    }
}

fn hash(path: &Path) -> Option<u64> {
    let mut bytes = vec![];
    let file = std::fs::File::open(path).ok()?;
    file.take(READ + 1).read_to_end(&mut bytes).ok()?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Some(hasher.finish())
}

/// Tells when files changed and then stood still. Knows no clock: it is told how much time went by.
pub struct Watch {
    paths: Vec<PathBuf>,
    settle: Duration,
    /// As they were when they were last read.
    read: Fingerprint,
    /// As they were when they were last looked at.
    seen: Fingerprint,
    still: Duration,
}

impl Watch {
    /// Of files and folders, as they are now.
    pub fn new(paths: Vec<PathBuf>, settle: Duration) -> Self {
        let read = Fingerprint::of(&paths, &Fingerprint::default());
        Watch {
            seen: read.clone(),
            read,
            paths,
            settle,
            still: Duration::ZERO,
        }
    }

    /// Looks at them; `since` is the time since the last look. True once for a change, when nothing has
    /// changed for the settling time.
    pub fn look(&mut self, since: Duration) -> bool {
        let now = Fingerprint::of(&self.paths, &self.seen);
        let stood_still = now == self.seen;
        self.seen = now;
        if self.seen.same_content(&self.read) {
            self.still = Duration::ZERO;
            return false;
        }
        self.still = match stood_still {
            true => self.still + since,
            false => Duration::ZERO,
        };
        let settled = self.still >= self.settle;
        if settled {
            self.read = self.seen.clone();
            self.still = Duration::ZERO;
        }
        settled
    }

    /// They are read now, whatever changed.
    pub fn is_read(&mut self) {
        self.read = Fingerprint::of(&self.paths, &self.seen);
        self.seen = self.read.clone();
        self.still = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_change_is_told_once_when_it_stands_still() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let file = inner.join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let mut watch = Watch::new(vec![folder.path().to_owned()], 2 * SECOND);
        assert!(!watch.look(SECOND));
        std::fs::write(&file, "two, longer").unwrap();
        assert!(!watch.look(SECOND));
        assert!(!watch.look(SECOND));
        // It changes again while it is waited for.
        std::fs::write(&file, "three, longer still").unwrap();
        assert!(!watch.look(SECOND));
        assert!(!watch.look(SECOND));
        assert!(watch.look(SECOND));
        assert!(!watch.look(SECOND), "told twice");
        // A new file, and one that goes.
        std::fs::write(inner.join("b.yaml"), "x").unwrap();
        assert!(!watch.look(SECOND) && !watch.look(SECOND));
        assert!(watch.look(SECOND));
        std::fs::remove_file(&file).unwrap();
        assert!(!watch.look(SECOND) && !watch.look(SECOND));
        assert!(watch.look(SECOND));
    }

    #[test]
    fn what_is_only_touched_or_changed_back_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let mut watch = Watch::new(vec![file.clone()], SECOND);
        let times = std::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        let open = std::fs::File::options().write(true).open(&file).unwrap();
        open.set_times(times).unwrap();
        assert!(!watch.look(SECOND) && !watch.look(SECOND) && !watch.look(SECOND));
        std::fs::write(&file, "other").unwrap();
        assert!(!watch.look(SECOND));
        std::fs::write(&file, "one").unwrap();
        assert!(!watch.look(SECOND) && !watch.look(SECOND) && !watch.look(SECOND));
    }

    #[test]
    fn what_was_read_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let mut watch = Watch::new(vec![file.clone()], Duration::ZERO);
        std::fs::write(&file, "second").unwrap();
        watch.is_read();
        assert!(!watch.look(SECOND) && !watch.look(SECOND));
    }

    #[test]
    fn folders_that_hold_themselves_end() {
        let folder = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("self")).unwrap();
        std::fs::write(folder.path().join("a.yaml"), "one").unwrap();
        let mut watch = Watch::new(vec![folder.path().to_owned()], SECOND);
        assert!(!watch.look(SECOND));
    }
}
