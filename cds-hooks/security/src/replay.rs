//! Tokens that were used: each is good for one call.

use std::collections::{BTreeMap, HashMap, HashSet};
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

    /// Of so many issuers tokens will come: by whoever asks, before it does. A store whose room is scarce
    /// shares it out.
    fn shared_by(&self, issuers: usize) {
        let _ = issuers;
    }

    /// A token that was remembered just now, and whose request is refused for another reason: it may come again.
    fn give_back(&self, iss: &str, jti: &str, until: i64) {
        let _ = (iss, jti, until);
    }
}

/// Remembers in memory: for one server. What it knows is gone with its process.
///
/// Room is shared out: each issuer has as much as any other, and more only of what the shares of the others
/// leave. So none can keep the others out, however many tokens it signs.
#[derive(Debug)]
pub struct MemoryReplay {
    most: usize,
    used: Mutex<Used>,
}

/// Half of a SHA-256: enough to tell tokens apart, and half the memory.
type Key = [u8; 16];

#[derive(Default, Debug)]
struct Used {
    /// How many have a share.
    issuers: usize,
    by_issuer: HashMap<String, Issued>,
    /// Of all issuers.
    count: usize,
    /// Tokens that were refused for want of room.
    refused: u64,
}

/// Tokens of one issuer.
#[derive(Default, Debug)]
struct Issued {
    known: HashSet<Key>,
    by_end: BTreeMap<i64, Vec<Key>>,
}

impl MemoryReplay {
    /// With room for `most` tokens that have not expired, of about 60 bytes each. None is forgotten before its
    /// time: one more is refused.
    pub fn new(most: usize) -> Self {
        MemoryReplay {
            most,
            used: Mutex::default(),
        }
    }

    /// How many are remembered, and how many were refused for want of room.
    pub fn counts(&self) -> (usize, u64) {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        (used.count, used.refused)
    }

    /// Whether an issuer may have one more.
    fn has_room(&self, used: &Used, iss: &str) -> bool {
        let share = self.most / used.issuers.max(1);
        let own = used.by_issuer.get(iss).map_or(0, |one| one.known.len());
        if own < share {
            return used.count < self.most;
        }
        let others = used.by_issuer.iter().filter(|(other, _)| *other != iss);
        let (mut unseen, mut kept) = (used.issuers.saturating_sub(1), 0);
        for (_, other) in others {
            unseen = unseen.saturating_sub(1);
            kept += share.saturating_sub(other.known.len());
        }
        used.count + kept + unseen * share < self.most
    }
}

impl Used {
    /// Forgets what expired before `now`.
    fn forget(&mut self, now: i64) {
        for issued in self.by_issuer.values_mut() {
            self.count -= issued.forget(now);
        }
        self.by_issuer.retain(|_, issued| !issued.known.is_empty());
    }
}

impl Issued {
    /// How many it forgot.
    fn forget(&mut self, now: i64) -> usize {
        let before = self.known.len();
        while let Some(first) = self.by_end.first_entry() {
            if *first.key() >= now {
                break;
            }
            for gone in first.remove() {
                self.known.remove(&gone);
            }
        }
        before - self.known.len()
    }
}

#[async_trait]
impl ReplayStore for MemoryReplay {
    async fn remember(&self, iss: &str, jti: &str, until: i64, now: i64) -> Result<bool, String> {
        let key = key(jti);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        let issued = used.by_issuer.get(iss);
        if issued.is_some_and(|issued| issued.known.contains(&key)) {
            return Ok(false);
        }
        if !self.has_room(&used, iss) {
            used.refused += 1;
            let own = used.by_issuer.get(iss).map_or(0, |one| one.known.len());
            return Err(format!(
                "there is no room to remember a further token: {own} of this issuer and {} of all are remembered that have not expired, and {} may be (`max_remembered`, of which each issuer has its share)",
                used.count, self.most
            ));
        }
        used.count += 1;
        let issued = used.by_issuer.entry(iss.to_owned()).or_default();
        issued.known.insert(key);
        issued.by_end.entry(until).or_default().push(key);
        Ok(true)
    }

    fn shared_by(&self, issuers: usize) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.issuers = issuers;
    }

    fn give_back(&self, iss: &str, jti: &str, until: i64) {
        let key = key(jti);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(issued) = used.by_issuer.get_mut(iss) else {
            return;
        };
        let Some(keys) = issued.by_end.get_mut(&until) else {
            return;
        };
        let before = keys.len();
        keys.retain(|known| *known != key);
        if keys.len() < before && issued.known.remove(&key) {
            used.count -= 1;
        }
    }
}

/// Of fixed size, whatever the token says.
fn key(jti: &str) -> Key {
    let mut key = Key::default();
    key.iter_mut()
        .zip(Sha256::digest(jti.as_bytes()))
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

    /// Checklist 83: who signs tokens without end fills what is free, and not the room of others.
    #[tokio::test]
    async fn item_83_no_issuer_keeps_the_others_out() {
        let store = MemoryReplay::new(12);
        store.shared_by(3);
        let take = async |iss: &str, count: usize, until: i64, now: i64| {
            let mut taken = 0;
            for number in 0..count {
                let jti = format!("{iss}-{until}-{number}");
                taken += usize::from(store.remember(iss, &jti, until, now).await == Ok(true));
            }
            taken
        };
        assert_eq!(
            take("busy", 20, 100, 50).await,
            4,
            "the rest is the share of others"
        );
        assert_eq!(take("second", 1, 100, 50).await, 1);
        assert_eq!(
            take("busy", 20, 101, 50).await,
            0,
            "a share that is in use is no free room"
        );
        assert_eq!(take("third", 20, 100, 50).await, 4);
        assert_eq!(take("second", 20, 101, 50).await, 3);
        assert_eq!(store.counts().0, 12);
        // What is over its time is free again, whoever comes next.
        assert_eq!(take("second", 20, 300, 102).await, 4);
        assert_eq!(store.counts().0, 4);
    }

    /// Beyond its share an issuer has what nobody else is entitled to.
    #[tokio::test]
    async fn what_cannot_be_shared_out_is_for_all() {
        let store = MemoryReplay::new(5);
        store.shared_by(2);
        for jti in ["1", "2", "3"] {
            assert_eq!(store.remember("a", jti, 100, 50).await, Ok(true), "{jti}");
        }
        assert!(store.remember("a", "4", 100, 50).await.is_err());
        for jti in ["1", "2"] {
            assert_eq!(store.remember("b", jti, 100, 50).await, Ok(true), "{jti}");
        }
        assert!(store.remember("b", "3", 100, 50).await.is_err());
        // More issuers than were said: never more than there is room.
        assert!(store.remember("c", "1", 100, 50).await.is_err());
        assert_eq!(store.counts(), (5, 3));
    }

    #[tokio::test]
    async fn what_is_given_back_may_come_again_and_makes_room() {
        let store = MemoryReplay::new(1);
        assert_eq!(store.remember("a", "1", 100, 50).await, Ok(true));
        store.give_back("a", "1", 99);
        store.give_back("b", "1", 100);
        assert_eq!(store.remember("a", "1", 100, 50).await, Ok(false));
        store.give_back("a", "1", 100);
        assert_eq!(store.counts().0, 0);
        assert_eq!(store.remember("a", "1", 200, 50).await, Ok(true));
        assert_eq!(store.remember("a", "1", 200, 150).await, Ok(false));
    }
}
