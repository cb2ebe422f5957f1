//! Ids for entries of the audit log: UUIDs, of which no two are the same whichever server makes them.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::hash;

/// Makes ids. They need not be hard to guess: nobody is let in for one.
pub struct Ids {
    /// What the operating system drew for this process.
    seed: String,
    made: AtomicU64,
}

impl Ids {
    /// For one process, by its name.
    pub fn new(name: &str) -> Self {
        let drawn = |salt: u8| RandomState::new().hash_one(salt);
        Ids {
            seed: format!("{name}/{:016x}{:016x}", drawn(1), drawn(2)),
            made: AtomicU64::new(0),
        }
    }

    /// The next.
    pub fn next(&self, now: Timestamp) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed).to_string();
        let hash = hash::of_parts(&[&self.seed, &now.to_string(), &number]);
        let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
        // Version 8 of RFC 9562: made in a way of one's own. The moment comes first, so that what is written one
        // after the other stands side by side in an index.
        let millis = format!("{:012x}", now.as_millisecond().max(0) & 0xffff_ffff_ffff);
        let (high, low) = millis.split_at(8);
        format!(
            "{high}-{low}-8{}-a{}-{}",
            part(12, 15),
            part(15, 18),
            part(18, 30)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_all_different() {
        let (one, two) = (Ids::new("same"), Ids::new("same"));
        let ids: std::collections::BTreeSet<String> = (0..500)
            .flat_map(|_| {
                [
                    one.next(Timestamp::UNIX_EPOCH),
                    two.next(Timestamp::UNIX_EPOCH),
                ]
            })
            .collect();
        assert_eq!(ids.len(), 1000);
        let later = one.next(Timestamp::from_millisecond(1).expect("in range"));
        assert!(ids.iter().all(|id| *id < later), "later ids come later");
        for id in ids {
            assert_eq!(id.len(), 36);
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12]);
            assert!(id.get(14..15) == Some("8") && id.get(19..20) == Some("a"));
        }
    }
}
