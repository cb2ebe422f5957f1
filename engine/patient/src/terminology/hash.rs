//! Content hash of a set of codes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use xxhash_rust::xxh3::Xxh3;

use super::code::Code;

/// How a [`ContentHash`] over codes is made, as written into manifests.
pub const HASH_ALGORITHM: &str = "xxh3-128 over the sorted `system|code` lines, each ended by \\n";

/// A 128-bit content hash, written as 32 hex digits. It detects change, not forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub u128);

impl ContentHash {
    /// Hash of codes that are sorted by system and code and hold each pair once.
    #[must_use]
    pub(super) fn of_sorted(codes: &[Code]) -> Self {
        let mut hasher = Xxh3::new();
        for code in codes {
            hasher.update(code.system.as_bytes());
            hasher.update(b"|");
            hasher.update(code.code.as_bytes());
            hasher.update(b"\n");
        }
        Self(hasher.digest128())
    }

    /// Hash of lines, each ended by `\n`.
    #[must_use]
    pub(super) fn of_lines<I: IntoIterator<Item = String>>(lines: I) -> Self {
        let mut hasher = Xxh3::new();
        for line in lines {
            hasher.update(line.as_bytes());
            hasher.update(b"\n");
        }
        Self(hasher.digest128())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match u128::from_str_radix(&text, 16) {
            Ok(value) if text.len() == 32 => Ok(Self(value)),
            _ => Err(de::Error::custom(format!(
                "`{text}` is not a content hash; expected 32 hex digits"
            ))),
        }
    }
}
