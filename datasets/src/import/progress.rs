//! How far an import is, for whoever shows it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use sources::Watcher;

/// Counters that the import's threads add to.
#[derive(Default, Debug)]
pub struct Progress {
    bytes: AtomicU64,
    bytes_total: AtomicU64,
    resources: AtomicU64,
    buckets: AtomicU64,
    buckets_total: AtomicU64,
    redone: AtomicU64,
    phase: AtomicU8,
    waiting: Mutex<Option<PathBuf>>,
    notes: Mutex<Vec<String>>,
}

/// A moment of an import.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Bytes read from disk, and how many there are.
    pub bytes: (u64, u64),
    /// Resources read.
    pub resources: u64,
    /// Buckets written, and how many there are.
    pub buckets: (u64, u64),
    /// Whether all is read and the lake is being written.
    pub writing: bool,
    /// How often it was merged anew because another import landed first.
    pub redone: u64,
}

impl Watcher for Progress {
    fn bytes(&self, n: u64) {
        self.bytes.fetch_add(n, Ordering::Relaxed);
    }

    fn waits_for(&self, pipe: Option<&Path>) {
        if let Ok(mut waiting) = self.waiting.lock() {
            *waiting = pipe.map(Path::to_owned);
        }
    }
}

impl Progress {
    pub(super) fn add_resources(&self, n: u64) {
        self.resources.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn add_bucket(&self) {
        self.buckets.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_total(&self, bytes: u64) {
        self.bytes_total.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn start_writing(&self, buckets: u64) {
        self.buckets.store(0, Ordering::Relaxed);
        self.buckets_total.store(buckets, Ordering::Relaxed);
        self.phase.store(1, Ordering::Relaxed);
    }

    /// The pipe for whose writer the import waits.
    pub fn waiting(&self) -> Option<PathBuf> {
        self.waiting.lock().ok()?.clone()
    }

    /// Something that the user should know before the import is done.
    pub(super) fn note(&self, text: String) {
        if let Ok(mut notes) = self.notes.lock() {
            notes.push(text);
        }
    }

    /// What was noted since this was asked last.
    pub fn take_notes(&self) -> Vec<String> {
        let notes = self.notes.lock();
        notes.map_or(vec![], |mut n| std::mem::take(&mut *n))
    }

    pub(super) fn add_redone(&self) {
        self.redone.fetch_add(1, Ordering::Relaxed);
    }

    /// All is read once more.
    pub(super) fn start_reading(&self) {
        for counter in [&self.bytes, &self.resources] {
            counter.store(0, Ordering::Relaxed);
        }
        self.phase.store(0, Ordering::Relaxed);
    }

    /// Where it is now.
    pub fn now(&self) -> Moment {
        let get = |a: &AtomicU64| a.load(Ordering::Relaxed);
        Moment {
            bytes: (get(&self.bytes), get(&self.bytes_total)),
            resources: get(&self.resources),
            buckets: (get(&self.buckets), get(&self.buckets_total)),
            redone: get(&self.redone),
            writing: self.phase.load(Ordering::Relaxed) > 0,
        }
    }
}
