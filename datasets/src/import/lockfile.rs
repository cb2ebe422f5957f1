//! A file that says that its maker is alive: locked, and renewed as a lease.
//!
//! The kernel gives a lock (`flock`) back when its holder ends, however it ends, and sees every
//! process under it, in whatever container; a process id means nothing in another container. Another
//! machine on the same volume may see no lock. For it the file's time is a lease, renewed while the
//! holder is alive and compared with the time of a file written just now, so that only the volume's
//! own clock counts.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often the lease is renewed.
const BEAT: Duration = Duration::from_secs(30);
/// A lease older than this has run out: twenty beats that did not come.
pub const LEASE: Duration = Duration::from_secs(600);

/// A lock file that is ours. Removed when dropped.
pub struct LockFile {
    path: PathBuf,
    file: Arc<File>,
    /// Under which kernel it is locked, if it is.
    holder: String,
    beat: Option<Beat>,
}

impl LockFile {
    /// Makes the file and takes it. Nothing where there is one already, whoever made it.
    pub fn create(path: PathBuf) -> std::io::Result<Option<LockFile>> {
        loop {
            let made = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path);
            let file = match made {
                Ok(file) => file,
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Ok(None),
                Err(e) => return Err(e),
            };
            // Nobody else can hold it for longer than a look takes.
            let locked = file.lock().is_ok();
            if let Some(own) = Self::taken(path.clone(), file, locked)? {
                return Ok(Some(own));
            }
        }
    }

    /// Takes the file, made if it is not there. Nothing where another holds it.
    pub fn take(path: PathBuf) -> std::io::Result<Option<LockFile>> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            let locked = match file.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => return Ok(None),
                // The volume knows no locks.
                Err(TryLockError::Error(_)) => false,
            };
            if let Some(own) = Self::taken(path.clone(), file, locked)? {
                return Ok(Some(own));
            }
        }
    }

    /// Writes who holds it. Nothing where the file was removed before it was locked.
    fn taken(path: PathBuf, file: File, locked: bool) -> std::io::Result<Option<LockFile>> {
        let kernel = kernel().filter(|_| locked);
        let mut own = LockFile {
            path,
            file: Arc::new(file),
            holder: kernel.unwrap_or_else(|| "unknown".into()),
            beat: None,
        };
        own.file.set_len(0)?;
        renew(&own.file, &own.holder)?;
        if !own.is_ours() {
            return Ok(None);
        }
        own.beat = Beat::start(Arc::clone(&own.file), own.holder.clone());
        Ok(Some(own))
    }

    /// Whether what stands at its path is still this file.
    pub fn is_ours(&self) -> bool {
        is_at(&self.file, &self.path)
    }

    /// The time now by the volume's clock: the file is written anew.
    pub fn now(&self) -> std::io::Result<SystemTime> {
        renew(&self.file, &self.holder)?;
        self.file.metadata()?.modified()
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        self.beat.take();
        // Removed while it is locked: who waits for it sees that it is gone, and makes a new one.
        if self.is_ours() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes the text over itself: that sets the file's time by the clock of the volume, not by ours.
fn renew(mut file: &File, text: &str) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |m: std::fs::Metadata| (m.dev(), m.ino());
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(own), Ok(there)) => id(own) == id(there),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Which running kernel this is: the same in all its containers, another after each start.
fn kernel() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A thread that renews a lease.
struct Beat {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Beat {
    /// Nothing where no thread can be had: the lock holds without it on this machine.
    fn start(file: Arc<File>, text: String) -> Option<Beat> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let told = Arc::clone(&stop);
        let beat = move || {
            let (stop, bell) = &*told;
            let mut stopped = stop.lock().unwrap_or_else(PoisonError::into_inner);
            while !*stopped {
                let waited = bell.wait_timeout(stopped, BEAT);
                stopped = waited.unwrap_or_else(PoisonError::into_inner).0;
                if !*stopped {
                    // A full disk or a network that is away: the next beat may come through.
                    let _ = renew(&file, &text);
                }
            }
        };
        let thread = std::thread::Builder::new().name("lease".into()).spawn(beat);
        let thread = Some(thread.ok()?);
        Some(Beat { stop, thread })
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        let (stop, bell) = &*self.stop;
        *stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        bell.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a look at somebody's lock file told.
#[derive(Debug)]
pub enum Look {
    /// There is none (any more).
    Gone,
    /// Its holder may be alive.
    Held,
    /// Nobody holds it. Locked until this is dropped.
    Abandoned(Abandoned),
}

/// A lock file without a holder.
#[derive(Debug)]
pub struct Abandoned {
    path: PathBuf,
    file: File,
}

impl Abandoned {
    /// Removes the file, unless another was put in its place.
    pub fn remove(self) -> std::io::Result<()> {
        match is_at(&self.file, &self.path) {
            true => std::fs::remove_file(&self.path),
            false => Ok(()),
        }
    }
}

/// Looks whether a lock file has a holder, at `now` by the volume's clock.
pub fn look(path: &Path, now: SystemTime) -> std::io::Result<Look> {
    let opened = OpenOptions::new().read(true).write(true).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Look::Gone),
        Err(e) => return Err(e),
    };
    let lock = match file.try_lock() {
        Ok(()) => Lock::Free,
        Err(TryLockError::WouldBlock) => return Ok(Look::Held),
        Err(TryLockError::Error(_)) => Lock::Unknown,
    };
    let mut holder = String::new();
    (&mut file).take(100).read_to_string(&mut holder)?;
    let lease = now.duration_since(file.metadata()?.modified()?).ok();
    let here = kernel();
    Ok(match abandoned(lock, &holder, here.as_deref(), lease) {
        true if is_at(&file, path) => Look::Abandoned(Abandoned {
            path: path.to_owned(),
            file,
        }),
        true => Look::Gone,
        false => Look::Held,
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lock {
    /// Nobody under this kernel has it.
    Free,
    /// The volume knows no locks.
    Unknown,
}

/// Whether a lock file that nobody has locked, as far as can be seen from `here`, has no holder:
/// the lock is the word where the holder was under this kernel, else the age of the lease is. A
/// lease from the future has not run out.
fn abandoned(lock: Lock, holder: &str, here: Option<&str>, lease: Option<Duration>) -> bool {
    let same_kernel = !holder.is_empty() && Some(holder) == here;
    (lock == Lock::Free && same_kernel) || lease.is_some_and(|age| age > LEASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_lock_is_the_word_under_one_kernel_and_the_lease_between_machines() {
        let (young, old) = (Some(MINUTE), Some(11 * MINUTE));
        let here = Some("kernel-1");
        // The same machine: at once, however young the lease.
        assert!(abandoned(Lock::Free, "kernel-1", here, young));
        assert!(abandoned(Lock::Free, "kernel-1", here, None));
        // Another machine, or none that can be told: only when the lease has run out.
        for holder in ["kernel-2", "unknown", ""] {
            assert!(!abandoned(Lock::Free, holder, here, young), "{holder}");
            assert!(!abandoned(Lock::Free, holder, here, None), "{holder}");
            assert!(!abandoned(Lock::Free, holder, None, young), "{holder}");
            assert!(abandoned(Lock::Free, holder, here, old), "{holder}");
            assert!(abandoned(Lock::Free, holder, None, old), "{holder}");
        }
        // A volume without locks says nothing about the same machine either.
        assert!(!abandoned(Lock::Unknown, "kernel-1", here, young));
        assert!(abandoned(Lock::Unknown, "kernel-1", here, old));
        assert!(!abandoned(Lock::Free, "kernel-2", here, Some(LEASE)));
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let own = LockFile::create(path.clone()).unwrap().unwrap();
        let later = own.now().unwrap() + 60 * MINUTE;
        // However old the lease: it is locked.
        assert!(matches!(look(&path, later).unwrap(), Look::Held));
        assert!(LockFile::create(path.clone()).unwrap().is_none());
        assert!(LockFile::take(path.clone()).unwrap().is_none());
        assert!(own.is_ours());
        drop(own);
        assert!(!path.exists());
        assert!(matches!(look(&path, later).unwrap(), Look::Gone));
        let again = LockFile::take(path.clone()).unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
        let other = LockFile::create(path.clone()).unwrap().unwrap();
        assert!(!again.is_ours() && other.is_ours());
        // What another made in its place is not ours to remove.
        drop(again);
        assert!(path.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let left = |holder: &str, age: Duration| {
            std::fs::write(&path, holder).unwrap();
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - age).unwrap();
            now
        };
        if let Some(here) = kernel() {
            let now = left(&here, Duration::ZERO);
            let Look::Abandoned(lock) = look(&path, now).unwrap() else {
                unreachable!("it has no holder");
            };
            lock.remove().unwrap();
            assert!(!path.exists());
        }
        let now = left("another kernel", 9 * MINUTE);
        assert!(matches!(look(&path, now).unwrap(), Look::Held));
        let now = left("another kernel", 11 * MINUTE);
        assert!(matches!(look(&path, now).unwrap(), Look::Abandoned(_)));
        // Killed between making the file and writing to it.
        let now = left("", MINUTE);
        assert!(matches!(look(&path, now).unwrap(), Look::Held));
    }
}
