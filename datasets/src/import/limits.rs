//! What one import takes at most: of a resource, of a document, of rejects.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Bounds that keep memory and disk from growing with what is wrong with the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the longest line, and of the largest resource within a document. Memory may grow to
    /// twenty times this where a line is hostile, to about four times where it is FHIR.
    pub resource: u64,
    /// Bytes of the largest `.json` document; a Bundle is read whole, since its references are
    /// resolved within it.
    pub document: u64,
    /// Rejects kept of each file of the input, and values that cannot be read; more are counted.
    pub rejects: u64,
    /// Bytes of JSON of a bucket and of a part of the resources without a patient, roughly: one a
    /// thread is in memory.
    pub part: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            resource: 64_000_000,
            document: 256_000_000,
            rejects: 10_000,
            part: 200 << 20,
        }
    }
}

/// From here on a line or document is large: of those one is in memory at a time.
pub const LARGE: usize = 8 << 20;

/// Whose turn it is to have something large in memory.
#[derive(Clone, Default)]
pub struct Turns {
    taken: Arc<(Mutex<bool>, Condvar)>,
}

/// The turn; given back when dropped.
pub struct Turn {
    taken: Arc<(Mutex<bool>, Condvar)>,
}

fn locked(mutex: &Mutex<bool>) -> MutexGuard<'_, bool> {
    // A thread that failed has given its turn back.
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Turns {
    /// Waits until nobody else has something large.
    pub fn take(&self) -> Turn {
        let (mutex, free) = &*self.taken;
        let mut taken = locked(mutex);
        while *taken {
            taken = free
                .wait(taken)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        *taken = true;
        Turn {
            taken: Arc::clone(&self.taken),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (mutex, free) = &*self.taken;
        *locked(mutex) = false;
        free.notify_one();
    }
}
