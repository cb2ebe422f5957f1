//! A value set as it is asked during evaluation.

use std::fmt;
use std::sync::Arc;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::code::{Code, canonical_system};
use super::hash::ContentHash;

/// Up to this many codes, a search in the sorted keys is as quick as hashing.
const SMALL: usize = 16;

/// Whether a value set has all its codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// All codes are here.
    Complete,
    /// Expanded, and there are none: nothing will ever be a member.
    Empty,
    /// Only some codes are here: a code that is not found may still be a member.
    Partial {
        /// Codes that are here.
        have: usize,
        /// Codes there should be, where the source says so.
        total: Option<usize>,
        /// Why they are not all here.
        reason: String,
        /// What lacks is a value set that it includes and that is not loaded, at whatever depth.
        missing: bool,
    },
    /// The codes are not known: neither an expansion nor a definition that can be evaluated.
    NotExpanded {
        /// What stood in the way.
        reason: String,
    },
}

impl Completeness {
    /// True if an answer "not a member" can be trusted.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(self, Self::Complete | Self::Empty)
    }

    /// Of several resources of one url the one of the higher rank is used: all codes, some, none known.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Complete | Self::Empty => 2,
            Self::Partial { .. } => 1,
            Self::NotExpanded { .. } => 0,
        }
    }

    /// One word, as used in manifests: `complete`, `empty`, `partial`, `not-expanded`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Empty => "empty",
            Self::Partial { .. } => "partial",
            Self::NotExpanded { .. } => "not-expanded",
        }
    }
}

impl fmt::Display for Completeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete | Self::Empty => f.write_str(self.word()),
            Self::Partial {
                have,
                total: Some(total),
                reason,
                ..
            } => write!(f, "partial, {have} of {total} codes: {reason}"),
            Self::Partial { have, reason, .. } => write!(f, "partial, {have} codes: {reason}"),
            Self::NotExpanded { reason } => write!(f, "not expanded: {reason}"),
        }
    }
}

/// Codes under a canonical url, in memory, of any number.
#[derive(Debug, Clone)]
pub struct ValueSet {
    /// Canonical url.
    pub url: Arc<str>,
    /// Business version.
    pub version: Option<Arc<str>>,
    /// Logical id.
    pub id: Option<Arc<str>>,
    /// Computer-friendly name.
    pub name: Option<Arc<str>>,
    /// Title for people.
    pub title: Option<Arc<str>>,
    /// Name of the source it came from, usually a file.
    pub source: Arc<str>,
    completeness: Completeness,
    entries: Vec<Code>,
    keys: Vec<i64>,
    systems: Vec<Arc<str>>,
    set: HashSet<i64, FxBuildHasher>,
    hash: ContentHash,
}

impl ValueSet {
    /// A value set of these codes, complete (or [`Completeness::Empty`]).
    #[must_use]
    pub fn from_codes(
        url: &str,
        version: Option<&str>,
        codes: Vec<Code>,
        source: impl Into<Arc<str>>,
    ) -> Self {
        let completeness = if codes.is_empty() {
            Completeness::Empty
        } else {
            Completeness::Complete
        };
        Self::new(
            Arc::from(url),
            version.map(Arc::from),
            codes,
            completeness,
            source.into(),
        )
    }

    pub(super) fn new(
        url: Arc<str>,
        version: Option<Arc<str>>,
        mut entries: Vec<Code>,
        completeness: Completeness,
        source: Arc<str>,
    ) -> Self {
        entries.sort_by(|a, b| a.order().cmp(&b.order()));
        entries.dedup_by(|a, b| a.order() == b.order());
        let mut keys: Vec<i64> = entries.iter().map(Code::key).collect();
        keys.sort_unstable();
        keys.dedup();
        let set = if keys.len() > SMALL {
            keys.iter().copied().collect()
        } else {
            HashSet::default()
        };
        let mut systems: Vec<Arc<str>> = entries.iter().map(|e| Arc::clone(&e.system)).collect();
        systems.dedup();
        let hash = ContentHash::of_sorted(&entries);
        Self {
            url,
            version,
            id: None,
            name: None,
            title: None,
            source,
            completeness,
            entries,
            keys,
            systems,
            set,
            hash,
        }
    }

    /// True if the code with this key ([`super::code_key`]) is a member.
    #[must_use]
    #[inline]
    pub fn contains(&self, key: i64) -> bool {
        if self.keys.len() > SMALL {
            self.set.contains(&key)
        } else {
            self.keys.binary_search(&key).is_ok()
        }
    }

    /// The member with this system and code, for its display text.
    #[must_use]
    pub fn find(&self, system: &str, code: &str) -> Option<&Code> {
        let wanted = (canonical_system(system), code);
        let at = self
            .entries
            .binary_search_by(|entry| entry.order().cmp(&wanted))
            .ok()?;
        self.entries.get(at)
    }

    /// Number of different codes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there is no code; see [`Self::completeness`] for why.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys, ascending, each once.
    #[must_use]
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// The codes, sorted by system and code, each once.
    #[must_use]
    pub fn entries(&self) -> &[Code] {
        &self.entries
    }

    /// The code systems of its codes, sorted, each once.
    #[must_use]
    pub fn systems(&self) -> &[Arc<str>] {
        &self.systems
    }

    /// Whether all codes are here.
    #[must_use]
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// Hash of the codes; see [`super::HASH_ALGORITHM`].
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// `url|version`, or the url alone.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.url, self.version.as_deref())
    }
}

/// `url|version`, or the url alone.
pub(super) fn canonical(url: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{url}|{version}"),
        None => url.to_owned(),
    }
}
