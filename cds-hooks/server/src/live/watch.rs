//! Whether files changed: looked at from time to time, told once nothing has changed for a while.
//!
//! Files are looked at, not waited for with the means of the system: those miss changes on network file
//! systems and in containers, where a mounted folder of settings is another one after each change.

use std::path::PathBuf;
use std::time::Duration;

use super::fingerprint::Fingerprint;

/// Tells when files are others than those that were read, and stand still. Knows no clock: it is told how much
/// time went by.
#[derive(Default)]
pub struct Watch {
    settle: Duration,
    /// As they were when they were last looked at.
    seen: Fingerprint,
    still: Duration,
}

impl Watch {
    /// Tells of a change when nothing has changed for so long.
    pub fn new(settle: Duration) -> Self {
        Watch {
            settle,
            ..Watch::default()
        }
    }

    /// Looks at files and folders; `read` is what they were like when they were last read, `since` the time since
    /// the last look. True for what is to be read again.
    pub fn look(&mut self, paths: &[PathBuf], read: &Fingerprint, since: Duration) -> bool {
        // Of what was not looked at before, that is known which was read.
        let known = match self.seen == Fingerprint::default() {
            true => read,
            false => &self.seen,
        };
        let now = Fingerprint::of(paths, known);
        let stood_still = now == self.seen;
        self.seen = now;
        if self.seen.same_content(read) {
            self.still = Duration::ZERO;
            return false;
        }
        self.still = match stood_still {
            true => self.still + since,
            false => Duration::ZERO,
        };
        let settled = self.still >= self.settle;
        if settled {
            self.still = Duration::ZERO;
        }
        settled
    }

    /// Whether there are more files than are looked at.
    pub fn is_cut(&self) -> bool {
        self.seen.is_cut()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::fingerprint::Marked;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What was read is what there was at the start.
    struct Watched {
        watch: Watch,
        marked: Marked,
        paths: [PathBuf; 1],
    }

    impl Watched {
        fn of(path: PathBuf, settle: Duration) -> Self {
            let (marked, paths) = (Marked::default(), [path]);
            marked.mark(&paths);
            Watched {
                watch: Watch::new(settle),
                marked,
                paths,
            }
        }

        /// Looks, and reads what it is told of.
        fn look(&mut self) -> bool {
            let last = self.marked.last();
            let told = self.watch.look(&self.paths, &last, SECOND);
            if told {
                self.marked.mark(&self.paths);
            }
            told
        }
    }

    #[test]
    fn a_change_is_told_once_when_it_stands_still() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let file = inner.join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let mut watch = Watched::of(folder.path().to_owned(), 2 * SECOND);
        assert!(!watch.look());
        std::fs::write(&file, "two, longer").unwrap();
        assert!(!watch.look());
        assert!(!watch.look());
        // It changes again while it is waited for.
        std::fs::write(&file, "three, longer still").unwrap();
        assert!(!watch.look());
        assert!(!watch.look());
        assert!(watch.look());
        assert!(!watch.look(), "told twice");
        // A new file, and one that goes.
        std::fs::write(inner.join("b.yaml"), "x").unwrap();
        assert!(!watch.look() && !watch.look());
        assert!(watch.look());
        std::fs::remove_file(&file).unwrap();
        assert!(!watch.look() && !watch.look());
        assert!(watch.look());
    }

    #[test]
    fn what_is_only_touched_or_changed_back_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let mut watch = Watched::of(file.clone(), SECOND);
        let times = std::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        let open = std::fs::File::options().write(true).open(&file).unwrap();
        open.set_times(times).unwrap();
        assert!(!watch.look() && !watch.look() && !watch.look());
        std::fs::write(&file, "other").unwrap();
        assert!(!watch.look());
        std::fs::write(&file, "one").unwrap();
        assert!(!watch.look() && !watch.look() && !watch.look());
    }

    /// What changed between the reading and the first look, or while it was read, is not lost.
    #[test]
    fn what_changes_while_it_is_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let mut watch = Watched::of(file.clone(), SECOND);
        std::fs::write(&file, "second").unwrap();
        assert!(!watch.look());
        assert!(watch.look());
        // Somebody else read it just now.
        std::fs::write(&file, "third one").unwrap();
        watch.marked.mark(&watch.paths);
        std::fs::write(&file, "fourth, while it was read").unwrap();
        assert!(!watch.look());
        assert!(watch.look());
        assert!(!watch.look());
    }

    #[test]
    fn what_was_read_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let mut watch = Watched::of(file.clone(), Duration::ZERO);
        std::fs::write(&file, "second").unwrap();
        watch.marked.mark(&watch.paths);
        assert!(!watch.look() && !watch.look());
    }
}
