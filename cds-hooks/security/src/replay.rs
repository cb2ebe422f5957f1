//! Tokens that were used: each is good for one call.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

/// Remembers which tokens were used. Shared by all servers that clients take for one.
#[async_trait]
pub trait ReplayStore: Send + Sync {
    /// Remembers a token of `iss` until the second `until` (since 1970) is over. True where it was not
    /// known before; of several calls at once for one token exactly one gets that.
    ///
    /// # Errors
    /// Where it cannot be remembered: the token is refused then (503).
    async fn remember(&self, iss: &str, jti: &str, until: i64, now: i64) -> Result<bool, String>;
}

/// Remembers in memory: for one server. What it knows is gone with its process.
#[derive(Debug)]
pub struct MemoryReplay {
    most: usize,
    used: Mutex<Used>,
}

/// Half of a SHA-256: enough to tell tokens apart, and half the memory.
type Key = [u8; 16];

#[derive(Default, Debug)]
struct Used {
    known: HashSet<Key>,
    by_end: BTreeMap<i64, Vec<Key>>,
    /// Tokens that were refused for want of room.
    refused: u64,
}

impl MemoryReplay {
    /// With room for `most` tokens that have not expired, of about 60 bytes each. None is forgotten
    /// before its time: one more is refused.
    pub fn new(most: usize) -> Self {
        MemoryReplay {
            most,
            used: Mutex::default(),
        }
    }

    /// How many are remembered, and how many were refused for want of room.
    pub fn counts(&self) -> (usize, u64) {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        (used.known.len(), used.refused)
    }
}

#[async_trait]
impl ReplayStore for MemoryReplay {
    async fn remember(&self, iss: &str, jti: &str, until: i64, now: i64) -> Result<bool, String> {
        let key = key(iss, jti);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(first) = used.by_end.first_entry() {
            if *first.key() >= now {
                break;
            }
            for gone in first.remove() {
                used.known.remove(&gone);
            }
        }
        if used.known.contains(&key) {
            return Ok(false);
        }
        if used.known.len() >= self.most {
            used.refused += 1;
            return Err(format!(
                "there is no room to remember a further token: {} are remembered that have not expired (`max_remembered`)",
                self.most
            ));
        }
        used.known.insert(key);
        used.by_end.entry(until).or_default().push(key);
        Ok(true)
    }
}

/// Of fixed size, whatever the token says. The length keeps two pairs apart that read the same.
fn key(iss: &str, jti: &str) -> Key {
    let mut hasher = Sha256::new();
    hasher.update((iss.len() as u64).to_be_bytes());
    hasher.update(iss.as_bytes());
    hasher.update(jti.as_bytes());
    let mut key = Key::default();
    key.iter_mut()
        .zip(hasher.finalize())
        .for_each(|(to, from)| *to = from);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn once_until_it_expires() {
        let store = MemoryReplay::new(10);
        assert_eq!(store.remember("a", "1", 100, 50).await, Ok(true));
        assert_eq!(store.remember("a", "1", 100, 50).await, Ok(false));
        assert_eq!(store.remember("a", "1", 500, 100).await, Ok(false));
        // Of another issuer, also where both together read the same.
        assert_eq!(store.remember("b", "1", 100, 50).await, Ok(true));
        assert_eq!(store.remember("", "a1", 100, 50).await, Ok(true));
        assert_eq!(store.counts().0, 3);
        assert_eq!(store.remember("a", "1", 200, 101).await, Ok(true));
        assert_eq!(store.counts(), (1, 0));
    }

    /// Checklist 83: where it is full, nothing is forgotten to make room.
    #[tokio::test]
    async fn item_83_a_full_store_refuses_and_forgets_nothing() {
        let store = MemoryReplay::new(3);
        for jti in ["1", "2", "3"] {
            assert_eq!(store.remember("a", jti, 100, 50).await, Ok(true));
        }
        assert!(store.remember("a", "4", 100, 50).await.is_err());
        for jti in ["1", "2", "3"] {
            assert_eq!(store.remember("a", jti, 100, 50).await, Ok(false));
        }
        assert_eq!(store.counts(), (3, 1));
        assert_eq!(store.remember("a", "4", 200, 101).await, Ok(true));
    }
}
