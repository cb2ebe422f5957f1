//! Tokens that were used, of a store that one server has to itself (SQLite): it knows them in memory, and writes them
//! along with what comes next. So a call waits for the store once, for its record, and its token is on the disk by
//! then.
//!
//! ```text
//! start ── takes over, reads what is there ──▶ memory ◀── token: known? ── yes ──▶ refused
//!                                                           └ no: kept, written with the next record
//! ```
//!
//! The store names the server that took over last. Where that is another one, two servers use one file, and neither
//! would know what the other took: the one before writes nothing more, and says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::StoreError;
use crate::jti::Used;

pub(crate) struct Tokens {
    /// Names this server in the store.
    pub owner: String,
    most: usize,
    /// Those in the store were read.
    was_read: AtomicBool,
    /// Held by who asks for them.
    pub asking: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Each with when it expires.
    keys: HashMap<u128, i64>,
    by_end: BTreeMap<i64, Vec<u128>>,
}

impl Tokens {
    /// With room for `most` that have not expired, of about 60 bytes each.
    pub(crate) fn new(owner: String, most: usize) -> Self {
        Tokens {
            owner,
            most,
            was_read: AtomicBool::new(false),
            asking: tokio::sync::Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Whether this server knows what is in the store.
    pub(crate) fn was_read(&self) -> bool {
        self.was_read.load(Ordering::Acquire)
    }

    /// What is in the store already: keys by when they expire. Read once.
    pub(crate) fn read(&self, stored: &[(i64, Vec<u128>)]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if self.was_read.swap(true, Ordering::AcqRel) {
            return;
        }
        for (end, keys) in stored {
            keys.iter().for_each(|key| known.insert(*key, *end));
        }
    }

    /// Remembers a token. Whether it is seen for the first time. Forgets those that expired before `now`.
    pub(crate) fn take(&self, used: &Used, now: i64) -> Result<bool, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget(now);
        if known.keys.contains_key(&used.key()) {
            return Ok(false);
        }
        if known.keys.len() >= self.most {
            return Err(StoreError::Busy(format!(
                "there is no room to remember a further token: {} are remembered that have not expired",
                self.most
            )));
        }
        known.insert(used.key(), used.expires());
        Ok(true)
    }

    /// It could not be given to be written: it may come again.
    pub(crate) fn give_back(&self, used: &Used) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keys.remove(&used.key());
        if let Some(keys) = known.by_end.get_mut(&used.expires()) {
            keys.retain(|key| *key != used.key());
        }
    }
}

impl Known {
    fn forget(&mut self, now: i64) {
        while let Some(first) = self.by_end.first_entry() {
            if *first.key() >= now {
                break;
            }
            let end = *first.key();
            for gone in first.remove() {
                // A store may have one twice: what expired and was not removed yet, and what was used again since.
                if self.keys.get(&gone) == Some(&end) {
                    self.keys.remove(&gone);
                }
            }
        }
    }

    /// The one that expires last counts.
    fn insert(&mut self, key: u128, end: i64) {
        let known = self.keys.entry(key).or_insert(end);
        *known = end.max(*known);
        self.by_end.entry(end).or_default().push(key);
    }
}

/// Another server took the tokens over.
pub(crate) fn taken() -> StoreError {
    StoreError::Unavailable(
        "another server uses this store since, or the file was set back: SQLite is for one server. End one of the \
         two and start the other anew, or give both one PostgreSQL"
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(jti: &str, expires: i64) -> Used {
        let expires = jiff::Timestamp::from_second(expires).unwrap();
        Used::new("i", jti, expires, String::new())
    }

    #[test]
    fn a_token_is_taken_once_until_it_expires() {
        let tokens = Tokens::new("me".into(), 2);
        let one = used("1", 10);
        assert_eq!(tokens.take(&one, 0), Ok(true));
        assert_eq!(tokens.take(&one, 10_000_000), Ok(false));
        assert_eq!(tokens.take(&used("1", 99), 0), Ok(false), "by its jti");
        assert_eq!(tokens.take(&one, 10_000_001), Ok(true), "it expired");
    }

    #[test]
    fn what_was_used_again_is_known_until_the_second_expires() {
        let tokens = Tokens::new("me".into(), 9);
        let (first, again) = (used("1", 5), used("1", 10));
        let stored = [
            (5_000_000, vec![first.key()]),
            (10_000_000, vec![again.key()]),
        ];
        tokens.read(&stored);
        assert!(tokens.was_read());
        assert_eq!(tokens.take(&again, 7_000_000), Ok(false));
        assert_eq!(tokens.take(&again, 11_000_000), Ok(true));
    }

    #[test]
    fn there_is_room_for_so_many_and_what_was_given_back_makes_room() {
        let tokens = Tokens::new("me".into(), 2);
        tokens.read(&[(5_000_000, vec![used("old", 5).key()])]);
        assert_eq!(tokens.take(&used("old", 5), 0), Ok(false));
        let one = used("1", 10);
        assert_eq!(tokens.take(&one, 0), Ok(true));
        let full = tokens.take(&used("2", 10), 0).unwrap_err();
        assert!(matches!(full, StoreError::Busy(_)), "{full}");
        tokens.give_back(&one);
        assert_eq!(tokens.take(&used("2", 10), 0), Ok(true));
        assert_eq!(
            tokens.take(&one, 5_000_001),
            Ok(true),
            "the old one expired"
        );
    }
}
