//! The scratch folder of a running import: its name, whose it is, and when it may go.
//!
//! `_tmp/import-<stamp>.lock` is made first and removed last; the folder `_tmp/import-<stamp>` is
//! there in between. The stamp is a time that no other import of this lake has: it is also in the
//! names of the files that the import writes, so that vacuum can tell whose they are.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::lockfile::{Abandoned, LockFile, Look, look};

/// Folder of the lake for scratch.
const FOLDER: &str = "_tmp";

/// The scratch of an import that runs in this process. Removed when dropped.
pub struct Scratch {
    lock: LockFile,
    folder: PathBuf,
    stamp: i64,
}

impl Scratch {
    /// Takes a stamp. Nothing where another import has it, here or in another container.
    pub fn claim(lake: &Path, stamp: i64) -> std::io::Result<Option<Scratch>> {
        let scratch = lake.join(FOLDER);
        std::fs::create_dir_all(&scratch)?;
        let name = format!("import-{}", stamp_text(stamp));
        let Some(lock) = LockFile::create(scratch.join(format!("{name}.lock")))? else {
            return Ok(None);
        };
        let folder = scratch.join(name);
        match std::fs::create_dir(&folder) {
            Ok(()) => Ok(Some(Scratch {
                lock,
                folder,
                stamp,
            })),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Where the import may write.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Milliseconds since 1970; no other import of this lake has the same.
    pub fn stamp(&self) -> i64 {
        self.stamp
    }

    /// Whether the scratch is still there and ours. A sweep by another machine that did not see
    /// this one for ten minutes may have removed it, or a person.
    pub fn is_ours(&self) -> bool {
        self.lock.is_ours() && self.folder.is_dir()
    }

    /// The lock, whose time is the volume's.
    pub fn lock(&self) -> &LockFile {
        &self.lock
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now, the next import or vacuum removes. Where it is no longer ours
        // another may be using the name.
        if self.lock.is_ours() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// How a stamp stands in names: files of one import sort together, and imports by time.
pub fn stamp_text(stamp: i64) -> String {
    format!("{stamp:013x}")
}

/// What a sweep found.
#[derive(Default, Debug)]
pub struct Swept {
    /// Scratch of imports that are gone: removed, or to be removed.
    pub removed: Vec<PathBuf>,
    /// Stamps of imports that may be running. Files whose names start with one of them, and a `-`,
    /// are theirs.
    pub running: Vec<String>,
    /// What should go and cannot be removed, and why.
    pub failed: Vec<(PathBuf, std::io::Error)>,
}

/// Which scratch to remove.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// The time now, by the clock of the lake's volume: of a file written just now.
    pub now: SystemTime,
    /// Also folders without a lock file, as older versions made them, when nothing in them has
    /// changed for so long.
    pub without_lock: Option<Duration>,
    /// Only look.
    pub dry_run: bool,
}

/// Removes the scratch of imports that are gone. Another's that cannot be looked at is taken for
/// alive.
///
/// # Errors
/// Where it cannot be listed what is there: then nothing is known of who is alive.
pub fn sweep(lake: &Path, sweep: &Sweep) -> std::io::Result<Swept> {
    let mut swept = Swept::default();
    let entries = match std::fs::read_dir(lake.join(FOLDER)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(swept),
        entries => entries?,
    };
    let paths = entries.map(|e| e.map(|e| e.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    for path in &paths {
        if path.extension().is_some_and(|e| e == "lock") {
            locked(path, sweep, &mut swept);
        } else if path.is_dir() && !paths.contains(&lock_of(path)) {
            without_lock(path, sweep, &mut swept);
        }
    }
    Ok(swept)
}

fn lock_of(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn locked(lock: &Path, sweep: &Sweep, swept: &mut Swept) {
    let folder = lock.with_extension("");
    let held = |swept: &mut Swept| {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned());
        let stamp = name.and_then(|n| Some(n.strip_prefix("import-")?.to_owned()));
        swept.running.extend(stamp);
    };
    match look(lock, sweep.now) {
        Ok(Look::Gone) => {}
        Ok(Look::Abandoned(abandoned)) => {
            let shown = if folder.is_dir() { &folder } else { lock }.to_owned();
            let removed = match sweep.dry_run {
                true => Ok(()),
                false => remove(&folder, abandoned),
            };
            match removed {
                Ok(()) => swept.removed.push(shown),
                Err(e) => {
                    // What stands may go on.
                    held(swept);
                    swept.failed.push((shown, e));
                }
            }
        }
        Ok(Look::Held) => held(swept),
        Err(e) => {
            held(swept);
            swept.failed.push((lock.to_owned(), e));
        }
    }
}

/// The folder first: cut off in between, the next sweep goes on.
fn remove(folder: &Path, lock: Abandoned) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    lock.remove()
}

fn without_lock(folder: &Path, sweep: &Sweep, swept: &mut Swept) {
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned());
    let ours = name.is_some_and(|n| n.starts_with("import-"));
    let Some(least) = sweep.without_lock.filter(|_| ours) else {
        return;
    };
    // One that was made since the listing has its lock by now.
    let age = newest(folder).and_then(|t| sweep.now.duration_since(t).ok());
    if lock_of(folder).exists() || age.is_none_or(|a| a < least) {
        return;
    }
    if sweep.dry_run {
        return swept.removed.push(folder.to_owned());
    }
    match std::fs::remove_dir_all(folder) {
        Ok(()) => swept.removed.push(folder.to_owned()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => swept.failed.push((folder.to_owned(), e)),
    }
}

/// When a folder, or a file in it, was last changed.
fn newest(folder: &Path) -> Option<SystemTime> {
    let own = std::fs::metadata(folder).ok()?.modified().ok()?;
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let times = files.filter_map(|f| f.metadata().ok()?.modified().ok());
    times.chain([own]).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn look_now(own: &Scratch) -> Sweep {
        Sweep {
            now: own.lock().now().unwrap(),
            without_lock: None,
            dry_run: false,
        }
    }

    #[test]
    fn a_stamp_is_one_imports() {
        let lake = tempfile::tempdir().unwrap();
        let one = Scratch::claim(lake.path(), 7).unwrap().unwrap();
        assert!(Scratch::claim(lake.path(), 7).unwrap().is_none());
        let two = Scratch::claim(lake.path(), 8).unwrap().unwrap();
        assert!(one.is_ours() && two.is_ours());
        let swept = sweep(lake.path(), &look_now(&two)).unwrap();
        assert!(swept.removed.is_empty() && swept.failed.is_empty());
        assert_eq!(swept.running, [stamp_text(7), stamp_text(8)]);
        let folder = one.folder().to_owned();
        std::fs::write(folder.join("0.spill"), "x").unwrap();
        drop(one);
        assert!(!folder.exists());
        assert!(Scratch::claim(lake.path(), 7).unwrap().is_some());
        // Somebody empties the folder.
        std::fs::remove_dir_all(two.folder()).unwrap();
        assert!(!two.is_ours());
        drop(two);
        assert_eq!(
            std::fs::read_dir(lake.path().join("_tmp")).unwrap().count(),
            0
        );
    }

    /// Another machine's lock cannot be seen: only the age of its lease counts.
    #[test]
    fn another_machines_scratch_goes_when_its_lease_has_run_out() {
        let lake = tempfile::tempdir().unwrap();
        let own = Scratch::claim(lake.path(), 9).unwrap().unwrap();
        let other = lake.path().join("_tmp/import-0000000000001");
        let lock = lock_of(&other);
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("0.spill"), "x").unwrap();
        std::fs::write(&lock, "another kernel").unwrap();
        let swept = sweep(lake.path(), &look_now(&own)).unwrap();
        assert!(swept.removed.is_empty() && other.exists());
        assert!(swept.running.contains(&stamp_text(1)));
        let old = own.lock().now().unwrap() - HOUR;
        let file = std::fs::OpenOptions::new().write(true).open(&lock).unwrap();
        file.set_modified(old).unwrap();
        drop(file);
        let dry = Sweep {
            dry_run: true,
            ..look_now(&own)
        };
        let removed = |rule: &Sweep| sweep(lake.path(), rule).unwrap().removed;
        let only = std::slice::from_ref(&other);
        assert_eq!(removed(&dry), only);
        assert!(other.exists());
        assert_eq!(removed(&look_now(&own)), only);
        assert!(!other.exists() && !lock.exists() && own.is_ours());
    }

    /// As older versions made them: `import-<process>-<time>`, no lock file.
    #[test]
    fn a_folder_without_a_lock_goes_by_its_age() {
        let lake = tempfile::tempdir().unwrap();
        let own = Scratch::claim(lake.path(), 9).unwrap().unwrap();
        let old = lake.path().join("_tmp/import-1-19ad0000000");
        let foreign = lake.path().join("_tmp/thesis");
        std::fs::create_dir(&old).unwrap();
        std::fs::create_dir(&foreign).unwrap();
        let by_age = |least| Sweep {
            without_lock: Some(least),
            ..look_now(&own)
        };
        assert!(
            sweep(lake.path(), &look_now(&own))
                .unwrap()
                .removed
                .is_empty()
        );
        assert!(
            sweep(lake.path(), &by_age(HOUR))
                .unwrap()
                .removed
                .is_empty()
        );
        let removed = sweep(lake.path(), &by_age(Duration::ZERO)).unwrap().removed;
        assert_eq!(removed, [old]);
        assert!(foreign.exists() && own.is_ours());
    }

    /// What cannot be listed is not empty: vacuum must not take it for "nobody is at work".
    #[test]
    fn scratch_that_cannot_be_listed_is_an_error() {
        let lake = tempfile::tempdir().unwrap();
        let rule = Sweep {
            now: SystemTime::now(),
            without_lock: None,
            dry_run: false,
        };
        assert!(sweep(lake.path(), &rule).is_ok(), "there is none yet");
        std::fs::write(lake.path().join(FOLDER), "").unwrap();
        assert!(sweep(lake.path(), &rule).is_err());
    }
}
